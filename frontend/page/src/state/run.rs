//! The run that the page shows: its buffer, its clock, what is selected of it.
//!
//! Events never sit in signals: the buffer is a plain value, and `revision` says that it has more. What changes with each
//! frame (time, dots, levels) is set by the player, once per frame.

mod connection;
mod data;
mod source;

pub(crate) use data::Data;
pub(crate) use source::{Source, addressed};

use std::collections::HashMap;
use std::sync::Arc;

use hopscope_record::Event;
use hopscope_record::decoder::Framing;
use hopscope_report::checks::CheckReport;
use hopscope_report::laws::LawReport;
use hopscope_view::buffer::{Figures, RunBuffer};
use hopscope_view::clock::{Clock, Mode, Scale, Timeline, Warp, step};
use hopscope_view::dots::Layout;
use leptos::prelude::*;

use super::templates::{Made, Template};
use crate::io::runs::{self, Refusal, RunInfo, RunState};

/// How the run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// There is none.
    None,
    /// The server was asked to start one.
    Starting,
    /// Its first frames are awaited.
    Loading,
    /// It goes on.
    Running,
    /// It goes on in another process, which alone can stop it.
    Elsewhere,
    /// It goes on and was asked to stop.
    Stopping,
    /// The server is gone; what is here stays, and it is tried again.
    Lost,
    /// It goes on, and no more of it is kept.
    Unkept,
    /// It is over and here.
    Whole,
    /// It is over, and its recording ends before its end.
    Cut,
    /// It did not start, or is not to be had.
    Refused(Refusal),
    /// The rest of its frames cannot be read.
    Damaged {
        /// Whether they are of another version of Hopscope.
        other_version: bool,
        /// What the decoder says, for who looks into it.
        detail: String,
    },
}

impl Status {
    /// For the style sheet and tests.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starting => "starting",
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Elsewhere => "elsewhere",
            Self::Stopping => "stopping",
            Self::Lost => "lost",
            Self::Unkept => "unkept",
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Refused(_) => "refused",
            Self::Damaged { .. } => "damaged",
        }
    }

    /// Whether a run is under way at the server, as far as is known.
    pub(crate) fn is_live(&self) -> bool {
        use Status::{Elsewhere, Loading, Lost, Running, Starting, Stopping, Unkept};
        matches!(self, Starting | Loading | Running | Elsewhere | Stopping | Lost | Unkept)
    }
}

/// What a node holds at the time that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeLevel {
    /// Messages that wait for a worker, over all replicas.
    pub(crate) waiting: u32,
    /// Workers held, by replica.
    pub(crate) busy: Vec<u32>,
    /// Of a queue: how it stands.
    pub(crate) queue: Option<QueueLevel>,
    /// Of a topic or a stream: who reads it, and their lag.
    pub(crate) groups: Vec<(String, u32)>,
}

/// How a queue stands at the time that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueLevel {
    /// L1 of its last step.
    pub(crate) before: u32,
    /// L2 of its last step: what is ready.
    pub(crate) after: u32,
    /// What is with consumers.
    pub(crate) unacked: u32,
    /// How long the oldest of what is ready has been there, in ns; `None` if nothing is.
    pub(crate) oldest: Option<i64>,
}

/// What was done to a node or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether it is a link.
    pub(crate) link: bool,
    /// Its id.
    pub(crate) id: String,
    /// What it is now, for the style sheet: `down`, `paused`, `rate`, `cut`, `slow`.
    pub(crate) class: &'static str,
    /// That in words.
    pub(crate) words: String,
}

/// What nodes hold, by the node's id.
pub(crate) type Levels = HashMap<String, NodeLevel>;

/// What the player shows at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shown {
    /// Live or replay.
    pub(crate) mode: Mode,
    /// ns on the run's clock.
    pub(crate) time: i64,
    /// Whether it goes on by itself.
    pub(crate) playing: bool,
    /// How many messages one dot stands for.
    pub(crate) messages_per_dot: u32,
}

