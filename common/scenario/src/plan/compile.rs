//! From the scenario to the tables.

use std::collections::BTreeMap;

use super::{
    Choice, Described, FORMAT, Place, Plan, PlanEffect, PlanExchange, PlanExternal, PlanGroup, PlanLink, PlanLoad,
    PlanNode, PlanQueue, PlanService, PlanTopic, Role, RunSettings, Step, VERSION,
};
use crate::kinds::Kind;
use crate::model::{BodyStep, Client, Exchange, NodeKind, Queue, Scenario, Service, Topic, Work};
use crate::protocol::Style;

/// Compiles a valid scenario. Total: of a scenario that did not come from validation, links whose ends do not exist are
/// left out, and what has more than 2^16 - 1 links loses the rest.
#[must_use]
pub fn compile(scenario: &Scenario, settings: &RunSettings) -> Plan {
    let links = links(scenario);
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        version: VERSION,
        // A model is made of nothing that JSON has not.
        scenario: serde_json::to_value(scenario).unwrap_or_default(),
        settings: settings.clone(),
        broker: None,
        kafka: None,
        nodes: Vec::new(),
        places: Vec::new(),
        links,
        loads: Vec::new(),
        services: Vec::new(),
        queues: Vec::new(),
        topics: Vec::new(),
        exchanges: Vec::new(),
        externals: Vec::new(),
        disturbances: Vec::new(),
        effects: Vec::new(),
    };
    for (node, index) in scenario.nodes.iter().zip(0_u32..) {
        plan.nodes.push(PlanNode { id: node.id.clone(), name: node.name.clone(), kind: node.kind.kind() });
        match &node.kind {
            NodeKind::Client(client) => add_client(&mut plan, index, client),
            NodeKind::Service(service) => add_service(&mut plan, index, service),
            NodeKind::Queue(queue) => add_queue(&mut plan, index, queue, scenario),
            NodeKind::Topic(topic) => add_topic(&mut plan, index, *topic),
            NodeKind::External {} => {
                let place = add_places(&mut plan, index, Role::External, 1);
                plan.externals.push(PlanExternal { node: index, place });
            }
            NodeKind::Exchange(exchange) => add_exchange(&mut plan, index, exchange, scenario),
        }
    }
    plan.disturbances = scenario.disturbances.iter().flat_map(|disturbance| plan.disturbed(disturbance)).collect();
    plan.disturbances.sort_by_key(|disturbance| disturbance.at);
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
            retry: link.retry.as_ref().map(Described::of),
            replies: link.replies.as_deref().and_then(|queue| nodes.get(queue).copied()),
            network: link.network.as_ref().map(Described::of),
            options: link.options.clone(),
            replies_of: None,
        })
    });
    let mut links: Vec<_> = resolved.collect();
    let derived: Vec<_> =
        links.iter().zip(0_u16..).flat_map(|(link, number)| replies(scenario, &links, link, number)).collect();
    links.extend(derived);
    links.truncate(usize::from(u16::MAX));
    links
}

/// The links that the replies to one link's messages come back over: from every service that takes them into the reply
/// queue, and from there to who waits. Their ids have a character that no scenario's id has. A service is as far from the
/// broker when it replies as when it takes; who waits has one connection for both ways.
fn replies(scenario: &Scenario, links: &[PlanLink], link: &PlanLink, number: u16) -> Vec<PlanLink> {
    let Some(queue) = link.replies else { return Vec::new() };
    let derived = |id: String, from: u32, to: u32, network: Option<Described<Work>>| PlanLink {
        id,
        from,
        to,
        protocol: link.protocol,
        timeout: None,
        retry: None,
        replies: None,
        network,
        options: link.options.clone(),
        replies_of: Some(number),
    };
    let kind = |node: u32| scenario.nodes.get(node as usize).map(|node| node.kind.kind());
    let takers = links.iter().filter(|taking| taking.from == link.to && kind(taking.to) == Some(Kind::Service));
    let mut derived_links: Vec<_> = takers
        .map(|taking| derived(format!("{}~{}", link.id, taking.id), taking.to, queue, taking.network.clone()))
        .collect();
    derived_links.push(derived(format!("{}~replies", link.id), queue, link.from, None));
    derived_links
}

/// The numbers of a node's own outgoing links, in the scenario's order.
fn outgoing(plan: &Plan, node: u32) -> Vec<u16> {
    let numbered = plan.links.iter().zip(0_u16..);
    numbered.filter(|(link, _)| link.from == node && link.replies_of.is_none()).map(|(_, number)| number).collect()
}

/// Adds `count` places and gives the number of the first.
fn add_places(plan: &mut Plan, node: u32, role: Role, count: u32) -> u32 {
    let first = u32::try_from(plan.places.len()).unwrap_or(u32::MAX);
    plan.places.extend((1..=count).map(|ordinal| Place { node, role, ordinal, partition: None }));
    first
}

