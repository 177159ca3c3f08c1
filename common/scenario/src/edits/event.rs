//! Events: who publishes them by their type, and who subscribes. They are drawn as what carries them: an exchange that has a
//! binding for each subscriber's queue, and the type as the key.

use serde_json::{Map, Value};

use super::change::{Change, Target};
use super::convert::Conversion;
use super::document::{Document, LinkRef};
use super::trial::{Added, Trial};
use crate::issue::Issue;
use crate::kinds::Kind;
use crate::model::ExchangeType;
use crate::protocol::{BINDING_KEY, HEADERS, Protocol, ROUTING_KEY};
use crate::routing::{hands_on, text};

/// The binding key of a topic exchange that wants every event.
const EVERY: &str = "#";
/// The longest key that AMQP has, in bytes.
const KEY_BYTES: usize = 255;

/// What a link drawn from one node to another is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// A link over this protocol.
    Link(Protocol),
    /// A service's subscription to an exchange: a queue of its own, and the links through it.
    Subscription,
}

/// An end of an event: the node, and the link there that says which event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventEnd<'a> {
    /// The link to the exchange, or the binding.
    pub link: &'a str,
    /// Who publishes, or who subscribes: the services that take from the bound queue, or the queue while nobody does.
    pub node: &'a str,
}

/// A type of event that comes to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType<'a> {
    /// The routing key; at an exchange that goes by headers, those. Empty where the links have none.
    pub name: &'a str,
    /// Who publishes it, in the document's order.
    pub publishers: Vec<EventEnd<'a>>,
    /// Who gets it, in the document's order.
    pub subscribers: Vec<EventEnd<'a>>,
}

impl Document {
    /// What a link drawn from one node to another is, or why there can be none. A service cannot be linked to an exchange's
    /// messages itself, but subscribes to them.
    ///
    /// # Errors
    /// As [`Document::may_link`]; of a subscription, the Issue that one of its links would have.
    pub fn may_join(&self, from: &str, to: &str) -> Result<Join, Issue> {
        match self.subscribe(from, to, Added { name: "queue", x: 0, y: 0 }) {
            Some(change) => self.refused(&change).map_or(Ok(Join::Subscription), Err),
            None => self.may_link(from, to).map(Join::Link),
        }
    }

    /// Subscribes a service to an exchange: a queue of its own that is bound for every event, and where the exchange has no
    /// patterns, for the first that is published. `None` of other nodes.
    #[must_use]
    pub fn subscribe(&self, exchange: &str, service: &str, queue: Added<'_>) -> Option<Change> {
        if (self.kind(exchange), self.kind(service)) != (Some(Kind::Exchange), Some(Kind::Service)) {
            return None;
        }
        let wanted = match self.routing(exchange) {
            ExchangeType::Topic => EVERY,
            ExchangeType::Direct => self.events(exchange).first().map_or("", |event| event.name),
            ExchangeType::Fanout | ExchangeType::Headers => "",
        };
        let mut trial = Trial::new(self);
        trial.subscribe(exchange, service, wanted, queue)?;
        Some(trial.done())
    }

    /// Makes a call an event: the caller publishes it to an exchange, its own where it has one whose types are patterns, and
    /// the called service subscribes to its type. `None` where that is none of [`Document::conversions`].
    #[must_use]
    pub fn to_event(&self, link: &str, exchange: Added<'_>, queue: Added<'_>) -> Option<Change> {
        let call = self.link(link).filter(|_| self.conversions(link).contains(&Conversion::ToEvent))?;
        let (from, to, target) = (call.from(), call.to(), Target::Link(link.to_owned()));
        let mut trial = Trial::new(self);
        let exchange = match self.publishes_to(from) {
            Some(exchange) => exchange.to_owned(),
            None => trial.add(Kind::Exchange, exchange)?,
        };
        let publisher = Some(self.node(from)?.name().trim()).filter(|name| !name.is_empty()).unwrap_or(from);
        let name = self.fresh_type(&exchange, publisher);
        trial.set(&target, "/to", Value::from(exchange.as_str()))?;
        trial.change_protocol(link, Protocol::Amqp)?;
        trial.set(&target, &format!("/{ROUTING_KEY}"), Value::from(name.as_str()))?;
        trial.subscribe(&exchange, to, &name, queue)?;
        Some(trial.done())
    }

    /// The exchange that a node's events go to already, if their types are patterns there.
    #[must_use]
    pub fn publishes_to(&self, node: &str) -> Option<&str> {
        let to = self.links().filter(|link| link.from() == node).map(|link| link.to());
        to.filter(|to| self.kind(to) == Some(Kind::Exchange)).find(|to| self.routing(to) == ExchangeType::Topic)
    }

