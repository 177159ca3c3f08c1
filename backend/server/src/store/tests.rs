use hopscope_record::frame::{CODEC_VERSION, End, EndReason, FILE_HEADER_LEN, FrameWriter, Hello, MessageRow};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, NameIndex, PlaceIndex, TraceId};
use hopscope_scenario::plan::{Plan, compile};

use super::*;
use crate::record::clock::monotonic_ns;
use crate::record::{EndInfo, FrameSink as _, Recording, RecordingOptions, Summary, new_run_key};

/// The plan of the first template.
pub(crate) fn plan() -> Plan {
    let document = include_str!("../../../../scenarios/hello-sync.json");
    let valid = hopscope_scenario::validate::validate(document).unwrap();
    compile(
        &valid.scenario,
        &RunSettings { seed: 42, duration: Some("5 s".parse().unwrap()), ..RunSettings::default() },
    )
}

/// A recording into the store, with what stamps into it.
pub(crate) fn record(store: &Store) -> (RunId, Recording) {
    let plan = plan();
    let file = store.create(plan.name(), &plan.settings).unwrap();
    let id = file.id().clone();
    let options = RecordingOptions {
        run: id.to_string(),
        key: new_run_key().unwrap(),
        plan: plan.to_bytes().unwrap(),
        sink: Box::new(file),
    };
    let recording = Recording::start(options).unwrap();
    recording.set_zero(monotonic_ns());
    (id, recording)
}

pub(crate) fn stamp(recording: &Recording, count: u64) {
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    for n in 0..count {
        recorder.record(Kind::INTENDED, TraceId::NONE, MessageId::NONE, MessageId::NONE, n, 0);
    }
}

pub(crate) fn end() -> EndInfo {
    EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() }
}

/// A run whose frames are made up and put into its file at once, with nothing that ticks.
pub(crate) struct MadeUp {
    store: Store,
    file: RunFile,
    frames: FrameWriter,
    names: u32,
    messages: u64,
    time: i64,
}

impl MadeUp {
    /// A run with its Hello.
    pub(crate) fn begin(store: &Store) -> Self {
        let plan = plan();
        let mut file = store.create(plan.name(), &plan.settings).unwrap();
        let mut frames = FrameWriter::new();
        let hello = Hello {
            codec_version: CODEC_VERSION,
            build: "test".to_owned(),
            run_id: file.id().to_string(),
            run_key: new_run_key().unwrap(),
            unix_ns_at_zero: 0,
            kinds: Vec::new(),
            plan: plan.to_bytes().unwrap(),
        };
        file.put(frames.hello(&hello).unwrap());
        Self { store: store.clone(), file, frames, names: 0, messages: 0, time: 0 }
    }

    pub(crate) fn id(&self) -> &RunId {
        self.file.id()
    }

    /// So many frames more, most of them with `events` events that hardly can be packed, one in ten with a name or with what
    /// messages carry; until they are in the file.
    pub(crate) async fn frames(&mut self, count: u32, events: u64) {
        for _ in 0..count {
            let frame = if self.frames.next_number() % 20 == 14 {
                let row = MessageRow { message: self.messages, key: None, value: Some(1), event_time: None, bytes: 0 };
                let frame = self.frames.messages(self.messages, &[row, row, row]).unwrap();
                self.messages += 3;
                frame
            } else if self.frames.next_number() % 10 == 4 {
                let name = format!("name {}", self.names);
                let frame = self.frames.names(NameIndex(self.names), &[&name]).unwrap();
                self.names += 1;
                frame
            } else {
                let noise = |n: i64| ((self.time + n) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let event = |n: i64| Event {
                    trace: TraceId(noise(n)),
                    message: MessageId(noise(n).rotate_left(17)),
                    a: noise(n) >> 1,
                    b: noise(n),
                    place: PlaceIndex(0),
                    link: LinkIndex(0),
                    ..Event::new(self.time + n, Kind::SENT)
                };
                let batch: Vec<_> = (0..events.cast_signed()).map(event).collect();
                self.time += events.cast_signed();
                self.frames.events(self.time, &batch).unwrap()
            };
            self.file.put(frame);
        }
        let frames = self.frames.next_number();
        let mut progress = self.store.progress(self.id()).unwrap();
        progress.wait_for(|progress| progress.frames >= frames).await.unwrap();
    }

    /// Its End, and its file let go.
    pub(crate) async fn end(mut self) -> RunId {
        let (time, reason) = (self.time, EndReason::LOAD_DONE);
        self.file.put(self.frames.end(&End { time, reason, detail: None, counts: Vec::new() }).unwrap());
        let id = self.id().clone();
        let summary =
            Summary { frames: u64::from(self.frames.next_number()), reason: Some(reason), ..Summary::default() };
        tokio::task::spawn_blocking(move || Box::new(self.file).finish(&summary)).await.unwrap().unwrap();
        id
    }
}

pub(crate) fn folder() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("runs")).unwrap();
    (folder, store)
}

