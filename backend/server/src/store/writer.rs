//! The file of a run that is being recorded: a bounded queue in memory and the thread that writes it out.
//!
//! Owns the file while it grows, and its side file. Whoever records never waits for the disk; when the queue is full there is *no room*,
//! and when the disk refuses a frame, nothing after that frame is stored, while the run goes on.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::FILE_HEADER_LEN;
use tokio::sync::watch;

use super::RunId;
use super::disk::Disk;
use super::folder::{Inner, not_stored};
use super::keys::Maker;
use crate::record::{FrameSink, Summary};

/// Bytes of frames that may wait for the disk.
const QUEUE_BYTES: usize = 32 << 20;

/// How far a run's file has come: whole frames that a reader can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Frames in the file.
    pub frames: u32,
    /// Bytes of the file up to the end of the last of them.
    pub bytes: u64,
    /// Whether the disk refused the next one: there will be no more, though the run may go on.
    pub broken: bool,
}

impl Progress {
    /// Of a file with its header and no frame.
    pub(super) const BEGINNING: Self = Self { frames: 0, bytes: FILE_HEADER_LEN as u64, broken: false };
}

/// The sink of a run: its file in the store. Dropping it leaves a cut recording.
pub struct RunFile {
    id: RunId,
    store: Arc<Inner>,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<io::Result<()>>>,
    /// Kept beyond the last byte: who follows the file learns of its end when all is noted.
    _progress: Arc<watch::Sender<Progress>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    closed: bool,
    /// The disk refused a frame: nothing more is taken.
    failed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for frames; none means that the queue is closed and everything was handed out.
    fn take(&self) -> VecDeque<Vec<u8>> {
        let idle = |waiting: &mut Waiting| waiting.frames.is_empty() && !waiting.closed;
        let mut waiting = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting.frames)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }
}

impl RunFile {
    /// Begins to write to `file`, in which the header is; tells `keys` of each frame and `progress` of each batch.
    pub(super) fn start(
        id: RunId,
        store: Arc<Inner>,
        file: impl Disk + 'static,
        keys: Option<Maker>,
        progress: watch::Sender<Progress>,
    ) -> io::Result<Self> {
        let (queue, progress) = (Arc::<Queue>::default(), Arc::new(progress));
        let writer = Writer {
            id: id.clone(),
            store: Arc::clone(&store),
            file: Box::new(file),
            keys,
            queue: Arc::clone(&queue),
            progress: Arc::clone(&progress),
        };
        let thread = std::thread::Builder::new().name("hs-store".into()).spawn(move || writer.run())?;
        Ok(Self { id, store, queue, thread: Some(thread), _progress: progress })
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Waits until the queue is written out and the file is on the disk.
    fn close(&mut self) -> io::Result<()> {
        self.queue.close();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes the run's file stopped")))
    }
}

impl FrameSink for RunFile {
    fn has_room(&mut self) -> bool {
        let waiting = self.queue.lock();
        waiting.bytes < QUEUE_BYTES && !waiting.failed
    }

    fn put(&mut self, frame: Vec<u8>) {
        let mut waiting = self.queue.lock();
        if waiting.failed {
            return;
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        drop(waiting);
        self.queue.changed.notify_one();
    }

    fn finish(mut self: Box<Self>, summary: &Summary) -> io::Result<()> {
        let written = self.close();
        let noted = self.store.end(&self.id, summary, written.as_ref().err());
        written.and(noted)
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = self.close();
        }
        self.store.forget(&self.id);
    }
}

struct Writer {
    id: RunId,
    store: Arc<Inner>,
    file: Box<dyn Disk>,
    /// Its side file; `None` once it could not be written.
    keys: Option<Maker>,
    queue: Arc<Queue>,
    progress: Arc<watch::Sender<Progress>>,
}

impl Writer {
    fn run(mut self) -> io::Result<()> {
        loop {
            let frames = self.queue.take();
            if frames.is_empty() {
                self.finish_keys();
                return self.file.sync();
            }
            let mut progress = *self.progress.borrow();
            let written = self.write(frames, &mut progress);
            if let Err(error) = written {
                self.give_up(&error, progress);
                return Err(error);
            }
            self.progress.send_replace(progress);
        }
    }

