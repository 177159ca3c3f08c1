use hopscope_record::decoder::Framing;
use hopscope_record::{KINDS, Minter, SourceId};
use hopscope_scenario::catalogue::{Language, plain};

use super::*;
use hopscope_view::buffer::RunBuffer;
use hopscope_view::buffer::synthetic::{Fate, MS, READY, call, events, frames, given_back, queued};

const FRAME: Frame = Frame { left: 100.0, right: 500.0, top: 0.0, bottom: 1_031.0 };
/// Links that carry no replies and lead to no program outside.
const WITHIN: Ways<'static> = Ways { replies_of: &|_| None, outside: &|_| None };

fn drawn(fate: Fate) -> (Vec<Event>, Sequence) {
    let mut events = call(&mut Minter::new(SourceId(1)), 0, fate);
    events.sort_by_key(|event| event.time);
    let drawing = Sequence::new(&events, FRAME, WITHIN);
    (events, drawing)
}

#[test]
fn a_call_is_drawn_to_scale_with_its_four_steps() {
    let (events, drawing) = drawn(Fate::Answered);
    // From 10 µs to 10.32 ms: 10 µs are one unit.
    assert_eq!(drawing.lanes.iter().map(|lane| lane.x).collect::<Vec<_>>(), [100.0, 500.0]);
    let request = drawing.arrows[0];
    assert_eq!((request.from, request.to), ((100.0, 1.0), (500.0, 11.0)));
    let reply = drawing.arrows[1];
    assert_eq!((reply.reply, reply.from, reply.to), (true, (500.0, 1_011.0), (100.0, 1_031.0)));
    assert_eq!(
        drawing.bars.iter().map(|bar| (bar.stay, bar.ns)).collect::<Vec<_>>(),
        [(Stay::Waits, MS), (Stay::Works, 8_990_000)]
    );
    let steps: Vec<_> = drawing.marks.iter().filter_map(|mark| mark.note).collect();
    assert_eq!(steps, [1, 2, 3, 4].map(Note::Step));
    assert_eq!(drawing.marks.len(), events.len());
    assert!(drawing.marks.is_sorted_by_key(|mark| mark.event));
}

#[test]
fn a_program_outside_has_a_lane_and_a_stay_that_is_as_long_as_the_call() {
    let mut events = call(&mut Minter::new(SourceId(1)), 0, Fate::Answered);
    events.retain(|event| [Kind::SENT, Kind::COMPLETED].contains(&event.kind));
    events.sort_by_key(|event| event.time);
    let place = PlaceIndex(7);
    let ways = Ways { outside: &|_| Some(place), ..WITHIN };
    let drawing = Sequence::new(&events, FRAME, ways);
    assert_eq!(drawing.lanes.iter().map(|lane| lane.place).collect::<Vec<_>>(), [events[0].place, place]);
    let ns = events[1].time - events[0].time;
    assert_eq!(
        drawing.bars.iter().map(|bar| (bar.stay, bar.lane, bar.ns)).collect::<Vec<_>>(),
        [(Stay::Outside, 500.0, ns)]
    );
    let ends: Vec<_> = drawing.arrows.iter().map(|arrow| (arrow.reply, arrow.from, arrow.to)).collect();
    assert_eq!(ends, [(false, (100.0, 0.0), (500.0, 0.0)), (true, (500.0, 1_031.0), (100.0, 1_031.0))]);
    // One that is not answered is called, and no more is known.
    let drawing = Sequence::new(&events[..1], FRAME, ways);
    assert_eq!((drawing.lanes.len(), drawing.arrows.len(), drawing.bars.len()), (2, 1, 0));
}

#[test]
fn what_ends_badly_says_so() {
    let (_, refused) = drawn(Fate::Refused);
    assert!(refused.arrows.iter().any(|arrow| arrow.reply && arrow.bad));
    let (_, failed) = drawn(Fate::Failed);
    assert!(failed.arrows.is_empty() && failed.lanes.len() == 1);
    let (_, late) = drawn(Fate::TimedOut);
    assert_eq!(
        late.arrows.iter().map(|arrow| (arrow.reply, arrow.late)).collect::<Vec<_>>(),
        [(false, false), (true, true)]
    );
    let notes: Vec<_> = late.marks.iter().filter_map(|mark| mark.note).collect();
    assert_eq!(notes, [Note::Step(1), Note::Step(2), Note::TimedOut, Note::Step(3), Note::Late]);
    let (_, open) = drawn(Fate::Open);
    assert_eq!(open.arrows.len(), 1);
    assert_eq!(Sequence::new(&[], FRAME, WITHIN), Sequence::default());
}

