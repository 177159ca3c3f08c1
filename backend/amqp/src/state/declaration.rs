//! What a queue is declared with, and whether two declarations are the same.

use amq_protocol::types::{AMQPValue, FieldTable, ShortString};
use hopscope_rules::queue::{Overflow, Settings};

use super::VHOST;
use super::arguments::{milliseconds, whole};
use super::terms::type_name;
use crate::exchange::integer;
use crate::fault::Fault;
use crate::message::ms_to_ns;
use crate::observer::ConnectionId;

/// What RabbitMQ knows and this broker does not: refused, since a queue without it would not be what was asked for.
const NOT_HERE: [&str; 2] = ["x-delivery-limit", "x-dead-letter-strategy"];

/// RabbitMQ's highest priority.
const MAX_PRIORITY: u64 = 255;

/// The argument that asks for another type of queue than the classic one.
fn foreign_type(table: &FieldTable) -> Option<&'static str> {
    const TYPE: &str = "x-queue-type";
    match table.inner().get(TYPE) {
        None => None,
        Some(AMQPValue::LongString(kind)) if kind.as_bytes() == b"classic" => None,
        Some(_) => Some(TYPE),
    }
}

/// What a queue was declared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Declaration {
    pub(super) flags: QueueFlags,
    pub(super) exclusive_to: Option<ConnectionId>,
    pub(super) arguments: Arguments,
}

/// The flags of a declaration.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct QueueFlags {
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
}

/// The arguments that this broker knows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Arguments {
    /// How long the queue may be unused.
    pub(crate) expires_ms: Option<u64>,
    pub(crate) message_ttl_ms: Option<u64>,
    pub(crate) max_priority: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) max_length_bytes: Option<u64>,
    pub(crate) overflow: Option<String>,
    pub(crate) dead_letter_exchange: Option<String>,
    pub(crate) dead_letter_routing_key: Option<String>,
    pub(crate) single_active_consumer: Option<bool>,
}

