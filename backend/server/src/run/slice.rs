//! A node's slice of the plan: everything that a replica or a client is built from, apart from its ports and a recorder.
//!
//! Indices are the plan's own, so that what a slice stamps needs no translation, wherever it runs.

use std::ops::Range;

use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_scenario::model::Load;
use hopscope_scenario::plan::{Plan, PlanLink, Step};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;

use crate::link::Policy;

/// One replica of a service.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSlice {
    /// Where it stamps.
    pub(super) place: PlaceIndex,
    /// How many requests it works on at once.
    pub(super) workers: u32,
    /// What it does for one.
    pub(super) body: Vec<Step>,
    /// The links that end at it.
    pub(super) arriving: Vec<(LinkIndex, Protocol)>,
    /// The links that it calls over.
    pub(super) calling: Vec<CallingSlice>,
}

impl ReplicaSlice {
    /// The protocols that it is reached by, each once.
    pub(super) fn protocols(&self) -> Vec<Protocol> {
        let mut protocols: Vec<_> = self.arriving.iter().map(|(_, protocol)| *protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        protocols
    }
}

/// A client.
#[derive(Clone, Debug)]
pub(super) struct ClientSlice {
    /// Where it stamps.
    pub(super) place: PlaceIndex,
    /// When it sends.
    pub(super) load: Load,
    /// How long.
    pub(super) duration: Time,
    /// Bytes of a request's body.
    pub(super) payload: usize,
    /// The links that its requests take in turn.
    pub(super) calling: Vec<CallingSlice>,
}

/// The calling end of a link.
#[derive(Clone, Debug)]
pub(super) struct CallingSlice {
    /// The link.
    pub(super) link: LinkIndex,
    /// How.
    pub(super) protocol: Protocol,
    /// The places of the replicas called.
    pub(super) to: Vec<PlaceIndex>,
    /// How long it waits, and when it tries again.
    pub(super) policy: Policy,
}

/// Cuts every replica's slice, in the order of their places.
pub(super) fn replicas(plan: &Plan) -> Vec<ReplicaSlice> {
    let slices = plan.services.iter().flat_map(|service| {
        let arriving: Vec<_> = links(plan)
            .filter(|(_, link)| link.to == service.node)
            .map(|(index, link)| (index, link.protocol))
            .collect();
        let calling: Vec<_> = links(plan)
            .filter(|(_, link)| link.from == service.node)
            .map(|(index, link)| calling(plan, index, link))
            .collect();
        places(service.places()).map(move |place| ReplicaSlice {
            place,
            workers: service.workers,
            body: service.body.clone(),
            arriving: arriving.clone(),
            calling: calling.clone(),
        })
    });
    slices.collect()
}

/// Cuts every client's slice.
pub(super) fn clients(plan: &Plan) -> Vec<ClientSlice> {
    let slices = plan.loads.iter().map(|load| ClientSlice {
        place: PlaceIndex(load.place),
        load: load.load.clone(),
        duration: plan.settings.duration,
        payload: usize::try_from(load.payload.0).unwrap_or(usize::MAX),
        calling: load
            .links
            .iter()
            .filter_map(|number| Some(calling(plan, LinkIndex(*number), plan.link(*number)?)))
            .collect(),
    });
    slices.collect()
}

fn links(plan: &Plan) -> impl Iterator<Item = (LinkIndex, &PlanLink)> {
    (0_u16..).map(LinkIndex).zip(&plan.links)
}

fn calling(plan: &Plan, link: LinkIndex, row: &PlanLink) -> CallingSlice {
    let to = plan.service_at(row.to).map(|service| places(service.places()).collect()).unwrap_or_default();
    let policy = Policy { timeout: row.timeout, retry: row.retry };
    CallingSlice { link, protocol: row.protocol, to, policy }
}

fn places(range: Range<u32>) -> impl Iterator<Item = PlaceIndex> {
    range.map(PlaceIndex)
}
