//! One connection to a broker that is not ours, with the run's queues declared over it.

use futures_util::StreamExt as _;
use hopscope_scenario::model::Durability;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::broker::exchanges::{self, Sites};
use crate::broker::{BrokerError, Declared};
use crate::tasks::Tasks;
use crate::transport::messaging::BrokerAddress;

/// After how long a queue that nobody uses may be removed by its broker: where Hopscope was killed and could not.
const EXPIRES_MS: i64 = 600_000;

/// AMQP's reply code of a close that is no error.
const REPLY_SUCCESS: u16 = 200;

/// A connection.
pub(super) struct Line {
    connection: Connection,
    /// For what is done once.
    pub(super) channel: Channel,
    /// For what is asked again and again.
    pub(super) probes: Channel,
    lost: CancellationToken,
    listening: Tasks,
}

impl Line {
    /// Connects and declares queues and exchanges.
    ///
    /// # Errors
    /// When the broker does not let us in, or refuses a queue.
    pub(super) async fn open(address: &BrokerAddress, sites: &Sites) -> Result<Self, BrokerError> {
        let unreachable = |error: lapin::Error| BrokerError::unreachable(address, &error);
        let properties = ConnectionProperties::default().with_connection_name("hopscope".into());
        let connection = Connection::connect(address.with_password(), properties).await.map_err(unreachable)?;
        let (lost, listening) = (CancellationToken::new(), Tasks::new(Handle::current()));
        let (mut events, gone) = (Box::pin(connection.events_listener()), lost.clone());
        listening.spawn(async move {
            while let Some(event) = events.next().await {
                if let lapin::Event::Error(_) = event {
                    gone.cancel();
                }
            }
        });
        let channel = connection.create_channel().await.map_err(unreachable)?;
        for queue in &sites.queues {
            let options = QueueDeclareOptions { durable: queue.declared.durable(), ..QueueDeclareOptions::default() };
            let (name, arguments) = (queue.name.as_ref().into(), arguments(&queue.declared));
            let declared = channel.queue_declare(name, options, arguments).await;
            let refused = |error: lapin::Error| BrokerError::refused(&queue.name, &error);
            declared.map_err(refused)?;
        }
        exchanges::declare(&channel, &sites.exchanges).await?;
        let probes = connection.create_channel().await.map_err(unreachable)?;
        Ok(Self { connection, channel, probes, lost, listening })
    }

    /// Resolves when it carries nothing any more.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Removes queues and exchanges and hangs up. What cannot be removed now is by its broker later.
    pub(super) async fn remove(&self, sites: &Sites, why: &str) {
        if !self.connection.status().connected() {
            return;
        }
        for queue in &sites.queues {
            let _ = self.channel.queue_delete(queue.name.as_ref().into(), QueueDeleteOptions::default()).await;
        }
        exchanges::remove(&self.channel, &sites.exchanges).await;
        let _ = self.connection.close(REPLY_SUCCESS, why.into()).await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.cancel();
    }
}

/// How a queue is declared: as its node says, and to go when nobody uses it.
fn arguments(declared: &Declared) -> FieldTable {
    let mut arguments = declared.arguments();
    let kind = match declared.durability {
        Durability::Transient | Durability::Durable => None,
        Durability::Quorum => Some("quorum"),
        Durability::Stream => Some("stream"),
    };
    if let Some(kind) = kind {
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
    }
    // Streams cannot go by themselves.
    if !declared.is_stream() {
        arguments.insert("x-expires".into(), AMQPValue::LongLongInt(EXPIRES_MS));
    }
    arguments
}