async fn recorded(store: &Store, events: u64) -> RunId {
    let (id, recording) = record(store);
    stamp(&recording, events);
    assert_eq!(recording.finish(end()).await.failure, None);
    id
}

#[tokio::test]
async fn a_run_is_listed_while_it_is_recorded_and_after() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    let listed = store.list().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].state, listed[0].name.as_str(), listed[0].seed),
        (RecordingState::Recording, "Hello, sync", 42)
    );
    assert!(matches!(store.delete(&id), Err(StoreError::Recording(_))));
    stamp(&recording, 100);
    recording.finish(end()).await;
    let summary = store.get(&id).unwrap();
    assert_eq!((summary.state, summary.events, summary.lost), (RecordingState::Ended, 100, 0));
    assert_eq!((summary.reason.as_deref(), summary.duration.as_deref()), (Some("load-done"), Some("5 s")));
    assert_eq!(summary.bytes, std::fs::metadata(store.inner.recording(&id)).unwrap().len());
}

#[tokio::test]
async fn a_summary_is_made_again_from_the_recording() {
    let (_folder, store) = folder();
    let id = recorded(&store, 1000).await;
    let before = store.get(&id).unwrap();
    std::fs::remove_file(store.inner.summary(&id)).unwrap();
    assert_eq!(store.get(&id).unwrap(), before);
    std::fs::write(store.inner.summary(&id), "{").unwrap();
    assert_eq!(store.list().unwrap(), [before]);
}

#[tokio::test]
async fn a_torn_tail_is_cut_at_the_last_good_frame() {
    let (_folder, store) = folder();
    let id = recorded(&store, 1000).await;
    let path = store.inner.recording(&id);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    // As its maker left it when it died.
    let noted = store.get(&id).unwrap();
    store.inner.write_summary(&RunSummary { state: RecordingState::Recording, name: "mine".into(), ..noted }).unwrap();
    let summary = store.get(&id).unwrap();
    assert_eq!((summary.state, summary.events, summary.name.as_str()), (RecordingState::Cut, 1000, "mine"));
    let left = std::fs::read(&path).unwrap();
    assert_eq!(left.len() as u64, summary.bytes);
    assert!(whole.starts_with(&left) && left.len() < whole.len() - 3);
    let mut tail = store.tail(&id, 0).unwrap();
    assert_eq!(tail.read().await.unwrap(), &left[FILE_HEADER_LEN..]);
    assert!(!tail.grown().await);
}

#[tokio::test]
async fn damage_in_the_middle_is_left_alone_and_what_is_before_it_can_be_read() {
    let (_folder, store) = folder();
    let id = recorded(&store, 1000).await;
    let path = store.inner.recording(&id);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() - 100;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    std::fs::remove_file(store.inner.summary(&id)).unwrap();
    let summary = store.get(&id).unwrap();
    assert_eq!(summary.state, RecordingState::Cut);
    assert!(summary.frames >= 1 && summary.bytes < bytes.len() as u64);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    let read = store.tail(&id, 0).unwrap().read().await.unwrap();
    assert_eq!(read, &bytes[FILE_HEADER_LEN..summary.bytes as usize]);
}

