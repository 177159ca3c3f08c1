//! Topics, and the groups that read them, as rows of a plan.

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;

use super::{Plan, PlanLink, PlanService, Role};
use crate::model::Compaction;
use crate::protocol::{GROUP, is_in_transactions};
use crate::quantity::Time;

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanTopic {
    /// The node's number.
    pub node: u32,
    /// Its place.
    pub place: u32,
    /// How many partitions it has; at least one.
    pub partitions: u16,
    /// How long a record is kept. Not written where that is as long as the run lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Time>,
    /// Whether a record gives way to a newer one of its key. Not written where it does not.
    #[serde(skip_serializing_if = "Compaction::is_off")]
    pub compaction: Compaction,
    /// Who reads it, in the order of the links; each is group 1 and so on at this topic.
    pub groups: Vec<PlanGroup>,
}

/// A group: all that read over one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanGroup {
    /// The link's number.
    pub link: u16,
    /// Its place in partition 0; those in the others follow it.
    pub first_place: u32,
}

impl PlanGroup {
    /// Its place in a partition.
    #[must_use]
    pub const fn place(&self, partition: u16) -> u32 {
        self.first_place.saturating_add(partition as u32)
    }
}

impl Plan {
    /// The topic at a node.
    #[must_use]
    pub fn topic_at(&self, node: u32) -> Option<&PlanTopic> {
        self.topics.iter().find(|topic| topic.node == node)
    }

    /// The group that reads over a link, with its topic.
    #[must_use]
    pub fn group_over(&self, link: u16) -> Option<(&PlanTopic, PlanGroup)> {
        self.topics.iter().find_map(|topic| Some((topic, *topic.groups.iter().find(|group| group.link == link)?)))
    }

    /// The group and the partition that a place is of.
    #[must_use]
    pub fn group_at(&self, place: u32) -> Option<(&PlanTopic, PlanGroup, u16)> {
        let row = self.places.get(usize::try_from(place).ok()?).filter(|row| row.role == Role::Group)?;
        let (topic, partition) = (self.topic_at(row.node)?, row.partition?);
        let group = topic.groups.get(usize::try_from(row.ordinal).ok()?.checked_sub(1)?)?;
        Some((topic, *group, partition))
    }

    /// The places that publish to a topic in transactions.
    pub fn transacting(&self, topic: u32) -> impl Iterator<Item = Range<u32>> {
        let services = self.services.iter().filter(|service| self.transacts(service.node).is_some());
        let publishes =
            move |service: &&PlanService| self.links.iter().any(|link| link.from == service.node && link.to == topic);
        services.filter(publishes).map(PlanService::places)
    }

    /// The link that the service at a node reads over in transactions, if it does.
    #[must_use]
    pub fn transacts(&self, node: u32) -> Option<u16> {
        let reads = |link: &PlanLink| link.to == node && is_in_transactions(&link.options);
        (0..).zip(&self.links).find(|(_, link)| reads(link)).map(|(number, _)| number)
    }

    /// What a person calls a group: as its link says, else as who reads.
    #[must_use]
    pub fn group_name(&self, group: PlanGroup) -> &str {
        let Some(link) = self.link(group.link) else { return "" };
        let reader = || self.nodes.get(usize::try_from(link.to).ok()?).map(|node| node.name.as_str());
        link.options.get(GROUP).and_then(Value::as_str).or_else(reader).unwrap_or_default()
    }
}
