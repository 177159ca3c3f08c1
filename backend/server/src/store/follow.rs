//! A recording that another process makes, read while it grows.
//!
//! That process tells nobody how far it is, so the file is looked at again and again and handed out up to its last whole
//! frame, until the lock on it is gone. A run is followed from the first time that someone wants its frames.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hopscope_record::frame::FILE_HEADER_LEN;
use tokio::sync::watch;

use super::folder::Inner;
use super::keys::{Growing, Keys};
use super::summary::Scan;
use super::{Progress, RunId, RunSummary};

/// From one look at the file to the next: a follower is so far behind the run at most, and two ticks of a collector.
const EVERY: Duration = Duration::from_millis(100);

/// How far a recording was read that another process makes.
pub(super) struct Followed {
    progress: watch::Receiver<Progress>,
    keys: Keys,
    /// What was read.
    read: Arc<Mutex<RunSummary>>,
}

impl Followed {
    /// The summary with what was read.
    pub(super) fn tell(&self, noted: RunSummary) -> RunSummary {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let RunSummary { events, lost, frames, bytes, .. } = *read;
        RunSummary { events, lost, frames, bytes, ..noted }
    }
}

/// How far the recording of another process has come, and its index; both grow until that process lets go of it. What
/// is there by now is read before this returns, so waits for the disk.
///
/// # Errors
/// When the recording cannot be read.
pub(super) fn follow(inner: &Arc<Inner>, id: &RunId) -> io::Result<(watch::Receiver<Progress>, Keys)> {
    let _guard = inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(followed) = inner.followed().get(id) {
        return Ok((followed.progress.clone(), followed.keys.clone()));
    }
    let scan = Scan::new(id);
    let (progress, watcher) = watch::channel(Progress { frames: 0, bytes: 0, broken: false });
    let read = Arc::new(Mutex::new(scan.so_far().clone()));
    let keys = Growing::new(&inner.keys_file(id));
    let (followed, known) = (keys.keys().clone(), (watcher.clone(), keys.keys().clone()));
    let file = File::open(inner.recording(id))?;
    let mut follower = Follower { file, at: 0, scan, keys, read: Arc::clone(&read), progress };
    follower.look()?;
    let (weak, id) = (Arc::downgrade(inner), id.clone());
    inner.followed().insert(id.clone(), Followed { progress: watcher, keys: followed, read });
    let gone = id.clone();
    std::thread::Builder::new()
        .name("hs-follow".into())
        .spawn(move || follower.run(&weak, &id))
        .inspect_err(|_| drop(inner.followed().remove(&gone)))?;
    Ok(known)
}

struct Follower {
    file: File,
    /// Bytes of the file that were read.
    at: u64,
    scan: Scan,
    keys: Growing,
    read: Arc<Mutex<RunSummary>>,
    progress: watch::Sender<Progress>,
}

impl Follower {
    /// Looks until the recording is over, or nobody has the store any more.
    fn run(mut self, inner: &Weak<Inner>, id: &RunId) {
        loop {
            std::thread::sleep(EVERY);
            let Some(inner) = inner.upgrade() else { return };
            // Asked first: what is there afterwards is all.
            let over = self.is_let_go();
            let looked = self.look();
            if let Err(error) = &looked {
                tracing::warn!("run {id} cannot be followed any further: {error}");
            }
            if over || looked.is_err() {
                // Before the watch ends: who asks again then finds a recording that is over.
                inner.followed().remove(id);
                return;
            }
        }
    }

    /// Whether no process holds the recording. Its maker locks it before it writes the first byte.
    fn is_let_go(&self) -> bool {
        let let_go = self.at >= FILE_HEADER_LEN as u64 && self.file.try_lock_shared().is_ok();
        if let_go {
            let _ = self.file.unlock();
        }
        let_go
    }

    /// Reads what has come and tells of it.
    fn look(&mut self) -> io::Result<()> {
        // The index first, lest it know frames that nobody was told of.
        self.keys.look();
        // What comes meanwhile is for the next look.
        let come = self.file.metadata()?.len().saturating_sub(self.at);
        self.scan.read(&mut (&self.file).take(come))?;
        self.at += come;
        let read = self.scan.so_far();
        let progress = Progress { frames: read.frames, bytes: read.bytes, broken: false };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone_from(read);
        self.progress.send_if_modified(|known| std::mem::replace(known, progress) != progress);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