#[test]
fn the_four_steps_of_queues_are_put_and_taken_there_and_back() {
    let replies_of = |link: LinkIndex| (link.0 >= 2).then_some(LinkIndex(0));
    let drawing = Sequence::new(&queued(0, 0), FRAME, Ways { replies_of: &replies_of, ..WITHIN });
    let notes: Vec<_> = drawing.marks.iter().filter_map(|mark| mark.note).collect();
    let put = |step| Note::Put { step: Some(step), before: 0, after: 1 };
    let taken = |step, waited| Note::Taken { step: Some(step), before: 1, after: 0, waited };
    assert_eq!(notes, [Note::T1, put(1), taken(2, READY), put(3), taken(4, 50_000), Note::T2]);
    assert_eq!(notes.iter().filter_map(|note| note.step()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let arrows: Vec<_> = drawing.arrows.iter().map(|arrow| (arrow.link.0, arrow.reply)).collect();
    assert_eq!(arrows, [(0, false), (1, false), (2, true), (3, true)]);
    let queued: Vec<_> = drawing.bars.iter().filter(|bar| bar.stay == Stay::Queued).map(|bar| bar.ns).collect();
    assert_eq!(queued, [READY, 50_000]);
}

#[test]
fn a_copy_that_goes_back_waits_from_then_on() {
    let drawing = Sequence::new(&given_back(), FRAME, WITHIN);
    let notes: Vec<_> = drawing.marks.iter().filter_map(|mark| mark.note).collect();
    let waits: Vec<_> = notes
        .iter()
        .filter_map(|note| match note {
            Note::Taken { waited, .. } => Some(*waited),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [MS - 100_000, 2 * MS]);
    assert!(notes.contains(&Note::Back { before: 0, after: 1 }));
}

/// A call whose first attempt times out, is tried again 1 ms later, and whose late reply comes while the second works.
fn retried() -> Vec<Event> {
    let mut minter = Minter::new(SourceId(1));
    let mut events = call(&mut minter, 0, Fate::TimedOut);
    let first = events[0].message;
    let timed_out = events.iter().find(|event| event.kind == Kind::TIMED_OUT).copied().unwrap();
    events.push(Event { kind: Kind::RETRIED, a: MS.cast_unsigned(), b: 2, ..timed_out });
    let second = call(&mut Minter::new(SourceId(1)), timed_out.time + MS, Fate::Answered);
    let of_second = |event: Event| Event { message: first.with_attempt(2), trace: events[0].trace, ..event };
    let second: Vec<_> = second.into_iter().filter(|event| event.kind != Kind::INTENDED).map(of_second).collect();
    events.extend(second);
    events.sort_by_key(|event| event.time);
    events
}

#[test]
fn each_attempt_has_its_steps_and_work_at_once_stands_side_by_side() {
    let events = retried();
    let drawing = Sequence::new(&events, FRAME, WITHIN);
    let notes = |attempt| drawing.marks.iter().filter(move |mark| mark.attempt == attempt).filter_map(|mark| mark.note);
    assert_eq!(notes(2).collect::<Vec<_>>(), [1, 2, 3, 4].map(Note::Step));
    assert_eq!(notes(1).filter(|note| matches!(note, Note::Step(_))).count(), 3);
    let works: Vec<_> = drawing.bars.iter().filter(|bar| bar.stay == Stay::Works).map(|bar| bar.x).collect();
    assert_eq!(works, [500.0, 500.0 + BAR_STEP]);
    assert!(drawing.lanes.iter().all(|lane| drawing.bars.iter().all(|bar| bar.lane != lane.x || lane.words_x > bar.x)));
    assert_eq!(drawing.arrows.iter().filter(|arrow| arrow.late).count(), 1);
}

#[test]
fn what_is_written_on_one_lane_does_not_lie_on_each_other() {
    for bottom in [60.0, 150.0, 1_031.0] {
        let frame = Frame { bottom, ..FRAME };
        let drawing = Sequence::new(&retried(), frame, WITHIN);
        for lane in &drawing.lanes {
            let marks = drawing.marks.iter().filter(|mark| mark.x == lane.x && mark.note.is_some());
            let bars = drawing.bars.iter().filter(|bar| bar.lane == lane.x).filter_map(|bar| bar.note_y);
            let mut places: Vec<_> = marks.map(|mark| mark.note_y).chain(bars).collect();
            places.sort_by(f64::total_cmp);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] > LINE - 1e-6), "{places:?}");
            assert!(places.iter().all(|y| (-LINE..=bottom + LINE).contains(y)), "{places:?}");
        }
    }
}

#[test]
fn a_retry_says_how_long_it_waits_and_which_attempt_follows() {
    let events = retried();
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in frames(&events, 100) {
        buffer.push(&frame).unwrap();
    }
    let text = |kind, late| {
        let event = events.iter().find(|event| event.kind == kind && event.is_late() == late).unwrap();
        let (key, args) = caption(event, &buffer).unwrap();
        plain(Language::English, key, &args)
    };
    let retried = text(Kind::RETRIED, false);
    assert!(retried.contains("1.00 ms") && retried.contains("attempt 2"), "{retried}");
    assert_ne!(text(Kind::COMPLETED, true), text(Kind::COMPLETED, false));
    assert!(text(Kind::COMPLETED, true).contains("too late"));
}

#[test]
fn every_kind_has_a_caption_whose_arguments_are_given() {
    for info in KINDS {
        assert!(caption_key(info.kind).is_some(), "{}", info.name);
    }
    let fates = [Fate::Answered, Fate::Failed, Fate::Refused, Fate::TimedOut, Fate::NotSent, Fate::Open];
    let calls: Vec<_> = (0..).map(|n| n * 20 * MS).zip(fates).collect();
    let all = events(&calls);
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in frames(&all, 100) {
        buffer.push(&frame).unwrap();
    }
    for event in all.iter().filter(|event| !event.trace.is_none()) {
        let (key, args) = caption(event, &buffer).unwrap();
        let text = plain(Language::English, key, &args);
        assert!(!text.contains('{'), "{text}");
    }
}
