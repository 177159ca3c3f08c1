//! What a virtual host tells of itself as it is now, in the order of names.

use amq_protocol::types::{FieldTable, ShortString};

use super::{BrokerQueue, QueueId, State};
use crate::exchange::{Destination, Exchange, ExchangeKind};
use crate::observer::{ConnectionId, Observer};
use crate::status::{BindingStatus, ConnectionState, ConnectionStatus, ExchangeStatus, QueueStatus, object};

impl<O: Observer> State<O> {
    /// Every queue.
    pub(crate) fn queue_statuses(&self) -> Vec<QueueStatus> {
        let queues = self.names.values().filter_map(|id| self.queues.get(id));
        queues.map(|queue| self.status_of_queue(queue)).collect()
    }

    /// One queue.
    pub(crate) fn queue_status(&self, name: &str) -> Option<QueueStatus> {
        self.names.get(name).and_then(|id| self.queues.get(id)).map(|queue| self.status_of_queue(queue))
    }

    fn status_of_queue(&self, queue: &BrokerQueue<O>) -> QueueStatus {
        QueueStatus {
            name: queue.name.to_string(),
            vhost: self.vhost.to_string(),
            ready: queue.machine.ready(),
            unacked: queue.machine.unacked(),
            consumers: queue.machine.consumers(),
            durable: queue.declaration.flags.durable,
            exclusive: queue.declaration.exclusive_to.is_some(),
            auto_delete: queue.declaration.flags.auto_delete,
            arguments: object(&queue.table),
        }
    }

    /// Every exchange, the default one with them.
    pub(crate) fn exchange_statuses(&self) -> Vec<ExchangeStatus> {
        let status = |name: &str, kind: ExchangeKind, durable, auto_delete, internal| ExchangeStatus {
            name: name.to_owned(),
            vhost: self.vhost.to_string(),
            kind: kind.name().to_owned(),
            durable,
            auto_delete,
            internal,
        };
        let default = status("", ExchangeKind::Direct, true, false, false);
        let others = self.exchanges_by_name().into_iter().map(|(name, exchange)| {
            status(name.as_str(), exchange.kind, exchange.durable, exchange.auto_delete, exchange.internal)
        });
        std::iter::once(default).chain(others).collect()
    }

    /// Every binding, those of the default exchange with them.
    pub(crate) fn binding_statuses(&self) -> Vec<BindingStatus> {
        let status = |source: &str, destination: (&str, &ShortString), key: &ShortString, table: &FieldTable| {
            let (kind, name) = destination;
            BindingStatus {
                vhost: self.vhost.to_string(),
                source: source.to_owned(),
                destination: name.to_string(),
                destination_type: kind.to_owned(),
                routing_key: key.to_string(),
                arguments: object(table),
            }
        };
        let nothing = FieldTable::default();
        let mut statuses: Vec<_> = self.names.keys().map(|name| status("", ("queue", name), name, &nothing)).collect();
        for (name, exchange) in self.exchanges_by_name() {
            let bindings = exchange.bindings().filter_map(|(key, destination, table)| {
                let destination = match destination {
                    Destination::Queue(queue) => ("queue", &self.queues.get(queue)?.name),
                    Destination::Exchange(name) => ("exchange", name),
                };
                Some(status(name.as_str(), destination, key, table))
            });
            statuses.extend(bindings);
        }
        statuses
    }

    fn exchanges_by_name(&self) -> Vec<(&ShortString, &Exchange<QueueId>)> {
        let mut exchanges: Vec<_> = self.exchanges.iter().collect();
        exchanges.sort_unstable_by_key(|(name, _)| *name);
        exchanges
    }

    /// Every open connection, in the order of their coming.
    pub(crate) fn connection_statuses(&self) -> Vec<ConnectionStatus> {
        let statuses = self.connections.iter().map(|(id, connection)| ConnectionStatus {
            id: id.get(),
            peer: connection.peer,
            name: connection.name.to_string(),
            user: connection.user.to_string(),
            vhost: self.vhost.to_string(),
            channels: connection.channels.len(),
            state: if connection.blocked { ConnectionState::Blocked } else { ConnectionState::Running },
        });
        let mut statuses: Vec<_> = statuses.collect();
        statuses.sort_unstable_by_key(|status| status.id);
        statuses
    }

    /// Whether a connection is read from, for those who ask.
    pub(crate) fn set_blocked(&mut self, id: ConnectionId, blocked: bool) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.blocked = blocked;
        }
    }
}
