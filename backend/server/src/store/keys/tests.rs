use std::fs;

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Frame, Framing};
use hopscope_record::frame::{FILE_HEADER_LEN, FrameType, Keyframe, Payload};
use hopscope_record::state::State;

use super::maker::EVERY_FRAMES;
use crate::store::tests::{MadeUp, folder};
use crate::store::{RunId, Store};

/// A recording that is over, of more frames than one Keyframe covers.
async fn recorded(store: &Store) -> RunId {
    let mut run = MadeUp::begin(store);
    run.frames(EVERY_FRAMES * 2 + 5, 50).await;
    run.end().await
}

/// Every frame of some bytes: number, type, and itself.
fn apart(bytes: &[u8]) -> Vec<(u32, FrameType, Vec<u8>)> {
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        frames.push((frame.header.number, frame.header.frame_type, frame.bytes.to_vec()));
    }
    assert!(!decoder.is_mid_frame());
    frames
}

fn read(bytes: &[u8]) -> Keyframe {
    Keyframe::read(&Frame::from_bytes(bytes, 0).unwrap()).unwrap()
}

fn whole(store: &Store, id: &RunId) -> Vec<u8> {
    fs::read(store.inner.recording(id)).unwrap()
}

/// Holds every Keyframe of a recording's index to what the frames up to it come to.
fn check(store: &Store, id: &RunId) {
    let file = whole(store, id);
    let (mut state, mut names, mut messages, mut offset) = (State::new(0, 0), 0, 0, FILE_HEADER_LEN as u64);
    let (mut decoder, mut batch, mut keys) = (EventDecoder::new(), Vec::new(), 0);
    for (number, _, bytes) in apart(&file[FILE_HEADER_LEN..]) {
        offset += bytes.len() as u64;
        match Frame::from_bytes(&bytes, 0).unwrap().read().unwrap() {
            Payload::Hello(_) => {
                let plan = crate::store::tests::plan();
                state = State::new(plan.places.len(), plan.links.len());
            }
            Payload::Events(payload) => {
                decoder.decode(payload.batch, &mut batch).unwrap();
                batch.iter().for_each(|event| state.apply(event));
            }
            Payload::Names(rows) => names += rows.names.len(),
            Payload::Messages(rows) => messages += rows.rows.len(),
            _ => {}
        }
        let Some(key) = store.keyframe(id, number).unwrap().map(|key| read(&key)) else {
            assert!(number < EVERY_FRAMES, "no Keyframe at frame {number}");
            continue;
        };
        assert!(number - key.frame < EVERY_FRAMES);
        if key.frame == number {
            assert_eq!((key.next_offset, key.names as usize, &key.state), (offset, names, &state));
            assert_eq!(key.messages, messages as u64);
            keys += 1;
        }
    }
    assert!(keys >= 3);
    let newest = read(&store.keyframe(id, u32::MAX).unwrap().unwrap());
    assert_eq!((newest.next_offset, newest.state), (file.len() as u64, state));
}

#[tokio::test]
async fn keyframes_are_the_fold_of_the_frames_before_them() {
    let (_folder, store) = folder();
    let id = recorded(&store).await;
    check(&store, &id);
}

#[tokio::test]
async fn a_side_file_that_does_not_fit_is_made_again() {
    let (_folder, store) = folder();
    let id = recorded(&store).await;
    let (path, recording) = (store.inner.keys_file(&id), store.inner.recording(&id));
    let good = fs::read(&path).unwrap();
    let other = recorded(&store).await;
    let another_run = fs::read(store.inner.keys_file(&other)).unwrap();
    let last = apart(&good[16..]).pop().unwrap().2.len();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let misfits = [
        ("missing", Vec::new()),
        ("torn", good[..good.len() - 5].to_vec()),
        ("older than the recording", good[..good.len() - last].to_vec()),
        ("of another version", changed(8)),
        ("of another fold", changed(13)),
        ("damaged", changed(good.len() / 2)),
        ("of another run", another_run),
    ];
    for (what, bytes) in misfits {
        if bytes.is_empty() {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, bytes).unwrap();
        }
        // A store that has not seen the run before.
        let fresh = Store::open(&store.inner.folder).unwrap();
        check(&fresh, &id);
        assert!(fs::read(&path).unwrap() == good, "{what}: another file was made");
    }
    // A good one is left as it is.
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    check(&Store::open(&store.inner.folder).unwrap(), &id);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    store.delete(&id).unwrap();
    assert!(!path.exists() && !recording.exists());
}