/// The topic's place, and then those of each group in every partition.
fn add_topic(plan: &mut Plan, node: u32, topic: Topic) {
    let place = add_places(plan, node, Role::Topic, 1);
    let reading = plan.links.iter().zip(0_u16..).filter(|(link, _)| link.from == node).map(|(_, number)| number);
    let mut groups = Vec::new();
    for (link, ordinal) in reading.zip(1..) {
        let first_place = u32::try_from(plan.places.len()).unwrap_or(u32::MAX);
        let in_each = |partition| Place { node, role: Role::Group, ordinal, partition: Some(partition) };
        plan.places.extend((0..topic.partitions).map(in_each));
        groups.push(PlanGroup { link, first_place });
    }
    let Topic { partitions, retention, compaction } = topic;
    plan.topics.push(PlanTopic { node, place, partitions, retention, compaction, groups });
}

fn add_exchange(plan: &mut Plan, node: u32, exchange: &Exchange, scenario: &Scenario) {
    let place = add_places(plan, node, Role::Exchange, 1);
    let alternate = numbered(scenario, exchange.alternate.as_deref());
    plan.exchanges.push(PlanExchange { node, place, routing: exchange.routing, alternate });
}

/// The number of the node with this id.
fn numbered(scenario: &Scenario, id: Option<&str>) -> Option<u32> {
    let id = id?;
    scenario.nodes.iter().zip(0..).find(|(node, _)| node.id == id).map(|(_, number)| number)
}

fn add_client(plan: &mut Plan, node: u32, client: &Client) {
    let place = add_places(plan, node, Role::Client, 1);
    let links = outgoing(plan, node);
    if links.is_empty() {
        return;
    }
    plan.loads.push(PlanLoad {
        node,
        place,
        load: Described::of(&client.load),
        payload: Described::of(&client.payload),
        links,
    });
}

fn add_service(plan: &mut Plan, node: u32, service: &Service) {
    let first_place = add_places(plan, node, Role::Replica, service.replicas);
    let body = match &service.body {
        Some(steps) => {
            let mut effects = std::mem::take(&mut plan.effects);
            let body = written(plan, node, service, steps, &mut effects);
            plan.effects = effects;
            body
        }
        None => derived(plan, node, service),
    };
    let Service { replicas, workers, room, effort, failure, .. } = *service;
    plan.services.push(PlanService { node, first_place, replicas, workers, room, effort, failure, body });
}

/// Work, then the outgoing links in order, called or published to, then the reply.
fn derived(plan: &Plan, node: u32, service: &Service) -> Vec<Step> {
    let mut body = vec![Step::Work { work: Described::of(&service.work) }];
    body.extend(outgoing(plan, node).into_iter().map(|link| {
        match plan.link(link).map(|row| row.protocol.descriptor().style) {
            Some(Style::Async) => Step::Publish { link },
            _ => Step::Call { link },
        }
    }));
    body.push(Step::Reply);
    body
}

/// The steps that a person wrote; one over a link that is not there is left out. Their effects go to `effects`.
fn written(plan: &Plan, node: u32, service: &Service, steps: &[BodyStep], effects: &mut Vec<PlanEffect>) -> Vec<Step> {
    let link = |id: &str| {
        let mut numbered = plan.links.iter().zip(0_u16..);
        numbered.find(|(link, _)| link.from == node && link.id == id).map(|(_, number)| number)
    };
    let step = |step: &BodyStep| {
        let mut inner = |steps: &[BodyStep]| written(plan, node, service, steps, effects);
        Some(match step {
            BodyStep::Work { work } => Step::Work { work: Described::of(work.as_ref().unwrap_or(&service.work)) },
            BodyStep::Call { link: id } => Step::Call { link: link(id)? },
            BodyStep::Publish { link: id } => Step::Publish { link: link(id)? },
            BodyStep::Effect { account, amount, apply, transfer } => {
                let effect = u32::try_from(effects.len()).ok()?;
                let (account, transfer) = (account.clone(), transfer.clone());
                effects.push(PlanEffect { node, account, amount: *amount, apply: *apply, transfer });
                Step::Effect { effect }
            }
            BodyStep::Parallel { branches } => {
                Step::Parallel { branches: branches.iter().map(|branch| inner(&branch.steps)).collect() }
            }
            BodyStep::Choose { branches } => {
                let choice =
                    |branch: &crate::model::Choice| Choice { weight: branch.weight, steps: inner(&branch.steps) };
                Step::Choose { branches: branches.iter().map(choice).collect() }
            }
            BodyStep::Reply => Step::Reply,
        })
    };
    steps.iter().filter_map(step).collect()
}

fn add_queue(plan: &mut Plan, node: u32, queue: &Queue, scenario: &Scenario) {
    let place = add_places(plan, node, Role::Queue, 1);
    let Queue { capacity, overflow, ttl, priorities, durability, prefetch, ack, .. } = *queue;
    let dead_letters = numbered(scenario, queue.dead_letters.as_deref());
    plan.queues.push(PlanQueue {
        node,
        place,
        capacity,
        overflow,
        ttl,
        dead_letters,
        priorities,
        durability,
        prefetch,
        ack,
    });
}
