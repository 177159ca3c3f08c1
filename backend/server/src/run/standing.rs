//! Ends of links at a broker that stand again: what has lost its connection there gets another one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::messaging::Consumer;
use crate::transport::{BoxFuture, CallError, Caller, Outgoing, Reply, TransportError};

/// How long a consumer waits before it tries to connect again.
const AGAIN: Duration = Duration::from_millis(20);

/// Makes an end of a link, each time with a connection of its own.
pub(super) type Make<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, TransportError>> + Send + Sync>;

/// The publishing end of a link: whoever calls after its connection was lost has it opened again.
pub(super) struct Publishing {
    make: Make<Arc<dyn Caller>>,
    /// Held while it is opened, so that all calls wait for the one.
    current: tokio::sync::Mutex<Option<Arc<dyn Caller>>>,
    closed: CancellationToken,
}

impl Publishing {
    /// An end without a connection.
    pub(super) fn new(make: Make<Arc<dyn Caller>>) -> Self {
        Self { make, current: tokio::sync::Mutex::default(), closed: CancellationToken::new() }
    }

    /// Opens its connection, if it has none.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub(super) async fn open(&self) -> Result<Arc<dyn Caller>, TransportError> {
        let mut current = self.current.lock().await;
        if let Some(caller) = current.as_ref().filter(|caller| !caller.is_lost()) {
            return Ok(Arc::clone(caller));
        }
        if let Some(lost) = current.take() {
            lost.close().await;
        }
        let caller = (self.make)().await?;
        *current = Some(Arc::clone(&caller));
        Ok(caller)
    }
}

impl Caller for Publishing {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            if self.closed.is_cancelled() {
                return Err(CallError::Closed);
            }
            let caller = self.open().await.map_err(|error| CallError::Connect(std::io::Error::other(error)))?;
            caller.call(outgoing).await
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.closed.cancel();
            if let Some(caller) = self.current.lock().await.take() {
                caller.close().await;
            }
        })
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.closed.cancel();
            if let Some(caller) = self.current.lock().await.take() {
                caller.reset().await;
            }
        })
    }
}

/// The taking end of a link: while it lives it takes, and connects again whenever its connection was lost.
pub(super) struct Taking {
    tasks: Tasks,
    current: Arc<Mutex<Option<Arc<dyn Consumer>>>>,
}

impl Taking {
    /// Begins to take; `later`: though the broker may not answer yet.
    ///
    /// # Errors
    /// When it does not, and that may not be.
    pub(super) async fn start(
        make: Make<Box<dyn Consumer>>,
        timer: Timer,
        later: bool,
    ) -> Result<Self, TransportError> {
        let first = match make().await {
            Ok(consumer) => Some(Arc::from(consumer)),
            Err(_) if later => None,
            Err(error) => return Err(error),
        };
        let (tasks, current) = (Tasks::new(Handle::current()), Arc::new(Mutex::new(first)));
        tasks.spawn(keep(make, timer, Arc::clone(&current)));
        Ok(Self { tasks, current })
    }

    fn take(&self) -> Option<Arc<dyn Consumer>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes nothing more; resolves when nothing of it is left.
    pub(super) async fn close(&self) {
        self.tasks.end().await;
        if let Some(consumer) = self.take() {
            consumer.close().await;
        }
    }

    /// Takes nothing more, as if the program had died; resolves when nothing of it is left.
    pub(super) async fn reset(&self) {
        self.tasks.end().await;
        if let Some(consumer) = self.take() {
            consumer.reset().await;
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn keep(make: Make<Box<dyn Consumer>>, timer: Timer, current: Arc<Mutex<Option<Arc<dyn Consumer>>>>) {
    loop {
        let consumer = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(consumer) = consumer {
            consumer.lost().await;
            consumer.close().await;
        }
        let again = loop {
            match make().await {
                Ok(consumer) => break consumer,
                Err(error) => tracing::debug!("a consumer cannot connect again yet: {error}"),
            }
            timer.after(AGAIN).await;
        };
        *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(again));
    }
}
