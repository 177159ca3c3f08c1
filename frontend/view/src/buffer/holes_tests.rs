use proptest::prelude::*;

use super::synthetic::{Fate, MS, events, frames};
use super::tests::{ALL, fate, filled, parts};
use super::*;

/// A run of some length, in frames of four events.
fn run(calls: i64) -> Vec<Vec<u8>> {
    let calls: Vec<_> = (0..calls).map(|n| (n * 20 * MS, ALL[n as usize % ALL.len()].1)).collect();
    frames(&events(&calls), 4)
}

fn here_of(buffer: &RunBuffer) -> Option<(u32, u32)> {
    buffer.missing().map(|missing| (missing.here, missing.of))
}

/// How much the laws were held to.
fn checked(buffer: &RunBuffer) -> u64 {
    let plan = buffer.plan().unwrap();
    assert!(buffer.missing().is_none() || buffer.judge().links(plan).iter().all(|row| row.counts.is_none()));
    buffer.judge().laws().iter().map(|report| report.checked() + report.undecided).sum()
}

#[test]
fn a_late_reader_has_its_figures_at_once_and_the_rest_when_the_hole_is_filled() {
    let frames = run(20);
    let (whole, last) = (filled(&frames), frames.len() as u32 - 1);
    let mut buffer = RunBuffer::new(Framing::Stream);
    buffer.push(&frames[0]).unwrap();
    buffer.push(&frames[1]).unwrap();
    buffer.push(&keyframe(&frames, last - 3)).unwrap();
    assert_eq!(here_of(&buffer), Some((2, last - 2)));
    assert_eq!((buffer.first_hole(), buffer.next_frame()), (Some(2..last - 2), last - 2));
    assert!(checked(&buffer) == 0 && buffer.end().is_none());
    assert_eq!(buffer.figures().sent, filled(&frames[..frames.len() - 3]).figures().sent);

    for frame in &frames[frames.len() - 3..] {
        buffer.push(frame).unwrap();
    }
    let (ahead, all) = (buffer.figures(), whole.figures());
    assert_eq!((ahead.sent, ahead.completed, ahead.errors), (all.sent, all.completed, all.errors));
    assert_eq!((ahead.in_flight, ahead.elapsed, ahead.phase), (all.in_flight, all.elapsed, all.phase));
    assert_eq!(buffer.end(), whole.end());
    assert!(buffer.traces().is_empty() && checked(&buffer) == 0, "they wait for their turn");
    // The player's track goes to the head, with nothing where the hole is.
    let (from, until) = buffer.hole().unwrap();
    assert_eq!((from, buffer.span()), (0, Some((0, whole.head()))));
    let columns = 100;
    let (density, width) = (buffer.density(columns), whole.head() / columns as i64);
    for (column, events) in density.iter().enumerate() {
        assert!(*events == 0 || (column as i64 + 1) * width >= until, "{column}: {density:?}");
    }
    assert!(density.iter().sum::<u64>() > 0, "what came after the Keyframe is drawn");

    buffer.fill(&frames[2..20].concat()).unwrap();
    assert_eq!(buffer.first_hole(), Some(20..last - 2));
    assert!(!buffer.traces().is_empty());
    buffer.fill(&frames[20..].concat()).unwrap();
    assert_eq!((buffer.first_hole(), buffer.missing()), (None, None));
    assert_eq!((buffer.hole(), buffer.span()), (None, whole.extent()));
    assert_eq!(parts(&buffer), parts(&whole));
}

#[test]
fn a_slow_reader_is_taken_to_the_head_again_and_again() {
    let frames = run(20);
    let mut buffer = filled(&frames[..6]);
    buffer.push(&keyframe(&frames, 10)).unwrap();
    buffer.push(&frames[11]).unwrap();
    assert_eq!(buffer.first_hole(), Some(6..11));
    buffer.push(&keyframe(&frames, 15)).unwrap();
    assert_eq!((here_of(&buffer), buffer.next_frame()), (Some((7, 16)), 16));
    // One that tells what is known tells nothing.
    buffer.push(&keyframe(&frames, 9)).unwrap();
    assert_eq!(buffer.next_frame(), 16);
    buffer.fill(&frames[6..11].concat()).unwrap();
    assert_eq!(buffer.first_hole(), Some(12..16));
    buffer.fill(&frames[12..].concat()).unwrap();
    assert_eq!(parts(&buffer), parts(&filled(&frames)));
    buffer.push(&keyframe(&frames, 12)).unwrap();
    assert_eq!(parts(&buffer), parts(&filled(&frames)));
}

