//! A call made into a queue, and back: the same work asked for in the other way.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::{Document, LinkRef};
use super::trial::{Added, Trial};
use crate::kinds::Kind;
use crate::protocol::{Protocol, Style};

/// The field of a link that names the queue of its replies.
const REPLIES: &str = "/replies";

/// What a link may be made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// The call becomes a message that the service takes from a queue.
    ToQueue,
    /// The call becomes an event that the caller publishes and the service subscribes to.
    ToEvent,
    /// The message to a queue, and its taking from there, become a call of the service that takes it.
    ToCall,
}

impl Document {
    /// What a link may be made into: nothing, where it is neither a call of a service nor the way of a queue's messages to the
    /// one service that takes them.
    #[must_use]
    pub fn conversions(&self, link: &str) -> &'static [Conversion] {
        let Some((link, protocol)) = self.link(link).and_then(|link| Some((link, link.protocol()?))) else {
            return &[];
        };
        match protocol.descriptor().style {
            Style::Sync if self.kind(link.to()) == Some(Kind::Service) => &[Conversion::ToQueue, Conversion::ToEvent],
            Style::Async if self.through(link).is_some() => &[Conversion::ToCall],
            Style::Sync | Style::Async => &[],
        }
    }

    /// Makes a call into messages that the service takes from a queue. A client has the replies come back through a second
    /// queue, so that it is answered as before; a service goes on when the broker has the message. `None` where
    /// that is none of [`Document::conversions`].
    #[must_use]
    pub fn to_queue(&self, link: &str, queue: Added<'_>, replies: Added<'_>) -> Option<Change> {
        let call = self.link(link).filter(|_| self.conversions(link).contains(&Conversion::ToQueue))?;
        let (from, to, target) = (call.from(), call.to(), Target::Link(link.to_owned()));
        let mut trial = Trial::new(self);
        let queue = trial.queue_of(to, queue)?;
        trial.set(&target, "/to", Value::from(queue.as_str()))?;
        trial.change_protocol(link, Protocol::Amqp)?;
        if self.kind(from) == Some(Kind::Client) {
            let replies = trial.add(Kind::Queue, replies)?;
            trial.set(&target, REPLIES, Value::from(replies))?;
        }
        trial.link(&queue, to, Protocol::Amqp)?;
        Some(trial.done())
    }

    /// Makes the way through a queue into a call of the service that takes from it. Queues that nothing is sent to any more go,
    /// the one of the replies too. `None` where that is none of [`Document::conversions`].
    #[must_use]
    pub fn to_call(&self, link: &str) -> Option<Change> {
        let Way { publish, queue, taking, service } = self.through(self.link(link)?)?;
        let target = Target::Link(publish.clone());
        let replies = self.get(&target, REPLIES).and_then(Value::as_str).map(str::to_owned);
        let protocol = Protocol::between(self.kind(self.link(&publish)?.from())?, Kind::Service)
            .find(|protocol| protocol.descriptor().style == Style::Sync)?;
        let mut trial = Trial::new(self);
        trial.set(&target, "/to", Value::from(service))?;
        trial.change_protocol(&publish, protocol)?;
        for queue in std::iter::once(queue).chain(replies) {
            let used = trial.document.links().any(|link| {
                let replies = link.value().get("replies").and_then(Value::as_str);
                (link.to() == queue && link.id() != taking) || replies == Some(&queue)
            });
            if !used {
                trial.apply(trial.document.remove_elements(&[&queue], &[]))?;
            }
        }
        Some(trial.done())
    }

    /// Gives a link another protocol: what only the one before can have goes. `None` where there is no such link.
    #[must_use]
    pub fn to_protocol(&self, link: &str, protocol: Protocol) -> Option<Change> {
        let mut trial = Trial::new(self);
        trial.change_protocol(link, protocol)?;
        Some(trial.done())
    }

    pub(super) fn kind(&self, node: &str) -> Option<Kind> {
        self.node(node)?.kind()
    }

    /// The way that a link to a queue, or from one, is part of: where one service takes, and of a link from the queue, one
    /// sender sends.
    fn through(&self, link: LinkRef<'_>) -> Option<Way> {
        let takes = self.kind(link.from()) == Some(Kind::Queue);
        let queue = if takes { link.from() } else { link.to() };
        let taking = only(self.links().filter(|other| other.from() == queue))?;
        let publish = if takes { only(self.links().filter(|other| other.to() == queue))? } else { link };
        let sends = matches!(self.kind(publish.from()), Some(Kind::Client | Kind::Service));
        let ends = (self.kind(queue), self.kind(taking.to()));
        (sends && ends == (Some(Kind::Queue), Some(Kind::Service))).then(|| Way {
            publish: publish.id().to_owned(),
            queue: queue.to_owned(),
            taking: taking.id().to_owned(),
            service: taking.to().to_owned(),
        })
    }
}

/// The one link, if there is one and no other.
fn only<'a>(mut links: impl Iterator<Item = LinkRef<'a>>) -> Option<LinkRef<'a>> {
    links.next().filter(|_| links.next().is_none())
}

/// From a sender through a queue to a service, by ids.
struct Way {
    publish: String,
    queue: String,
    taking: String,
    service: String,
}
