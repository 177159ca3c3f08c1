//! What is done to a run while it runs, as rows of its plan.

use serde::Serialize;

use super::Plan;
use crate::checks::names_link;
use crate::disturb::{Action, BROKER, KAFKA};
use crate::model::Disturbance;
use crate::quantity::Time;

/// One thing that is done, to a node or to a link; or to a broker of the run, where it has neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanDisturbance {
    /// When, from the beginning of the measured load on.
    pub at: Time,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
    /// The node's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The link's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<u16>,
    /// Whether the broker is that of topics, and not of queues. Not written where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub kafka: bool,
    /// What it is told beside that, as [`Disturbance::argument`] says; of a rate, 0 is the scenario's own.
    pub argument: u64,
}

impl Plan {
    /// A disturbance as rows: what is done, and what undoes it if it does not last. Nothing where it names nothing of the
    /// plan, which validation does not let through.
    #[must_use]
    pub fn disturbed(&self, disturbance: &Disturbance) -> Vec<PlanDisturbance> {
        let Disturbance { action, at, ref on, lasts, .. } = *disturbance;
        let kept = (on == BROKER && !self.queues.is_empty()) || (on == KAFKA && !self.topics.is_empty());
        // A node of that name comes first, where it can have the same.
        let broker = kept && action.of_broker() && (!action.of_node() || self.node_named(on).is_none());
        let (node, link) = if action.of_node() { (self.node_named(on), None) } else { (None, self.link_named(on)) };
        if node.is_none() && link.is_none() && !broker {
            return Vec::new();
        }
        let done =
            PlanDisturbance { at, action, node, link, kafka: broker && on == KAFKA, argument: disturbance.argument() };
        let undone = lasts.zip(action.undone_by()).map(|(lasts, action)| PlanDisturbance {
            at: Time(at.0.saturating_add(lasts.0)),
            action,
            argument: 0,
            ..done
        });
        std::iter::once(done).chain(undone).collect()
    }

    fn node_named(&self, name: &str) -> Option<u32> {
        self.nodes.iter().zip(0..).find(|(node, _)| node.name == name).map(|(_, number)| number)
    }

    fn link_named(&self, on: &str) -> Option<u16> {
        let name = |node: u32| self.nodes.get(node as usize).map_or("", |node| node.name.as_str());
        let own = self.links.iter().zip(0..).filter(|(link, _)| link.replies_of.is_none());
        let mut named = own.filter(|(link, _)| names_link(on, &link.id, name(link.from), name(link.to)));
        named.next().map(|(_, number)| number)
    }
}
