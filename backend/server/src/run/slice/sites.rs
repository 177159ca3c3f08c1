//! What a run's brokers have to know of its queues, exchanges and topics.

use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_scenario::plan::{Passage, Plan, PlanExchange, PlanGroup, PlanLink, PlanQueue, PlanTopic};
use hopscope_scenario::routing;
use serde_json::{Map, Value};

use super::super::names;
use super::links;
use crate::broker::{BindingSite, Declared, ExchangeSite, GroupSite, QueueSite, Sites, TopicSite};

/// The headers of a link at an exchange.
pub(super) fn named(link: &Map<String, Value>) -> Vec<(String, String)> {
    // Of a plan that did not come from validation, what is no header is none.
    let headers = routing::headers(routing::text(link, "headers")).unwrap_or_default();
    headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The exchanges of a run, as its broker has to know them.
fn exchanges(plan: &Plan) -> Vec<ExchangeSite> {
    let binding = |link: &PlanLink| BindingSite {
        queue: names::queue(plan, link.to),
        key: routing::text(&link.options, "binding_key").to_owned(),
        headers: named(&link.options),
        any: routing::wants_any(&link.options),
    };
    let site = |exchange: &PlanExchange| ExchangeSite {
        name: names::queue(plan, exchange.node),
        routing: exchange.routing,
        alternate: exchange.alternate.map(|alternate| names::queue(plan, alternate)),
        bindings: plan.bindings(exchange.node).map(|(_, link)| binding(link)).collect(),
        publishing: links(plan).filter(|(_, link)| link.to == exchange.node).map(|(index, _)| index).collect(),
    };
    plan.exchanges.iter().map(site).collect()
}

/// The queues of a run, as its broker has to know them.
fn queues(plan: &Plan) -> Vec<QueueSite> {
    let sites = plan.queues.iter().map(|queue| QueueSite {
        name: names::queue(plan, queue.node),
        place: PlaceIndex(queue.place),
        declared: declared(plan, queue),
        publishing: links(plan)
            .filter(|(_, link)| link.to == queue.node && plan.passage(link) == Passage::Publish)
            .map(|(index, _)| index)
            .collect(),
        taken: leaves(plan, queue.node),
        consumers: consumers(plan, queue.node),
    });
    sites.collect()
}

/// The queues and exchanges of a run.
pub(in crate::run) fn sites(plan: &Plan) -> Sites {
    Sites { queues: queues(plan), exchanges: exchanges(plan) }
}

/// What a queue is declared with.
fn declared(plan: &Plan, queue: &PlanQueue) -> Declared {
    Declared {
        capacity: queue.capacity,
        overflow: queue.overflow,
        ttl: queue.ttl,
        dead_letters: queue.dead_letters.map(|target| names::queue(plan, target)),
        priorities: queue.priorities,
        durability: queue.durability,
    }
}

/// Whether the run takes what is in the queue at a node: from there, or from where it goes when it has had its time.
pub(super) fn leaves(plan: &Plan, queue: u32) -> bool {
    let (mut at, mut seen) = (queue, 0);
    loop {
        if consumers(plan, at) > 0 {
            return true;
        }
        let next = plan.queue_at(at).filter(|queue| queue.ttl.is_some()).and_then(|queue| queue.dead_letters);
        match next {
            // Where it only expires in a circle nobody takes it.
            Some(next) if seen < plan.queues.len() => (at, seen) = (next, seen + 1),
            _ => return false,
        }
    }
}

/// How many consumers of the run take from the queue at a node: the replicas of services, and clients for their replies.
fn consumers(plan: &Plan, queue: u32) -> u32 {
    let taking = plan.links.iter().filter(|link| link.from == queue);
    taking.map(|link| plan.service_at(link.to).map_or(1, |service| service.replicas)).sum()
}

/// The topics of a run, as their broker has to know them.
pub(in crate::run) fn topics(plan: &Plan) -> Vec<TopicSite> {
    let group = |group: &PlanGroup| GroupSite {
        name: plan.link(group.link).map_or_else(|| "".into(), |link| names::group(plan, link)),
        link: LinkIndex(group.link),
        first_place: PlaceIndex(group.first_place),
    };
    let site = |topic: &PlanTopic| TopicSite {
        name: names::topic(plan, topic.node),
        partitions: topic.partitions,
        retention: topic.retention,
        compaction: topic.compaction,
        transacted: plan.transacting(topic.node).next().is_some(),
        groups: topic.groups.iter().map(group).collect(),
    };
    plan.topics.iter().map(site).collect()
}