#[test]
fn a_keyframe_that_cannot_be_read_is_passed_over() {
    let frames = run(8);
    let mut buffer = filled(&frames[..4]);
    // Of a plan with more places; and one whose payload is another build's.
    let other = Keyframe {
        frame: 9,
        next_offset: 1,
        names: 1,
        messages: 0,
        lost: 0,
        cut: 0,
        state: hopscope_record::state::State::new(40, 1),
    };
    buffer.push(&other.to_frame().unwrap()).unwrap();
    assert_eq!(buffer.missing(), None);
    buffer.push(&frames[6]).unwrap();
    assert_eq!(buffer.first_hole(), Some(4..6));
    buffer.fill(&frames[4..].concat()).unwrap();
    assert_eq!(parts(&buffer), parts(&filled(&frames)));
}

#[test]
fn a_range_comes_while_half_a_frame_of_the_stream_is_here() {
    let frames = run(8);
    let mut buffer = filled(&frames[..3]);
    let (first, second) = frames[7].split_at(9);
    buffer.push(first).unwrap();
    buffer.fill(&frames[3..7].concat()).unwrap();
    buffer.push(second).unwrap();
    buffer.push(&frames[8..].concat()).unwrap();
    assert_eq!(parts(&buffer), parts(&filled(&frames)));
}

#[test]
fn losses_are_told_at_the_head() {
    use hopscope_record::SourceId;
    use hopscope_record::frame::FrameWriter;
    let frames = run(4);
    let mut writer = FrameWriter::new();
    while writer.next_number() < 4 {
        writer.losses(&[]).unwrap();
    }
    let loss = Loss { source: SourceId(1), count: 7, from: 0, to: 1 };
    let mut with_loss = frames[..4].to_vec();
    with_loss.push(writer.losses(&[loss]).unwrap());
    let mut buffer = filled(&frames[..2]);
    buffer.push(&keyframe(&with_loss, 4)).unwrap();
    assert_eq!(buffer.lost(), 7);
}

#[test]
fn what_a_crash_took_is_discarded() {
    let frames = run(12);
    for keep in [1, 2, 7, frames.len() as u32, frames.len() as u32 + 4] {
        let mut buffer = filled(&frames);
        buffer.truncate(keep).unwrap();
        let kept = (keep as usize).min(frames.len());
        assert_eq!(parts(&buffer), parts(&filled(&frames[..kept])), "{keep}");
        assert_eq!(buffer.next_frame() as usize, kept);
    }
    let mut empty = filled(&frames);
    empty.truncate(0).unwrap();
    assert!(empty.plan().is_none() && empty.next_frame() == 0);
}

#[test]
fn what_a_crash_took_is_discarded_where_there_is_a_hole() {
    let frames = run(12);
    let mut buffer = filled(&frames[..4]);
    buffer.push(&keyframe(&frames, 9)).unwrap();
    buffer.push(&frames[10..13].concat()).unwrap();
    buffer.truncate(11).unwrap();
    assert_eq!((buffer.next_frame(), buffer.first_hole()), (11, Some(4..10)));
    buffer.fill(&frames[4..10].concat()).unwrap();
    assert_eq!(parts(&buffer), parts(&filled(&frames[..11])));
}

#[test]
fn a_full_buffer_fetches_again_what_it_needs_after_a_crash() {
    let calls: Vec<_> = (0..10).map(|n| (n * 20 * MS, Fate::Answered)).collect();
    let frames = frames(&events(&calls), 6);
    let fill = |frames: &[Vec<u8>]| {
        let mut buffer = RunBuffer::with_limit(Framing::Stream, 4);
        buffer.push(&frames.concat()).unwrap();
        buffer
    };
    let mut buffer = fill(&frames);
    assert!(buffer.kept_until().is_some());
    let keep = frames.len() - 2;
    buffer.truncate(keep as u32).unwrap();
    let hole = buffer.first_hole().unwrap();
    assert_eq!(hole.end as usize, keep);
    buffer.fill(&frames[hole.start as usize..keep].concat()).unwrap();
    assert_eq!(parts(&buffer), parts(&fill(&frames[..keep])));
}

