//! The run that the shown one is compared with: which, and what came of it.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::Value;

use crate::io::runs::{self, Refusal, RunInfo};

/// How far the comparison is.
#[derive(Clone)]
pub(crate) enum Comparison {
    /// No other run is chosen.
    None,
    /// Both are being read.
    Reading,
    /// Here it is.
    Here(Arc<Value>),
    /// It is not to be had.
    Refused(Refusal),
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
    /// The ids of the other run and of the shown one; none where none is chosen.
    pub(crate) chosen: RwSignal<Option<(String, String)>>,
    /// How far that is.
    pub(crate) comparison: RwSignal<Comparison>,
    /// What may be chosen.
    pub(crate) choice: RwSignal<Choice>,
}

impl Compared {
    /// With none.
    pub(crate) fn new() -> Self {
        Self {
            chosen: RwSignal::new(None),
            comparison: RwSignal::new(Comparison::None),
            choice: RwSignal::new(Choice::Asked),
        }
    }

    /// Asks which runs there are.
    pub(crate) fn ask(self) {
        leptos::task::spawn_local(async move {
            self.choice.set(runs::list().await.map_or_else(Choice::Refused, Choice::Runs));
        });
    }

    /// Compares a run with the shown one, by their ids; none, with an empty one.
    pub(crate) fn choose(self, before: String, after: String) {
        if before.is_empty() {
            self.chosen.set(None);
            return self.comparison.set(Comparison::None);
        }
        let pair = (before, after);
        self.chosen.set(Some(pair.clone()));
        self.comparison.set(Comparison::Reading);
        leptos::task::spawn_local(async move {
            let compared = runs::compare(&pair.0, &pair.1).await;
            // Another may have been chosen meanwhile.
            if self.chosen.with_untracked(|chosen| chosen.as_ref() == Some(&pair)) {
                let here = |value| Comparison::Here(Arc::new(value));
                self.comparison.set(compared.map_or_else(Comparison::Refused, here));
            }
        });
    }
}
