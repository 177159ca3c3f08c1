//! The folder of runs: one append-only recording per run, `ID.hop`, and beside it a summary, `ID.json`, and an index with
//! Keyframes, `ID.keys`, which can be made again from the recording (but for the name that a person gave).
//!
//! Owns the folder's files and what a run is called. Several processes may share a folder: whoever records holds a lock
//! on the recording, so that a run without End whose lock is free is known to be cut.

mod claim;
mod disk;
mod drafts;
mod folder;
mod follow;
mod id;
mod import;
pub mod keep;
mod keys;
mod summary;
mod tail;
mod writer;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use hopscope_record::frame::file_header;
use hopscope_scenario::plan::RunSettings;
use jiff::Timestamp;
use tokio::sync::watch;

use claim::{Claim, claim};
use folder::{Inner, Live};
use follow::follow;
pub use id::{BadRunId, RunId};
pub use import::StoreImportError;
use keep::{Keep, Reading};
use keys::Keys;
pub use summary::{RecordingState, RunSummary, reason_name};
pub use tail::{MOST_FRAMES_BYTES, Tail};
pub use writer::{Progress, RunFile};

/// Longest name of a run in characters.
pub const LONGEST_NAME: usize = 200;

/// Why the folder could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such run.
    #[error("there is no run {0}")]
    Unknown(RunId),
    /// The run is still being recorded, here or by another process, and must end first.
    #[error("run {0} is still being recorded")]
    Recording(RunId),
    /// Another process records the run, and only that one can change what it is.
    #[error("run {0} is being recorded by another process")]
    Elsewhere(RunId),
    /// The recording has fewer frames.
    #[error("the recording has {frames} frames so far and none with number {from}")]
    NoSuchFrame {
        /// The frame asked for.
        from: u32,
        /// How many there are.
        frames: u32,
    },
    /// Another server has the folder.
    #[error(
        "{} is served already{}; open the page of that server, end it, or name another folder by --data DIR",
        .folder.display(),
        .process.map(|process| format!(" by process {process}")).unwrap_or_default()
    )]
    Served {
        /// The folder.
        folder: PathBuf,
        /// The other's process, if it can be told.
        process: Option<u32>,
    },
    /// A name is empty or longer than [`LONGEST_NAME`].
    #[error("a run's name has 1 to {LONGEST_NAME} characters, without line breaks")]
    BadName,
    /// The folder or a file in it cannot be used.
    #[error("cannot use {path}: {error}")]
    Files {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder of runs. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Where runs are kept unless someone says otherwise: in the user's data folder.
///
/// # Errors
/// When the user has no home.
pub fn default_folder() -> io::Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(io::Error::other)?;
    Ok(base.data_dir().join("hopscope").join("runs"))
}

