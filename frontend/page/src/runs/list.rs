//! What the panel knows of the server's runs, and what a person does with them.

use std::time::Duration;

use hopscope_record::decoder::Framing;
use hopscope_scenario::text;
use hopscope_view::buffer::RunBuffer;
use hopscope_view::clock::Clock;
use hopscope_view::format;
use leptos::html::Dialog;
use leptos::prelude::*;
use serde_json::Value;

use crate::io;
use crate::io::runs::{self, Refusal, RunInfo, RunState};
use crate::state::document::Editor;
use crate::state::run::{Run, Source, Status};
use crate::ui::focus;
use crate::ui::text::{t, t_with};

/// How often the list is asked for again while a run in it goes on.
const AGAIN: Duration = Duration::from_secs(1);

/// The runs, as far as they are known.
#[derive(Clone)]
pub(super) enum Listed {
    /// The server was asked.
    Loading,
    /// The newest first.
    Here(Vec<RunInfo>),
    /// They are not to be had.
    Refused(Refusal),
}

/// What was asked for and not done.
#[derive(Clone)]
pub(super) struct Trouble {
    /// What was not done.
    pub(super) title: String,
    /// Why.
    pub(super) refusal: Refusal,
}

/// The list of runs; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct RunList {
    /// The run that the page shows.
    pub(super) run: Run,
    /// Whether the panel is there.
    pub(super) shown: RwSignal<bool>,
    pub(super) dialog: NodeRef<Dialog>,
    pub(super) listed: RwSignal<Listed>,
    /// The id of the run that is being renamed.
    pub(super) renaming: RwSignal<Option<String>>,
    /// The id of the run whose deletion is to be confirmed.
    pub(super) deleting: RwSignal<Option<String>>,
    /// What is under way, in words.
    pub(super) progress: RwSignal<Option<String>>,
    pub(super) trouble: RwSignal<Option<Trouble>>,
    /// Which runs are removed, in words, where any are.
    pub(super) kept: RwSignal<String>,
    /// The id of the run that was opened here, until its scenario stands on the canvas.
    adopting: StoredValue<Option<String>>,
    /// Counts the times the list was asked for, so that an answer or a timer of an earlier one is dropped.
    round: StoredValue<u32>,
}

impl RunList {
    pub(super) fn new(run: Run) -> Self {
        Self {
            run,
            shown: RwSignal::new(false),
            dialog: NodeRef::new(),
            listed: RwSignal::new(Listed::Loading),
            renaming: RwSignal::new(None),
            deleting: RwSignal::new(None),
            progress: RwSignal::new(None),
            trouble: RwSignal::new(None),
            kept: RwSignal::new(String::new()),
            adopting: StoredValue::new(None),
            round: StoredValue::new(0),
        }
    }

    /// Opens the panel.
    pub(super) fn show(self) {
        self.listed.set(Listed::Loading);
        self.trouble.set(None);
        self.renaming.set(None);
        self.deleting.set(None);
        self.shown.set(true);
        self.load();
        leptos::task::spawn_local(async move {
            self.kept.set(io::about().await.map(|about| super::words::kept(&about.runs)).unwrap_or_default());
        });
    }

