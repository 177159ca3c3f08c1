//! From the scenario to the tables.

use std::collections::BTreeMap;

use super::{FORMAT, Place, Plan, PlanLink, PlanLoad, PlanNode, PlanService, Role, RunSettings, Step, VERSION};
use crate::model::{Client, NodeKind, Scenario, Service};

/// Compiles a valid scenario. Total: of a scenario that did not come from validation, links whose ends do not exist are
/// left out, and what has more than 2^16 - 1 links loses the rest.
#[must_use]
pub fn compile(scenario: &Scenario, settings: &RunSettings) -> Plan {
    let links = links(scenario);
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        version: VERSION,
        scenario: scenario.clone(),
        settings: settings.clone(),
        nodes: Vec::new(),
        places: Vec::new(),
        links,
        loads: Vec::new(),
        services: Vec::new(),
    };
    for (node, index) in scenario.nodes.iter().zip(0_u32..) {
        plan.nodes.push(PlanNode { id: node.id.clone(), name: node.name.clone(), kind: node.kind.kind() });
        match &node.kind {
            NodeKind::Client(client) => add_client(&mut plan, index, client),
            NodeKind::Service(service) => add_service(&mut plan, index, service),
        }
    }
    plan
}

fn links(scenario: &Scenario) -> Vec<PlanLink> {
    let nodes: BTreeMap<_, _> = scenario.nodes.iter().map(|node| node.id.as_str()).zip(0_u32..).collect();
    let resolved = scenario.links.iter().filter_map(|link| {
        Some(PlanLink {
            id: link.id.clone(),
            from: *nodes.get(link.from.as_str())?,
            to: *nodes.get(link.to.as_str())?,
            protocol: link.protocol,
            timeout: link.timeout,
            retry: link.retry,
        })
    });
    resolved.take(usize::from(u16::MAX)).collect()
}

/// The numbers of a node's outgoing links, in the scenario's order.
fn outgoing(plan: &Plan, node: u32) -> Vec<u16> {
    let numbered = plan.links.iter().zip(0_u16..);
    numbered.filter(|(link, _)| link.from == node).map(|(_, number)| number).collect()
}

/// Adds `count` places and gives the number of the first.
fn add_places(plan: &mut Plan, node: u32, role: Role, count: u32) -> u32 {
    let first = u32::try_from(plan.places.len()).unwrap_or(u32::MAX);
    plan.places.extend((1..=count).map(|ordinal| Place { node, role, ordinal }));
    first
}

fn add_client(plan: &mut Plan, node: u32, client: &Client) {
    let place = add_places(plan, node, Role::Client, 1);
    let links = outgoing(plan, node);
    if links.is_empty() {
        return;
    }
    plan.loads.push(PlanLoad { node, place, load: client.load.clone(), payload: client.payload.bytes, links });
}

/// The body is derived: work, then the outgoing calls in order, then the reply.
fn add_service(plan: &mut Plan, node: u32, service: &Service) {
    let first_place = add_places(plan, node, Role::Replica, service.replicas);
    let mut body = vec![Step::Work { work: service.work.clone() }];
    body.extend(outgoing(plan, node).into_iter().map(|link| Step::Call { link }));
    body.push(Step::Reply);
    plan.services.push(PlanService { node, first_place, replicas: service.replicas, workers: service.workers, body });
}
