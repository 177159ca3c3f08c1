//! What a queue is declared with, and whether two declarations are the same.

use amq_protocol::types::{AMQPValue, FieldTable, ShortString};

use super::arguments::Arguments;
use crate::exchange::integer;
use crate::fault::Fault;
use crate::observer::ConnectionId;
use crate::term::{text as plain, type_name};

/// The arguments that RabbitMQ compares, in its order.
const COMPARED: [&str; 13] = [
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-queue-version",
    "x-single-active-consumer",
    QUEUE_TYPE,
    "x-queue-master-locator",
];

const QUEUE_TYPE: &str = "x-queue-type";

/// What a queue was declared with.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Declaration {
    pub(super) flags: QueueFlags,
    pub(super) exclusive_to: Option<ConnectionId>,
    pub(super) arguments: Arguments,
    /// The arguments that count when it is declared again, as they came.
    compared: FieldTable,
}

/// The flags of a declaration.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct QueueFlags {
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
}

impl Declaration {
    pub(super) fn new(
        flags: QueueFlags,
        exclusive_to: Option<ConnectionId>,
        arguments: Arguments,
        table: &FieldTable,
    ) -> Self {
        let mut compared = FieldTable::default();
        for (name, value) in table.inner().iter().filter(|(name, _)| COMPARED.contains(&name.as_str())) {
            compared.insert(name.clone(), value.clone());
        }
        Self { flags, exclusive_to, arguments, compared }
    }

    /// Checks that a queue that is there was declared as it is asked for now. The arguments that are asked for need not be
    /// good ones: RabbitMQ only compares them then.
    ///
    /// # Errors
    /// 405 where one of the two is exclusive and the other is not, or not to the same connection; 406 for the first other
    /// difference.
    pub(super) fn check_same(
        &self,
        name: &ShortString,
        vhost: &str,
        flags: QueueFlags,
        exclusive_to: Option<ConnectionId>,
        table: &FieldTable,
    ) -> Result<(), Fault> {
        if self.exclusive_to != exclusive_to {
            return Err(locked(name, vhost));
        }
        let inequivalent = |argument: &str, own: String, asked: String| {
            Err(Fault::precondition_failed(format_args!(
                "inequivalent arg '{argument}' for queue '{name}' in vhost '{vhost}': received {asked} but current is {own}"
            )))
        };
        let both = [
            ("durable", self.flags.durable, flags.durable),
            ("auto_delete", self.flags.auto_delete, flags.auto_delete),
        ];
        if let Some((flag, own, asked)) = both.into_iter().find(|(_, own, asked)| own != asked) {
            return inequivalent(flag, format!("'{own}'"), format!("'{asked}'"));
        }
        for argument in COMPARED {
            let (own, asked) = (self.compared.inner().get(argument), table.inner().get(argument));
            if !equivalent(argument, own, asked) {
                let (own, asked) = told(own, asked);
                return inequivalent(argument, own, asked);
            }
        }
        Ok(())
    }
}

/// Whether two values are the same to RabbitMQ: numbers whatever their width, and no type of queue is the classic one.
fn equivalent(argument: &str, own: Option<&AMQPValue>, asked: Option<&AMQPValue>) -> bool {
    match (own, asked) {
        (Some(own), Some(asked)) => {
            let numbers = number(own).zip(number(asked));
            own == asked || numbers.is_some_and(|(own, asked)| own == asked)
        }
        (None, None) => true,
        (Some(AMQPValue::LongString(kind)), None) | (None, Some(AMQPValue::LongString(kind))) => {
            argument == QUEUE_TYPE && kind.as_bytes() == b"classic"
        }
        _ => false,
    }
}

/// An integer of any width, or a time stamp, which RabbitMQ does not tell from one here.
fn number(value: &AMQPValue) -> Option<i128> {
    match value {
        AMQPValue::Timestamp(seconds) => Some(i128::from(*seconds)),
        other => integer(other).map(i128::from),
    }
}

/// Two values as RabbitMQ tells them: with their types where there is only one.
fn told(own: Option<&AMQPValue>, asked: Option<&AMQPValue>) -> (String, String) {
    let typed = |value: Option<&AMQPValue>| {
        value.map_or_else(
            || "none".to_owned(),
            |value| format!("the value '{}' of type '{}'", plain(value), type_name(value)),
        )
    };
    match (own, asked) {
        (Some(own), Some(asked)) => (untyped(own), untyped(asked)),
        _ => (typed(own), typed(asked)),
    }
}

fn untyped(value: &AMQPValue) -> String {
    if *value == AMQPValue::Void { "none".to_owned() } else { format!("'{}'", plain(value)) }
}

/// A queue that another connection has for itself, or that is not as exclusive as it is asked for.
pub(super) fn locked(name: &ShortString, vhost: &str) -> Fault {
    Fault::resource_locked(format_args!(
        "cannot obtain exclusive access to locked queue '{name}' in vhost '{vhost}'. It could be originally declared on \
         another connection or the exclusive property value does not match that of the original declaration."
    ))
}
