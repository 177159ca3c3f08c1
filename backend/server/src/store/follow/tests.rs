use std::io::Write as _;

use super::super::tests::{MadeUp, end, folder, record, stamp};
use super::super::{RecordingState, Store, StoreError, Tail};
use super::*;

/// A second store of the same folder: it knows as little of the first as another process.
fn beside(store: &Store) -> Store {
    Store::open(&store.inner.folder).unwrap()
}

/// The frames up to the end of the run, as they come.
async fn to_the_end(tail: &mut Tail) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        let batch = tail.read().await.unwrap();
        if batch.is_empty() && !tail.grown().await {
            return read;
        }
        read.extend(batch);
    }
}

#[tokio::test]
async fn a_run_of_another_process_is_followed_while_it_goes_on_and_to_its_end() {
    let (_folder, store) = folder();
    let mut run = MadeUp::begin(&store);
    let id = run.id().clone();
    run.frames(100, 50).await;
    let other = beside(&store);
    let mut tail = other.tail(&id, 0).unwrap();
    let before = other.get(&id).unwrap();
    assert_eq!((before.state, before.frames), (RecordingState::Recording, store.get(&id).unwrap().frames));
    assert!(before.events > 0 && before.name == "Hello, sync");
    let mut read = tail.read().await.unwrap();
    assert_eq!(read.len() as u64, before.bytes - FILE_HEADER_LEN as u64);
    let keyframe = other.keyframe(&id, u32::MAX).unwrap();
    assert_eq!(keyframe, store.keyframe(&id, u32::MAX).unwrap());
    assert!(keyframe.is_some());

    run.frames(100, 50).await;
    while read.len() as u64 + (FILE_HEADER_LEN as u64) < store.get(&id).unwrap().bytes {
        assert!(tail.grown().await);
        read.extend(tail.read().await.unwrap());
    }
    let frames = other.get(&id).unwrap().frames;
    assert_eq!(frames, before.frames + 100);
    // The index is read before the recording, so it may be a look behind it.
    while other.keyframe(&id, u32::MAX).unwrap() != store.keyframe(&id, u32::MAX).unwrap() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(other.tail(&id, frames + 1), Err(StoreError::NoSuchFrame { .. })));

    run.end().await;
    read.extend(to_the_end(&mut tail).await);
    assert_eq!(read, &std::fs::read(store.inner.recording(&id)).unwrap()[FILE_HEADER_LEN..]);
    assert_eq!(other.get(&id).unwrap(), store.get(&id).unwrap());
    assert!(other.inner.followed().is_empty());
}

#[tokio::test]
async fn a_late_reader_of_another_process_is_taken_to_the_head() {
    let (_folder, store) = folder();
    let mut run = MadeUp::begin(&store);
    let id = run.id().clone();
    run.frames(200, 50).await;
    let other = beside(&store);
    let leap = other.tail(&id, 0).unwrap().leap(0).await.unwrap();
    assert_eq!(leap, store.tail(&id, 0).unwrap().leap(0).await.unwrap());
    assert!(leap.is_some());
}

#[tokio::test]
async fn half_a_frame_is_not_handed_out_and_a_maker_that_dies_leaves_a_cut_run() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    stamp(&recording, 10);
    recording.finish(end()).await;
    let whole = std::fs::read(store.inner.recording(&id)).unwrap();
    // The same recording once more, made by a hand that stops within its last frame.
    let (other, (half, mut file)) = (beside(&store), store.inner.make_file().unwrap());
    file.lock().unwrap();
    file.write_all(&whole[..whole.len() - 3]).unwrap();
    let mut tail = other.tail(&half, 0).unwrap();
    let read = tail.read().await.unwrap();
    assert!(!read.is_empty() && whole[FILE_HEADER_LEN..].starts_with(&read));
    assert!(read.len() < whole.len() - 3 - FILE_HEADER_LEN);
    assert_eq!(other.get(&half).unwrap().bytes, (read.len() + FILE_HEADER_LEN) as u64);
    assert_eq!(other.file(&half).unwrap().1, (read.len() + FILE_HEADER_LEN) as u64);
    drop(file);
    assert_eq!(to_the_end(&mut tail).await, Vec::<u8>::new());
    assert_eq!(other.get(&half).unwrap().state, RecordingState::Cut);
}

#[tokio::test]
async fn a_run_is_followed_from_before_its_first_byte() {
    let (_folder, store) = folder();
    let (id, mut file) = store.inner.make_file().unwrap();
    let other = beside(&store);
    let mut tail = other.tail(&id, 0).unwrap();
    assert!(tail.read().await.unwrap().is_empty());
    let (made, recording) = record(&store);
    recording.finish(end()).await;
    let whole = std::fs::read(store.inner.recording(&made)).unwrap();
    file.lock().unwrap();
    file.write_all(&whole).unwrap();
    drop(file);
    assert_eq!(to_the_end(&mut tail).await, &whole[FILE_HEADER_LEN..]);
}