/// The run that the page shows; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    data: StoredValue<Data>,
    /// How it stands.
    pub(crate) status: RwSignal<Status>,
    /// Of a run that came with the page: of which template it is, and its label.
    pub(crate) recorded: RwSignal<Option<(&'static Template, Made)>>,
    /// Whether a person asked for what only a server can do, and is being told so.
    pub(crate) needs_server: RwSignal<bool>,
    /// Why it ended otherwise than asked for, in the server's words.
    pub(crate) detail: RwSignal<Option<String>>,
    /// Changes when the buffer has more; at most once per frame.
    pub(crate) revision: RwSignal<u64>,
    /// Asks for a frame.
    pub(crate) wanted: Trigger,
    /// What the player shows.
    pub(crate) shown: RwSignal<Shown>,
    /// The figures, at the head.
    pub(crate) figures: RwSignal<Figures>,
    /// What came of the laws so far; set a few times a second, and empty while there is no run. The links' figures are
    /// worth another look when it is set.
    pub(crate) laws: RwSignal<Arc<Vec<LawReport>>>,
    /// What came of the scenario's checks so far; set with the laws.
    pub(crate) checks: RwSignal<Arc<Vec<CheckReport>>>,
    /// Whether frames were missing then, so that nothing could be said.
    pub(crate) laws_wait: RwSignal<bool>,
    /// What nodes hold at the time shown.
    pub(crate) levels: RwSignal<Arc<Levels>>,
    /// What was done to nodes and links and is so still at the time shown.
    pub(crate) marks: RwSignal<Vec<Mark>>,
    /// The rows of the only traces that the list shows, and what they are; `None`: it shows all.
    pub(crate) only: RwSignal<Option<(String, Vec<u32>)>>,
    /// The row of the selected trace.
    pub(crate) trace: RwSignal<Option<u32>>,
    /// Which of the selected trace's events the player was stepped to.
    pub(crate) event: RwSignal<Option<usize>>,
    /// Which times look how long.
    pub(crate) scale: RwSignal<Scale>,
    /// How many times faster than the player would choose.
    pub(crate) speed: RwSignal<f64>,
    /// The seed of the next run, as it was typed.
    pub(crate) seed: RwSignal<String>,
    /// How long the next run offers load before anything counts, as it was typed.
    pub(crate) warm_up: RwSignal<String>,
    /// How long the next run offers load, as it was typed.
    pub(crate) duration: RwSignal<String>,
    /// Whether it offers load until it is stopped.
    pub(crate) endless: RwSignal<bool>,
    /// What keeps its queues.
    pub(crate) broker: RwSignal<String>,
    /// Where its nodes live.
    pub(crate) placement: RwSignal<String>,
    /// Where nodes of the next run listen, as it was typed; empty: anywhere.
    pub(crate) ports: RwSignal<String>,
    /// What keeps the topics of the next run.
    pub(crate) kafka: RwSignal<String>,
}

impl Run {
    /// No run yet.
    pub(crate) fn new() -> Self {
        let shown = Shown { mode: Mode::Live, time: 0, playing: false, messages_per_dot: 1 };
        Self {
            data: StoredValue::new(Data {
                id: None,
                buffer: RunBuffer::new(Framing::Stream),
                clock: Clock::live(true),
                layout: Layout::default(),
                over: false,
                sent: false,
                filling: false,
                elsewhere: false,
                begins_now: false,
                generation: 0,
                asked: 0,
            }),
            status: RwSignal::new(Status::None),
            recorded: RwSignal::new(None),
            needs_server: RwSignal::new(false),
            detail: RwSignal::new(None),
            revision: RwSignal::new(0),
            wanted: Trigger::new(),
            shown: RwSignal::new(shown),
            figures: RwSignal::new(Figures::default()),
            laws: RwSignal::new(Arc::default()),
            checks: RwSignal::new(Arc::default()),
            laws_wait: RwSignal::new(false),
            levels: RwSignal::new(Arc::default()),
            marks: RwSignal::new(Vec::new()),
            only: RwSignal::new(None),
            trace: RwSignal::new(None),
            event: RwSignal::new(None),
            scale: RwSignal::new(Scale::Even),
            speed: RwSignal::new(1.0),
            seed: RwSignal::new("42".to_owned()),
            warm_up: RwSignal::new("0 s".to_owned()),
            duration: RwSignal::new("5 s".to_owned()),
            endless: RwSignal::new(false),
            broker: RwSignal::new("built-in".to_owned()),
            placement: RwSignal::new("tasks".to_owned()),
            ports: RwSignal::new(String::new()),
            kafka: RwSignal::new(hopscope_scenario::plan::Broker::BUILT_IN.to_owned()),
        }
    }

    /// Reads the data as they are now.
    pub(crate) fn with<T>(self, read: impl FnOnce(&Data) -> T) -> T {
        self.data.with_value(read)
    }

    /// Changes the data; who shows them is told by the signals, not by this.
    pub(crate) fn change<T>(self, change: impl FnOnce(&mut Data) -> T) -> T {
        change(&mut self.data.write_value())
    }

    /// Asks the server to end the run's load.
    pub(crate) fn stop(self) {
        let Some(id) = self.with(|data| data.id.clone()) else { return };
        self.status.set(Status::Stopping);
        leptos::task::spawn_local(async move {
            // A run that cannot be stopped has ended, or its server has; the stream tells which.
            if let Err(refusal) = runs::stop(&id).await {
                leptos::logging::warn!("{refusal:?}");
            }
        });
    }

