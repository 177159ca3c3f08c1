//! A call made into a queue, and back: the same work asked for in the other way.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::{Document, LinkRef};
use super::steps::step_over;
use crate::kinds::Kind;
use crate::protocol::{Protocol, Style};

/// The field of a link that names the queue of its replies.
const REPLIES: &str = "/replies";

/// What a link may be made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// The call becomes a message that the service takes from a queue.
    ToQueue,
    /// The message to a queue, and its taking from there, become a call of the service that takes it.
    ToCall,
}

/// A node that a conversion adds: its name, its left and its top in canvas units.
#[derive(Clone, Copy, Debug)]
pub struct Added<'a> {
    /// What it is called; numbered where the name is taken.
    pub name: &'a str,
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
}

impl Document {
    /// What a link may be made into; `None` of one that is neither a call of a service nor the way of a queue's messages to
    /// the one service that takes them.
    #[must_use]
    pub fn conversion(&self, link: &str) -> Option<Conversion> {
        let link = self.link(link)?;
        match link.protocol()?.descriptor().style {
            Style::Sync => (self.kind(link.to()) == Some(Kind::Service)).then_some(Conversion::ToQueue),
            Style::Async => self.through(link).map(|_| Conversion::ToCall),
        }
    }

    /// Makes a call into messages that the service takes from a queue. A client has the replies come back through a second
    /// queue, so that it is answered as before; a service goes on when the broker has the message. `None` where
    /// [`Document::conversion`] says otherwise.
    #[must_use]
    pub fn to_queue(&self, link: &str, queue: Added<'_>, replies: Added<'_>) -> Option<Change> {
        let call = self.link(link).filter(|_| self.conversion(link) == Some(Conversion::ToQueue))?;
        let (from, to, target) = (call.from(), call.to(), Target::Link(link.to_owned()));
        let mut trial = Trial::new(self);
        let queue = trial.add_queue(queue)?;
        // As many messages as it has workers, so that none of them is idle.
        if let Some(workers) = self.get(&Target::Node(to.to_owned()), "/workers").filter(|workers| **workers != 1) {
            trial.set(&Target::Node(queue.clone()), "/prefetch", workers.clone())?;
        }
        trial.set(&target, "/to", Value::from(queue.as_str()))?;
        trial.change_protocol(link, Protocol::Amqp)?;
        if self.kind(from) == Some(Kind::Client) {
            let replies = trial.add_queue(replies)?;
            trial.set(&target, REPLIES, Value::from(replies))?;
        }
        let (_, taking) = trial.document.add_link(&queue, to, Protocol::Amqp);
        trial.apply(taking)?;
        Some(Change::Group(trial.changes))
    }

    /// Makes the way through a queue into a call of the service that takes from it. Queues that nothing is sent to any more go,
    /// the one of the replies too. `None` where [`Document::conversion`] says otherwise.
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
        Some(Change::Group(trial.changes))
    }

    /// Gives a link another protocol: what only the one before can have goes. `None` where there is no such link.
    #[must_use]
    pub fn to_protocol(&self, link: &str, protocol: Protocol) -> Option<Change> {
        let mut trial = Trial::new(self);
        trial.change_protocol(link, protocol)?;
        Some(Change::Group(trial.changes))
    }

    fn kind(&self, node: &str) -> Option<Kind> {
        self.node(node)?.kind()
    }

    /// The way that a link to a queue, or from one, is part of: where one service takes, and of a link from the queue, one
    /// sender sends.
    fn through(&self, link: LinkRef<'_>) -> Option<Way> {
        let takes = self.kind(link.from()) == Some(Kind::Queue);
        let queue = if takes { link.from() } else { link.to() };
        let taking = only(self.links().filter(|other| other.from() == queue))?;
        let publish = if takes { only(self.links().filter(|other| other.to() == queue))? } else { link };
        let ends = (self.kind(queue), self.kind(taking.to()));
        (ends == (Some(Kind::Queue), Some(Kind::Service))).then(|| Way {
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

/// Changes, and the document as they make it: a later one finds the ids of an earlier one taken.
struct Trial {
    document: Document,
    changes: Vec<Change>,
}

impl Trial {
    fn new(document: &Document) -> Self {
        Self { document: document.clone(), changes: Vec::new() }
    }

    fn apply(&mut self, change: Change) -> Option<()> {
        self.document.apply(&change).ok()?;
        self.changes.push(change);
        Some(())
    }

    fn set(&mut self, target: &Target, pointer: &str, value: Value) -> Option<()> {
        self.apply(Change::set(target.clone(), pointer, value))
    }

    fn add_queue(&mut self, Added { name, x, y }: Added<'_>) -> Option<String> {
        let (id, change) = self.document.add_node(Kind::Queue.descriptor(), name, x, y);
        self.apply(change)?;
        Some(id)
    }

    /// Gives a link another protocol: what only the one before can have goes, and steps take the link as the new one does.
    fn change_protocol(&mut self, link: &str, protocol: Protocol) -> Option<()> {
        let target = Target::Link(link.to_owned());
        let before = self.document.link(link)?;
        let from = before.from().to_owned();
        let options = |protocol| self.document.options_between(&from, before.to(), protocol);
        let (has, had) = (options(protocol), before.protocol().map_or(&[][..], options));
        let lost: Vec<_> = had.iter().map(|field| field.name).collect();
        for name in lost.into_iter().filter(|name| has.iter().all(|field| field.name != *name)) {
            if self.document.get(&target, &format!("/{name}")).is_some() {
                self.apply(Change::unset(target.clone(), &format!("/{name}")))?;
            }
        }
        self.set(&target, "/protocol", Value::from(protocol.descriptor().id))?;
        let body = self.document.node(&from).and_then(|node| node.body().cloned());
        if let Some(mut body) = body {
            let before = body.clone();
            take_as(&mut body, link, step_over(protocol));
            if body != before {
                self.set(&Target::Node(from), "/body", Value::Array(body))?;
            }
        }
        Some(())
    }
}

/// Lets every step that takes a link be of this kind.
fn take_as(steps: &mut [Value], link: &str, step: &str) {
    for taking in steps {
        if taking.get("link").and_then(Value::as_str) == Some(link)
            && let Some(kind) = taking.get_mut("step")
        {
            *kind = Value::from(step);
        }
        for branch in taking.get_mut("branches").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::Array(steps)) = branch.get_mut("steps") {
                take_as(steps, link, step);
            }
        }
    }
}
