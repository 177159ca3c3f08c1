//! Exchanges: declare and delete.

use amq_protocol::protocol::{AMQPClass, exchange};
use amq_protocol::types::AMQPValue;

use super::publish::no_exchange;
use super::{QueueId, State};
use crate::exchange::{Exchange, ExchangeKind};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};
use crate::term;

/// The argument that names the exchange for what finds no way.
const ALTERNATE: &str = "alternate-exchange";

impl<O: Observer> State<O> {
    pub(super) fn declare_exchange(
        &mut self,
        id: ConnectionId,
        number: u16,
        declare: &exchange::Declare,
    ) -> Result<(), Fault> {
        let name = &declare.exchange;
        if declare.passive {
            if name.as_str().is_empty() {
                return Err(default_exchange());
            }
            if !self.exchanges.contains_key(name) {
                return Err(no_exchange(name.as_str(), &self.vhost));
            }
        } else {
            self.ensure_exchange(declare)?;
        }
        if !declare.nowait {
            let method = exchange::AMQPMethod::DeclareOk(exchange::DeclareOk {});
            self.send(id, number, &AMQPClass::Exchange(method));
        }
        Ok(())
    }

    fn ensure_exchange(&mut self, declare: &exchange::Declare) -> Result<(), Fault> {
        let name = &declare.exchange;
        let kind = exchange_kind(declare.kind.as_str())?;
        if name.as_str().is_empty() {
            return Err(default_exchange());
        }
        if let Some(own) = self.exchanges.get(name) {
            return check_same(own, kind, declare, &self.vhost);
        }
        if name.as_str().starts_with("amq.") {
            return Err(Fault::access_refused(format_args!("exchange name '{name}' contains reserved prefix 'amq.*'")));
        }
        let alternate = match declare.arguments.inner().get(ALTERNATE) {
            None => None,
            Some(AMQPValue::LongString(alternate)) => Some(alternate.to_string()),
            Some(other) => {
                return Err(Fault::precondition_failed(format_args!(
                    "invalid type '{}' for arg '{ALTERNATE}' in exchange '{name}' in vhost '{}'",
                    term::type_name(other),
                    self.vhost
                )));
            }
        };
        let mut exchange = Exchange::new(kind, declare.durable);
        exchange.alternate = alternate;
        exchange.auto_delete = declare.auto_delete;
        exchange.internal = declare.internal;
        self.exchanges.insert(name.clone(), exchange);
        Ok(())
    }

    pub(super) fn delete_exchange(
        &mut self,
        id: ConnectionId,
        number: u16,
        delete: &exchange::Delete,
    ) -> Result<(), Fault> {
        let name = &delete.exchange;
        if name.as_str().is_empty() {
            return Err(default_exchange());
        }
        if name.as_str().starts_with("amq.") {
            return Err(Fault::access_refused(format_args!(
                "deletion of system exchange '{name}' in vhost '{}' not allowed",
                self.vhost
            )));
        }
        if delete.if_unused && self.exchanges.get(name).is_some_and(Exchange::has_bindings) {
            return Err(Fault::precondition_failed(format_args!("exchange '{name}' in vhost '{}' in use", self.vhost)));
        }
        // What is not there is as good as deleted.
        self.remove_exchange(name);
        if !delete.nowait {
            let method = exchange::AMQPMethod::DeleteOk(exchange::DeleteOk {});
            self.send(id, number, &AMQPClass::Exchange(method));
        }
        Ok(())
    }
}

/// The default exchange is bound to every queue, and to nothing else.
pub(super) fn default_exchange() -> Fault {
    Fault::access_refused("operation not permitted on the default exchange")
}

fn exchange_kind(name: &str) -> Result<ExchangeKind, Fault> {
    // RabbitMQ knows the empty name, as no type of exchanges.
    let what = if name.is_empty() { "invalid" } else { "unknown" };
    ExchangeKind::parse(name).ok_or_else(|| Fault::command_invalid(format_args!("{what} exchange type '{name}'")))
}

fn check_same(
    own: &Exchange<QueueId>,
    kind: ExchangeKind,
    asked: &exchange::Declare,
    vhost: &str,
) -> Result<(), Fault> {
    let flag = |flag: bool| format!("'{flag}'");
    let fields = [
        ("type", format!("'{}'", kind.name()), format!("'{}'", own.kind.name())),
        ("durable", flag(asked.durable), flag(own.durable)),
        ("auto_delete", flag(asked.auto_delete), flag(own.auto_delete)),
        ("internal", flag(asked.internal), flag(own.internal)),
    ];
    let difference = fields.into_iter().find(|(_, asked, own)| asked != own);
    let difference = difference.or_else(|| {
        let (asked, own) = other_alternate(own.alternate.as_deref(), asked.arguments.inner().get(ALTERNATE))?;
        Some((ALTERNATE, asked, own))
    });
    let Some((argument, received, current)) = difference else { return Ok(()) };
    Err(Fault::precondition_failed(format_args!(
        "inequivalent arg '{argument}' for exchange '{}' in vhost '{vhost}': received {received} but current is {current}",
        asked.exchange
    )))
}

/// What is asked for and what is there, where these are not the same alternate.
fn other_alternate(own: Option<&str>, asked: Option<&AMQPValue>) -> Option<(String, String)> {
    let typed = |kind: &str, value: &str| format!("the value '{value}' of type '{kind}'");
    match (own, asked) {
        (None, None) => None,
        (Some(own), None) => Some(("none".to_owned(), typed("longstr", own))),
        (None, Some(asked)) => Some((typed(term::type_name(asked), &term::text(asked)), "none".to_owned())),
        (Some(own), Some(asked)) => {
            let asked = term::text(asked);
            (asked != own).then(|| (format!("'{asked}'"), format!("'{own}'")))
        }
    }
}