    /// Asks the server to do something to the run; `refused` is told why it does not.
    pub(crate) fn disturb(self, asked: String, refused: RwSignal<Option<String>>) {
        let Some(id) = self.with(|data| data.id.clone()) else { return };
        refused.set(None);
        leptos::task::spawn_local(async move {
            match runs::control(&id, asked).await {
                Ok(()) => {}
                Err(Refusal::Said { message, remedy, .. }) => refused.set(Some(format!("{message} {remedy}"))),
                // The stream tells that the server is gone.
                Err(refusal) => leptos::logging::warn!("{refusal:?}"),
            }
        });
    }

    /// Shows a run of the server from its first frame on.
    fn show(self, info: RunInfo, begins_now: bool) {
        let (id, elsewhere) = (info.id, info.state == RunState::Elsewhere);
        source::keep_address(&format!("run={id}"));
        let generation = self.begin(Some(id.clone()), Framing::Stream);
        self.change(|data| (data.begins_now, data.elsewhere) = (begins_now, elsewhere));
        leptos::task::spawn_local(self.follow(id, generation));
    }

    /// Forgets the run that was shown and makes ready for another; gives the number of that one.
    fn begin(self, id: Option<String>, framing: Framing) -> u32 {
        let generation = self.change(|data| {
            data.id = id;
            data.buffer = RunBuffer::new(framing);
            data.clock = Clock::live(motion());
            data.layout = Layout::default();
            (data.over, data.sent, data.filling) = (false, false, false);
            (data.begins_now, data.elsewhere) = (false, false);
            data.generation += 1;
            data.generation
        });
        self.recorded.set(None);
        self.trace.set(None);
        self.event.set(None);
        self.figures.set(Figures::default());
        self.laws.set(Arc::default());
        self.checks.set(Arc::default());
        self.levels.set(Arc::default());
        self.marks.set(Vec::new());
        self.only.set(None);
        self.detail.set(None);
        self.status.set(Status::Loading);
        self.revision.update(|revision| *revision += 1);
        generation
    }

    /// Lets the clock do something that a person asked for.
    pub(crate) fn clock(self, act: impl FnOnce(&mut Clock, Timeline<'_>)) {
        self.change(|data| {
            if let Some((clock, _, _, timeline)) = data.parts() {
                act(clock, timeline);
            }
        });
        self.wanted.notify();
    }

    /// Selects a trace, or none.
    pub(crate) fn select(self, row: Option<u32>) {
        if self.trace.get_untracked() != row {
            self.event.set(None);
            self.trace.set(row);
            self.wanted.notify();
        }
    }

    /// The events of the selected trace, decoded now.
    pub(crate) fn selected_events(self) -> Vec<Event> {
        let row = self.trace.get_untracked();
        self.with(|data| row.map_or_else(Vec::new, |row| data.buffer.events_of(row)))
    }

    /// Plays what stands still; stops what plays.
    pub(crate) fn turn(self) {
        let playing = self.with(|data| data.clock.is_playing());
        self.clock(|clock, timeline| if playing { clock.pause(timeline) } else { clock.play(timeline) });
    }

    /// Steps as [`Run::step`] does; where no trace is selected, through the first one that is under way.
    pub(crate) fn step_any(self, forward: bool) {
        if self.trace.get_untracked().is_none() {
            let under_way = self.with(|data| {
                let time = data.clock.time();
                let rows = data.buffer.traces();
                let row = (0..rows.len()).find(|row| rows.get(*row).is_some_and(|trace| trace.last >= time));
                row.and_then(|row| u32::try_from(row).ok())
            });
            self.select(under_way);
        }
        self.step(forward);
    }

    /// Goes to the next event of the selected trace, or to the one before.
    pub(crate) fn step(self, forward: bool) {
        let times: Vec<_> = self.selected_events().iter().map(|event| event.time).collect();
        let time = self.with(|data| data.clock.time());
        let Some(index) = step(&times, self.event.get_untracked(), time, forward) else { return };
        self.go_to_event(index);
    }

    /// Shows the instant of one of the selected trace's events.
    pub(crate) fn go_to_event(self, index: usize) {
        let Some(time) = self.selected_events().get(index).map(|event| event.time) else { return };
        self.event.set(Some(index));
        self.clock(|clock, timeline| clock.seek(time, timeline));
    }
}

/// The warp of a buffer's replay.
pub(crate) fn warp(buffer: &RunBuffer, scale: Scale, speed: f64) -> Warp {
    Warp::new(scale, buffer.median_passage(), buffer.median_flight(), buffer.median_hold(), speed)
}

/// The mark of a node or link, of those at the time shown.
pub(crate) fn mark(run: Run, link: bool, id: &str) -> Option<Mark> {
    run.marks.with(|marks| marks.iter().find(|mark| mark.link == link && mark.id == id).cloned())
}

/// The run that the page shows.
pub(crate) fn use_run() -> Run {
    expect_context::<Run>()
}

/// Whether the person has not asked for less motion.
fn motion() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)");
    !query.ok().flatten().is_some_and(|query| query.matches())
}
