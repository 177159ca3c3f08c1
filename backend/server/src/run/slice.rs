//! A node's slice of the plan: everything that a replica or a client is built from, apart from its ports and a recorder.
//!
//! Indices are the plan's own, so that what a slice stamps needs no translation, wherever it runs.

mod sites;

use std::ops::Range;
use std::sync::Arc;

use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_rules::draw::{Draws, Purpose};
use hopscope_rules::payload::Payloads;
use hopscope_rules::tempo::Change;
use hopscope_scenario::disturb::Action;
use hopscope_scenario::model::{AckTime, Durability, Effort, Load, Payload, Work};
use hopscope_scenario::plan::{
    Described, Passage, Plan, PlanDisturbance, PlanError, PlanLink, PlanLoad, PlanQueue, Step,
};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::{Rate, Share, Time};
use hopscope_scenario::routing;

use self::sites::{leaves, named};
pub(super) use self::sites::{sites, topics};
use super::effects::Effects;
use super::names;
use crate::link::Policy;
use crate::transport::Options;
use crate::transport::messaging::{Group, Transactions, Via};

/// One replica of a service.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSlice {
    /// Where it stamps.
    pub(super) place: PlaceIndex,
    /// How many requests it works on at once.
    pub(super) workers: u32,
    /// How many calls may wait for that; none: no limit.
    pub(super) room: Option<u32>,
    /// How its work passes.
    pub(super) effort: Effort,
    /// What it does for one.
    pub(super) body: Vec<Step<Work>>,
    /// What that changes, and the store that the replicas of its service share.
    pub(super) effects: Arc<Effects>,
    /// What chance decides of that: how long works take.
    pub(super) draws: Draws,
    /// Which of them fail, with the probability of each.
    pub(super) failures: Draws,
    pub(super) failure: Share,
    /// And which branches are taken.
    pub(super) choices: Draws,
    /// The links that end at it.
    pub(super) arriving: Vec<(LinkIndex, Protocol)>,
    /// The links that it calls or publishes over.
    pub(super) calling: Vec<CallingSlice>,
    /// The queues that it takes from.
    pub(super) taking: Vec<TakingSlice>,
    /// The links that it publishes replies over.
    pub(super) replying: Vec<CallingSlice>,
}

impl ReplicaSlice {
    /// The protocols that it is called by, each once.
    pub(super) fn protocols(&self) -> Vec<Protocol> {
        let mut protocols: Vec<_> = self.arriving.iter().map(|(_, protocol)| *protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        protocols
    }

    /// Has all that it takes, and publishes to topics, stand in these.
    fn transact(&mut self, transactions: &Transactions) {
        let publishing = self.calling.iter_mut().filter(|calling| calling.protocol == Protocol::Kafka);
        publishing.for_each(|calling| calling.transactions = Some(transactions.clone()));
        self.taking.iter_mut().for_each(|taking| taking.transactions = Some(transactions.clone()));
    }
}

/// A client.
#[derive(Clone, Debug)]
pub(super) struct ClientSlice {
    /// Where it stamps.
    pub(super) place: PlaceIndex,
    /// When it sends.
    pub(super) load: Load,
    /// What chance decides of that.
    pub(super) draws: Draws,
    /// How long.
    pub(super) duration: Time,
    /// What it sends.
    pub(super) payload: Payload,
    /// What chance decides of that.
    pub(super) payloads: Payloads,
    /// The links that its requests take in turn.
    pub(super) calling: Vec<CallingSlice>,
    /// What the scenario does to its load, in ns from the run's zero on.
    pub(super) changes: Vec<(u64, Change)>,
}

/// The calling end of a link.
#[derive(Clone, Debug)]
pub(super) struct CallingSlice {
    /// The link.
    pub(super) link: LinkIndex,
    /// How.
    pub(super) protocol: Protocol,
    /// What it says to its protocol alone.
    pub(super) options: Options,
    /// Whom.
    pub(super) to: Callee,
    /// How long it waits, and when it tries again.
    pub(super) policy: Policy,
    /// What it publishes in, where its replica reads in transactions.
    pub(super) transactions: Option<Transactions>,
}

/// What a link leads to.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// The replicas of a service, called in turn.
    Replicas {
        /// Where they are.
        replicas: Vec<PlaceIndex>,
        /// Whether they answer.
        answer: bool,
    },
    /// A queue that is published to.
    Queue {
        /// Its name at the broker, or the routing key of what is published through an exchange.
        queue: Arc<str>,
        /// That exchange.
        via: Option<Via>,
        /// Whether its messages are to outlive the broker.
        persistent: bool,
        /// How replies come back, where they are awaited.
        replies: Option<ReturnSlice>,
        /// How many copies of a message the run takes from there.
        copies: u32,
    },
}