impl Arguments {
    /// Reads the arguments of a declaration of `name`.
    pub(super) fn parse(table: &FieldTable, name: &str) -> Result<Self, Fault> {
        let invalid = |argument: &str, why: &str| {
            Fault::precondition_failed(format_args!(
                "invalid arg '{argument}' for queue '{name}' in vhost '{VHOST}': {why}"
            ))
        };
        let number = |argument: &str| match table.inner().get(argument) {
            None => Ok(None),
            Some(value) => match integer(value) {
                Some(value) => u64::try_from(value)
                    .map(Some)
                    .map_err(|_| invalid(argument, &format!("{{value_negative,{value}}}"))),
                None => Err(invalid(argument, "{unacceptable_type,number expected}")),
            },
        };
        let text = |argument: &str| match table.inner().get(argument) {
            None => Ok(None),
            Some(AMQPValue::LongString(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(invalid(argument, "{unacceptable_type,longstr expected}")),
        };
        let truth = |argument: &str| match table.inner().get(argument) {
            None => Ok(None),
            Some(AMQPValue::Boolean(value)) => Ok(Some(*value)),
            Some(value) => Err(invalid(argument, &format!("{{unacceptable_type,{}}}", type_name(value)))),
        };
        let foreign = NOT_HERE.into_iter().find(|argument| table.contains_key(argument));
        if let Some(argument) = foreign.or_else(|| foreign_type(table)) {
            return Err(invalid(argument, "not implemented by this broker"));
        }
        let expires = match table.inner().get("x-expires") {
            None => None,
            Some(value) => Some(expires(value).map_err(|why| invalid("x-expires", &why))?),
        };
        let arguments = Self {
            expires_ms: expires,
            message_ttl_ms: number("x-message-ttl")?,
            max_priority: number("x-max-priority")?,
            max_length: number("x-max-length")?,
            max_length_bytes: number("x-max-length-bytes")?,
            overflow: text("x-overflow")?,
            dead_letter_exchange: text("x-dead-letter-exchange")?,
            dead_letter_routing_key: text("x-dead-letter-routing-key")?,
            single_active_consumer: truth("x-single-active-consumer")?,
        };
        if !matches!(arguments.overflow.as_deref(), None | Some("drop-head" | "reject-publish" | "reject-publish-dlx"))
        {
            return Err(invalid("x-overflow", "invalid_overflow"));
        }
        if let Some(highest) = arguments.max_priority.filter(|highest| *highest > MAX_PRIORITY) {
            return Err(invalid("x-max-priority", &format!("{{max_value_exceeded,{highest}}}")));
        }
        if arguments.dead_letter_routing_key.is_some() && arguments.dead_letter_exchange.is_none() {
            return Err(invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"));
        }
        Ok(arguments)
    }

    pub(super) fn settings(&self) -> Settings {
        let reject = matches!(self.overflow.as_deref(), Some("reject-publish" | "reject-publish-dlx"));
        Settings {
            max_length: self.max_length.map(|max| u32::try_from(max).unwrap_or(u32::MAX)),
            max_bytes: self.max_length_bytes,
            overflow: if reject { Overflow::RejectPublish } else { Overflow::DropHead },
            ttl: self.message_ttl_ms.map(ms_to_ns),
            dead_letters: self.dead_letter_exchange.is_some(),
            max_priority: self.max_priority.and_then(|highest| u8::try_from(highest).ok()),
            single_active_consumer: self.single_active_consumer == Some(true),
        }
    }

    /// The first that another declaration has otherwise, with both values.
    fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let numbers = [
            ("x-expires", self.expires_ms, other.expires_ms),
            ("x-message-ttl", self.message_ttl_ms, other.message_ttl_ms),
            ("x-max-priority", self.max_priority, other.max_priority),
            ("x-max-length", self.max_length, other.max_length),
            ("x-max-length-bytes", self.max_length_bytes, other.max_length_bytes),
        ];
        let texts = [
            ("x-overflow", &self.overflow, &other.overflow),
            ("x-dead-letter-exchange", &self.dead_letter_exchange, &other.dead_letter_exchange),
            ("x-dead-letter-routing-key", &self.dead_letter_routing_key, &other.dead_letter_routing_key),
        ];
        let told = |value: Option<String>| value.map_or_else(|| "none".to_owned(), |value| format!("'{value}'"));
        let numbers = numbers.into_iter().filter(|(_, own, others)| own != others).map(|(name, own, others)| {
            (name, told(own.map(|own| own.to_string())), told(others.map(|others| others.to_string())))
        });
        let texts = texts
            .into_iter()
            .filter(|(_, own, others)| own != others)
            .map(|(name, own, others)| (name, told(own.clone()), told(others.clone())));
        let (own, others) = (self.single_active_consumer, other.single_active_consumer);
        let truths = (own != others).then(|| {
            ("x-single-active-consumer", told(own.map(|own| own.to_string())), told(others.map(|it| it.to_string())))
        });
        numbers.chain(texts).chain(truths).next()
    }
}

/// How long a queue may be unused, ms, or what is wrong with it.
fn expires(value: &AMQPValue) -> Result<u64, String> {
    match whole(value)? {
        0 => Err("{value_zero,0}".to_owned()),
        ms => milliseconds(ms),
    }
}

/// Checks that a queue that is there was declared as it is asked for.
pub(super) fn check_same(own: &Declaration, asked: &Declaration, name: &ShortString) -> Result<(), Fault> {
    let flags = [
        ("durable", own.flags.durable, asked.flags.durable),
        ("auto_delete", own.flags.auto_delete, asked.flags.auto_delete),
        ("exclusive", own.exclusive_to.is_some(), asked.exclusive_to.is_some()),
    ];
    let flags = flags.into_iter().filter(|(_, own, asked)| own != asked);
    let mut flags = flags.map(|(flag, own, asked)| (flag, format!("'{own}'"), format!("'{asked}'")));
    let difference = flags.next().or_else(|| own.arguments.difference(&asked.arguments));
    let Some((argument, own, asked)) = difference else { return Ok(()) };
    Err(Fault::precondition_failed(format_args!(
        "inequivalent arg '{argument}' for queue '{name}' in vhost '{VHOST}': received {asked} but current is {own}"
    )))
}