    /// Closes the panel; the browser gives the focus back to what had it before.
    pub(super) fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }

    /// The panel has been closed.
    pub(super) fn closed(self) {
        self.shown.set(false);
        self.round.update_value(|round| *round += 1);
    }

    /// Asks for the list, and again as long as a run in it goes on.
    pub(super) fn load(self) {
        self.round.update_value(|round| *round += 1);
        let round = self.round.get_value();
        let wanted = move || self.round.get_value() == round;
        leptos::task::spawn_local(async move {
            let listed = runs::list().await.map_or_else(Listed::Refused, Listed::Here);
            if !wanted() {
                return;
            }
            let goes_on = matches!(&listed, Listed::Here(runs) if runs.iter().any(goes_on));
            // A row that a person is at stays as it is.
            if self.renaming.with_untracked(Option::is_none) && self.deleting.with_untracked(Option::is_none) {
                self.listed.set(listed);
            }
            if goes_on {
                set_timeout(
                    move || {
                        if wanted() {
                            self.load()
                        }
                    },
                    AGAIN,
                );
            }
        });
    }

    /// The id of the run that the page shows; follows it.
    pub(super) fn current(self) -> Option<String> {
        self.run.revision.track();
        self.run.with(|data| data.id.clone())
    }

    /// How many events a run's recording has; follows the list.
    pub(super) fn events_of(self, id: &str) -> Option<u64> {
        self.listed.with(|listed| match listed {
            Listed::Here(runs) => runs.iter().find(|run| run.id == id).map(|run| run.events),
            Listed::Loading | Listed::Refused(_) => None,
        })
    }

    /// Shows a run with its scenario, and puts the list away.
    pub(super) fn open(self, id: &str) {
        self.adopting.set_value(Some(id.to_owned()));
        if self.run.with(|data| data.id.as_deref() != Some(id)) {
            self.run.open(Source::Stored(id.to_owned()));
        } else {
            self.run.revision.notify();
        }
        self.close();
    }

    /// Puts the scenario of a run that was opened here on the canvas, once it is known, as a step that can be undone: its
    /// messages would travel over another's links otherwise.
    pub(super) fn adopt(self, editor: Editor) {
        self.run.revision.track();
        let known = self.run.with(|data| {
            let opened = data.id.is_some() && self.adopting.with_value(|adopting| *adopting == data.id);
            opened.then(|| scenario(&data.buffer)).flatten()
        });
        let Some(scenario) = known else { return };
        self.adopting.set_value(None);
        if editor.now(|document| *document.value() != scenario) {
            untrack(|| editor.open_text(&scenario.to_string(), ""));
        }
    }

    /// Turns a run's name into a field.
    pub(super) fn begin_renaming(self, id: &str) {
        self.deleting.set(None);
        self.renaming.set(Some(id.to_owned()));
        focus(&format!("[data-run=\"{id}\"] input"));
    }

    /// Gives the run that is being renamed its name; `back` where the focus goes back to its row.
    pub(super) fn rename(self, id: &str, name: &str, back: bool) {
        // A field that goes away loses the focus, and tells so: then it is done already.
        if self.renaming.with_untracked(|renaming| renaming.as_deref() != Some(id)) {
            return;
        }
        self.renaming.set(None);
        if back {
            focus_row(id);
        }
        let (id, name) = (id.to_owned(), name.trim().to_owned());
        leptos::task::spawn_local(async move {
            match runs::rename(&id, &name).await {
                Ok(info) => {
                    self.change(|runs| runs.iter_mut().filter(|run| run.id == id).for_each(|run| *run = info.clone()));
                    self.trouble.set(None);
                    if back {
                        focus_row(&id);
                    }
                }
                Err(refusal) => self.refuse(t(text!("runs.not-renamed")), refusal),
            }
        });
    }

    /// Gives up renaming.
    pub(super) fn keep_name(self, id: &str) {
        self.renaming.set(None);
        focus_row(id);
    }

    /// Asks whether a run is to be deleted.
    pub(super) fn ask(self, id: &str) {
        self.deleting.set(Some(id.to_owned()));
        focus(&format!("[data-run=\"{id}\"] [data-action=delete-yes]"));
    }

    /// Gives up deleting.
    pub(super) fn keep(self, id: &str) {
        self.deleting.set(None);
        focus_row(id);
    }

    /// Deletes a run.
    pub(super) fn delete(self, id: &str) {
        self.deleting.set(None);
        let id = id.to_owned();
        leptos::task::spawn_local(async move {
            match runs::delete(&id).await {
                Ok(()) => {
                    self.change(|runs| runs.retain(|run| run.id != id));
                    self.trouble.set(None);
                    forget(self.run, &id);
                    focus(".runs [data-action=import]");
                }
                Err(refusal) => {
                    self.refuse(t(text!("runs.not-deleted")), refusal);
                    focus_row(&id);
                }
            }
        });
    }

    /// Takes in a recording and shows it.
    pub(super) fn import(self, file: web_sys::File) {
        let name = file.name();
        self.trouble.set(None);
        let size = format!("{} MB", format::fixed(file.size() / 1e6, 1));
        self.progress.set(Some(t_with(text!("runs.importing"), &[("file", &name), ("size", &size)])));
        leptos::task::spawn_local(async move {
            let imported = runs::import(file).await;
            self.progress.set(None);
            match imported {
                Ok(info) => self.open(&info.id),
                Err(refusal) => self.refuse(t_with(text!("runs.not-imported"), &[("file", &name)]), refusal),
            }
        });
    }

    fn refuse(self, title: String, refusal: Refusal) {
        self.trouble.set(Some(Trouble { title, refusal }));
    }

    fn change(self, change: impl FnOnce(&mut Vec<RunInfo>)) {
        self.listed.update(|listed| {
            if let Listed::Here(runs) = listed {
                change(runs);
            }
        });
    }
}

fn goes_on(run: &RunInfo) -> bool {
    !matches!(run.state, RunState::Ended | RunState::Cut)
}

/// What the page shows of a run that is no more goes with it. While more of it is still being fetched it stays: the
/// server's answer then says what has become of it.
fn forget(run: Run, id: &str) {
    let is_shown = run.with(|data| data.id.as_deref() == Some(id));
    if !is_shown || !run.status.with_untracked(|status| matches!(status, Status::Whole | Status::Cut)) {
        return;
    }
    // A browser that refuses that says after a reload that the run is not there.
    let _ = window().location().set_hash("");
    run.change(|data| {
        data.id = None;
        data.buffer = RunBuffer::new(Framing::Stream);
        data.clock = Clock::live(true);
        data.layout = Default::default();
    });
    run.trace.set(None);
    run.event.set(None);
    run.figures.set(Default::default());
    run.laws.set(Default::default());
    run.levels.set(Default::default());
    run.status.set(Status::None);
    run.revision.update(|revision| *revision += 1);
    run.wanted.notify();
}

fn focus_row(id: &str) {
    focus(&format!("[data-run=\"{id}\"] .runs-open"));
}

/// The scenario that a run ran, as its plan has it.
fn scenario(buffer: &RunBuffer) -> Option<Value> {
    let plan: Value = serde_json::from_slice(&buffer.hello()?.plan).ok()?;
    plan.get("scenario").cloned()
}
