//! The run that the shown one is compared with: which, and its figures.

use hopscope_record::decoder::Framing;
use hopscope_report::compare::{Reading, ReadingError};
use leptos::prelude::*;

use crate::io::runs::{self, Refusal, RunInfo};

/// How far the other run is.
#[derive(Clone)]
pub(crate) enum Other {
    /// None is chosen.
    None,
    /// It is being read.
    Reading,
    /// It was read; the data have it.
    Here,
    /// The server does not give it.
    Refused(Refusal),
    /// It cannot be read, and why.
    Unreadable(String),
}

/// The runs that may be chosen.
#[derive(Clone)]
pub(crate) enum Choice {
    /// The server was asked.
    Asked,
    /// The newest first.
    Runs(Vec<RunInfo>),
    /// They are not to be had.
    Refused(Refusal),
}

/// What the shown run is compared with; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Compared {
    reading: StoredValue<Option<Reading>>,
    /// The id of the run that is chosen; empty for none.
    pub(crate) chosen: RwSignal<String>,
    /// How far that is.
    pub(crate) other: RwSignal<Other>,
    /// What may be chosen.
    pub(crate) choice: RwSignal<Choice>,
}

impl Compared {
    /// With none.
    pub(crate) fn new() -> Self {
        Self {
            reading: StoredValue::new(None),
            chosen: RwSignal::new(String::new()),
            other: RwSignal::new(Other::None),
            choice: RwSignal::new(Choice::Asked),
        }
    }

    /// Asks which runs there are.
    pub(crate) fn ask(self) {
        leptos::task::spawn_local(async move {
            self.choice.set(runs::list().await.map_or_else(Choice::Refused, Choice::Runs));
        });
    }

    /// Chooses a run by its id, or none.
    pub(crate) fn choose(self, id: String) {
        self.chosen.set(id.clone());
        self.reading.set_value(None);
        if id.is_empty() {
            return self.other.set(Other::None);
        }
        self.other.set(Other::Reading);
        leptos::task::spawn_local(async move {
            let other = match read(&id).await {
                Ok(Ok(reading)) => {
                    if !self.is_chosen(&id) {
                        return;
                    }
                    self.reading.set_value(Some(reading));
                    Other::Here
                }
                Ok(Err(error)) => Other::Unreadable(error.to_string()),
                Err(refusal) => Other::Refused(refusal),
            };
            if self.is_chosen(&id) {
                self.other.set(other);
            }
        });
    }

    fn is_chosen(self, id: &str) -> bool {
        self.chosen.with_untracked(|chosen| chosen == id)
    }

    /// Reads the other run's figures, where they are there; follows them.
    pub(crate) fn with<T>(self, read: impl FnOnce(&Reading) -> T) -> Option<T> {
        self.other.track();
        self.reading.with_value(|reading| reading.as_ref().map(read))
    }
}

/// Reads a run's recording as far as the server has it.
async fn read(id: &str) -> Result<Result<Reading, ReadingError>, Refusal> {
    let mut reading = Reading::new(Framing::Stream);
    while !reading.is_over() {
        let next = reading.frames();
        let bytes = runs::frames(id, next..u32::MAX).await?;
        if let Err(error) = reading.push(&bytes) {
            return Ok(Err(error));
        }
        // A run that was cut, or goes on, has no more now.
        if reading.frames() == next {
            break;
        }
    }
    Ok(Ok(reading))
}
