//! A client: wants requests by its schedule, sends those that its cap allows, and waits for their replies.

use std::sync::{Arc, Mutex, PoisonError};

use hopscope_record::kind::NotSentReason;
use hopscope_record::{Kind, MessageId};
use hopscope_rules::balance;
use hopscope_rules::schedule::{Admission, InFlight, Intended, Schedule};
use tokio::runtime::Handle;

use super::pacer::Pacer;
use super::payload::Sender;
use super::ports::{self, Ports};
use super::slice::ClientSlice;
use crate::link::{Call, Link};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::TransportError;

/// A client with its open ends. Dropping it ends it without waiting.
pub(super) struct ClientNode {
    slice: ClientSlice,
    recorder: Recorder,
    links: Arc<[Link]>,
    in_flight: Arc<Mutex<InFlight>>,
    sender: Sender,
    tasks: Tasks,
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
            links.push(ports::connect(calling, ports, &recorder, timer).await?);
        }
        let in_flight = Arc::new(Mutex::new(InFlight::new(slice.load.open().in_flight)));
        let sender = Sender::new(&slice.payload, slice.payloads.clone());
        let tasks = Tasks::new(Handle::current());
        Ok(Arc::new(Self { slice, recorder, links: links.into(), in_flight, sender, tasks }))
    }

    /// The links that it calls over.
    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }

    /// What it waits for.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Offers the load; `zero` is the run's in raw ns. Resolves when the duration is over, or sooner when all requests
    /// that a count allows were wanted.
    pub(super) async fn offer(&self, timer: Timer, zero: i64) {
        let schedule = Schedule::new(&self.slice.load, self.slice.duration, self.slice.draws.clone());
        let mut pacer = Pacer::new(schedule, timer.clone(), zero);
        let mut wanted = 0;
        while let Some(intended) = pacer.next().await {
            self.want(intended);
            wanted += 1;
        }
        if self.slice.load.open().count != Some(wanted) {
            timer.until(zero.saturating_add_unsigned(self.slice.duration.0)).await;
        }
    }

    /// Stamps one wanted request and sends it, unless too many are in flight.
    fn want(&self, intended: Intended) {
        let Some(turn) = balance::turn(intended.n, self.links.len()) else { return };
        let recorder = self.recorder.at(self.slice.place, self.links[turn].index());
        let (trace, message) = recorder.mint_root();
        let none = MessageId::NONE;
        let parcel = self.sender.next(intended);
        if let Some(contents) = self.sender.told(&parcel) {
            recorder.describe(message, contents);
        }
        recorder.record(Kind::INTENDED, trace, message, none, intended.at_ns, 0);
        let admission = lock(&self.in_flight).begin();
        if admission == Admission::NotSent {
            recorder.record(Kind::NOT_SENT, trace, message, none, NotSentReason::InFlightCap as u64, 0);
            return;
        }
        let (links, flight) = (Arc::clone(&self.links), Flight(Arc::clone(&self.in_flight)));
        self.tasks.spawn(async move {
            let _flight = flight;
            // All its attempts are one request in flight. What became of it is stamped; a client draws no further
            // conclusion.
            let _ = links[turn].call(Call { trace, message, parent: none }, parcel.body()).await;
        });
    }

    /// Ends its connections; resolves when nothing of them is left.
    pub(super) async fn close_links(&self) {
        for link in self.links.iter() {
            link.close().await;
        }
    }
}

impl Drop for ClientNode {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

fn lock(in_flight: &Mutex<InFlight>) -> std::sync::MutexGuard<'_, InFlight> {
    // A count cannot be left half changed.
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request in flight, until dropped.
struct Flight(Arc<Mutex<InFlight>>);

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}