/// How replies come back.
#[derive(Clone, Debug)]
pub(super) struct ReturnSlice {
    /// The name of the queue that they come through.
    pub(super) queue: Arc<str>,
    /// The link from there.
    pub(super) link: LinkIndex,
}

/// The end of a link that takes from a queue.
#[derive(Clone, Debug)]
pub(super) struct TakingSlice {
    /// The link.
    pub(super) link: LinkIndex,
    /// How.
    pub(super) protocol: Protocol,
    /// The queue's name at the broker.
    pub(super) queue: Arc<str>,
    /// What the names of the run's queues begin with there.
    pub(super) prefix: Arc<str>,
    /// How many deliveries it may hold unsettled.
    pub(super) prefetch: u16,
    /// When it settles them.
    pub(super) ack: AckTime,
    /// What it says to its protocol alone.
    pub(super) options: Options,
    /// The group that reads over it, where it leads from a topic, and the place of its first member.
    pub(super) group: Option<(Group, PlaceIndex)>,
    /// What it takes in, where it says so.
    pub(super) transactions: Option<Transactions>,
    /// Where the stream stamps that it reads, where it is one.
    pub(super) stream: Option<PlaceIndex>,
}

/// Cuts every replica's slice, in the order of their places.
///
/// # Errors
/// When a work is not described as one.
pub(super) fn replicas(plan: &Plan) -> Result<Vec<ReplicaSlice>, PlanError> {
    let mut slices = Vec::new();
    for service in &plan.services {
        let body = service.steps()?;
        let arriving: Vec<_> = links(plan)
            .filter(|(_, link)| link.to == service.node && matches!(plan.passage(link), Passage::Call | Passage::Send))
            .map(|(index, link)| (index, link.protocol))
            .collect();
        let outgoing = |replies: bool| -> Result<Vec<_>, PlanError> {
            links(plan)
                .filter(|(_, link)| link.from == service.node && link.replies_of.is_some() == replies)
                .map(|(index, link)| calling(plan, index, link))
                .collect()
        };
        let (calling, replying) = (outgoing(false)?, outgoing(true)?);
        let taking: Vec<_> = links(plan)
            .filter(|(_, link)| link.to == service.node)
            .filter_map(|(index, link)| taking(plan, index, link))
            .collect();
        let effects = Arc::new(Effects::of(plan));
        let slice = |(place, replica): (PlaceIndex, u32)| ReplicaSlice {
            place,
            workers: service.workers,
            room: service.room,
            effort: service.effort,
            body: body.clone(),
            effects: Arc::clone(&effects),
            draws: draws(plan, service.node, Purpose::Work(replica)),
            failures: draws(plan, service.node, Purpose::Failure(replica)),
            failure: service.failure,
            choices: draws(plan, service.node, Purpose::Choice(replica)),
            arriving: arriving.clone(),
            calling: calling.clone(),
            taking: taking.clone(),
            replying: replying.clone(),
        };
        let transacts = plan.transacts(service.node).is_some();
        slices.extend(places(service.places()).zip(1..).map(slice).map(|mut slice: ReplicaSlice| {
            if transacts {
                slice.transact(&Transactions::new(names::transactions(plan, slice.place)));
            }
            slice
        }));
    }
    Ok(slices)
}

/// A node's draws for a purpose.
fn draws(plan: &Plan, node: u32, purpose: Purpose) -> Draws {
    Draws::new(plan.settings.seed, node_id(plan, node), purpose)
}

/// What a node's draws are keyed by.
fn node_id(plan: &Plan, node: u32) -> &str {
    plan.nodes.get(node as usize).map_or("", |node| &node.id)
}

fn closed(load: &Load) -> bool {
    matches!(load, Load::Closed(_))
}

/// Cuts every client's slice.
///
/// # Errors
/// When a load or a payload is not described as one.
pub(super) fn clients(plan: &Plan) -> Result<Vec<ClientSlice>, PlanError> {
    plan.loads.iter().map(|load| client(plan, load)).collect()
}

fn client(plan: &Plan, row: &PlanLoad) -> Result<ClientSlice, PlanError> {
    let (load, payload) = (row.load.read()?, row.payload.read()?);
    Ok(ClientSlice {
        place: PlaceIndex(row.place),
        draws: draws(plan, row.node, if closed(&load) { Purpose::Think } else { Purpose::Arrivals }),
        load,
        duration: plan.settings.offered(),
        payloads: Payloads::new(&payload, plan.settings.seed, node_id(plan, row.node)),
        payload,
        changes: changes(plan, row.node),
        calling: row
            .links
            .iter()
            .filter_map(|number| Some(calling(plan, LinkIndex(*number), plan.link(*number)?)))
            .collect::<Result<_, _>>()?,
    })
}