    fn write(&mut self, frames: VecDeque<Vec<u8>>, progress: &mut Progress) -> io::Result<()> {
        for frame in frames {
            self.file.write_all(&frame)?;
            progress.frames += 1;
            progress.bytes += frame.len() as u64;
            self.note(&frame, *progress);
            self.queue.lock().bytes -= frame.len();
        }
        Ok(())
    }

    /// Tells the side file of a frame that the file has. It can be made again, so its troubles are not the run's.
    fn note(&mut self, bytes: &[u8], progress: Progress) {
        let Some(keys) = &mut self.keys else { return };
        // What the collector made is a whole frame.
        let Some(frame) = Frame::from_bytes(bytes, progress.bytes - bytes.len() as u64) else { return };
        if let Err(error) = keys.note(&frame, progress.bytes) {
            tracing::warn!("a run's index ends early: {error}");
            self.keys = None;
        }
    }

    fn finish_keys(&mut self) {
        if let Some(Err(error)) = self.keys.take().map(Maker::finish) {
            tracing::warn!("a run's index ends early: {error}");
        }
    }

    /// Keeps what the file has, and tells everyone who follows it that there will be no more.
    fn give_up(&mut self, error: &io::Error, progress: Progress) {
        // First of all: the log may lie on the same disk.
        self.refuse(progress.bytes);
        self.finish_keys();
        let reason = not_stored(&self.store.recording(&self.id), error);
        tracing::error!("run {} is kept up to frame {} and goes on: {reason}", self.id, progress.frames);
        self.store.broken(&self.id, reason);
        self.progress.send_replace(Progress { broken: true, ..progress });
    }

    /// Takes nothing more, and leaves the file as it was after its last whole frame.
    fn refuse(&self, bytes: u64) {
        let mut waiting = self.queue.lock();
        waiting.failed = true;
        waiting.frames.clear();
        drop(waiting);
        // On a full disk both still work; what fails here is found when the file is opened the next time.
        let _ = self.file.cut(bytes);
        let _ = self.file.sync();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::store::{RecordingState, Store};

    /// What the system calls a full disk. What it refuses is told of by the run, and by its summary though that cannot be
    /// written either.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_breaks_the_sink_and_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (id, _) = store.inner.make_file().unwrap();
        let full = File::options().append(true).open("/dev/full").unwrap();
        let (progress, mut watcher) = watch::channel(Progress::BEGINNING);
        let mut file = RunFile::start(id.clone(), Arc::clone(&store.inner), full, None, progress).unwrap();
        assert!(file.has_room());
        file.put(vec![0; 100]);
        while file.has_room() {
            std::thread::yield_now();
        }
        file.put(vec![0; 100]);
        assert_eq!(file.queue.lock().frames.len(), 0, "what comes later is not kept");
        std::fs::create_dir(folder.path().join(format!("{id}.json"))).unwrap();
        let refused = Box::new(file).finish(&Summary { lost: 7, ..Summary::default() }).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        watcher.mark_unchanged();
        assert!(watcher.has_changed().is_err(), "who follows the file learns that there will be no more");
        let told = store.get(&id).unwrap();
        assert_eq!((told.state, told.lost), (RecordingState::Cut, 7));
        assert!(told.detail.is_some_and(|detail| detail.starts_with("no room is left for ")));
    }

    #[test]
    fn there_is_no_room_while_too_much_waits_for_the_disk_and_what_is_needed_is_taken_still() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap().inner;
        let id: RunId = "20261123-141530-7f3a".parse().unwrap();
        // Nobody takes from this queue: a disk that does not answer.
        let progress = Arc::new(watch::channel(Progress::BEGINNING).0);
        let mut file = RunFile { id, store, queue: Arc::default(), thread: None, _progress: progress };
        while file.has_room() {
            file.put(vec![0; 1 << 20]);
        }
        assert_eq!(file.queue.lock().bytes, QUEUE_BYTES);
        file.put(vec![0; 10]);
        assert_eq!(file.queue.lock().bytes, QUEUE_BYTES + 10);
    }
}
