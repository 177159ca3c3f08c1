use hopscope_record::PlaceIndex;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::EndCount;
use hopscope_report::laws::LAWS;
use hopscope_scenario::text;

use super::*;
use crate::buffer::RunBuffer;
use crate::buffer::synthetic::{Fate, MS, end_after, events, frames, frames_ending};

fn calls() -> Vec<(i64, Fate)> {
    let fates = [Fate::Answered, Fate::TimedOut, Fate::Refused, Fate::Failed, Fate::NotSent, Fate::Open];
    (0..).map(|n| n * 20 * MS).zip(fates).collect()
}

fn filled(frames: &[Vec<u8>]) -> RunBuffer {
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in frames {
        buffer.push(frame).unwrap();
    }
    buffer
}

#[test]
fn each_frame_is_judged_once_however_its_stream_was_broken() {
    let frames = frames(&events(&calls()), 4);
    let whole = filled(&frames);
    let mut broken = RunBuffer::new(Framing::Stream);
    for frame in &frames {
        // A new stream begins with Hello, and may repeat what the one before it sent last.
        broken.resume();
        broken.push(&frames[0]).unwrap();
        broken.push(frame).unwrap();
        broken.push(frame).unwrap();
    }
    assert_eq!(broken.judge().laws(), whole.judge().laws());
    let plan = whole.plan().unwrap();
    assert_eq!(broken.judge().links(plan), whole.judge().links(plan));
}

#[test]
fn laws_hold_all_the_way_and_count_what_they_checked() {
    let frames = frames(&events(&calls()), 4);
    let mut buffer = RunBuffer::new(Framing::Stream);
    let mut checked = 0;
    for frame in &frames {
        buffer.push(frame).unwrap();
        let reports = buffer.judge().laws();
        assert!(reports.iter().all(|report| report.broken == 0), "{reports:?}");
        assert!(reports[0].checked() >= checked);
        checked = reports[0].checked();
    }
    // Five of the six were sent.
    let first = &buffer.judge().laws()[0];
    assert_eq!((first.law, first.held, first.checked()), (Law::ReplyAfterRequest, 5, 5));
}

#[test]
fn a_schedule_that_was_not_kept_is_named() {
    let events = events(&calls());
    let mut buffer = filled(&frames(&events, 4)[..1]);
    let mut end = end_after(&events);
    end.counts.push(EndCount::wanted(PlaceIndex(0), 12));
    let wanted = frames_ending(&events, 4, &end);
    wanted[1..].iter().for_each(|frame| buffer.push(frame).unwrap());
    let plan = buffer.plan().unwrap();
    let behind = buffer.judge().behind(plan);
    let row = (behind[0].node.as_str(), behind[0].wanted);
    assert_eq!((behind.len(), row), (1, (plan.nodes[0].name.as_str(), 12.0)));
    assert!(behind[0].reached > 0.0);
    assert_eq!(filled(&frames(&events, 4)).judge().behind(plan), []);
}

#[test]
fn a_breach_is_told_with_its_trace() {
    let mut all = events(&calls());
    let completed = all.iter_mut().find(|event| event.kind == hopscope_record::Kind::COMPLETED).unwrap();
    completed.time = 5_000;
    let trace = completed.trace;
    all.sort_by_key(|event| event.time);
    let reports = filled(&frames(&all, 1_000)).judge().laws();
    assert_eq!((Verdict::of(&reports[0]), reports[0].breaches[0].trace), (Verdict::Broken, trace));
}

#[test]
fn a_links_figures_are_dashes_until_something_happened() {
    let frames = frames(&events(&calls()), 1_000);
    let empty = filled(&frames[..1]);
    let row = &empty.judge().links(empty.plan().unwrap())[0];
    assert_eq!((row.name.as_str(), row.counts, row.answered), ("buyers → shop", None, Spread::default()));
    let buffer = filled(&frames);
    let row = &buffer.judge().links(buffer.plan().unwrap())[0];
    let counts = row.counts.unwrap();
    let ends = (counts.completed, counts.refused, counts.failed, counts.timed_out, counts.retried, counts.late);
    assert_eq!((counts.sent, ends), (5, (1, 1, 1, 1, 0, 1)));
    // Open calls and calls that were never sent are not answered.
    assert_eq!((row.answered.count, row.completed.count, row.completed.max), (4, 1, Some(10_300_000)));
}

fn report(held: u64, broken: u64, undecided: u64) -> LawReport {
    LawReport { law: LAWS[1], held, broken, undecided, breaches: Vec::new(), not_applicable: None }
}

#[test]
fn verdicts_and_their_sum_say_the_worst() {
    let verdict = |held, broken, undecided| Verdict::of(&report(held, broken, undecided));
    let found = [verdict(3, 0, 1), verdict(3, 1, 0), verdict(0, 0, 1), verdict(0, 0, 0)];
    assert_eq!(found, [Verdict::Held, Verdict::Broken, Verdict::Undecided, Verdict::Empty]);
    let silent = LawReport { not_applicable: Some(text!("law.not-applicable.not-counted")), ..report(0, 0, 0) };
    let sum = |reports: &[LawReport]| {
        let sum = summary(reports.iter());
        (sum.verdict, sum.held, sum.of, sum.broken.len())
    };
    assert_eq!(sum(&[]), (Verdict::Empty, 0, 0, 0));
    assert_eq!(sum(&[report(1, 0, 0), report(0, 0, 0), silent]), (Verdict::Held, 1, 2, 0));
    assert_eq!(sum(&[report(1, 0, 0), report(0, 0, 2)]), (Verdict::Undecided, 1, 2, 0));
    assert_eq!(sum(&[report(1, 2, 0), report(0, 0, 2)]), (Verdict::Broken, 0, 2, 1));
}

#[test]
fn reports_are_looked_at_a_few_times_a_second_and_at_the_end() {
    let mut pace = Pace::default();
    let looks = (0..100).filter(|frame| pace.is_due(f64::from(*frame) * 10.0, *frame as u64, false)).count();
    assert_eq!(looks, 4);
    assert!(pace.is_behind(99, false));
    assert!(pace.is_due(991.0, 99, true));
    assert!(!pace.is_behind(99, true) && !pace.is_due(5_000.0, 99, true));
}
