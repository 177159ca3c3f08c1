//! What the laws have to know of the plan: what each link does, and what its queue is.

use std::ops::Range;

use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::model::{AckTime, Durability, Overflow};
use hopscope_scenario::plan::{Passage, Plan, PlanGroup, PlanQueue, PlanService, PlanTopic};
use hopscope_scenario::text;

use super::queue::StreamSite;

/// The plan's links and queues. Without a plan there is none, and everything goes by number.
#[derive(Default)]
pub(super) struct Links {
    rows: Vec<Link>,
    queues: Vec<(PlaceIndex, String)>,
    /// The queues that tell priorities apart.
    prioritized: Vec<PlaceIndex>,
    /// The queues, where their broker stamps nothing.
    bounded: Vec<Site>,
    /// The streams, where their broker stamps nothing.
    streams: Vec<StreamSite>,
    /// The groups that read topics.
    logs: Vec<LogSite>,
}

/// What is to be known of a group that reads a topic.
#[derive(Clone)]
pub(super) struct LogSite {
    /// Where what is done to its topic is stamped.
    pub(super) topic: PlaceIndex,
    /// Its place in partition 0; those in the others follow it.
    pub(super) first_place: PlaceIndex,
    /// How many there are.
    pub(super) partitions: u16,
    /// What a person calls it: the topic, and who reads it.
    pub(super) name: String,
    /// The links that put records there.
    pub(super) fed_by: Vec<LinkIndex>,
    /// The places of its members.
    pub(super) reader: Range<u32>,
    /// How long its broker keeps a record, ns; without it, as long as the run lasts.
    pub(super) retention: Option<i64>,
    /// Whether its broker removes a record some time after a newer one of its key has come.
    pub(super) compacts: bool,
    /// The places that publish there in transactions.
    pub(super) transacting: Vec<Range<u32>>,
}

impl LogSite {
    /// Whether records may be removed, whoever has yet to read them.
    pub(super) const fn forgets(&self) -> bool {
        self.retention.is_some() || self.compacts
    }

    /// Whether some of its records stand in transactions.
    pub(super) const fn is_transacted(&self) -> bool {
        !self.transacting.is_empty()
    }

    /// Whether a place publishes there in transactions.
    pub(super) fn transacts(&self, place: PlaceIndex) -> bool {
        self.transacting.iter().any(|places| places.contains(&place.0))
    }
}

/// The groups of a plan.
fn logs(plan: &Plan) -> Vec<LogSite> {
    let node = |number: u32| plan.nodes.get(number as usize).map_or("", |node| &node.name);
    let site = |topic: &PlanTopic, group: &PlanGroup| LogSite {
        topic: PlaceIndex(topic.place),
        first_place: PlaceIndex(group.first_place),
        partitions: topic.partitions,
        name: format!("{} → {}", node(topic.node), plan.group_name(*group)),
        fed_by: (0..)
            .map(LinkIndex)
            .zip(&plan.links)
            .filter(|(_, link)| link.to == topic.node)
            .map(|(at, _)| at)
            .collect(),
        reader: plan.link(group.link).and_then(|link| plan.service_at(link.to)).map_or(0..0, PlanService::places),
        retention: topic.retention.map(|kept| i64::try_from(kept.0).unwrap_or(i64::MAX)),
        compacts: !topic.compaction.is_off(),
        transacting: plan.transacting(topic.node).collect(),
    };
    plan.topics.iter().flat_map(|topic| topic.groups.iter().map(move |group| site(topic, group))).collect()
}

/// What is to be known of a queue whose broker stamps nothing.
#[derive(Clone)]
pub(super) struct Site {
    /// Where its broker's word is stamped.
    pub(super) place: PlaceIndex,
    /// What a person calls it.
    pub(super) name: String,
    /// Copies that may be on their way to the run's consumers, or with them.
    pub(super) prefetch: i64,
    /// How many these are.
    pub(super) consumers: u32,
    /// Whether one of them acknowledges nothing.
    pub(super) automatic: bool,
    /// Why nothing can be said of what it holds.
    pub(super) free: Option<Key>,
}

/// What copies do in a queue that nobody outside of its broker is told of.
fn unseen(plan: &Plan, queue: &PlanQueue) -> Option<Key> {
    if queue.ttl.is_some() {
        Some(text!("law.not-applicable.ttl"))
    } else if queue.capacity.is_some() && queue.overflow == Overflow::DropHead {
        Some(text!("law.not-applicable.max-length"))
    } else if plan.queues.iter().any(|other| other.dead_letters == Some(queue.node)) {
        Some(text!("law.not-applicable.dead-letters"))
    } else {
        None
    }
}

/// A queue of a plan, as its consumers have it.
fn site(plan: &Plan, queue: &PlanQueue, name: &str) -> Site {
    let taking = || plan.links.iter().filter(|link| link.from == queue.node);
    let consumers = taking().map(|link| plan.service_at(link.to).map_or(1, |service| service.replicas)).sum();
    Site {
        place: PlaceIndex(queue.place),
        name: name.to_owned(),
        prefetch: i64::from(queue.prefetch) * i64::from(consumers),
        consumers,
        // Replies come to clients, which acknowledge none.
        automatic: queue.prefetch == 0 || taking().any(|link| plan.service_at(link.to).is_none()),
        free: unseen(plan, queue),
    }
}

