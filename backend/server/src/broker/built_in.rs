//! The built-in broker: AMQP 0-9-1 in this program, on a loopback port of its own, for one run.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hopscope_amqp::{Broker, Config, QueueOptions, serve};
use hopscope_record::frame::EndCount;
use hopscope_record::{LinkIndex, PlaceIndex, SourceId};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::BrokerError;
use super::exchanges::{self, Sites};
use super::stamps::{Shared, Stamps};
use crate::record::Recorder;
use crate::transport::messaging::BrokerAddress;

/// A running broker with the queues of one run. Dropping it ends it without a word to its clients.
pub struct BuiltIn {
    broker: Broker<Stamps>,
    shared: Arc<Shared>,
    queues: Vec<(Arc<str>, PlaceIndex)>,
    stop: CancellationToken,
    /// Cancelled when it serves no more, whoever ended it.
    ended: CancellationToken,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl BuiltIn {
    /// Starts it at a port, or at a free one, and declares queues and exchanges; what queues do is stamped in `recorder`'s recording.
    ///
    /// # Errors
    /// When no port can be had, or not that one, or a queue's name is none that AMQP allows.
    pub async fn start(recorder: Recorder, sites: Sites, port: Option<u16>) -> Result<Self, BrokerError> {
        let Sites { queues, exchanges } = sites;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let listener = TcpListener::bind(address).await.map_err(|source| match port {
            Some(_) => BrokerError::Taken { address, source },
            None => BrokerError::Bind(source),
        })?;
        let named = queues.iter().map(|queue| (Arc::clone(&queue.name), queue.place)).collect();
        let declared: Vec<_> = queues.iter().map(|queue| (Arc::clone(&queue.name), queue.declared.clone())).collect();
        let (stamps, shared) = Stamps::new(recorder, queues, &exchanges);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        // On loopback the system tells when a peer has gone; a client's task for heartbeats would outlive its connection.
        let config = Config { heartbeat: 0, ..Config::default() };
        let (broker, serving) = serve(listener, config, stamps, stopped)?;
        for (queue, declared) in declared {
            let options = QueueOptions {
                durable: declared.durable(),
                arguments: declared.arguments(),
                ..QueueOptions::default()
            };
            let declared = broker.declare_queue(&queue, &options);
            declared.map_err(|reason| BrokerError::refused(&queue, &reason))?;
        }
        let ended = CancellationToken::new();
        let at_end = ended.clone().drop_guard();
        let serving = tokio::spawn(async move {
            let _at_end = at_end;
            serving.await;
        });
        let built_in = Self { broker, shared, queues: named, stop, ended, serving: Mutex::new(Some(serving)) };
        exchanges::declare_at(&built_in.address(), &exchanges).await?;
        Ok(built_in)
    }

    /// Where it is reached, by programs that are no part of the run too.
    #[must_use]
    pub fn address(&self) -> BrokerAddress {
        let address = self.broker.address();
        BrokerAddress::new(format!("amqp://guest:guest@{address}/%2f"), format!("amqp://{address}"))
    }

    /// The loopback port that it listens on.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.broker.address()
    }

    /// Says over which link the deliveries of a source go; before its consumer begins.
    pub fn delivers(&self, source: SourceId, link: LinkIndex) {
        self.shared.delivers(source, link);
    }

    /// Whether the queues that the run takes from are empty, and nothing of them is with a consumer; or nothing more can
    /// come of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.is_empty() || self.ended.is_cancelled()
    }

    /// Resolves at an instant in which they are.
    pub async fn empty(&self) {
        tokio::select! {
            () = self.shared.empty() => {}
            () = self.ended.cancelled() => {}
        }
    }

    /// Resolves when it serves no more.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Ready and unacked copies of each queue, as the queues count them.
    #[must_use]
    pub fn counts(&self) -> Vec<EndCount> {
        let statuses = self.queues.iter().filter_map(|(name, place)| Some((self.broker.queue(name)?, *place)));
        let counts = statuses.flat_map(|(status, place)| {
            [EndCount::ready(place, u64::from(status.ready)), EndCount::unacked(place, u64::from(status.unacked))]
        });
        counts.collect()
    }

    /// Ends every connection, so that what was not settled is back in its queue; resolves when nothing is left but the
    /// queues' counts.
    pub async fn close(&self) {
        self.stop.cancel();
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(serving) = serving {
            // An error is its panic: nothing is left of it then either.
            let _ = serving.await;
        }
    }
}

impl Drop for BuiltIn {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take() {
            serving.abort();
        }
    }
}
