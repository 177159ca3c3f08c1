//! How a run comes along, on standard error: read from its file, like everything that is said about a run.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::Payload;
use hopscope_record::kind::{LinkCount, Phase};
use hopscope_record::state::State;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::Plan;
use hopscope_scenario::quantity::Time;
use hopscope_scenario::text;
use hopscope_server::broker::{LocalState, OwnBroker};
use hopscope_server::store::Tail;

use crate::figures::{length, whole};
use crate::say::{harmless, note, say, word};

/// Clears the terminal's line and goes to its beginning.
const CLEAR: &str = "\r\x1b[2K";

/// Tells of a run until its file is complete: on a terminal one line, written anew; elsewhere a line for each phase.
///
/// A file that cannot be read ends the telling and not the run; whoever reads the recording afterwards says why.
pub(super) async fn follow(mut tail: Tail, plan: &Plan, offered: Option<Time>) {
    let mut fold = Fold::new(plan, offered);
    let screen = Screen { terminal: stderr().is_terminal() };
    loop {
        match tail.read().await {
            Ok(frames) if frames.is_empty() => {
                if !tail.grown().await {
                    break;
                }
            }
            Ok(frames) => {
                let Some(begun) = fold.take(&frames) else { break };
                screen.show(&fold.told, &begun);
            }
            Err(_) => break,
        }
    }
    screen.clear();
}

/// Sets a run up, and tells meanwhile how far its brokers are where some have to be started.
pub(super) async fn starting<T>(start: impl Future<Output = T>, brokers: [OwnBroker; 2]) -> T {
    tokio::pin!(start);
    let mut ticks = tokio::time::interval(LOOK);
    let mut awaited = brokers.map(Awaited::new);
    loop {
        let started = tokio::select! {
            started = &mut start => Some(started),
            _ = ticks.tick() => None,
        };
        awaited.iter_mut().for_each(Awaited::look);
        if let Some(started) = started {
            return started;
        }
    }
}

/// A broker that may have to be started.
struct Awaited {
    broker: OwnBroker,
    last: LocalState,
    began: Instant,
}

impl Awaited {
    fn new(broker: OwnBroker) -> Self {
        Self { last: broker.state(), broker, began: Instant::now() }
    }

    /// Tells where it has come to, if that is further than at the last look.
    fn look(&mut self) {
        let now = self.broker.state();
        let product = || ("product", self.broker.name().to_owned());
        match now {
            LocalState::Starting if self.last != now => {
                self.began = Instant::now();
                note(&say(text!("cli.broker.starting"), [product()]));
            }
            LocalState::Ready if self.last != now => {
                let took = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                note(&say(text!("cli.broker.ready"), [product(), ("time", length(took))]));
            }
            _ => {}
        }
        self.last = now;
    }
}

/// How often it is looked how far the broker is.
const LOOK: Duration = Duration::from_millis(50);

/// The run so far, and the decoders that its frames go through.
struct Fold {
    decoder: Decoder,
    batches: EventDecoder,
    events: Vec<Event>,
    told: Told,
}

impl Fold {
    fn new(plan: &Plan, offered: Option<Time>) -> Self {
        let state = State::new(plan.places.len(), plan.links.len());
        Self {
            decoder: Decoder::new(Framing::Stream),
            batches: EventDecoder::new(),
            events: Vec::new(),
            told: Told { state, now: 0, offered },
        }
    }

    /// Takes whole frames and gives a line for each phase that began in them; `None` if they cannot be read.
    fn take(&mut self, frames: &[u8]) -> Option<Vec<String>> {
        let mut begun = Vec::new();
        self.decoder.push(frames);
        while let Some(frame) = self.decoder.next_frame().ok()? {
            let Payload::Events(payload) = frame.read().ok()? else { continue };
            self.batches.decode(payload.batch, &mut self.events).ok()?;
            begun.extend(self.events.iter().filter_map(|event| self.told.take(event)));
            self.told.now = payload.cut;
        }
        Some(begun)
    }
}

/// What is told of a run.
struct Told {
    state: State,
    /// Up to when it is told, ns on the run's clock.
    now: i64,
    /// Up to when load is offered; `None` until it is stopped.
    offered: Option<Time>,
}

impl Told {
    /// Takes an event and gives a line if a phase begins with it.
    fn take(&mut self, event: &Event) -> Option<String> {
        let phase = self.state.phase;
        self.state.apply(event);
        if self.state.phase == phase {
            return None;
        }
        self.now = event.time;
        Some(self.line())
    }

    fn line(&self) -> String {
        let all = &self.state.all_links;
        let errors = [LinkCount::Failed, LinkCount::Refused, LinkCount::TimedOut].map(|count| all.count(count));
        let key = if self.offered.is_some() { text!("cli.progress") } else { text!("cli.progress.endless") };
        say(
            key,
            [
                ("phase", self.state.phase.map(|phase| word(name(phase))).unwrap_or_default()),
                ("elapsed", length(u64::try_from(self.now).unwrap_or(0))),
                ("duration", self.offered.map(|offered| offered.to_string()).unwrap_or_default()),
                ("sent", whole(all.count(LinkCount::Sent))),
                ("completed", whole(all.count(LinkCount::Completed))),
                ("errors", whole(errors.iter().sum())),
            ],
        )
    }
}

fn name(phase: Phase) -> Key {
    match phase {
        Phase::Setup => text!("phase.setup"),
        Phase::WarmUp => text!("phase.warm-up"),
        Phase::Measured => text!("phase.measured"),
        Phase::Drain => text!("phase.drain"),
        Phase::End => text!("phase.end"),
    }
}

/// What standard error shows.
struct Screen {
    terminal: bool,
}

impl Screen {
    fn show(&self, told: &Told, begun: &[String]) {
        if self.terminal {
            // Before its first phase there is nothing to tell.
            if told.state.phase.is_some() {
                let _ = write!(stderr().lock(), "{CLEAR}{}", harmless(&told.line()));
            }
        } else {
            begun.iter().for_each(|line| note(line));
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(stderr().lock(), "{CLEAR}");
        }
    }
}

/// Tells something else in between: on a terminal in place of the line, which comes back below it.
pub(super) fn interject(text: &str) {
    Screen { terminal: stderr().is_terminal() }.clear();
    note(text);
}