#[tokio::test]
async fn another_process_sees_that_a_run_is_being_recorded_and_leaves_it_alone() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    // A second store of the same folder knows as little of the first as another process.
    let other = Store::open(&store.inner.folder).unwrap();
    assert_eq!(other.get(&id).unwrap().state, RecordingState::Recording);
    assert!(matches!(other.delete(&id), Err(StoreError::Recording(_))));
    assert!(matches!(other.rename(&id, "theirs"), Err(StoreError::Elsewhere(_))));
    assert_eq!(other.list().unwrap().len(), 1);
    assert!(other.inner.followed().is_empty(), "what nobody asks for is not read");
    recording.finish(end()).await;
    assert_eq!(other.get(&id).unwrap(), store.get(&id).unwrap());
    other.delete(&id).unwrap();
    assert!(matches!(store.get(&id), Err(StoreError::Unknown(_))));
    assert_eq!(store.list().unwrap(), []);
}

#[tokio::test]
async fn a_recording_without_end_is_cut() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    let progress = store.progress(&id).unwrap();
    stamp(&recording, 10);
    drop(recording);
    // The writer lets go of its end of the watch when the file is closed.
    let mut progress = progress;
    while progress.changed().await.is_ok() {}
    while store.progress(&id).is_some() {
        tokio::task::yield_now().await;
    }
    let summary = store.get(&id).unwrap();
    assert_eq!((summary.state, summary.events, summary.reason), (RecordingState::Cut, 10, None));
}

#[tokio::test]
async fn a_name_survives_the_end_of_the_run() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    assert_eq!(store.rename(&id, " first try ").unwrap().name, "first try");
    recording.finish(end()).await;
    assert_eq!(store.get(&id).unwrap().name, "first try");
    for bad in ["", "  ", "a\nb", &"x".repeat(LONGEST_NAME + 1)] {
        assert!(matches!(store.rename(&id, bad), Err(StoreError::BadName)));
    }
}

#[tokio::test]
async fn a_reader_starts_where_it_wants_and_gets_every_frame_from_there() {
    let (_folder, store) = folder();
    let id = recorded(&store, 10_000).await;
    let frames = store.get(&id).unwrap().frames;
    let whole = std::fs::read(store.inner.recording(&id)).unwrap();
    let mut shorter = usize::MAX;
    for from in 0..=frames {
        let mut tail = store.tail(&id, from).unwrap();
        let mut read = Vec::new();
        loop {
            let batch = tail.read().await.unwrap();
            if batch.is_empty() {
                break;
            }
            read.extend(batch);
        }
        assert!(whole.ends_with(&read) && read.len() < shorter);
        shorter = read.len();
    }
    assert_eq!(shorter, 0);
    assert!(matches!(store.tail(&id, frames + 1), Err(StoreError::NoSuchFrame { from, frames: f }) if from == f + 1));
}

#[tokio::test]
async fn a_reader_that_does_not_read_misses_nothing() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    let mut stalled = store.tail(&id, 0).unwrap();
    let mut progress = store.progress(&id).unwrap();
    for _ in 0..20 {
        let before = progress.borrow_and_update().frames;
        stamp(&recording, 5000);
        progress.wait_for(|progress| progress.frames > before).await.unwrap();
    }
    recording.finish(end()).await;
    let mut read = Vec::new();
    loop {
        let batch = stalled.read().await.unwrap();
        if batch.is_empty() && !stalled.grown().await {
            break;
        }
        read.extend(batch);
    }
    assert_eq!(read, &std::fs::read(store.inner.recording(&id)).unwrap()[FILE_HEADER_LEN..]);
    assert_eq!(store.get(&id).unwrap().events, 100_000);
}

