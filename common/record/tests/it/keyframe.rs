//! Keyframes: a reader that begins at one comes to the same state as one that read everything.

use crate::lawful::{self, Shape};
use hopscope_record::decoder::{Decoder, Frame, Framing};
use hopscope_record::frame::{FrameType, FrameWriter, HEADER_LEN, Keyframe, NotAKeyframe, Payload};
use hopscope_record::kind::Phase;
use hopscope_record::state::State;
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use proptest::prelude::*;

const PLACES: usize = 3;
const LINKS: usize = 2;

fn fold(events: &[Event]) -> State {
    let mut state = State::new(PLACES, LINKS);
    events.iter().for_each(|event| state.apply(event));
    state
}

fn keyframe(state: State) -> Keyframe {
    Keyframe { frame: 7, next_offset: 1 << 40, names: 3, messages: 0, lost: 2, cut: -5, state }
}

/// What the decoder and the Keyframe's own reader make of a frame's bytes.
fn read(bytes: &[u8]) -> Result<Keyframe, NotAKeyframe> {
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(bytes);
    decoder.next_frame().ok().flatten().map_or(Err(NotAKeyframe), |frame| Keyframe::read(&frame))
}

/// A frame with the header of a Keyframe and other bytes, as no decoder would let it through.
fn forged(bytes: &[u8]) -> Result<Keyframe, NotAKeyframe> {
    let whole = keyframe(fold(&[])).to_frame().map_err(|_| NotAKeyframe)?;
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&whole);
    let header = decoder.next_frame().ok().flatten().ok_or(NotAKeyframe)?.header;
    Keyframe::read(&Frame { header, offset: 0, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_keyframe_and_the_events_after_it_are_the_whole(
        seed: u64, unusual in 0..40_u64, split in any::<prop::sample::Index>(),
    ) {
        let shape = Shape { messages: 120, period: 80_000, work: 100_000, sources: 3, workers: 2, unusual, seed };
        let events = lawful::run(shape);
        let (before, after) = events.split_at(split.index(events.len() + 1));
        let written = keyframe(fold(before));
        let read = read(&written.to_frame().unwrap()).unwrap();
        prop_assert_eq!(&read, &written);
        let mut state = read.state;
        after.iter().for_each(|event| state.apply(event));
        prop_assert_eq!(state, fold(&events));
    }

    #[test]
    fn any_state_comes_back(
        events in prop::collection::vec((0..110_u16, any::<u64>(), any::<i64>(), 0..4_u16, 0..5_u32), 0..60),
    ) {
        let events: Vec<_> = events
            .into_iter()
            .map(|(kind, a, time, link, place)| {
                Event { a, link: LinkIndex(link), place: PlaceIndex(place), ..Event::new(time, Kind(kind)) }
            })
            .collect();
        let written = keyframe(fold(&events));
        prop_assert_eq!(read(&written.to_frame().unwrap()), Ok(written));
    }

    #[test]
    fn any_payload_is_read_or_refused(payload: Vec<u8>) {
        let mut frame = keyframe(fold(&[])).to_frame().unwrap();
        frame.truncate(HEADER_LEN);
        frame.extend(&payload);
        let _ = forged(&frame);
    }
}

/// A change here makes side files of other builds unreadable: they are then made again, so it only has to be noticed.
#[test]
#[rustfmt::skip]
fn the_bytes_of_a_keyframe_are_fixed() {
    let mut state = State::new(0, 0);
    state.phase = Some(Phase::Measured);
    let frame = Keyframe { frame: 9, next_offset: 300, names: 1, messages: 2, lost: 3, cut: -1, state }.to_frame().unwrap();
    assert_eq!(frame[HEADER_LEN..HEADER_LEN + 12], [0xac, 2, 1, 2, 3, 1, 4, 0, 0, 0, 0, 3]);
    assert_eq!((frame[4], frame[5], frame[8]), (FrameType::KEYFRAME.0, 1, 9));
}

#[test]
fn a_reader_that_does_not_know_keyframes_passes_over_them() {
    let bytes = keyframe(fold(&[])).to_frame().unwrap();
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&bytes);
    assert_eq!(decoder.next_frame().unwrap().unwrap().read(), Ok(Payload::Skipped(FrameType::KEYFRAME)));
}

#[test]
fn another_frame_another_fold_and_a_cut_one_are_refused() {
    assert_eq!(read(&FrameWriter::new().events(0, &[]).unwrap()), Err(NotAKeyframe));
    let whole = keyframe(fold(&[])).to_frame().unwrap();
    let refused = |bytes: &[u8]| assert_eq!(forged(bytes), Err(NotAKeyframe));
    assert!(forged(&whole).is_ok());
    for len in HEADER_LEN..whole.len() {
        refused(&whole[..len]);
    }
    refused(&[&whole[..], &[0]].concat());
    // The version of the fold comes right after offset, names, messages, losses and cut.
    let mut other = whole.clone();
    other[HEADER_LEN + 10] += 1;
    refused(&other);
    // Then five numbers, and the length of the row of all links.
    let mut longer = whole;
    longer[HEADER_LEN + 16] += 1;
    refused(&longer);
}
