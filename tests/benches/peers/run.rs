//! Runs that are looked at while they go on.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use hopscope_record::{Event, Kind};
use hopscope_scenario::plan::{Placement, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::process::Process;
use hopscope_tests::runs::{Started, scenario, start_with};
use serde_json::{Value, json};

/// Bytes of a request.
pub(crate) const BODY: usize = 256;

/// A run of one client and one service that has no work to do.
pub(crate) struct Run {
    started: Started,
    /// The client's process; none where nodes are tasks.
    pub(crate) client: Option<Process>,
}

impl Run {
    /// Starts one; without a load its client asks but once a second.
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
        let started = start_with(scenario(&document)?, &Brokers::default(), settings).await?;
        let children = Process::new(std::process::id()).holdings()?.children;
        // The service listens; the client does not.
        let client = children.into_iter().map(Process::new);
        let mut client = client.filter(|child| child.holdings().is_ok_and(|holdings| holdings.listeners.is_empty()));
        Ok(Self { client: client.next(), started })
    }

    /// Where the service listens.
    pub(crate) fn service(&self) -> Result<SocketAddr> {
        let addresses = self.started.run.addresses();
        let mut sockets = addresses.iter().filter_map(|(_, _, address)| match address {
            Address::Socket(socket) => Some(*socket),
            Address::InProcess(_) => None,
        });
        sockets.next().context("the service listens nowhere")
    }

    /// Waits for its own end; its events.
    pub(crate) async fn join(self) -> Result<Vec<Event>> {
        Ok(self.started.finish().await?.recorded.events)
    }

    /// Ends it; its events, and its zero in raw ns.
    pub(crate) async fn end(self) -> Result<(Vec<Event>, i64)> {
        self.started.run.stop();
        let clock = self.started.run.clock().clone();
        let finished = self.started.finish().await?;
        Ok((finished.recorded.events, clock.zero().context("it has not begun")?))
    }
}

/// The times of the events of a kind, in order, ns since the run's zero.
pub(crate) fn times(events: &[Event], kind: Kind) -> Vec<i64> {
    let mut times: Vec<_> = events.iter().filter(|event| event.kind == kind).map(|event| event.time).collect();
    times.sort_unstable();
    times
}