/// What comes to a reader.
#[derive(Clone, Debug)]
enum Arrival {
    /// Frames of the stream or of a range, overlapping perhaps.
    Frames(prop::sample::Index, usize),
    /// A Keyframe.
    Key(prop::sample::Index),
    /// The connection is lost, in the middle of a frame perhaps.
    Lost(prop::sample::Index, usize),
    /// The first hole is fetched, a few frames of it.
    Fill(u32),
}

fn arrival() -> impl Strategy<Value = Arrival> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 1_usize..6).prop_map(|(at, count)| Arrival::Frames(at, count)),
        2 => any::<prop::sample::Index>().prop_map(Arrival::Key),
        1 => (any::<prop::sample::Index>(), 1_usize..40).prop_map(|(at, bytes)| Arrival::Lost(at, bytes)),
        2 => (1_u32..5).prop_map(Arrival::Fill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// In any order, twice, by stream or by range, with Keyframes wherever: what it comes to is the same.
    #[test]
    fn any_order_of_arrival_gives_the_same_buffer(
        fates in prop::collection::vec(fate(), 1..40),
        batch in 1_usize..12,
        arrivals in prop::collection::vec(arrival(), 0..40),
    ) {
        let calls: Vec<_> = (0..).map(|n| n * 3 * MS).zip(fates).collect();
        let frames = frames(&events(&calls), batch);
        let mut buffer = RunBuffer::new(Framing::Stream);
        buffer.push(&frames[0]).unwrap();
        for arrival in arrivals {
            match arrival {
                Arrival::Frames(at, count) => {
                    let at = at.index(frames.len());
                    buffer.push(&frames[at..(at + count).min(frames.len())].concat()).unwrap();
                }
                Arrival::Key(at) => {
                    buffer.push(&keyframe(&frames, at.index(frames.len()) as u32)).unwrap();
                }
                Arrival::Lost(at, bytes) => {
                    let frame = &frames[at.index(frames.len())];
                    buffer.push(&frame[..bytes.min(frame.len() - 1)]).unwrap();
                    buffer.resume();
                }
                Arrival::Fill(most) => {
                    if let Some(hole) = buffer.first_hole() {
                        let to = hole.end.min(hole.start + most);
                        buffer.fill(&frames[hole.start as usize..to as usize].concat()).unwrap();
                    }
                }
            }
            let of = buffer.next_frame();
            prop_assert!(buffer.missing().is_none_or(|missing| missing.of == of && missing.here < of));
            prop_assert_eq!(buffer.missing().is_none(), buffer.first_hole().is_none());
            prop_assert!(buffer.missing().is_none() || checked(&buffer) == 0);
            // At the head the figures are those of everything before it, whatever is missing.
            if let Some(ahead) = &buffer.ahead {
                let upto = filled(&frames[..ahead.next as usize]);
                prop_assert_eq!(&ahead.state, upto.state().unwrap());
            }
        }
        while let Some(hole) = buffer.first_hole() {
            buffer.fill(&frames[hole.start as usize..hole.end as usize].concat()).unwrap();
        }
        buffer.push(&frames[buffer.next_frame() as usize..].concat()).unwrap();
        prop_assert_eq!(parts(&buffer), parts(&filled(&frames)));
    }
}

/// The Keyframe after frame `number`.
fn keyframe(frames: &[Vec<u8>], number: u32) -> Vec<u8> {
    let whole = filled(&frames[..=number as usize]);
    let keyframe = Keyframe {
        frame: number,
        next_offset: frames[..=number as usize].iter().map(|frame| frame.len() as u64).sum(),
        names: 1,
        messages: 0,
        lost: whole.lost(),
        cut: whole.frames.last().map_or(0, |frame| frame.cut),
        state: whole.state().unwrap().clone(),
    };
    keyframe.to_frame().unwrap()
}
