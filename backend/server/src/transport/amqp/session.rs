//! A connection to the broker, with the stamps of its beginning and its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Kind, MessageId, TraceId};
use lapin::tcp::{AMQPUriTcpExt as _, AsyncTcpStream};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
#[cfg(unix)]
use nix::sys::socket::{setsockopt, sockopt};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::connection_name;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::TransportError;
use crate::transport::messaging::BrokerAddress;

/// AMQP's reply code of a close that is no error.
const REPLY_SUCCESS: u16 = 200;

/// What is said of a connection that this end has reset.
const RESET: &str = "reset by a crash of this end";

/// What is said of a connection that was lost before its watch could say why.
const LOST: &str = "the connection was lost";

/// How long a connection may take to close before it is reset.
const LONGEST_CLOSE: Duration = Duration::from_secs(2);

/// An open connection. Dropping it lets go of what it still does.
pub(super) struct Session {
    connection: Connection,
    ended: Arc<Ended>,
    /// Cancelled when it is lost.
    lost: CancellationToken,
    grip: Grip,
    tasks: Tasks,
}

/// A hold on a connection's socket, which lapin keeps for itself: it closes connections, and never resets one.
#[derive(Clone, Default)]
struct Grip(Arc<Mutex<Option<std::net::TcpStream>>>);

impl Grip {
    #[cfg(unix)]
    fn take_hold(&self, socket: &impl std::os::fd::AsFd) {
        let socket = socket.as_fd().try_clone_to_owned().ok().map(Into::into);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = socket;
    }

    /// Ends the connection under lapin's hands.
    fn reset(&self) {
        if let Some(socket) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            #[cfg(unix)]
            let _ = setsockopt(&socket, sockopt::Linger, &nix::libc::linger { l_onoff: 1, l_linger: 0 });
            // It may have ended already.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }
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
        let name = connection_name(recorder.run_key(), recorder.place(), recorder.link());
        let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
        let grip = Grip::default();
        let connection =
            connect(broker.with_password(), properties, grip.clone()).await.map_err(|error| failed(broker, &error))?;
        let took = recorder.now().saturating_sub(began).unsigned_abs();
        recorder.record(Kind::CONNECTED, TraceId::NONE, MessageId::NONE, MessageId::NONE, took, 0);
        let ended = Arc::new(Ended { recorder, told: AtomicBool::new(false) });
        let tasks = Tasks::new(Handle::current());
        let (mut events, watched) = (Box::pin(connection.events_listener()), Arc::clone(&ended));
        let lost = CancellationToken::new();
        let (loses, status) = (lost.clone(), connection.status().clone());
        tasks.spawn(async move {
            while let Some(event) = events.next().await {
                if let Event::Error(error) = event {
                    watched.tell(DisconnectReason::Broken, Some(&error.to_string()));
                    // A channel's error leaves its connection as it is.
                    if !status.connected() {
                        loses.cancel();
                    }
                }
            }
        });
        Ok(Self { connection, ended, lost, grip, tasks })
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub(super) async fn channel(&self, broker: &BrokerAddress) -> Result<Channel, TransportError> {
        self.connection.create_channel().await.map_err(|error| failed(broker, &error))
    }

    /// Whether the connection is lost.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled() || !self.connection.status().connected()
    }

    /// Cancelled when it is.
    pub(super) fn losing(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Resolves when it is.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Resets the connection; resolves when nothing of it is left.
    pub(super) async fn reset(&self) {
        self.ended.tell(DisconnectReason::Broken, Some(RESET));
        self.grip.reset();
        self.tasks.end().await;
    }

    /// Ends the connection; resolves when the broker has answered, or it is clear that it will not.
    pub(super) async fn close(&self) {
        // Whoever asks for it anew may know that it is lost before its own watch does.
        let (reason, error) =
            if self.is_lost() { (DisconnectReason::Broken, Some(LOST)) } else { (DisconnectReason::Closed, None) };
        self.ended.tell(reason, error);
        // A connection that is gone already says so; there is nothing more to close then.
        let closing = self.connection.close(REPLY_SUCCESS, "the run is over".into());
        if tokio::time::timeout(LONGEST_CLOSE, closing).await.is_err() {
            // lapin has been seen to wait for ever here, under load.
            self.grip.reset();
        }
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

/// Connects, and takes hold of the socket.
async fn connect(uri: &str, properties: ConnectionProperties, grip: Grip) -> lapin::Result<Connection> {
    let uri: AMQPUri = uri.parse().map_err(std::io::Error::other)?;
    let runtime = lapin::runtime::default_runtime()?;
    Connection::connector(
        uri,
        runtime,
        async move |uri, runtime| {
            let stream = uri.connect_async(&runtime).await?;
            #[cfg(unix)]
            if let AsyncTcpStream::Plain(socket) = &stream {
                grip.take_hold(socket.get_ref());
            }
            Ok(stream)
        },
        properties,
    )
    .await
}

/// What lapin says of an end that could not be opened.
pub(super) fn failed(broker: &BrokerAddress, error: &lapin::Error) -> TransportError {
    TransportError::Broker { broker: broker.clone(), reason: error.to_string() }
}