impl Store {
    /// Opens the folder, which is made if it is not there; what died half written is swept out of it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_as(folder.into(), Keep::default(), |_| Ok(None))
    }

    /// Opens the folder for a server, which is to keep it to these limits, and of which it has one at a time; until the last
    /// clone of this store is gone.
    ///
    /// # Errors
    /// [`StoreError::Served`], or as [`Store::open`].
    pub fn open_to_serve(folder: impl Into<PathBuf>, limits: Keep) -> Result<Self, StoreError> {
        Self::open_as(folder.into(), limits, |folder| claim(folder).map(Some))
    }

    fn open_as(
        folder: PathBuf,
        limits: Keep,
        claim: impl FnOnce(&Path) -> Result<Option<Claim>, StoreError>,
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let claim = claim(&folder)?;
        drafts::sweep(&folder);
        Ok(Self { inner: Arc::new(Inner { folder, limits, _claim: claim, ..Inner::default() }) })
    }

    /// Makes the file of a new run and its summary.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn create(&self, scenario: &str, settings: &RunSettings) -> Result<RunFile, StoreError> {
        let (id, file) = self.inner.make_file()?;
        // Of a run that cannot be stored nothing is left.
        self.begin(&id, file, scenario, settings).inspect_err(|_| drop(self.inner.remove(&id)))
    }

    fn begin(&self, id: &RunId, mut file: File, scenario: &str, settings: &RunSettings) -> Result<RunFile, StoreError> {
        let path = self.inner.recording(id);
        // Whoever looks at the folder right now may hold the lock for a moment.
        file.lock().map_err(at(&path))?;
        file.write_all(&file_header()).map_err(at(&path))?;
        let (progress, watcher) = watch::channel(Progress::BEGINNING);
        let (keys, maker) = self.inner.make_keys(id);
        self.inner.live().insert(id.clone(), Live { progress: watcher, keys, discarded: false, failure: None });
        let run = RunFile::start(id.clone(), Arc::clone(&self.inner), file, maker, progress).map_err(at(&path));
        let run = run.inspect_err(|_| self.inner.forget(id))?;
        let summary = RunSummary {
            name: scenario.to_owned(),
            scenario: scenario.to_owned(),
            seed: settings.seed,
            duration: settings.duration.map(|duration| duration.to_string()),
            ..summary::empty(id)
        };
        self.inner.write_summary(&summary)?;
        Ok(run)
    }

    /// All runs, the newest first. One that cannot be read is left out, and said so in the log.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<RunSummary>, StoreError> {
        let mut ids = self.ids()?;
        ids.sort_unstable_by(|left, right| right.cmp(left));
        let summaries = ids.iter().filter_map(|id| match self.get(id) {
            Ok(summary) => Some(summary),
            Err(StoreError::Unknown(_)) => None,
            Err(error) => {
                tracing::warn!("run {id} is left out of the list: {error}");
                None
            }
        });
        Ok(summaries.collect())
    }

    fn ids(&self) -> Result<Vec<RunId>, StoreError> {
        let folder = &self.inner.folder;
        let mut ids = Vec::new();
        for entry in fs::read_dir(folder).map_err(at(folder))? {
            let name = entry.map_err(at(folder))?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".hop")).and_then(|id| id.parse::<RunId>().ok());
            ids.extend(id);
        }
        Ok(ids)
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or when its files cannot be read.
    pub fn get(&self, id: &RunId) -> Result<RunSummary, StoreError> {
        let noted = self.inner.read_summary(id);
        let live = self.inner.live().get(id).map(|live| (*live.progress.borrow(), live.failure.clone()));
        if let Some((Progress { frames, bytes, .. }, failure)) = live {
            let noted = noted.unwrap_or_else(|| summary::empty(id));
            return Ok(RunSummary { frames, bytes, detail: failure.or(noted.detail), ..noted });
        }
        match noted {
            Some(summary) if summary.state != RecordingState::Recording => {
                if self.inner.recording(id).exists() {
                    Ok(summary)
                } else {
                    Err(StoreError::Unknown(id.clone()))
                }
            }
            noted => self.inner.look_again(id, noted),
        }
    }

    /// How far a run has come that this process records.
    #[must_use]
    pub fn progress(&self, id: &RunId) -> Option<watch::Receiver<Progress>> {
        self.inner.live().get(id).map(|live| live.progress.clone())
    }

    /// Why nothing more is kept of a run that this process records and that goes on.
    #[must_use]
    pub fn failure(&self, id: &RunId) -> Option<String> {
        self.inner.live().get(id).and_then(|live| live.failure.clone())
    }

    /// A reader of the run's frames from number `from` on.
    ///
    /// # Errors
    /// [`StoreError::NoSuchFrame`] when `from` lies beyond the next frame, or as [`Store::get`].
    pub fn tail(&self, id: &RunId, from: u32) -> Result<Tail, StoreError> {
        let (progress, keys) = self.known(id)?;
        let frames = progress.borrow().frames;
        if from > frames {
            return Err(StoreError::NoSuchFrame { from, frames });
        }
        let path = self.inner.recording(id);
        let file = File::open(&path).map_err(at(&path))?;
        let reading = Reading::begin(&self.inner, id, Timestamp::now());
        Tail::new(file, from, keys, progress, reading).map_err(at(&path))
    }

    /// The frames from number `from` up to but without `to`, as many as there are by now; no more than fill
    /// [`MOST_FRAMES_BYTES`], but one at least.
    ///
    /// # Errors
    /// As [`Store::tail`], or when the file is damaged.
    pub fn frames(&self, id: &RunId, from: u32, to: u32) -> Result<Vec<u8>, StoreError> {
        self.tail(id, from)?.read_range(to).map_err(at(&self.inner.recording(id)))
    }

    /// The newest Keyframe after frame `at_most` or an earlier one, as a frame; `None` if there is none yet.
    ///
    /// # Errors
    /// As [`Store::get`], or when the side file cannot be read.
    pub fn keyframe(&self, id: &RunId, at_most: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let (_, keys) = self.known(id)?;
        keys.keyframe(at_most).map_err(at(&self.inner.keys_file(id)))
    }

    /// The run's file and how many of its bytes are whole frames by now.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn file(&self, id: &RunId) -> Result<(File, u64), StoreError> {
        let RunSummary { state, bytes, .. } = self.get(id)?;
        // Of a recording that another process makes the length alone does not tell.
        let bytes = if state == RecordingState::Recording { self.known(id)?.0.borrow().bytes } else { bytes };
        let path = self.inner.recording(id);
        let file = File::open(&path).map_err(at(&path))?;
        // Marks it as read for a while, and the lock as long as it is open, also for other processes.
        drop(Reading::begin(&self.inner, id, Timestamp::now()));
        if state != RecordingState::Recording
            && let Err(error) = file.try_lock_shared()
        {
            tracing::debug!("{}: {error}", path.display());
        }
        Ok((file, bytes))
    }

    /// Gives the run another name.
    ///
    /// # Errors
    /// [`StoreError::BadName`], or as [`Store::get`].
    pub fn rename(&self, id: &RunId, name: &str) -> Result<RunSummary, StoreError> {
        let name = checked_name(name)?;
        let summary = self.get(id)?;
        if summary.state == RecordingState::Recording && self.progress(id).is_none() {
            return Err(StoreError::Elsewhere(id.clone()));
        }
        let _guard = self.inner.summaries();
        // Read again under the lock: the run may have ended in between.
        let noted = self.inner.read_summary(id).unwrap_or(summary);
        let renamed = RunSummary { name: name.to_owned(), ..noted };
        self.inner.write_summary(&renamed)?;
        Ok(renamed)
    }

    /// Deletes the run's files.
    ///
    /// # Errors
    /// [`StoreError::Recording`] while it is being recorded, or as [`Store::get`].
    pub fn delete(&self, id: &RunId) -> Result<(), StoreError> {
        if self.get(id)?.state == RecordingState::Recording {
            return Err(StoreError::Recording(id.clone()));
        }
        self.inner.remove(id)
    }

    /// Deletes a run that this process records and that came to nothing, as soon as its file is let go.
    pub fn discard(&self, id: &RunId) {
        if let Some(live) = self.inner.live().get_mut(id) {
            live.discarded = true;
            return;
        }
        if let Err(error) = self.inner.remove(id) {
            tracing::warn!("run {id} stays in the list though it did not start: {error}");
        }
    }

    /// How far a run has come, and its index. The watch of one that is over stands still; one that another process
    /// records is followed from now on.
    fn known(&self, id: &RunId) -> Result<(watch::Receiver<Progress>, Keys), StoreError> {
        if let Some(live) = self.inner.live().get(id) {
            return Ok((live.progress.clone(), live.keys.clone()));
        }
        let summary = self.get(id)?;
        if summary.state == RecordingState::Recording {
            return follow(&self.inner, id).map_err(at(&self.inner.recording(id)));
        }
        let progress = Progress { frames: summary.frames, bytes: summary.bytes, broken: false };
        Ok((watch::channel(progress).1, self.inner.stored_keys(id, progress)))
    }
}

/// A name without the spaces around it, if it may be a run's.
fn checked_name(name: &str) -> Result<&str, StoreError> {
    let name = name.trim();
    let short = (1..=LONGEST_NAME).contains(&name.chars().count());
    if short && !name.chars().any(char::is_control) { Ok(name) } else { Err(StoreError::BadName) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |error| StoreError::Files { path, error }
}

#[cfg(test)]
pub(crate) mod tests;
