//! How much of the past is kept: where there is a limit, the oldest runs go first, with their files.
//!
//! A run that is being recorded never goes, by whomever; nor does one that someone reads, here or in another process, or has read
//! from a short while ago. What they take counts all the same.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::folder::Inner;
use super::{RecordingState, RunId, RunSummary, Store, StoreError, at};

/// Shortest time for which runs may be kept: as long as a run may last, so that none goes when it has just ended.
pub const SHORTEST: Duration = Duration::from_secs(3600);

/// Fewest bytes that runs may be kept to.
pub const FEWEST: u64 = 1_000_000;

/// For so long a run stays that someone has read from: a page asks for its frames now and then.
const READ_LATELY: SignedDuration = SignedDuration::from_mins(10);

/// The limits; without one everything is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keep {
    /// Most bytes that all runs take together.
    pub bytes: Option<u64>,
    /// Longest time since a run was made.
    pub time: Option<Duration>,
}

impl Keep {
    /// Whether anything ever goes.
    #[must_use]
    pub const fn has_limit(&self) -> bool {
        self.bytes.is_some() || self.time.is_some()
    }
}

/// A time as a person writes it, like `30d` or `12 h`; `None` if it is none, or a month is in it, which may be longer or shorter.
#[must_use]
pub fn time(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

/// A run that was removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    /// Which.
    pub id: RunId,
    /// What it was called.
    pub name: String,
    /// What its files took.
    pub bytes: u64,
}

/// What has become of the runs of a folder since its store was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// How many were removed.
    pub removed: u64,
    /// What they took.
    pub removed_bytes: u64,
    /// The one that was removed last.
    pub last: Option<Removed>,
}

/// What decides: a run, how old it is, and whether it may go.
struct Candidate {
    id: RunId,
    name: String,
    bytes: u64,
    age: SignedDuration,
    held: bool,
}

/// Those that must go, of runs from the oldest on. What cannot be removed counts as kept.
fn remove_surplus(runs: Vec<Candidate>, keep: &Keep, mut remove: impl FnMut(&Candidate) -> bool) -> Vec<Removed> {
    let mut total: u64 = runs.iter().map(|run| run.bytes).sum();
    let mut removed = Vec::new();
    for run in runs {
        let too_old = keep.time.is_some_and(|most| Duration::try_from(run.age).is_ok_and(|age| age > most));
        let too_much = keep.bytes.is_some_and(|most| total > most);
        if !run.held && (too_old || too_much) && remove(&run) {
            total -= run.bytes;
            removed.push(Removed { id: run.id, name: run.name, bytes: run.bytes });
        }
    }
    removed
}

/// Who reads, and what was removed.
#[derive(Default)]
pub(super) struct Readers {
    /// By the run: how many read it now, and when someone last began to.
    of: HashMap<RunId, (u64, Timestamp)>,
    kept: Kept,
}

/// Someone who reads a run, until this is dropped.
pub(super) struct Reading {
    store: Arc<Inner>,
    id: RunId,
}

impl Reading {
    /// Begins to read, now.
    pub(super) fn begin(store: &Arc<Inner>, id: &RunId, now: Timestamp) -> Self {
        let mut readers = store.readers();
        let (count, last) = readers.of.entry(id.clone()).or_insert((0, now));
        (*count, *last) = (*count + 1, now);
        drop(readers);
        Self { store: Arc::clone(store), id: id.clone() }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some((count, _)) = self.store.readers().of.get_mut(&self.id) {
            *count -= 1;
        }
    }
}

impl Store {
    /// Removes what is beyond the limits at this time, the oldest first, and tells what went.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn keep(&self, keep: &Keep, now: Timestamp) -> Result<Vec<Removed>, StoreError> {
        if !keep.has_limit() {
            return Ok(Vec::new());
        }
        let mut runs = self.list()?;
        runs.reverse();
        let runs = runs.into_iter().map(|run| self.candidate(run, now)).collect();
        let removed = remove_surplus(runs, keep, |run| match self.inner.remove_free(&run.id) {
            Ok(true) => {
                tracing::info!(
                    "run {} ({}) is removed with its {} bytes, as runs are to be kept",
                    run.id,
                    run.name,
                    run.bytes
                );
                true
            }
            Ok(false) => false,
            Err(error) => {
                tracing::warn!("run {} should go and stays: {error}", run.id);
                false
            }
        });
        let mut readers = self.inner.readers();
        readers.of.retain(|_, (count, last)| *count > 0 || now.duration_since(*last) < READ_LATELY);
        readers.kept.removed += removed.len() as u64;
        readers.kept.removed_bytes += removed.iter().map(|run| run.bytes).sum::<u64>();
        if let Some(last) = removed.last() {
            readers.kept.last = Some(last.clone());
        }
        Ok(removed)
    }

    /// What the folder is to be kept to.
    #[must_use]
    pub fn limits(&self) -> Keep {
        self.inner.limits
    }

    /// What was removed since this store was opened.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.inner.readers().kept.clone()
    }

    /// Bytes that the runs in the folder take, all their files together.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn used(&self) -> Result<u64, StoreError> {
        Ok(self.ids()?.iter().map(|id| self.inner.bytes_of(id)).sum())
    }

    fn candidate(&self, run: RunSummary, now: Timestamp) -> Candidate {
        let read = self.inner.readers().of.get(&run.id).copied();
        let read = read.is_some_and(|(count, last)| count > 0 || now.duration_since(last) < READ_LATELY);
        Candidate {
            bytes: self.inner.bytes_of(&run.id),
            age: now.duration_since(run.id.made_at()),
            held: read || run.state == RecordingState::Recording || self.progress(&run.id).is_some(),
            id: run.id,
            name: run.name,
        }
    }
}

impl Inner {
    fn bytes_of(&self, id: &RunId) -> u64 {
        let files = [self.recording(id), self.summary(id), self.keys_file(id)];
        files.iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
    }

    /// Deletes the run's files, unless another process records or reads them.
    fn remove_free(&self, id: &RunId) -> Result<bool, StoreError> {
        let path = self.recording(id);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at(&path)(error)),
        };
        if file.try_lock().is_err() {
            return Ok(false);
        }
        self.remove(id)?;
        Ok(true)
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
