//! The fold: what is so after the events up to some time.
//!
//! [`State::apply`] takes one event in constant time, with no search and no map, and reads what
//! the event does from its kind's row ([`crate::KINDS`]); a kind without a row does nothing.
//! Every prefix of a lawful recording gives a consistent state. The fold judges nothing: of a
//! recording that breaks a law it shows what the events come to, a negative level included.

mod encode;

pub use encode::{FOLD_VERSION, fingerprint};

use crate::event::Event;
use crate::kind::{
    AWAITS_REPLY, Attempt, ControlAction, Count, DepthReport, KindInfo, LATE, LagReport, LinkCount, Phase, PlaceCount,
    ValueMeaning,
};

/// What is so at one link.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LinkState {
    counts: [u64; LinkCount::LEN],
    /// Attempts that were opened and not closed: in flight.
    pub open: i64,
    /// Closing events that came after the attempt was closed. In no other count.
    pub late: u64,
    /// What was done to it while the run ran, and is so still. Not told of the sum of all links.
    pub disturbed: LinkDisturbed,
}

/// What was done to a link and is so still.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LinkDisturbed {
    /// 1 while its connections are reset, else 0.
    pub cut: u64,
    /// What a round trip takes longer, in ns.
    pub delay: u64,
    /// Bytes that it lets through in a second, each way; 0 for no limit.
    pub throttle: u64,
}

impl LinkDisturbed {
    /// Whether it is as the scenario has it.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.cut == 0 && self.delay == 0 && self.throttle == 0
    }

    fn apply(&mut self, action: ControlAction, argument: u64) {
        match action {
            ControlAction::Cut => self.cut = 1,
            ControlAction::Delay => self.delay = argument,
            ControlAction::Throttle => self.throttle = argument,
            ControlAction::Mend => *self = Self::default(),
            _ => {}
        }
    }
}

/// What was done to a place and is so still.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PlaceDisturbed {
    /// 1 while it takes up nothing new, else 0.
    pub paused: u64,
    /// 1 while it is down, else 0.
    pub crashed: u64,
    /// The rate that its load was given, in thousandths of a message in a second; 0 for the scenario's own.
    pub rate: u64,
}

impl PlaceDisturbed {
    /// Whether it is as the scenario has it.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.paused == 0 && self.crashed == 0 && self.rate == 0
    }

    fn apply(&mut self, action: ControlAction, argument: u64) {
        match action {
            ControlAction::Pause => self.paused = 1,
            ControlAction::Resume => self.paused = 0,
            // A queue is down with its broker.
            ControlAction::Crash | ControlAction::BrokerKilled => (self.paused, self.crashed) = (0, 1),
            ControlAction::Start | ControlAction::BrokerStarted => self.crashed = 0,
            ControlAction::Rate => self.rate = argument,
            _ => {}
        }
    }
}

impl LinkState {
    /// One of its counts.
    #[must_use]
    pub const fn count(&self, count: LinkCount) -> u64 {
        self.counts[count as usize]
    }

    fn apply(&mut self, event: &Event, info: &KindInfo) {
        if info.attempt == Attempt::Closes && event.a & LATE != 0 {
            self.late += 1;
            return;
        }
        match info.attempt {
            Attempt::None => {}
            // Where no queue stamps that it delivers, nothing was opened.
            _ if said_by_consumer(event, info) => {}
            Attempt::Opens => self.open += 1,
            Attempt::Closes if info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0 => {}
            Attempt::Closes => self.open -= 1,
        }
        if let Count::Link(count) = info.counts {
            self.counts[count as usize] += 1;
        }
    }
}

/// What is so at one place.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PlaceState {
    counts: [u64; PlaceCount::LEN],
    /// Messages that wait for a worker.
    pub waiting: i64,
    /// Workers held.
    pub busy: i64,
    /// Most workers that were held at once.
    pub max_busy: i64,
    /// L: copies in a queue that are ready to be taken; of a group in a partition, its lag by the broker's word.
    pub ready: i64,
    /// Most copies that were ready at once.
    pub max_ready: i64,
    /// Copies that are delivered and not settled.
    pub unacked: i64,
    /// What was done to it while the run ran, and is so still. Not told of the sum of all places.
    pub disturbed: PlaceDisturbed,
}

impl PlaceState {
    /// One of its counts.
    #[must_use]
    pub const fn count(&self, count: PlaceCount) -> u64 {
        self.counts[count as usize]
    }

