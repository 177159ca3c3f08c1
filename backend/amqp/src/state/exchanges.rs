//! Exchanges: declare, delete, and what becomes of their bindings.

use amq_protocol::protocol::{AMQPClass, exchange};
use amq_protocol::types::ShortString;

use super::publish::no_exchange;
use super::{QueueId, State, VHOST};
use crate::exchange::{Exchange, ExchangeKind};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};

impl<O: Observer> State<O> {
    pub(super) fn declare_exchange(
        &mut self,
        id: ConnectionId,
        number: u16,
        declare: &exchange::Declare,
    ) -> Result<(), Fault> {
        let name = &declare.exchange;
        if name.as_str().is_empty() {
            return Err(default_exchange());
        }
        if declare.passive {
            if !self.exchanges.contains_key(name) {
                return Err(no_exchange(name.as_str()));
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
        if declare.arguments.contains_key("alternate-exchange") {
            return Err(Fault::precondition_failed(format_args!(
                "invalid arg 'alternate-exchange' for exchange '{name}' in vhost '{VHOST}': not implemented by this broker"
            )));
        }
        let kind = ExchangeKind::parse(declare.kind.as_str())
            .ok_or_else(|| Fault::command_invalid(format_args!("unknown exchange type '{}'", declare.kind)))?;
        if let Some(own) = self.exchanges.get(name) {
            return check_same(own, kind, declare);
        }
        if name.as_str().starts_with("amq.") {
            return Err(Fault::access_refused(format_args!("exchange name '{name}' contains reserved prefix 'amq.*'")));
        }
        let mut exchange = Exchange::new(kind, declare.durable);
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
            return Err(Fault::access_refused(format_args!("exchange name '{name}' contains reserved prefix 'amq.*'")));
        }
        if delete.if_unused && self.exchanges.get(name).is_some_and(Exchange::has_bindings) {
            return Err(Fault::precondition_failed(format_args!("exchange '{name}' in vhost '{VHOST}' in use")));
        }
        // What is not there is as good as deleted.
        self.exchanges.remove(name);
        if !delete.nowait {
            let method = exchange::AMQPMethod::DeleteOk(exchange::DeleteOk {});
            self.send(id, number, &AMQPClass::Exchange(method));
        }
        Ok(())
    }

    /// Takes every binding of a queue back.
    pub(super) fn forget_bindings(&mut self, queue: QueueId) {
        self.exchanges
            .retain(|_, exchange| !exchange.forget(queue) || !exchange.auto_delete || exchange.has_bindings());
    }

    /// Deletes an exchange that was to go with its last binding, if that has gone.
    pub(super) fn delete_exchange_if_unbound(&mut self, name: &ShortString) {
        if self.exchanges.get(name).is_some_and(|exchange| exchange.auto_delete && !exchange.has_bindings()) {
            self.exchanges.remove(name);
        }
    }
}

fn default_exchange() -> Fault {
    Fault::access_refused("operation not permitted on the default exchange")
}

fn check_same(own: &Exchange<QueueId>, kind: ExchangeKind, asked: &exchange::Declare) -> Result<(), Fault> {
    let difference = |argument: &str, asked_value: &str, own_value: &str| {
        Err(Fault::precondition_failed(format_args!(
            "inequivalent arg '{argument}' for exchange '{}' in vhost '{VHOST}': received '{asked_value}' but current \
             is '{own_value}'",
            asked.exchange
        )))
    };
    if own.kind != kind {
        return difference("type", kind.name(), own.kind.name());
    }
    let flags = [
        ("durable", asked.durable, own.durable),
        ("auto_delete", asked.auto_delete, own.auto_delete),
        ("internal", asked.internal, own.internal),
    ];
    match flags.into_iter().find(|(_, asked, own)| asked != own) {
        Some((flag, asked, own)) => difference(flag, &asked.to_string(), &own.to_string()),
        None => Ok(()),
    }
}