/// What the scenario does to a client's load.
fn changes(plan: &Plan, node: u32) -> Vec<(u64, Change)> {
    let own = plan.disturbances.iter().filter(|disturbance| disturbance.node == Some(node));
    let change = |disturbance: &PlanDisturbance| {
        let change = match disturbance.action {
            Action::Pause => Change::Pause,
            Action::Resume => Change::Resume,
            _ => Change::Rate((disturbance.argument > 0).then(|| Rate(disturbance.argument.saturating_mul(1_000)))),
        };
        (plan.settings.warm_up.0.saturating_add(disturbance.at.0), change)
    };
    own.map(change).collect()
}

fn links(plan: &Plan) -> impl Iterator<Item = (LinkIndex, &PlanLink)> {
    (0_u16..).map(LinkIndex).zip(&plan.links)
}

fn calling(plan: &Plan, link: LinkIndex, row: &PlanLink) -> Result<CallingSlice, PlanError> {
    let to = match plan.passage(row) {
        Passage::Publish if let Some(topic) = plan.topic_at(row.to) => Callee::Queue {
            queue: names::topic(plan, row.to),
            via: None,
            persistent: false,
            replies: None,
            copies: u32::from(!topic.groups.is_empty()),
        },
        Passage::Publish if plan.exchange_at(row.to).is_some() => routed(plan, row),
        Passage::Publish => Callee::Queue {
            queue: names::queue(plan, row.to),
            via: None,
            persistent: plan.queue_at(row.to).is_some_and(|queue| queue.durability != Durability::Transient),
            replies: returning(plan, link, row),
            copies: copies(plan, row.to),
        },
        passage @ (Passage::Call | Passage::Send | Passage::Deliver | Passage::Bind) => {
            let external = || plan.external_at(row.to).map(|external| vec![PlaceIndex(external.place)]);
            let replicas = plan.service_at(row.to).map(|service| places(service.places()).collect()).or_else(external);
            Callee::Replicas { replicas: replicas.unwrap_or_default(), answer: passage != Passage::Send }
        }
    };
    let policy = Policy { timeout: row.timeout, retry: row.retry.as_ref().map(Described::read).transpose()? };
    Ok(CallingSlice {
        link,
        protocol: row.protocol,
        options: Options::of(&row.options),
        to,
        policy,
        transactions: None,
    })
}

/// What a link to an exchange leads to: the queues that its bindings hand its messages on to.
fn routed(plan: &Plan, row: &PlanLink) -> Callee {
    let reached = plan.reached(row);
    let queue = |node: &u32| plan.queue_at(*node);
    let copies = reached.iter().fold(0, |all: u32, node| all.saturating_add(copies(plan, *node)));
    Callee::Queue {
        queue: routing::text(&row.options, "routing_key").into(),
        via: Some(Via { exchange: names::queue(plan, row.to), headers: named(&row.options).into() }),
        persistent: reached.iter().filter_map(queue).any(|queue| queue.durability != Durability::Transient),
        replies: None,
        copies,
    }
}

/// How many copies of a message the run takes from the queue at a node.
fn copies(plan: &Plan, queue: u32) -> u32 {
    if leaves(plan, queue) { u32::try_from(plan.copies_of(queue)).unwrap_or(u32::MAX) } else { 0 }
}

/// How the replies to a link's messages come back: over the derived link that ends where they began.
fn returning(plan: &Plan, link: LinkIndex, row: &PlanLink) -> Option<ReturnSlice> {
    let queue = names::queue(plan, row.replies?);
    let back = |other: &PlanLink| other.replies_of == Some(link.0) && other.to == row.from;
    let (link, _) = links(plan).find(|(_, other)| back(other))?;
    Some(ReturnSlice { queue, link })
}

fn taking(plan: &Plan, link: LinkIndex, row: &PlanLink) -> Option<TakingSlice> {
    let options = Options::of(&row.options);
    if let Some((topic, group)) = plan.group_over(link.0) {
        let reader = plan.service_at(row.to)?;
        let first = reader.first_place;
        let site = Group {
            name: names::group(plan, row),
            first_place: PlaceIndex(group.first_place),
            partitions: topic.partitions,
            member: 1,
            members: reader.replicas,
        };
        return Some(TakingSlice {
            link,
            protocol: row.protocol,
            queue: names::topic(plan, topic.node),
            prefix: "".into(),
            prefetch: 0,
            ack: AckTime::AfterWork,
            options,
            group: Some((site, PlaceIndex(first))),
            transactions: None,
            stream: None,
        });
    }
    let PlanQueue { prefetch, ack, durability, place, .. } = *plan.queue_at(row.from)?;
    let stream = (durability == Durability::Stream).then_some(PlaceIndex(place));
    let (queue, prefix) = (names::queue(plan, row.from), names::prefix(plan).into());
    Some(TakingSlice {
        link,
        protocol: row.protocol,
        queue,
        prefix,
        prefetch,
        ack,
        options,
        group: None,
        transactions: None,
        stream,
    })
}

fn places(range: Range<u32>) -> impl Iterator<Item = PlaceIndex> {
    range.map(PlaceIndex)
}