    /// The types of event that are published to an exchange, in the document's order, each with who publishes it and who
    /// gets it by the rules of [`crate::routing`].
    #[must_use]
    pub fn events(&self, exchange: &str) -> Vec<EventType<'_>> {
        let routing = self.routing(exchange);
        let by = if routing == ExchangeType::Headers { HEADERS } else { ROUTING_KEY };
        let mut events: Vec<EventType<'_>> = Vec::new();
        for link in self.links().filter(|link| link.to() == exchange) {
            let name = fields(link).map_or("", |fields| text(fields, by));
            let end = EventEnd { link: link.id(), node: link.from() };
            match events.iter_mut().find(|event| event.name == name) {
                Some(event) => event.publishers.push(end),
                None => events.push(EventType {
                    name,
                    publishers: vec![end],
                    subscribers: self.subscribers(exchange, routing, link),
                }),
            }
        }
        events
    }

    /// Who gets what is published over a link.
    fn subscribers(&self, exchange: &str, routing: ExchangeType, publish: LinkRef<'_>) -> Vec<EventEnd<'_>> {
        let gets = |binding: &LinkRef<'_>| {
            binding.from() == exchange
                && fields(publish)
                    .zip(fields(*binding))
                    .is_some_and(|(publish, binding)| hands_on(routing, publish, binding))
        };
        let ends = self.links().filter(gets).flat_map(|binding| {
            let queue = binding.to();
            let takers: Vec<_> = self.links().filter(|link| link.from() == queue).map(|link| link.to()).collect();
            let nodes = if takers.is_empty() { vec![queue] } else { takers };
            nodes.into_iter().map(move |node| EventEnd { link: binding.id(), node })
        });
        ends.collect()
    }

    /// How an exchange decides; where that is no type, as a new one does.
    fn routing(&self, exchange: &str) -> ExchangeType {
        let kind = self.get(&Target::Node(exchange.to_owned()), "/type");
        kind.and_then(|kind| serde_json::from_value(kind.clone()).ok()).unwrap_or(ExchangeType::Topic)
    }

    /// A type that an exchange has none of yet, named after who publishes it: `shop.1`.
    fn fresh_type(&self, exchange: &str, publisher: &str) -> String {
        let mut word: String =
            publisher.chars().flat_map(char::to_lowercase).map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        while word.len() > KEY_BYTES / 2 {
            word.pop();
        }
        let taken = self.events(exchange);
        let mut number = 1_u32;
        loop {
            let name = format!("{word}.{number}");
            if taken.iter().all(|event| event.name != name) {
                return name;
            }
            number = number.wrapping_add(1);
        }
    }

    /// The bindings that name exactly the type that a change calls otherwise, where nobody else publishes it.
    pub(super) fn subscribed(&self, change: &Change) -> Vec<String> {
        let Change::Set { target: Target::Link(id), pointer, .. } = change else { return Vec::new() };
        let Some(link) = self.link(id).filter(|_| pointer.strip_prefix('/') == Some(ROUTING_KEY)) else {
            return Vec::new();
        };
        let exchange = link.to();
        let mut events = self.events(exchange).into_iter();
        let Some(event) = events.find(|event| matches!(event.publishers[..], [only] if only.link == id)) else {
            return Vec::new();
        };
        let exact = |link: &LinkRef<'_>| {
            link.from() == exchange && fields(*link).is_some_and(|fields| text(fields, BINDING_KEY) == event.name)
        };
        let bindings = self.links().filter(|_| !event.name.is_empty()).filter(exact);
        bindings.map(|link| link.id().to_owned()).collect()
    }
}

impl Trial {
    /// A queue between an exchange and a service that takes as many messages as that has workers; gives the binding.
    fn subscribe(&mut self, exchange: &str, service: &str, wanted: &str, queue: Added<'_>) -> Option<String> {
        let queue = self.queue_of(service, queue)?;
        let binding = self.link(exchange, &queue, Protocol::Amqp)?;
        if !wanted.is_empty() {
            self.set(&Target::Link(binding.clone()), &format!("/{BINDING_KEY}"), Value::from(wanted))?;
        }
        self.link(&queue, service, Protocol::Amqp)?;
        Some(binding)
    }
}

/// A change of a type, and with it of the bindings that name it.
pub(super) fn with_subscriptions(change: Change, bindings: &[String]) -> Change {
    let Change::Set { value, pointer, .. } = &change else { return change };
    if bindings.is_empty() || pointer.strip_prefix('/') != Some(ROUTING_KEY) {
        return change;
    }
    let pointer = format!("/{BINDING_KEY}");
    let along = bindings.iter().map(|id| Change::Set {
        target: Target::Link(id.clone()),
        pointer: pointer.clone(),
        value: value.clone(),
    });
    Change::Group(along.chain([change.clone()]).collect())
}

fn fields(link: LinkRef<'_>) -> Option<&Map<String, Value>> {
    link.value().as_object()
}
