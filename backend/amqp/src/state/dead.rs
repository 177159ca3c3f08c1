//! Dead letters: copies that were rejected, expired or dropped, on their way to their queue's dead-letter exchange.
//!
//! A dead-lettered copy is another copy of the same publish, with the same mark. It carries `x-death`, the newest first,
//! as RabbitMQ writes it, and no `expiration`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use amq_protocol::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
use hopscope_rules::queue::Cause;

use super::{Item, QueueId, State};
use crate::exchange::integer;
use crate::message::{MESSAGE_OVERHEAD, Message, without_expiration};
use crate::observer::Observer;
use crate::recipients;
use crate::wire;

const DEATHS: &str = "x-death";

/// A copy that has to be routed on.
pub(super) struct Dead<O: Observer> {
    pub(super) message: Item<O>,
    pub(super) queue: QueueId,
    pub(super) cause: Cause,
    /// Whether it was in the queue, which told that it goes on.
    pub(super) told: bool,
}

impl<O: Observer> State<O> {
    /// Routes what the last step left for dead; what that leaves for dead too.
    pub(super) fn bury(&mut self) {
        while !self.dead.is_empty() {
            for dead in std::mem::take(&mut self.dead) {
                self.bury_one(&dead);
                if let (true, Some(queue)) = (dead.told, self.queues.get(&dead.queue)) {
                    self.observer.buried(&queue.handle);
                }
            }
        }
    }

    /// A full queue refused a copy: with `reject-publish-dlx` it goes to the dead-letter exchange.
    pub(super) fn refused(&mut self, id: QueueId, message: &Item<O>) {
        let Some(queue) = self.queues.get(&id) else { return };
        if queue.declaration.arguments.overflow.as_deref() == Some("reject-publish-dlx")
            && queue.declaration.arguments.dead_letter_exchange.is_some()
        {
            self.dead.push(Dead { message: Arc::clone(message), queue: id, cause: Cause::MaxLength, told: false });
        }
    }

    fn bury_one(&mut self, dead: &Dead<O>) {
        let Some(queue) = self.queues.get(&dead.queue) else { return };
        let arguments = &queue.declaration.arguments;
        let Some(exchange) = arguments.dead_letter_exchange.as_deref().map(wire::short) else { return };
        let key = arguments.dead_letter_routing_key.as_deref().map(wire::short);
        let message = &dead.message;
        let mut headers = deaths(message, &queue.name, dead.cause);
        if key.is_some() {
            headers = recipients::without(&headers, recipients::OPEN);
        }
        let properties = without_expiration(&message.properties).with_headers(headers);
        let raw = wire::properties(&properties);
        let size = message.body.len() + raw.len() + MESSAGE_OVERHEAD;
        let copy = Arc::new(Message {
            exchange,
            copies: if key.is_some() { Vec::new() } else { message.copies.clone() },
            routing_key: key.unwrap_or_else(|| message.routing_key.clone()),
            properties,
            raw,
            body: message.body.clone(),
            mark: message.mark.clone(),
            memory: self.memory.reserve(size),
        });
        let route = self.route(&copy);
        self.reply(&route.replies, &copy);
        for target in route.queues {
            let goes_round = dead.cause != Cause::Rejected
                && self.queues.get(&target).is_some_and(|queue| is_cycle(&copy, &queue.name));
            // A copy that went round without anyone having rejected it would go round for ever.
            if !goes_round {
                self.enqueue(target, &copy, Cause::DeadLettered);
            }
        }
    }
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Rejected => "rejected",
        Cause::MaxLength => "maxlen",
        _ => "expired",
    }
}

/// A message's headers with one more death.
fn deaths<M>(message: &Message<M>, queue: &ShortString, cause: Cause) -> FieldTable {
    let mut headers = message.properties.headers().clone().unwrap_or_default();
    let reason = reason(cause);
    let mut earlier = match headers.inner().get(DEATHS) {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().to_vec(),
        _ => Vec::new(),
    };
    let known =
        earlier.iter().position(|death| is_text(death, "queue", queue.as_str()) && is_text(death, "reason", reason));
    let newest = match known.map(|at| earlier.remove(at)) {
        Some(AMQPValue::FieldTable(mut death)) => {
            let count = death.inner().get("count").and_then(integer).unwrap_or(0);
            death.insert(wire::short("count"), AMQPValue::LongLongInt(count.saturating_add(1)));
            death
        }
        _ => first_death(message, queue, reason),
    };
    earlier.insert(0, AMQPValue::FieldTable(newest));
    headers.insert(wire::short(DEATHS), AMQPValue::FieldArray(FieldArray::from(earlier)));
    if !headers.contains_key("x-first-death-reason") {
        headers.insert(wire::short("x-first-death-reason"), text(reason));
        headers.insert(wire::short("x-first-death-queue"), text(queue.as_str()));
        headers.insert(wire::short("x-first-death-exchange"), text(message.exchange.as_str()));
    }
    headers
}

fn first_death<M>(message: &Message<M>, queue: &ShortString, reason: &str) -> FieldTable {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut death = FieldTable::default();
    death.insert(wire::short("count"), AMQPValue::LongLongInt(1));
    death.insert(wire::short("reason"), text(reason));
    death.insert(wire::short("queue"), text(queue.as_str()));
    death.insert(wire::short("time"), AMQPValue::Timestamp(seconds));
    death.insert(wire::short("exchange"), text(message.exchange.as_str()));
    // Those that receivers may see: its own, and what is left of its headers.
    let more = recipients::copies(&message.properties).unwrap_or_default();
    let keys = std::iter::once(message.routing_key.as_str()).chain(more.iter().map(String::as_str));
    let keys = FieldArray::from(keys.map(text).collect::<Vec<_>>());
    death.insert(wire::short("routing-keys"), AMQPValue::FieldArray(keys));
    if let Some(expiration) = message.properties.expiration().as_ref() {
        death.insert(wire::short("original-expiration"), text(expiration.as_str()));
    }
    death
}

fn is_text(death: &AMQPValue, name: &str, expected: &str) -> bool {
    let AMQPValue::FieldTable(death) = death else { return false };
    matches!(death.inner().get(name), Some(AMQPValue::LongString(found)) if found.as_bytes() == expected.as_bytes())
}

/// Whether a copy died in this queue before and nobody has rejected it since.
fn is_cycle<M>(message: &Message<M>, queue: &ShortString) -> bool {
    let deaths = match message.properties.headers().as_ref().and_then(|headers| headers.inner().get(DEATHS)) {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice(),
        _ => return false,
    };
    let Some(here) = deaths.iter().position(|death| is_text(death, "queue", queue.as_str())) else { return false };
    !deaths.iter().take(here + 1).any(|death| is_text(death, "reason", "rejected"))
}
