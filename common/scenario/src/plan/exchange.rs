//! Exchanges as rows of a plan, and where what is published over a link comes.

use serde::Serialize;

use super::{Plan, PlanLink};
use crate::model::ExchangeType;
use crate::routing::hands_on;

/// An exchange. Its bindings are the links that lead from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanExchange {
    /// The node's number.
    pub node: u32,
    /// Its place.
    pub place: u32,
    /// By what it hands messages on.
    pub routing: ExchangeType,
    /// The node of the exchange that gets what it cannot hand on; none: that comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternate: Option<u32>,
}

impl Plan {
    /// The exchange at a node.
    #[must_use]
    pub fn exchange_at(&self, node: u32) -> Option<&PlanExchange> {
        self.exchanges.iter().find(|exchange| exchange.node == node)
    }

    /// Whether it has what an AMQP broker keeps: queues or exchanges.
    #[must_use]
    pub fn has_queues(&self) -> bool {
        !self.queues.is_empty() || !self.exchanges.is_empty()
    }

    /// The links that bind queues to the exchange at a node, with their numbers.
    pub fn bindings(&self, node: u32) -> impl Iterator<Item = (u16, &PlanLink)> {
        let exchange = self.exchange_at(node).is_some();
        (0_u16..).zip(&self.links).filter(move |(_, link)| exchange && link.from == node)
    }

    /// Over which bindings a copy of what is published over a link comes to its queue, for each queue the first; none where the
    /// link leads to no exchange, or the exchange hands nothing on.
    #[must_use]
    pub fn routes(&self, link: &PlanLink) -> Vec<(u16, &PlanLink)> {
        let mut at = self.exchange_at(link.to);
        // Exchanges that stand for each other in a circle end here too.
        for _ in &self.exchanges {
            let Some(exchange) = at else { break };
            let mut routes: Vec<(u16, &PlanLink)> = Vec::new();
            for (number, binding) in self.bindings(exchange.node) {
                let first = routes.iter().all(|(_, other)| other.to != binding.to);
                if first && hands_on(exchange.routing, &link.options, &binding.options) {
                    routes.push((number, binding));
                }
            }
            if !routes.is_empty() {
                return routes;
            }
            at = exchange.alternate.and_then(|alternate| self.exchange_at(alternate));
        }
        Vec::new()
    }

    /// The nodes of the queues or the topic that a copy of what is published over a link comes to.
    #[must_use]
    pub fn reached(&self, link: &PlanLink) -> Vec<u32> {
        if self.exchange_at(link.to).is_none() {
            return vec![link.to];
        }
        self.routes(link).into_iter().map(|(_, binding)| binding.to).collect()
    }
}
