//! A client: wants requests by its schedule or as its users do, sends those that its cap allows, and waits for their replies.

mod users;

use std::sync::{Arc, Mutex, PoisonError};

use hopscope_record::frame::EndCount;
use hopscope_record::kind::NotSentReason;
use hopscope_record::{Kind, MessageId, PlaceIndex, TraceId};
use hopscope_rules::balance;
use hopscope_rules::schedule::{Admission, InFlight, Intended, Schedule};
use hopscope_rules::tempo::Tempo;
use hopscope_scenario::model::Load;
use hopscope_scenario::quantity::{Rate, Time};
use tokio::runtime::Handle;

use self::users::Users;
use super::ends;
use super::pace::Pace;
use super::pacer::Pacer;
use super::payload::{Parcel, Sender};
use super::ports::Ports;
use super::slice::ClientSlice;
use crate::link::{Call, Link};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::TransportError;

/// A client with its open ends. Dropping it ends it without waiting.
pub(super) struct ClientNode {
    wanting: Arc<Wanting>,
    in_flight: Arc<Mutex<InFlight>>,
    tasks: Tasks,
}

/// What wants requests and sends them.
struct Wanting {
    slice: ClientSlice,
    recorder: Recorder,
    links: Vec<Link>,
    sender: Sender,
    pace: Arc<Pace>,
}

impl Wanting {
    /// Stamps that a request is wanted. `n` counts the client's requests, from 0.
    fn intend(&self, n: u64, at_ns: u64) -> Option<Wanted> {
        let turn = balance::turn(n, self.links.len())?;
        let recorder = self.recorder.at(self.slice.place, self.links[turn].index());
        let (trace, message) = recorder.mint_root();
        let parcel = self.sender.next(Intended { n, at_ns });
        if let Some(contents) = self.sender.told(&parcel) {
            recorder.describe(message, contents);
        }
        recorder.record(Kind::INTENDED, trace, message, MessageId::NONE, at_ns, 0);
        Some(Wanted { turn, recorder, trace, message, parcel })
    }

    /// Sends a wanted request. All its attempts are one request in flight. What became of it is stamped; a client draws no further
    /// conclusion.
    async fn call(&self, Wanted { turn, trace, message, parcel, .. }: Wanted) {
        let _ = self.links[turn].call(Call { trace, message, parent: MessageId::NONE }, parcel.body()).await;
    }
}

impl ClientNode {
    /// Connects the client's links.
    ///
    /// # Errors
    /// When a replica called does not answer.
    pub(super) async fn connect(
        slice: ClientSlice,
        recorder: Recorder,
        ports: &Ports,
        timer: &Timer,
    ) -> Result<Arc<Self>, TransportError> {
        let mut links = Vec::with_capacity(slice.calling.len());
        for calling in &slice.calling {
            links.push(ends::connect(calling, ports, &recorder, timer, false).await?);
        }
        let in_flight = Arc::new(Mutex::new(InFlight::new(slice.load.in_flight())));
        let sender = Sender::new(&slice.payload, slice.payloads.clone());
        let tasks = Tasks::new(Handle::current());
        let mut tempo = Tempo::new(rate(&slice.load));
        slice.changes.iter().for_each(|(at, change)| tempo.change(*at, *change));
        let pace = Arc::new(Pace::new(tempo));
        let wanting = Arc::new(Wanting { slice, recorder, links, sender, pace });
        Ok(Arc::new(Self { wanting, in_flight, tasks }))
    }

    /// Where it stamps.
    pub(super) fn place(&self) -> PlaceIndex {
        self.wanting.slice.place
    }

    /// What is done to its load.
    pub(super) fn pace(&self) -> &Pace {
        &self.wanting.pace
    }

    /// The links that it calls over.
    pub(super) fn links(&self) -> &[Link] {
        &self.wanting.links
    }

    /// How much its schedule wants in its first time; `None` of a closed load, which wants by what comes back.
    pub(super) fn wanted(&self, offered: Time) -> Option<EndCount> {
        let slice = &self.wanting.slice;
        let open = !matches!(slice.load, Load::Closed(_));
        open.then(|| {
            let tempo = self.wanting.pace.snapshot();
            let wanted = |intended: &Intended| tempo.at(intended.at_ns).is_some_and(|at| at < offered.0);
            EndCount::wanted(slice.place, self.schedule().take_while(wanted).map(|_| 1).sum())
        })
    }

    /// Its schedule, undisturbed and without end.
    fn schedule(&self) -> Schedule {
        Schedule::new(&self.wanting.slice.load, Time(u64::MAX), self.wanting.slice.draws.clone())
    }

    /// What it waits for.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Offers the load; `zero` is the run's in raw ns. Resolves when the duration is over, or sooner when all requests
    /// that a count allows were wanted.
    pub(super) async fn offer(&self, timer: Timer, zero: i64) {
        let counted_out = match &self.wanting.slice.load {
            Load::Closed(closed) => {
                let users = Users::new(closed, Arc::clone(&self.wanting), self.tasks.clone(), zero);
                Arc::new(users).offer(&timer).await
            }
            _ => self.offer_open(&timer, zero).await,
        };
        if !counted_out {
            timer.until(zero.saturating_add_unsigned(self.wanting.slice.duration.0)).await;
        }
    }

    /// Wants what the schedule wants; tells whether its count ended it.
    async fn offer_open(&self, timer: &Timer, zero: i64) -> bool {
        let end = self.wanting.slice.duration;
        let mut pacer = Pacer::new(self.schedule(), Arc::clone(&self.wanting.pace), end, timer.clone(), zero);
        let mut wanted = 0;
        while let Some(intended) = pacer.next().await {
            self.want(intended);
            wanted += 1;
        }
        self.wanting.slice.load.count() == Some(wanted)
    }

    /// Stamps one wanted request and sends it, unless too many are in flight.
    fn want(&self, Intended { n, at_ns }: Intended) {
        let Some(wanted) = self.wanting.intend(n, at_ns) else { return };
        if lock(&self.in_flight).begin() == Admission::NotSent {
            let (reason, none) = (NotSentReason::InFlightCap as u64, MessageId::NONE);
            wanted.recorder.record(Kind::NOT_SENT, wanted.trace, wanted.message, none, reason, 0);
            return;
        }
        self.send(wanted, Flight(Arc::clone(&self.in_flight)));
    }

    /// Sends a wanted request; `held` is dropped when its last attempt has ended.
    fn send(&self, wanted: Wanted, held: impl Send + 'static) {
        let wanting = Arc::clone(&self.wanting);
        self.tasks.spawn(async move {
            let _held = held;
            wanting.call(wanted).await;
        });
    }

    /// Ends its connections; resolves when nothing of them is left.
    pub(super) async fn close_links(&self) {
        for link in self.wanting.links.iter() {
            link.close().await;
        }
    }
}

impl Drop for ClientNode {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// The rate of a load that has one, and can be given another.
fn rate(load: &Load) -> Option<Rate> {
    match load {
        Load::Constant(open) | Load::Poisson(open) => Some(open.rate),
        Load::Bursts(_) | Load::Ramp(_) | Load::Closed(_) => None,
    }
}

fn lock(in_flight: &Mutex<InFlight>) -> std::sync::MutexGuard<'_, InFlight> {
    // A count cannot be left half changed.
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that is stamped as wanted.
struct Wanted {
    /// The position of the link that it takes.
    turn: usize,
    recorder: Recorder,
    trace: TraceId,
    message: MessageId,
    parcel: Parcel,
}

/// One request in flight, until dropped.
struct Flight(Arc<Mutex<InFlight>>);

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}
