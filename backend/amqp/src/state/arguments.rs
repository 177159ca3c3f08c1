//! Arguments, as RabbitMQ checks them for classic queues, with its reply texts.

use amq_protocol::types::{AMQPValue, FieldTable};

use super::VHOST;
use super::terms::type_name;
use crate::exchange::integer;
use crate::fault::Fault;

/// RabbitMQ's longest time: ten years.
const MILLISECONDS_MAX: u64 = 315_360_000_000;

/// The arguments of a `basic.consume` that this broker knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ConsumeArguments {
    /// `x-priority`.
    pub(super) priority: i64,
}

impl ConsumeArguments {
    /// Reads the arguments of a consumer of queue `name`. What RabbitMQ does not know, it ignores, and so does this.
    ///
    /// # Errors
    /// 406, where RabbitMQ has it.
    pub(super) fn parse(table: &FieldTable, name: &str) -> Result<Self, Fault> {
        let invalid = |argument, why: String| invalid(argument, name, &why);
        let argument = |name: &'static str| table.inner().get(name).map(|value| (name, value));
        let priority = match argument("x-priority") {
            Some((name, value)) => whole(value).map_err(|why| invalid(name, why))?,
            None => 0,
        };
        // It has no replicas that could fail over.
        if let Some((name, value)) = argument("x-cancel-on-ha-failover") {
            boolean(value).map_err(|why| invalid(name, why))?;
        }
        foreign(table, name, &["x-stream-offset"])?;
        Ok(Self { priority })
    }
}

/// Refuses what RabbitMQ has for queues of other types only.
fn foreign(table: &FieldTable, name: &str, of_others: &[&str]) -> Result<(), Fault> {
    let Some(argument) = table.inner().keys().find(|argument| of_others.contains(&argument.as_str())) else {
        return Ok(());
    };
    Err(Fault::precondition_failed(format_args!(
        "invalid arg '{argument}' for queue '{name}' in vhost '{VHOST}' of queue type rabbit_classic_queue"
    )))
}

/// A bad argument; `why` in Erlang's notation.
fn invalid(argument: &str, name: &str, why: &str) -> Fault {
    Fault::precondition_failed(format_args!("invalid arg '{argument}' for queue '{name}' in vhost '{VHOST}': {why}"))
}

/// An integer of any width, or what is wrong with it.
pub(super) fn whole(value: &AMQPValue) -> Result<i64, String> {
    integer(value).ok_or_else(|| format!("\"expected integer, got {}\"", type_name(value)))
}

/// A length of time, or what is wrong with it.
pub(super) fn milliseconds(ms: i64) -> Result<u64, String> {
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

fn unacceptable(value: &AMQPValue) -> String {
    format!("{{unacceptable_type,{}}}", type_name(value))
}
