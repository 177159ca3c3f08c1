//! A connection to the broker, with the stamps of its beginning and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Kind, MessageId, TraceId};
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::runtime::Handle;

use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::TransportError;
use crate::transport::messaging::BrokerAddress;

/// AMQP's reply code of a close that is no error.
const REPLY_SUCCESS: u16 = 200;

/// An open connection. Dropping it lets go of what it still does.
pub(super) struct Session {
    connection: Connection,
    ended: Arc<Ended>,
    tasks: Tasks,
}

/// Stamps a connection's end, once.
struct Ended {
    recorder: Recorder,
    told: AtomicBool,
}

impl Session {
    /// Connects. `recorder` stamps at this end's place, on its link.
    ///
    /// # Errors
    /// When the broker cannot be reached or does not let us in.
    pub(super) async fn open(broker: &BrokerAddress, recorder: Recorder) -> Result<Self, TransportError> {
        let began = recorder.now();
        let name = format!("hopscope {:?} {:?}", recorder.place(), recorder.link());
        let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
        let connection =
            Connection::connect(broker.with_password(), properties).await.map_err(|error| failed(broker, &error))?;
        let took = recorder.now().saturating_sub(began).unsigned_abs();
        recorder.record(Kind::CONNECTED, TraceId::NONE, MessageId::NONE, MessageId::NONE, took, 0);
        let ended = Arc::new(Ended { recorder, told: AtomicBool::new(false) });
        let tasks = Tasks::new(Handle::current());
        let (mut events, watched) = (Box::pin(connection.events_listener()), Arc::clone(&ended));
        tasks.spawn(async move {
            while let Some(event) = events.next().await {
                if let Event::Error(error) = event {
                    watched.tell(DisconnectReason::Broken, Some(&error.to_string()));
                }
            }
        });
        Ok(Self { connection, ended, tasks })
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub(super) async fn channel(&self, broker: &BrokerAddress) -> Result<Channel, TransportError> {
        self.connection.create_channel().await.map_err(|error| failed(broker, &error))
    }

    /// Ends the connection; resolves when the broker has answered, or it is clear that it will not.
    pub(super) async fn close(&self) {
        self.ended.tell(DisconnectReason::Closed, None);
        // A connection that is gone already says so; there is nothing more to close then.
        let _ = self.connection.close(REPLY_SUCCESS, "the run is over".into()).await;
        self.tasks.end().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl Ended {
    fn tell(&self, reason: DisconnectReason, error: Option<&str>) {
        if !self.told.swap(true, Ordering::AcqRel) {
            let (none, text) = (MessageId::NONE, error.map_or(0, |error| self.recorder.name(error)));
            self.recorder.record(Kind::DISCONNECTED, TraceId::NONE, none, none, reason as u64, text);
        }
    }
}

/// What lapin says of an end that could not be opened.
pub(super) fn failed(broker: &BrokerAddress, error: &lapin::Error) -> TransportError {
    TransportError::Broker { broker: broker.clone(), reason: error.to_string() }
}
