//! Arguments of queues and consumers, as RabbitMQ checks them for classic queues: in its order, with its reply texts.
//!
//! What RabbitMQ takes and has no use for, as `x-queue-mode` in a broker without a disk, is checked and ignored. What it
//! does not know at all, it ignores, and so does this.

use amq_protocol::types::{AMQPValue, FieldTable};
use hopscope_rules::queue::{Overflow, Settings};

use crate::exchange::integer;
use crate::fault::Fault;
use crate::message::ms_to_ns;
use crate::term;

/// RabbitMQ's longest time: ten years.
const MILLISECONDS_MAX: u64 = 315_360_000_000;

/// RabbitMQ's highest priority of a message.
const MAX_PRIORITY: u64 = 255;

const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";

/// What RabbitMQ has for quorum queues and streams only.
const OF_OTHER_TYPES: [&str; 9] = [
    "x-dead-letter-strategy",
    "x-delivery-limit",
    "x-initial-cluster-size",
    "x-max-age",
    "x-max-in-memory-bytes",
    "x-max-in-memory-length",
    "x-queue-leader-locator",
    "x-quorum-initial-group-size",
    "x-stream-max-segment-size-bytes",
];

/// The arguments of a queue that this broker acts by.
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
    /// Reads the arguments of a declaration of `name` in `vhost`.
    ///
    /// # Errors
    /// 406 for what RabbitMQ refuses, and for the types of queues that this broker does not have.
    pub(super) fn parse(table: &FieldTable, name: &str, vhost: &str) -> Result<Self, Fault> {
        if let Some(value) = table.inner().get(DEAD_LETTER_EXCHANGE).filter(|value| text(value).is_err()) {
            return Err(Fault::precondition_failed(format_args!(
                "invalid type '{}' for arg '{DEAD_LETTER_EXCHANGE}' in queue '{name}' in vhost '{vhost}'",
                term::type_name(value)
            )));
        }
        let read = Reader { table, name, vhost };
        read.get("x-queue-type", queue_type)?;
        let expires_ms = read.get("x-expires", expires)?;
        let message_ttl_ms = read.get("x-message-ttl", |value| milliseconds(whole(value)?))?;
        let dead_letter_exchange = read.get(DEAD_LETTER_EXCHANGE, text)?;
        let dead_letter_routing_key = read.get("x-dead-letter-routing-key", |value| match text(value) {
            Ok(_) if dead_letter_exchange.is_none() => Err("routing_key_but_no_dlx_defined".to_owned()),
            read => read,
        })?;
        let max_length = read.get("x-max-length", natural)?;
        let max_length_bytes = read.get("x-max-length-bytes", natural)?;
        let max_priority = read.get("x-max-priority", max_priority)?;
        let overflow = read.get("x-overflow", overflow)?;
        read.get("x-queue-mode", queue_mode)?;
        read.get("x-queue-version", queue_version)?;
        let single_active_consumer = read.get("x-single-active-consumer", boolean)?;
        read.refuse(&OF_OTHER_TYPES)?;
        Ok(Self {
            expires_ms,
            message_ttl_ms,
            max_priority,
            max_length,
            max_length_bytes,
            overflow,
            dead_letter_exchange,
            dead_letter_routing_key,
            single_active_consumer,
        })
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
}

/// The arguments of a `basic.consume` that this broker acts by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ConsumeArguments {
    /// `x-priority`.
    pub(super) priority: i64,
}

impl ConsumeArguments {
    /// Reads the arguments of a consumer of queue `name` in `vhost`.
    ///
    /// # Errors
    /// 406 for what RabbitMQ refuses.
    pub(super) fn parse(table: &FieldTable, name: &str, vhost: &str) -> Result<Self, Fault> {
        let read = Reader { table, name, vhost };
        let priority = read.get("x-priority", whole)?.unwrap_or(0);
        // There are no replicas that could fail over.
        read.get("x-cancel-on-ha-failover", boolean)?;
        read.refuse(&["x-stream-offset"])?;
        Ok(Self { priority })
    }
}

