//! The runs of this process: which are live, how many may be, and how they end with the server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hopscope_scenario::plan::{Broker, Plan};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::validate::RunRequest;
use jiff::Timestamp;
use tokio::sync::{Notify, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;

use super::super::error::{self, ApiError};
use super::body::Stage;
use super::{RunView, store_error};
use crate::broker::Brokers;
use crate::record::new_run_key;
use crate::run::{self, LiveRun, RunOptions};
use crate::store::{RunId, RunSummary, Store, StoreError};

/// Most runs that are live at once: they share one machine.
pub(crate) const MOST_LIVE: usize = 8;

/// From one look at what runs take to the next, where no run ends in between.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// A handle on the runs of this process and on the folder of all. Clones share it.
#[derive(Clone)]
pub(crate) struct Runs {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    live: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    slots: Arc<Semaphore>,
    most_events: u64,
    brokers: Brokers,
    closing: CancellationToken,
    /// Held by each run that begins, until it is live; and by who stops a broker, while none begins.
    beginning: RwLock<()>,
    /// A run has ended.
    ended: Notify,
}

/// The live runs of one moment.
pub(crate) struct Snapshot(HashMap<RunId, Arc<LiveRun>>);

impl Runs {
    /// No run is live yet, and each will have so many events at most. `closing` ends the streams.
    pub(crate) fn new(store: Store, most_events: u64, brokers: Brokers, closing: CancellationToken) -> Self {
        let slots = Arc::new(Semaphore::new(MOST_LIVE));
        Self {
            shared: Arc::new(Shared {
                store,
                live: Mutex::default(),
                slots,
                most_events,
                brokers,
                closing,
                beginning: RwLock::new(()),
                ended: Notify::new(),
            }),
        }
    }

    /// Sets a run up and starts it.
    ///
    /// # Errors
    /// When there is no room for another, or it cannot be stored or set up; nothing of it is left then.
    pub(crate) async fn start(&self, request: RunRequest) -> Result<RunView, ApiError> {
        let slot = Arc::clone(&self.shared.slots)
            .try_acquire_owned()
            .map_err(|_| ApiError::new(&error::TOO_MANY_RUNS, "/api/runs").with("max", MOST_LIVE.to_string()))?;
        let _begins = self.shared.beginning.read().await;
        let failed = |reason: String| ApiError::new(&error::RUN_NOT_STARTED, "/api/runs").with("reason", reason);
        let key = new_run_key().map_err(|error| failed(error.to_string()))?;
        let RunRequest { scenario, settings, .. } = request;
        let (file, scenario, settings) = self
            .blocking(move |store| store.create(&scenario.name, &settings).map(|file| (file, scenario, settings)))
            .await?;
        let id = file.id().clone();
        let (sink, most_events, brokers) = (Box::new(file), self.shared.most_events, self.shared.brokers.clone());
        let options = RunOptions { id: id.to_string(), key, scenario, settings, brokers, sink, most_events };
        let run = Box::pin(run::start(options)).await.map_err(|error| {
            self.shared.store.discard(&id);
            failed(error.to_string())
        })?;
        self.live().insert(id.clone(), Arc::clone(&run));
        let runs = self.clone();
        let ended = id.clone();
        tokio::spawn(async move {
            run.join().await;
            runs.live().remove(&ended);
            runs.shared.ended.notify_one();
            drop(slot);
        });
        let live = self.snapshot();
        let summary = self.blocking(move |store| store.get(&id)).await?;
        Ok(self.view(summary, &live))
    }

    /// The brokers that runs may have.
    pub(crate) fn brokers(&self) -> &Brokers {
        &self.shared.brokers
    }

    /// Stops the local broker of a protocol, unless runs have it.
    ///
    /// # Errors
    /// Names those.
    pub(crate) async fn stop_broker(&self, protocol: Protocol) -> Result<(), ApiError> {
        let in_use = |runs: String| ApiError::new(&error::BROKER_IN_USE, "protocol").with("runs", runs);
        // None begins while it is stopped: it could be about to have it.
        let _none_begins = self.shared.beginning.try_write().map_err(|_| in_use("a run that begins".to_owned()))?;
        let using = self.using(protocol);
        if !using.is_empty() {
            return Err(in_use(using.join(", ")));
        }
        // One that does not run is stopped already.
        let _ = self.brokers().stop_local(protocol).await;
        Ok(())
    }

    /// The live runs that have the local broker of a protocol, by what they are called.
    fn using(&self, protocol: Protocol) -> Vec<String> {
        let has = |plan: &Plan| match protocol {
            Protocol::Kafka => !plan.topics.is_empty() && plan.settings.kafka.as_str() == Broker::LOCAL,
            _ => plan.has_queues() && plan.settings.broker.as_str() == Broker::LOCAL,
        };
        let live = self.live();
        live.iter()
            .filter(|(_, run)| has(run.plan()))
            .map(|(id, run)| format!("{} ({id})", run.plan().name()))
            .collect()
    }

    /// The runs that are live. Take it before asking the store: a run that ends in between is then known to be ours.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.live().clone())
    }

    /// The run as an answer.
    pub(crate) fn view(&self, summary: RunSummary, live: &Snapshot) -> RunView {
        let stage = match live.0.get(&summary.id) {
            Some(run) => Stage::Live(run),
            None if self.shared.store.progress(&summary.id).is_some() => Stage::Beginning,
            None => Stage::Elsewhere,
        };
        RunView::new(summary, &stage)
    }

    /// The run, if it is live here.
    pub(crate) fn find(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        self.live().get(id).cloned()
    }

    /// Stops the run's load; `false` if it is not live here.
    pub(crate) fn stop(&self, id: &RunId) -> bool {
        self.live().get(id).inspect(|run| run.stop()).is_some()
    }

    /// Resolves for streams when the server closes.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.shared.closing.clone()
    }

    /// Keeps the folder to its limits until the server closes: now, each minute, and when a run has ended.
    pub(crate) async fn keep(&self) {
        let Shared { store, closing, ended, .. } = &*self.shared;
        let limits = store.limits();
        while limits.has_limit() && !closing.is_cancelled() {
            let asked = store.clone();
            // What goes, the store tells the log.
            match tokio::task::spawn_blocking(move || asked.keep(&limits, Timestamp::now())).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!("runs are not kept to their limits: {error}"),
                Err(error) => tracing::warn!("runs are not kept to their limits: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(KEPT_EVERY) => {}
                () = ended.notified() => {}
                () = closing.cancelled() => {}
            }
        }
    }

    /// Stops every run and waits until their recordings are stored.
    pub(crate) async fn end(&self) {
        let live: Vec<_> = self.live().values().cloned().collect();
        for run in &live {
            run.stop();
        }
        for run in &live {
            run.join().await;
        }
    }

    /// Asks the store where waiting for a disk holds up nobody.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.shared.store.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&store)).await;
        let asked = asked.map_err(|error| ApiError::new(&error::STORE_FAILED, "").with("reason", error.to_string()))?;
        asked.map_err(store_error)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<RunId, Arc<LiveRun>>> {
        self.shared.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
