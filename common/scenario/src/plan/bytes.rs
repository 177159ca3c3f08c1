//! The plan as bytes, and back with nothing believed.

use serde_json::Value;

use super::{FORMAT, Place, Plan, Replies, Role, VERSION, links_of, rows};
use crate::shape;

/// Why bytes are not a plan of this build.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not of a plan's shape.
    #[error("the plan cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// Another format.
    #[error("the bytes hold \"{0}\" and not a plan; the recording is damaged or of another program")]
    Format(String),
    /// A version that this build does not know.
    #[error("the plan has version {0}, this build reads {VERSION}; open it with a newer build")]
    Version(u32),
    /// A number that points outside its table.
    #[error("the plan's {table} {row} names {what} {number}, which does not exist")]
    Dangling {
        /// The table with the bad row.
        table: &'static str,
        /// Which row, from 0.
        row: usize,
        /// What it names.
        what: &'static str,
        /// By which number.
        number: u32,
    },
    /// A body that may reply twice to one request.
    #[error("the plan's service {0} may reply twice")]
    Body(usize),
    /// More places or links than recordings can number.
    #[error("the plan has {count} {what}, more than recordings can number")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
    },
}

impl Plan {
    /// The plan as UTF-8 JSON, without a line break; the same plan gives the same bytes.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no plan from [`super::compile()`] has.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PlanError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a plan and checks that every number points into its table.
    ///
    /// # Errors
    /// When the bytes are not a plan, are of a version that this build does not know, or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let value: Value = serde_json::from_slice(bytes)?;
        // What is looked at before the rest is understood.
        let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
        if format != FORMAT {
            return Err(PlanError::Format(format.to_owned()));
        }
        let version = value.get("version").and_then(Value::as_u64).unwrap_or_default();
        if version != u64::from(VERSION) {
            return Err(PlanError::Version(u32::try_from(version).unwrap_or(u32::MAX)));
        }
        let mut plan = rows::plan(&value)?;
        plan.check()?;
        // An older build left out what has a default now.
        plan.scenario = shape::canonical(&plan.scenario);
        Ok(plan)
    }

    fn check(&self) -> Result<(), PlanError> {
        within("places", self.places.len(), u32::MAX as usize)?;
        within("links", self.links.len(), usize::from(u16::MAX))?;
        let (nodes, places, links) = (self.nodes.len(), self.places.len(), self.links.len());
        for (row, place) in self.places.iter().enumerate() {
            points("place", row, "node", place.node, nodes)?;
        }
        for (row, link) in self.links.iter().enumerate() {
            points("link", row, "node", link.from, nodes)?;
            points("link", row, "node", link.to, nodes)?;
            if let Some(queue) = link.replies {
                points("link", row, "node", queue, nodes)?;
            }
            if let Some(of) = link.replies_of {
                points("link", row, "link", u32::from(of), links)?;
            }
        }
        for (row, load) in self.loads.iter().enumerate() {
            points("load", row, "node", load.node, nodes)?;
            points("load", row, "place", load.place, places)?;
            for link in &load.links {
                points("load", row, "link", u32::from(*link), links)?;
            }
        }
        for (row, service) in self.services.iter().enumerate() {
            points("service", row, "node", service.node, nodes)?;
            let last = service.first_place.saturating_add(service.replicas.saturating_sub(1));
            points("service", row, "place", last, places)?;
            if Replies::of(&service.body).most > 1 {
                return Err(PlanError::Body(row));
            }
            for link in links_of(&service.body) {
                points("service", row, "link", u32::from(link), links)?;
            }
        }
        for (row, queue) in self.queues.iter().enumerate() {
            points("queue", row, "node", queue.node, nodes)?;
            points("queue", row, "place", queue.place, places)?;
            if let Some(target) = queue.dead_letters {
                points("queue", row, "node", target, nodes)?;
            }
        }
        for (row, topic) in self.topics.iter().enumerate() {
            points("topic", row, "node", topic.node, nodes)?;
            points("topic", row, "place", topic.place, places)?;
            for (group, ordinal) in topic.groups.iter().zip(1..) {
                points("topic", row, "link", u32::from(group.link), links)?;
                // Its places are its own: as many as it says there are.
                for partition in 0..topic.partitions {
                    let own = Place { node: topic.node, role: Role::Group, ordinal, partition: Some(partition) };
                    let (what, number) = ("place", group.place(partition));
                    if self.places.get(number as usize) != Some(&own) {
                        return Err(PlanError::Dangling { table: "topic", row, what, number });
                    }
                }
            }
        }
        for (row, disturbance) in self.disturbances.iter().enumerate() {
            if let Some(node) = disturbance.node {
                points("disturbance", row, "node", node, nodes)?;
            }
            if let Some(link) = disturbance.link {
                points("disturbance", row, "link", u32::from(link), links)?;
            }
        }
        Ok(())
    }
}

fn within(what: &'static str, count: usize, max: usize) -> Result<(), PlanError> {
    if count > max { Err(PlanError::TooMany { what, count }) } else { Ok(()) }
}

fn points(table: &'static str, row: usize, what: &'static str, number: u32, length: usize) -> Result<(), PlanError> {
    match usize::try_from(number) {
        Ok(index) if index < length => Ok(()),
        _ => Err(PlanError::Dangling { table, row, what, number }),
    }
}