#[tokio::test]
async fn a_recording_is_read_without_its_side_file_where_none_can_be_made() {
    let (_folder, store) = folder();
    let id = recorded(&store).await;
    let path = store.inner.keys_file(&id);
    fs::remove_file(&path).unwrap();
    // Nothing can be put in its place.
    fs::create_dir(&path).unwrap();
    let fresh = Store::open(&store.inner.folder).unwrap();
    assert_eq!(fresh.keyframe(&id, u32::MAX).unwrap(), None);
    let frames = fresh.get(&id).unwrap().frames;
    let last = apart(&fresh.frames(&id, frames - 1, u32::MAX).unwrap());
    assert_eq!((last.len(), last[0].1), (1, FrameType::END));
}

#[tokio::test]
async fn ranges_give_the_frames_asked_for() {
    let (_folder, store) = folder();
    let id = recorded(&store).await;
    let all = apart(&whole(&store, &id)[FILE_HEADER_LEN..]);
    for from in 0..=all.len() {
        for to in [from, from + 1, from + 7, usize::MAX] {
            let to_number = u32::try_from(to).unwrap_or(u32::MAX);
            let range = apart(&store.frames(&id, from as u32, to_number).unwrap());
            assert_eq!(range, all[from..to.min(all.len())], "{from} to {to}");
        }
    }
}

#[tokio::test]
async fn a_reader_that_is_behind_leaps_to_the_head_and_misses_what_is_between() {
    let (_folder, store) = folder();
    let mut run = MadeUp::begin(&store);
    let id = run.id().clone();
    let mut tail = store.tail(&id, 0).unwrap();
    assert_eq!(tail.leap(0).await.unwrap(), None, "there is nothing to leap to");
    run.frames(EVERY_FRAMES + 9, 50).await;
    assert_eq!(tail.leap(1 << 30).await.unwrap(), None, "it is not that far behind");
    let leap = apart(&tail.leap(0).await.unwrap().unwrap());
    let (intro, key) = leap.split_at(leap.len() - 1);
    assert_eq!((intro[0].0, intro[0].1), (0, FrameType::HELLO));
    assert!(intro.len() > 1 && intro[1..].iter().all(|(_, frame_type, _)| *frame_type == FrameType::NAMES));
    assert_eq!(key[0].1, FrameType::KEYFRAME);
    let rest = apart(&tail.read().await.unwrap());
    assert_eq!(rest[0].0, key[0].0 + 1);
    assert_eq!(tail.leap(0).await.unwrap(), None, "a second leap would lead back");

    run.frames(EVERY_FRAMES * 2, 50).await;
    let second = apart(&tail.leap(0).await.unwrap().unwrap());
    let had = rest.last().unwrap().0;
    assert!(second.iter().all(|(number, frame_type, _)| *number > had && *frame_type != FrameType::HELLO));
    run.end().await;
    let mut last = Vec::new();
    loop {
        let batch = tail.read().await.unwrap();
        if batch.is_empty() && !tail.grown().await {
            break;
        }
        last.extend(apart(&batch));
    }
    assert_eq!(last.last().map(|(_, frame_type, _)| *frame_type), Some(FrameType::END));
    check(&store, &id);
}

#[tokio::test]
async fn a_reader_of_a_recording_that_is_over_leaps_to_where_its_end_is_still_to_come() {
    let (_folder, store) = folder();
    let id = recorded(&store).await;
    let mut tail = store.tail(&id, 0).unwrap();
    let leap = apart(&tail.leap(0).await.unwrap().unwrap());
    let rest = apart(&tail.read().await.unwrap());
    assert_eq!(rest[0].0, leap.last().unwrap().0 + 1);
    assert_eq!(rest.last().map(|(_, frame_type, _)| *frame_type), Some(FrameType::END));
}
