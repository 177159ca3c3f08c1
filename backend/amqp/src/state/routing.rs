//! Routing: which queues a message leads to, through how many exchanges ever.

use std::collections::HashSet;

use super::reply_to::token;
use super::{QueueId, State};
use crate::exchange::Destination;
use crate::message::Message;
use crate::observer::Observer;

/// Where a message goes.
#[derive(Default, Debug)]
pub(super) struct Route {
    /// Its queues, each once.
    pub(super) queues: Vec<QueueId>,
    /// Those who asked by direct reply-to, by the tokens in their addresses, each once.
    pub(super) replies: Vec<u64>,
}

impl<O: Observer> State<O> {
    /// Where a message goes. Exchanges that are bound to one another are walked once each, however they go round; what
    /// one of them leads nowhere goes on through its alternate.
    pub(super) fn route<M>(&self, message: &Message<M>) -> Route {
        let mut route = Route::default();
        if message.exchange.as_str().is_empty() {
            for key in message.keys() {
                route.replies.extend(token(key));
                route.queues.extend(self.names.get(key));
            }
        } else {
            self.walk(message, &mut route.queues);
        }
        route.replies.sort_unstable();
        route.replies.dedup();
        route.queues.sort_unstable();
        route.queues.dedup();
        route
    }

    fn walk<M>(&self, message: &Message<M>, queues: &mut Vec<QueueId>) {
        let headers = message.properties.headers().as_ref();
        let mut seen = HashSet::from([message.exchange.as_str()]);
        let mut ahead: Vec<_> = self.exchanges.get(&message.exchange).into_iter().collect();
        let mut destinations = Vec::new();
        while let Some(exchange) = ahead.pop() {
            exchange.route(message.keys(), headers, &mut destinations);
            if let (true, Some(alternate)) = (destinations.is_empty(), &exchange.alternate)
                && seen.insert(alternate)
            {
                ahead.extend(self.exchanges.get(alternate.as_str()));
            }
            for destination in destinations.drain(..) {
                match destination {
                    Destination::Queue(queue) => queues.push(*queue),
                    Destination::Exchange(name) if seen.insert(name.as_str()) => {
                        ahead.extend(self.exchanges.get(name));
                    }
                    Destination::Exchange(_) => (),
                }
            }
        }
    }
}
