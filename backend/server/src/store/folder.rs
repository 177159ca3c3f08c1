//! The folder's files: their names, who holds them, and what their summaries say.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::claim::Claim;
use super::follow::Followed;
use super::keep::{Keep, Readers};
use super::keys::{self, Keys, Maker};
use super::{Progress, RecordingState, RunId, RunSummary, StoreError, at, drafts, reason_name, summary};
use crate::record::Summary;

/// Most recordings whose index is kept in memory once it was asked for.
const MOST_OPEN: usize = 16;

/// A run that this process records.
pub(super) struct Live {
    pub(super) progress: watch::Receiver<Progress>,
    /// Its index, as far as it is recorded.
    pub(super) keys: Keys,
    /// Whether its files go when it ends.
    pub(super) discarded: bool,
    /// Why nothing more of it is kept, if so.
    pub(super) failure: Option<String>,
}

/// What clones of a store share.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) folder: PathBuf,
    /// What its runs are to be kept to.
    pub(super) limits: Keep,
    /// Of a server's store: the folder is its own.
    pub(super) _claim: Option<Claim>,
    /// Runs that this process records.
    pub(super) live: Mutex<HashMap<RunId, Live>>,
    /// Runs that another process records, as far as someone follows them here.
    pub(super) followed: Mutex<HashMap<RunId, Followed>>,
    /// Held while a summary is changed.
    pub(super) summaries: Mutex<()>,
    /// Summaries that the disk had no room for.
    pub(super) unwritten: Mutex<HashMap<RunId, RunSummary>>,
    /// Indexes of recordings that are over, each with what the recording had come to.
    pub(super) opened: Mutex<HashMap<RunId, (Progress, Keys)>>,
    /// Who reads what.
    pub(super) readers: Mutex<Readers>,
    /// Held while an index is opened, so that it is made once.
    pub(super) opening: Mutex<()>,
}

impl Inner {
    pub(super) fn make_file(&self) -> Result<(RunId, File), StoreError> {
        loop {
            let random = getrandom::u32().map_err(|error| at(&self.folder)(error.into()))?;
            let id = RunId::new(Timestamp::now(), random as u16);
            let path = self.recording(&id);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => return Ok((id, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at(&path)(error)),
            }
        }
    }

    /// Begins the side file of a new run. Without one the run is recorded all the same.
    pub(super) fn make_keys(&self, id: &RunId) -> (Keys, Option<Maker>) {
        let path = self.keys_file(id);
        match Maker::create(&path) {
            Ok(maker) => (maker.keys().clone(), Some(maker)),
            Err(error) => {
                tracing::warn!("run {id} is recorded without an index: {error}");
                (Keys::none(&path), None)
            }
        }
    }

    /// The index of a recording that is over and has come to `progress`. Waits for the disk.
    pub(super) fn stored_keys(&self, id: &RunId, progress: Progress) -> Keys {
        let known = || self.opened().get(id).filter(|(at, _)| *at == progress).map(|(_, keys)| keys.clone());
        if let Some(keys) = known() {
            return keys;
        }
        let _guard = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        // Someone else may have opened it meanwhile.
        if let Some(keys) = known() {
            return keys;
        }
        let draft = self.folder.join(format!(".{id}.{}.keys{}", std::process::id(), drafts::ENDING));
        let keys = keys::open(&self.recording(id), progress, &self.keys_file(id), &draft);
        let mut opened = self.opened();
        if opened.len() >= MOST_OPEN {
            opened.clear();
        }
        opened.insert(id.clone(), (progress, keys.clone()));
        keys
    }