    fn apply(&mut self, event: &Event, info: &KindInfo) {
        if said_by_consumer(event, info) {
            return;
        }
        if let Count::Place(count) = info.counts {
            self.counts[count as usize] += 1;
        }
        if info.steps.only_if_a.is_none_or(|a| a == event.a) {
            self.waiting += i64::from(info.steps.waiting);
            self.busy += i64::from(info.steps.busy);
            self.max_busy = self.max_busy.max(self.busy);
            self.ready += i64::from(info.steps.ready);
            self.max_ready = self.max_ready.max(self.ready);
            self.unacked += i64::from(info.steps.unacked);
        }
    }
}

/// What is so after some events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    links: Vec<LinkState>,
    places: Vec<PlaceState>,
    /// The sum over all links.
    pub all_links: LinkState,
    /// The sum over all places; its `max_busy` is the most at once in the whole run.
    pub all_places: PlaceState,
    /// Events taken, of whatever kind.
    pub events: u64,
    /// Events of a kind without a row: in no other count but `events`.
    pub unknown: u64,
    /// Time of the last event, ns on the run's clock; `None` before the first.
    pub time: Option<i64>,
    /// The phase that began last; `None` before the first, or if this build does not know it.
    pub phase: Option<Phase>,
}

impl State {
    /// The state before any event, for a plan with so many places and links.
    #[must_use]
    pub fn new(places: usize, links: usize) -> Self {
        Self {
            links: vec![LinkState::default(); links],
            places: vec![PlaceState::default(); places],
            all_links: LinkState::default(),
            all_places: PlaceState::default(),
            events: 0,
            unknown: 0,
            time: None,
            phase: None,
        }
    }

    /// Takes one event. What names a link or place outside the plan counts in the sums only.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        self.events += 1;
        self.time = Some(event.time);
        let Some(info) = event.kind.info() else {
            self.unknown += 1;
            return;
        };
        if info.a.meaning == ValueMeaning::Phase {
            self.phase = Phase::from_value(event.a);
        }
        if touches_link(info) {
            self.all_links.apply(event, info);
            if let Some(link) = self.links.get_mut(usize::from(event.link.0)) {
                link.apply(event, info);
            }
        }
        match info.a.meaning {
            // What is taken out after the run to check it is no part of the run.
            ValueMeaning::DepthReport if event.parent.is_none() => {
                self.report(event, DepthReport::from_value(event.a).ready.into());
            }
            ValueMeaning::LagReport => self.report(event, LagReport::from_value(event.a).lag().into()),
            _ => {}
        }
        if info.a.meaning == ValueMeaning::ControlAction {
            self.disturb(event);
        }
        if info.steps.empties {
            self.empty(event);
        }
        if touches_place(info) {
            self.all_places.apply(event, info);
            if let Some(place) = self.places.get_mut(event.place.0 as usize) {
                place.apply(event, info);
            }
        }
    }

    fn disturb(&mut self, event: &Event) {
        let Some(action) = ControlAction::from_value(event.a) else { return };
        if let Some(place) = self.places.get_mut(event.place.0 as usize) {
            place.disturbed.apply(action, event.b);
        }
        if let Some(link) = self.links.get_mut(usize::from(event.link.0)) {
            link.disturbed.apply(action, event.b);
        }
    }

    /// Nobody waits at the event's place any more, and no worker is held.
    fn empty(&mut self, event: &Event) {
        if let Some(place) = self.places.get_mut(event.place.0 as usize) {
            self.all_places.waiting -= place.waiting;
            self.all_places.busy -= place.busy;
            (place.waiting, place.busy) = (0, 0);
        }
    }

    /// Takes a queue's length, or a group's lag in a partition, from its broker's word.
    fn report(&mut self, event: &Event, ready: i64) {
        let Some(place) = self.places.get_mut(event.place.0 as usize) else { return };
        self.all_places.ready += ready - place.ready;
        place.ready = ready;
        place.max_ready = place.max_ready.max(ready);
        self.all_places.max_ready = self.all_places.max_ready.max(self.all_places.ready);
    }

    /// The links, by their index.
    #[must_use]
    pub fn links(&self) -> &[LinkState] {
        &self.links
    }

    /// The places, by their index.
    #[must_use]
    pub fn places(&self) -> &[PlaceState] {
        &self.places
    }
}

/// Whether not a queue stamps this but its consumer, of what it sends.
fn said_by_consumer(event: &Event, info: &KindInfo) -> bool {
    info.a.meaning == ValueMeaning::Ordinal && event.a == 0
}

fn touches_link(info: &KindInfo) -> bool {
    info.attempt != Attempt::None || matches!(info.counts, Count::Link(_))
}

fn touches_place(info: &KindInfo) -> bool {
    !info.steps.is_none() || matches!(info.counts, Count::Place(_))
}
