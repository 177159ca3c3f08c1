//! Bindings: from an exchange to a queue or to another exchange; and what goes with the last of them.

use amq_protocol::protocol::{AMQPClass, exchange, queue};
use amq_protocol::types::{FieldTable, ShortString};

use super::exchanges::default_exchange;
use super::publish::{no_exchange, no_queue};
use super::queues::check_owner;
use super::{QueueId, State};
use crate::exchange::Destination;
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};

/// A binding as a client asks for it.
struct Asked<'a> {
    source: &'a ShortString,
    destination: Destination<ShortString>,
    key: ShortString,
    arguments: &'a FieldTable,
}

impl<O: Observer> State<O> {
    pub(super) fn bind_queue(&mut self, id: ConnectionId, number: u16, bind: &queue::Bind) -> Result<(), Fault> {
        let asked = Asked {
            source: &bind.exchange,
            destination: Destination::Queue(self.named_queue(id, number, &bind.queue)?),
            key: self.named_key(id, number, &bind.queue, &bind.routing_key)?,
            arguments: &bind.arguments,
        };
        self.bind(id, asked)?;
        if !bind.nowait {
            self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::BindOk(queue::BindOk {})));
        }
        Ok(())
    }

    pub(super) fn unbind_queue(&mut self, id: ConnectionId, number: u16, unbind: &queue::Unbind) -> Result<(), Fault> {
        let asked = Asked {
            source: &unbind.exchange,
            destination: Destination::Queue(self.named_queue(id, number, &unbind.queue)?),
            key: self.named_key(id, number, &unbind.queue, &unbind.routing_key)?,
            arguments: &unbind.arguments,
        };
        self.unbind(id, &asked)?;
        self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::UnbindOk(queue::UnbindOk {})));
        Ok(())
    }

    pub(super) fn bind_exchange(&mut self, id: ConnectionId, number: u16, bind: &exchange::Bind) -> Result<(), Fault> {
        let asked = Asked {
            source: &bind.source,
            destination: Destination::Exchange(bind.destination.clone()),
            key: bind.routing_key.clone(),
            arguments: &bind.arguments,
        };
        self.bind(id, asked)?;
        if !bind.nowait {
            self.send(id, number, &AMQPClass::Exchange(exchange::AMQPMethod::BindOk(exchange::BindOk {})));
        }
        Ok(())
    }

    pub(super) fn unbind_exchange(
        &mut self,
        id: ConnectionId,
        number: u16,
        unbind: &exchange::Unbind,
    ) -> Result<(), Fault> {
        let asked = Asked {
            source: &unbind.source,
            destination: Destination::Exchange(unbind.destination.clone()),
            key: unbind.routing_key.clone(),
            arguments: &unbind.arguments,
        };
        self.unbind(id, &asked)?;
        if !unbind.nowait {
            self.send(id, number, &AMQPClass::Exchange(exchange::AMQPMethod::UnbindOk(exchange::UnbindOk {})));
        }
        Ok(())
    }

    /// The key of a binding: both it and the queue empty, it is the name of the channel's last queue.
    fn named_key(
        &mut self,
        id: ConnectionId,
        number: u16,
        queue: &ShortString,
        key: &ShortString,
    ) -> Result<ShortString, Fault> {
        if queue.as_str().is_empty() && key.as_str().is_empty() {
            self.named_queue(id, number, queue)
        } else {
            Ok(key.clone())
        }
    }

    fn bind(&mut self, id: ConnectionId, asked: Asked<'_>) -> Result<(), Fault> {
        check_not_default(&asked)?;
        let destination = self.destination(&asked.destination);
        // Where both are not there, the source is the one that is named.
        let Some(source) = self.exchanges.get(asked.source) else {
            return Err(no_exchange(asked.source.as_str(), &self.vhost));
        };
        let destination = destination?;
        source.check_arguments(asked.arguments)?;
        self.check_destination(id, &destination)?;
        if let Some(source) = self.exchanges.get_mut(asked.source) {
            source.bind(destination, asked.key, asked.arguments.clone());
        }
        Ok(())
    }

    /// What is not bound, or not there, is as good as unbound.
    fn unbind(&mut self, id: ConnectionId, asked: &Asked<'_>) -> Result<(), Fault> {
        check_not_default(asked)?;
        let Ok(destination) = self.destination(&asked.destination) else { return Ok(()) };
        let source = self.exchanges.get(asked.source);
        if !source.is_some_and(|source| source.is_bound(&destination, &asked.key, asked.arguments)) {
            return Ok(());
        }
        self.check_destination(id, &destination)?;
        if let Some(source) = self.exchanges.get_mut(asked.source) {
            source.unbind(&destination, &asked.key, asked.arguments);
        }
        self.delete_exchange_if_unbound(asked.source);
        Ok(())
    }

    /// The queue or exchange of this name.
    fn destination(&self, asked: &Destination<ShortString>) -> Result<Destination<QueueId>, Fault> {
        match asked {
            Destination::Queue(name) => {
                self.names.get(name).copied().map(Destination::Queue).ok_or_else(|| no_queue(name, &self.vhost))
            }
            Destination::Exchange(name) if self.exchanges.contains_key(name) => Ok(Destination::Exchange(name.clone())),
            Destination::Exchange(name) => Err(no_exchange(name.as_str(), &self.vhost)),
        }
    }

    /// Checks that a connection may bind to it.
    fn check_destination(&self, id: ConnectionId, destination: &Destination<QueueId>) -> Result<(), Fault> {
        match destination {
            Destination::Queue(queue) => match self.queues.get(queue) {
                Some(queue) => check_owner(queue.declaration.exclusive_to, Some(id), &queue.name, &self.vhost),
                None => Ok(()),
            },
            Destination::Exchange(_) => Ok(()),
        }
    }

    /// Deletes an exchange with its bindings, those to it included.
    pub(super) fn remove_exchange(&mut self, name: &ShortString) {
        if self.exchanges.remove(name).is_some() {
            self.forget_bindings(Destination::Exchange(name.clone()));
        }
    }

    /// Takes every binding to a destination back. Exchanges that were to go with their last binding go too, and so on.
    pub(super) fn forget_bindings(&mut self, destination: Destination<QueueId>) {
        let mut gone = vec![destination];
        while let Some(destination) = gone.pop() {
            self.exchanges.retain(|name, exchange| {
                let stays = !exchange.forget(&destination) || !exchange.auto_delete || exchange.has_bindings();
                if !stays {
                    gone.push(Destination::Exchange(name.clone()));
                }
                stays
            });
        }
    }

    /// Deletes an exchange that was to go with its last binding, if that has gone.
    fn delete_exchange_if_unbound(&mut self, name: &ShortString) {
        if self.exchanges.get(name).is_some_and(|exchange| exchange.auto_delete && !exchange.has_bindings()) {
            self.remove_exchange(name);
        }
    }
}

fn check_not_default(asked: &Asked<'_>) -> Result<(), Fault> {
    let to_default = matches!(&asked.destination, Destination::Exchange(name) if name.as_str().is_empty());
    if to_default || asked.source.as_str().is_empty() { Err(default_exchange()) } else { Ok(()) }
}