    /// Looks into a recording whose summary is missing or says that it is being made.
    pub(super) fn look_again(&self, id: &RunId, noted: Option<RunSummary>) -> Result<RunSummary, StoreError> {
        let path = self.recording(id);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Unknown(id.clone()),
            _ => at(&path)(error),
        })?;
        let bytes = file.metadata().map_err(at(&path))?.len();
        let elsewhere = || {
            let noted = noted.clone().unwrap_or_else(|| summary::empty(id));
            let noted = RunSummary { state: RecordingState::Recording, bytes, ..noted };
            self.followed().get(id).map_or(noted.clone(), |followed| followed.tell(noted))
        };
        // Whoever records it has it alone; whoever reads it lets others read.
        let alone = match file.try_lock() {
            Err(TryLockError::WouldBlock) => file.try_lock_shared().map(|()| false),
            locked => locked.map(|()| true),
        };
        let alone = match alone {
            Ok(alone) => alone,
            Err(TryLockError::WouldBlock) => return Ok(elsewhere()),
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        };
        // Made this moment, and its maker has not come to lock it.
        if bytes < Progress::BEGINNING.bytes {
            return Ok(elsewhere());
        }
        let scan = summary::scan(id, &mut file).map_err(at(&path))?;
        let (damage, torn) = (scan.damage, scan.is_torn());
        let mut summary = scan.over();
        match (damage, torn) {
            // Bytes after damage are left alone: someone may want to look at them.
            (Some(damage), _) => tracing::warn!("run {id} is readable up to byte {}: {damage}", summary.bytes),
            (None, true) if alone => file.set_len(summary.bytes).and_then(|()| file.sync_all()).map_err(at(&path))?,
            (None, _) => {}
        }
        if let Some(noted) = noted {
            summary.name = noted.name;
            summary.scenario = noted.scenario;
        }
        let _guard = self.summaries();
        // Deleted while it was looked at: a summary alone would be left.
        if !path.exists() {
            return Err(StoreError::Unknown(id.clone()));
        }
        if let Err(error) = self.write_summary(&summary) {
            // On a full disk a recording can be read all the same; it is looked at again the next time.
            tracing::warn!("{error}");
            self.unwritten().insert(id.clone(), summary.clone());
        }
        Ok(summary)
    }

    /// Notes what a run of this process came to; `failure` is why its file could not be written to the end.
    pub(super) fn end(&self, id: &RunId, recorded: &Summary, failure: Option<&io::Error>) -> io::Result<()> {
        let progress = self.live().get(id).map_or(Progress::BEGINNING, |live| *live.progress.borrow());
        let ended = failure.is_none() && recorded.failure.is_none() && recorded.reason.is_some();
        let (events, lost) = if ended {
            (recorded.events(), recorded.lost)
        } else {
            // What was recorded and what is stored are two things now, so the file is asked.
            let stored = File::open(self.recording(id)).and_then(|mut file| summary::scan(id, &mut file))?;
            let events = stored.so_far().events;
            (events, (recorded.events() + recorded.lost).saturating_sub(events))
        };
        let _guard = self.summaries();
        let noted = self.read_summary(id).unwrap_or_else(|| summary::empty(id));
        let unstored = || failure.map(|error| not_stored(&self.recording(id), error));
        let summary = RunSummary {
            state: if ended { RecordingState::Ended } else { RecordingState::Cut },
            reason: recorded.reason.map(reason_name),
            detail: recorded.failure.clone().or_else(unstored).or_else(|| recorded.detail.clone()),
            events,
            lost,
            frames: progress.frames,
            bytes: progress.bytes,
            ..noted
        };
        let written = self.write_summary(&summary);
        if written.is_err() {
            // What is wrong with a full disk can be told all the same, as long as this process lives.
            self.unwritten().insert(id.clone(), summary);
        }
        written.map_err(io::Error::other)
    }

    /// Nothing more is kept of a run of this process, which goes on.
    pub(super) fn broken(&self, id: &RunId, reason: String) {
        if let Some(live) = self.live().get_mut(id) {
            live.failure = Some(reason);
        }
    }

    /// The run is no longer recorded by this process.
    pub(super) fn forget(&self, id: &RunId) {
        let forgotten = self.live().remove(id);
        if forgotten.is_some_and(|live| live.discarded)
            && let Err(error) = self.remove(id)
        {
            tracing::warn!("run {id} stays in the list though it did not start: {error}");
        }
    }

    /// Deletes the run's files. The recording goes last: without it there is no run.
    pub(super) fn remove(&self, id: &RunId) -> Result<(), StoreError> {
        let _guard = self.summaries();
        self.opened().remove(id);
        self.unwritten().remove(id);
        for path in [self.summary(id), self.keys_file(id), self.recording(id)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn read_summary(&self, id: &RunId) -> Option<RunSummary> {
        if let Some(summary) = self.unwritten().get(id) {
            return Some(summary.clone());
        }
        let text = fs::read(self.summary(id)).ok()?;
        serde_json::from_slice(&text).ok().filter(|summary: &RunSummary| summary.id == *id)
    }

    /// Writes the summary in one step, so that whoever reads it never sees half of it.
    pub(super) fn write_summary(&self, summary: &RunSummary) -> Result<(), StoreError> {
        let path = self.summary(&summary.id);
        let draft = self.folder.join(format!(".{}.{}{}", summary.id, std::process::id(), drafts::ENDING));
        let write = || {
            let text = serde_json::to_vec(summary)?;
            fs::write(&draft, text)?;
            fs::rename(&draft, &path)
        };
        write().inspect_err(|_| drop(fs::remove_file(&draft))).map_err(at(&path))?;
        self.unwritten().remove(&summary.id);
        Ok(())
    }

    pub(super) fn recording(&self, id: &RunId) -> PathBuf {
        self.folder.join(format!("{id}.hop"))
    }

    pub(super) fn summary(&self, id: &RunId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    pub(super) fn keys_file(&self, id: &RunId) -> PathBuf {
        self.folder.join(format!("{id}.keys"))
    }

    pub(super) fn live(&self) -> MutexGuard<'_, HashMap<RunId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn followed(&self) -> MutexGuard<'_, HashMap<RunId, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self) -> MutexGuard<'_, HashMap<RunId, RunSummary>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<RunId, (Progress, Keys)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn summaries(&self) -> MutexGuard<'_, ()> {
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a recording is not on the disk to its end, and what to do.
pub(super) fn not_stored(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("no room is left for {path}; make room, or name another folder by --data")
        }
        io::ErrorKind::FileTooLarge => {
            format!("{path} may not grow any more ({error}); raise the limit of a file's size")
        }
        _ => format!("{path} cannot be written: {error}"),
    }
}
