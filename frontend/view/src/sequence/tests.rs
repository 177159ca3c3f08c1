use hopscope_record::decoder::Framing;
use hopscope_record::{KINDS, Minter, SourceId};
use hopscope_scenario::catalogue::{Language, plain};

use super::*;
use crate::buffer::RunBuffer;
use crate::buffer::synthetic::{Fate, MS, call, events, frames};

const FRAME: Frame = Frame { left: 100.0, right: 500.0, top: 0.0, bottom: 1_031.0 };

fn drawn(fate: Fate) -> (Vec<Event>, Sequence) {
    let mut events = call(&mut Minter::new(SourceId(1)), 0, fate);
    events.sort_by_key(|event| event.time);
    let drawing = Sequence::new(&events, FRAME);
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
    assert_eq!(drawing.bars.iter().map(|bar| (bar.work, bar.ns)).collect::<Vec<_>>(), [(false, MS), (true, 8_990_000)]);
    let steps: Vec<_> = drawing.marks.iter().filter_map(|mark| mark.step).collect();
    assert_eq!(steps, [1, 2, 3, 4]);
    assert_eq!(drawing.marks.len(), events.len());
    assert!(drawing.marks.is_sorted_by_key(|mark| mark.event));
}

#[test]
fn what_ends_badly_says_so() {
    let (_, refused) = drawn(Fate::Refused);
    assert!(refused.arrows.iter().any(|arrow| arrow.reply && arrow.bad));
    let (_, failed) = drawn(Fate::Failed);
    assert!(failed.arrows.is_empty() && failed.lanes.len() == 1);
    let (_, late) = drawn(Fate::TimedOut);
    assert_eq!(late.arrows.len(), 2);
    let (_, open) = drawn(Fate::Open);
    assert_eq!(open.arrows.len(), 1);
    assert_eq!(Sequence::new(&[], FRAME), Sequence::default());
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