/// Reads arguments for the queue of this name. What is wrong with one is told in Erlang's notation.
struct Reader<'a> {
    table: &'a FieldTable,
    name: &'a str,
    vhost: &'a str,
}

impl Reader<'_> {
    fn get<T>(&self, argument: &str, read: impl FnOnce(&AMQPValue) -> Result<T, String>) -> Result<Option<T>, Fault> {
        let Some(value) = self.table.inner().get(argument) else { return Ok(None) };
        let Self { name, vhost, .. } = self;
        read(value).map(Some).map_err(|why| {
            Fault::precondition_failed(format_args!(
                "invalid arg '{argument}' for queue '{name}' in vhost '{vhost}': {why}"
            ))
        })
    }

    /// Refuses what is for queues of other types only.
    fn refuse(&self, of_other_types: &[&str]) -> Result<(), Fault> {
        let mut arguments = self.table.inner().keys();
        let Some(argument) = arguments.find(|argument| of_other_types.contains(&argument.as_str())) else {
            return Ok(());
        };
        Err(Fault::precondition_failed(format_args!(
            "invalid arg '{argument}' for queue '{}' in vhost '{}' of queue type rabbit_classic_queue",
            self.name, self.vhost
        )))
    }
}

fn queue_type(value: &AMQPValue) -> Result<(), String> {
    match text(value)?.as_str() {
        "classic" => Ok(()),
        known @ ("quorum" | "stream") => {
            Err(term::quoted(format!("Hopscope's built-in broker has classic queues only, not '{known}'")))
        }
        other => Err(term::quoted(format!("unsupported queue type '{other}'"))),
    }
}

fn expires(value: &AMQPValue) -> Result<u64, String> {
    match whole(value)? {
        0 => Err("{value_zero,0}".to_owned()),
        ms => milliseconds(ms),
    }
}

fn max_priority(value: &AMQPValue) -> Result<u64, String> {
    let highest = natural(value)?;
    if highest > MAX_PRIORITY { Err(format!("{{max_value_exceeded,{highest}}}")) } else { Ok(highest) }
}

fn overflow(value: &AMQPValue) -> Result<String, String> {
    let mode = text(value)?;
    let known = matches!(mode.as_str(), "drop-head" | "reject-publish" | "reject-publish-dlx");
    if known { Ok(mode) } else { Err("invalid_overflow".to_owned()) }
}

fn queue_mode(value: &AMQPValue) -> Result<(), String> {
    match text(value)?.as_str() {
        "default" | "lazy" => Ok(()),
        other => Err(term::quoted(format!("unsupported queue mode '{other}'"))),
    }
}

fn queue_version(value: &AMQPValue) -> Result<(), String> {
    match natural(value)? {
        1 | 2 => Ok(()),
        other => Err(term::quoted(format!("unsupported queue version '{other}'"))),
    }
}

fn whole(value: &AMQPValue) -> Result<i64, String> {
    integer(value).ok_or_else(|| term::quoted(format!("expected integer, got {}", term::type_name(value))))
}

fn natural(value: &AMQPValue) -> Result<u64, String> {
    let value = whole(value)?;
    u64::try_from(value).map_err(|_| format!("{{value_negative,{value}}}"))
}

fn milliseconds(ms: i64) -> Result<u64, String> {
    match u64::try_from(ms) {
        Err(_) => Err(format!("{{value_negative,{ms}}}")),
        Ok(ms) if ms > MILLISECONDS_MAX => Err(format!("{{value_too_large,{ms}}}")),
        Ok(ms) => Ok(ms),
    }
}

fn boolean(value: &AMQPValue) -> Result<bool, String> {
    match value {
        AMQPValue::Boolean(value) => Ok(*value),
        _ => Err(unacceptable(value)),
    }
}

fn text(value: &AMQPValue) -> Result<String, String> {
    match value {
        AMQPValue::LongString(text) => Ok(text.to_string()),
        _ => Err(unacceptable(value)),
    }
}

fn unacceptable(value: &AMQPValue) -> String {
    format!("{{unacceptable_type,{}}}", term::type_name(value))
}