#[tokio::test]
async fn a_run_that_did_not_start_leaves_nothing() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    let mut progress = store.progress(&id).unwrap();
    store.discard(&id);
    drop(recording);
    while progress.changed().await.is_ok() {}
    while store.progress(&id).is_some() || std::fs::read_dir(&store.inner.folder).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(store.get(&id), Err(StoreError::Unknown(_))));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_ends_what_is_stored_and_the_rest_counts_as_lost() {
    let (_folder, store) = folder();
    let (id, _) = store.inner.make_file().unwrap();
    let (progress, watcher) = watch::channel(Progress::BEGINNING);
    let (keys, maker) = store.inner.make_keys(&id);
    store.inner.live().insert(id.clone(), Live { progress: watcher, keys, discarded: false, failure: None });
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = RunFile::start(id.clone(), Arc::clone(&store.inner), full, maker, progress).unwrap();
    let options =
        RecordingOptions { run: id.to_string(), key: new_run_key().unwrap(), plan: Vec::new(), sink: Box::new(file) };
    let recording = Recording::start(options).unwrap();
    recording.set_zero(monotonic_ns());
    stamp(&recording, 100);
    let summary = recording.finish(end()).await;
    assert!(summary.failure.is_some_and(|failure| failure.contains("space")));
    let stored = store.get(&id).unwrap();
    assert_eq!((stored.state, stored.events, stored.lost, stored.frames), (RecordingState::Cut, 0, 100, 0));
}

/// A disk that has room for the first frames of a run, and then for a part of one.
#[tokio::test]
async fn a_disk_that_fills_up_keeps_the_frames_before_and_the_run_goes_on() {
    let (_folder, store) = folder();
    let (id, mut file) = store.inner.make_file().unwrap();
    file.write_all(&file_header()).unwrap();
    let (progress, watcher) = watch::channel(Progress::BEGINNING);
    let (keys, maker) = store.inner.make_keys(&id);
    store.inner.live().insert(id.clone(), Live { progress: watcher, keys, discarded: false, failure: None });
    let small = disk::Small { file, room: 60_000 };
    let file = RunFile::start(id.clone(), Arc::clone(&store.inner), small, maker, progress).unwrap();
    let options =
        RecordingOptions { run: id.to_string(), key: new_run_key().unwrap(), plan: Vec::new(), sink: Box::new(file) };
    let recording = Recording::start(options).unwrap();
    recording.set_zero(monotonic_ns());
    let mut tail = store.tail(&id, 0).unwrap();
    let (mut told, mut stamped) = (store.progress(&id).unwrap(), 0);
    while !told.borrow_and_update().broken {
        stamp(&recording, 2_000);
        stamped += 2_000;
        told.changed().await.unwrap();
    }
    let live = store.get(&id).unwrap();
    assert_eq!(live.state, RecordingState::Recording);
    assert!(live.detail.is_some_and(|detail| detail.starts_with("no room is left for ")));
    // Who follows it has all that is kept, and is not left waiting for the run's end.
    let mut read = Vec::new();
    loop {
        let batch = tail.read().await.unwrap();
        if batch.is_empty() && !tail.grown().await {
            break;
        }
        read.extend(batch);
    }
    let kept = std::fs::read(store.inner.recording(&id)).unwrap();
    assert_eq!(read, &kept[FILE_HEADER_LEN..]);
    assert_eq!((live.bytes, live.frames > 1), (kept.len() as u64, true));

    stamp(&recording, 100);
    stamped += 100;
    assert!(recording.finish(end()).await.failure.is_some());
    let stored = store.get(&id).unwrap();
    assert_eq!((stored.state, stored.reason.as_deref()), (RecordingState::Cut, Some("load-done")));
    assert_eq!((stored.bytes, stored.frames), (live.bytes, live.frames));
    assert!(stored.events > 0 && stored.lost > 0 && stored.detail.is_some());
    assert_eq!(stored.events + stored.lost, stamped);
    assert_eq!(std::fs::read(store.inner.recording(&id)).unwrap(), kept);
}
