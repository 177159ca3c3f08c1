//! What a plan tells of its nodes, places and links.

use serde_json::Value;

use super::{Passage, Plan, PlanExternal, PlanLink, PlanNode, PlanQueue, PlanService};
use crate::model::Durability;
use crate::protocol::Style;

impl Plan {
    /// What the scenario is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.scenario.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The service at a node.
    #[must_use]
    pub fn service_at(&self, node: u32) -> Option<&PlanService> {
        self.services.iter().find(|service| service.node == node)
    }

    /// The program at a node that is no part of the run.
    #[must_use]
    pub fn external_at(&self, node: u32) -> Option<&PlanExternal> {
        self.externals.iter().find(|external| external.node == node)
    }

    /// The queue at a node.
    #[must_use]
    pub fn queue_at(&self, node: u32) -> Option<&PlanQueue> {
        self.queues.iter().find(|queue| queue.node == node)
    }

    /// The place of what keeps messages at a node: of a queue or a topic.
    #[must_use]
    pub fn keeper_at(&self, node: u32) -> Option<u32> {
        self.queue_at(node).map(|queue| queue.place).or_else(|| Some(self.topic_at(node)?.place))
    }

    /// How many copies of a message are taken from the queue at a node, where any is: of a stream each reader takes one.
    #[must_use]
    pub fn copies_of(&self, node: u32) -> usize {
        match self.queue_at(node) {
            Some(queue) if queue.durability == Durability::Stream => {
                self.links.iter().filter(|link| link.from == node).count()
            }
            _ => 1,
        }
    }

    /// What a link does at its ends.
    #[must_use]
    pub fn passage(&self, link: &PlanLink) -> Passage {
        match link.protocol.descriptor().style {
            Style::Sync if link.is_oneway() => Passage::Send,
            Style::Sync => Passage::Call,
            Style::Async if self.exchange_at(link.from).is_some() => Passage::Bind,
            Style::Async if self.keeper_at(link.from).is_some() => Passage::Deliver,
            Style::Async => Passage::Publish,
        }
    }

    /// The node of a place.
    #[must_use]
    pub fn node_of(&self, place: u32) -> Option<&PlanNode> {
        let place = self.places.get(usize::try_from(place).ok()?)?;
        self.nodes.get(usize::try_from(place.node).ok()?)
    }

    /// A link by its number.
    #[must_use]
    pub fn link(&self, link: u16) -> Option<&PlanLink> {
        self.links.get(usize::from(link))
    }
}