/// A stream of a plan, as its readers have it.
fn stream<'a>(plan: &'a Plan, queue: &PlanQueue, node: impl Fn(u32) -> &'a str) -> StreamSite {
    let links = (0..).map(LinkIndex).zip(&plan.links).filter(|(_, link)| link.from == queue.node);
    let readers = links.map(|(at, link)| (at, node(link.to).to_owned())).collect();
    StreamSite { place: PlaceIndex(queue.place), name: node(queue.node).to_owned(), readers }
}

/// One link.
pub(super) struct Link {
    name: String,
    /// What it does at its ends.
    pub(super) passage: Passage,
    /// The places of the queues that it publishes into, or of the one that it takes from.
    pub(super) queues: Vec<PlaceIndex>,
    /// Whether it publishes to an exchange: a copy then comes to each of its queues.
    pub(super) routed: bool,
    /// Whether it reads a topic.
    pub(super) reads: bool,
    /// Whether it calls a program that is no part of the run, which stamps nothing.
    pub(super) outside: bool,
    /// Whether who takes from it acknowledges a message, or commits it, when its work is done.
    pub(super) acks_after_work: bool,
    /// Whether who is at its end frees its worker before it replies, whatever way a request takes.
    pub(super) replies_last: bool,
    /// Whether the publisher waits for replies.
    pub(super) awaits_reply: bool,
    /// The link that it carries the replies of, or [`LinkIndex::NONE`].
    pub(super) replies_of: LinkIndex,
}

impl Links {
    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        // What a person knows a link by: the nodes at its ends.
        let node = |number: u32| plan.nodes.get(number as usize).map_or("", |node| &node.name);
        let rows = plan.links.iter().map(|link| {
            let passage = plan.passage(link);
            let end = if passage == Passage::Deliver { link.from } else { link.to };
            let queue = plan.queue_at(end);
            let reached = if passage == Passage::Deliver { vec![end] } else { plan.reached(link) };
            let places = reached.iter().filter_map(|node| plan.queue_at(*node)).map(|queue| PlaceIndex(queue.place));
            let reads = passage == Passage::Deliver && plan.topic_at(end).is_some();
            let automatic = link.options.get("commit").is_some_and(|commit| commit == "automatic");
            Link {
                reads,
                outside: plan.external_at(link.to).is_some(),
                name: format!("{} → {}", node(link.from), node(link.to)),
                passage,
                queues: places.collect(),
                routed: passage == Passage::Publish && plan.exchange_at(link.to).is_some(),
                acks_after_work: queue.map_or(reads && !automatic, |queue| queue.ack == AckTime::AfterWork),
                replies_last: plan.service_at(link.to).is_none_or(PlanService::replies_last),
                awaits_reply: link.replies.is_some(),
                replies_of: link.replies_of.map_or(LinkIndex::NONE, LinkIndex),
            }
        });
        let queues = plan.queues.iter().map(|queue| (PlaceIndex(queue.place), node(queue.node).to_owned()));
        let (streams, others): (Vec<_>, Vec<_>) = plan
            .queues
            .iter()
            .filter(|_| plan.broker.is_some())
            .partition(|queue| queue.durability == Durability::Stream);
        let bounded = others.into_iter().map(|queue| site(plan, queue, node(queue.node))).collect();
        let streams = streams.into_iter().map(|queue| stream(plan, queue, node)).collect();
        let prioritized = plan.queues.iter().filter(|queue| queue.priorities.is_some());
        let prioritized = prioritized.map(|queue| PlaceIndex(queue.place)).collect();
        Self { rows: rows.collect(), queues: queues.collect(), prioritized, bounded, streams, logs: logs(plan) }
    }

    /// Whether messages go over any that nobody answers.
    pub(super) fn oneway(&self) -> bool {
        self.rows.iter().any(|link| link.passage == Passage::Send)
    }

    /// The link of this number.
    pub(super) fn get(&self, link: LinkIndex) -> Option<&Link> {
        self.rows.get(usize::from(link.0))
    }

    /// What a person calls the link of this number.
    pub(super) fn name(&self, link: u32) -> String {
        self.rows.get(link as usize).map_or_else(|| link.to_string(), |row| row.name.clone())
    }

    /// The plan's queues in its order: the place of each, and what a person calls it.
    pub(super) fn queues(&self) -> &[(PlaceIndex, String)] {
        &self.queues
    }

    /// The plan's queues, where their broker stamps nothing; else none.
    pub(super) fn bounded(&self) -> &[Site] {
        &self.bounded
    }

    /// The plan's streams, where their broker stamps nothing; else none.
    pub(super) fn streams(&self) -> &[StreamSite] {
        &self.streams
    }

    /// The groups that read the plan's topics, in its order.
    pub(super) fn logs(&self) -> &[LogSite] {
        &self.logs
    }

    /// Why the queue at a place promises no order.
    pub(super) fn unordered(&self, place: PlaceIndex) -> Option<Key> {
        self.prioritized.contains(&place).then_some(text!("law.not-applicable.priorities"))
    }

    /// What a person calls the queue at a place.
    pub(super) fn queue_name(&self, place: PlaceIndex) -> String {
        let known = self.queues.iter().find(|(queue, _)| *queue == place);
        known.map_or_else(|| place.0.to_string(), |(_, name)| name.clone())
    }
}
