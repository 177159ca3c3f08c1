//! Runs that are looked at while they go on.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use hopscope_record::{Event, Kind};
use hopscope_scenario::plan::{Placement, Plan, RunSettings};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::process::Process;
use hopscope_tests::runs::{Started, scenario, start_with};
use serde_json::{Value, json};

/// Bytes of a request.
pub(crate) const BODY: usize = 256;

/// A run.
pub(crate) struct Run {
    started: Started,
    /// The client's process; none where nodes are tasks.
    pub(crate) client: Option<Process>,
}

impl Run {
    /// Starts one of this document.
    pub(crate) async fn of(document: &Value, brokers: &Brokers, settings: RunSettings) -> Result<Self> {
        Ok(Self { client: None, started: start_with(scenario(document)?, brokers, settings).await? })
    }

    /// Starts one of a client and a service that has no work to do; without a load its client asks but once a second.
    pub(crate) async fn start(protocol: &str, load: Option<Value>, placement: Placement, seconds: u64) -> Result<Self> {
        let load = load.unwrap_or_else(|| json!({"kind": "constant", "rate": "1/s"}));
        let document = json!({"format": "hopscope-scenario", "version": 1, "name": "peers", "nodes": [
            {"id": "n1", "kind": "client", "name": "client", "x": 0, "y": 0, "load": load,
             "payload": {"bytes": format!("{BODY} B")}},
            {"id": "n2", "kind": "service", "name": "service", "x": 300, "y": 0, "workers": 256,
             "work": {"distribution": "constant", "mean": "0 s"}}],
            "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": protocol}]});
        let settings =
            RunSettings { duration: Some(Time(seconds * 1_000_000_000)), placement, ..RunSettings::default() };
        let run = Self::of(&document, &Brokers::default(), settings).await?;
        // The service listens; the client does not.
        let client = Process::new(std::process::id()).nodes()?.into_iter();
        let mut client = client.filter(|child| child.holdings().is_ok_and(|holdings| holdings.listeners.is_empty()));
        Ok(Self { client: client.next(), ..run })
    }

    /// What runs.
    pub(crate) fn plan(&self) -> &Plan {
        self.started.run.plan()
    }

    /// Where the service listens.
    pub(crate) fn service(&self) -> Result<SocketAddr> {
        self.sockets().map(|(_, socket)| socket).next().context("the service listens nowhere")
    }

    /// Where what is spoken to by a protocol listens.
    pub(crate) fn at(&self, protocol: Protocol) -> Result<SocketAddr> {
        let mut sockets = self.sockets().filter(|(spoken, _)| *spoken == protocol);
        sockets.next().map(|(_, socket)| socket).context("nothing listens there")
    }

    fn sockets(&self) -> impl Iterator<Item = (Protocol, SocketAddr)> {
        self.started.run.addresses().iter().filter_map(|(_, protocol, address)| match address {
            Address::Socket(socket) => Some((*protocol, *socket)),
            Address::InProcess(_) => None,
        })
    }

    /// Waits for its own end; its events.
    pub(crate) async fn join(self) -> Result<Vec<Event>> {
        Ok(self.started.finish().await?.recorded.events)
    }

    /// Ends it; its events, and its zero in raw ns.
    pub(crate) async fn end(self) -> Result<(Vec<Event>, i64)> {
        self.started.run.stop();
        let lost = self.started.run.join().await.lost;
        if lost > 0 {
            // On a machine with much else to do a ring may be full; what is counted is then less by so many.
            println!("  {lost} events were not recorded");
        }
        let zero = self.started.run.clock().zero().context("it has not begun")?;
        Ok((self.started.so_far()?.events, zero))
    }
}

/// The times of the events of a kind, in order, ns since the run's zero.
pub(crate) fn times(events: &[Event], kind: Kind) -> Vec<i64> {
    let mut times: Vec<_> = events.iter().filter(|event| event.kind == kind).map(|event| event.time).collect();
    times.sort_unstable();
    times
}
