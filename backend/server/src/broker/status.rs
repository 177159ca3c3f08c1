//! The brokers that runs may have, as a person meets them: where each is, how it is, and what is missing.

use std::time::Duration;

use hopscope_scenario::plan::Broker;
use hopscope_scenario::protocol::Protocol;
use serde::Serialize;
use utoipa::ToSchema;

use super::kafka_local::Installs;
use super::private::{LocalState, Seen};
use super::{BrokerError, Brokers, KAFKA_DOWNLOAD, KafkaInstalling, KafkaLocalError, LocalError, MockCluster};

/// How a broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BrokerState {
    /// It serves runs.
    Ready,
    /// It begins to.
    Starting,
    /// It can be started, and is for the first run that wants it.
    Stopped,
    /// Its last start came to nothing.
    Failed,
    /// It is not on this machine, or something that it needs is not.
    NotInstalled,
    /// It is being installed, since that was asked for.
    Installing,
    /// The operator allowed its address; whether it is there, a run finds out.
    Allowed,
}

/// A broker that runs may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BrokerStatus {
    /// What it speaks: `amqp` or `kafka`.
    pub protocol: &'static str,
    /// How a run asks for it: `built-in`, `local`, or its address.
    pub broker: String,
    /// What it is; null where only a run finds out.
    pub product: Option<String>,
    /// Its version; null where it has not told.
    pub version: Option<String>,
    /// How it is.
    pub state: BrokerState,
    /// Where it is reached now; null where each run has one of its own, or it does not run.
    pub address: Option<String>,
    /// How long its last start took, ms; null where it was not started.
    pub started_ms: Option<u64>,
    /// The memory that it has now, bytes; null where that is not known apart from Hopscope's own.
    pub memory_bytes: Option<u64>,
    /// What Hopscope would fetch to install it, or fetches now, bytes; null where that is not to be done.
    pub download_bytes: Option<u64>,
    /// How much of that has been fetched, bytes; null where none of it is being fetched.
    pub fetched_bytes: Option<u64>,
    /// What is wrong with it, and what to do; null where nothing is.
    pub problem: Option<String>,
}

impl BrokerStatus {
    fn new(protocol: Protocol, broker: impl Into<String>, state: BrokerState) -> Self {
        Self {
            protocol: protocol.descriptor().id,
            broker: broker.into(),
            product: None,
            version: None,
            state,
            address: None,
            started_ms: None,
            memory_bytes: None,
            download_bytes: None,
            fetched_bytes: None,
            problem: None,
        }
    }

    /// The same, with what there is to be told of its installation.
    fn installed_by(mut self, installs: Installs, download: u64) -> Self {
        match installs {
            Installs::Under(step) => {
                self.state = BrokerState::Installing;
                self.problem = None;
                self.fetched_bytes = match step {
                    KafkaInstalling::Fetches { bytes } => Some(bytes.min(download)),
                    _ => None,
                };
            }
            Installs::Failed(why) if self.state == BrokerState::NotInstalled => self.problem = Some(why),
            Installs::Failed(_) | Installs::Not => {}
        }
        let installable = matches!(self.state, BrokerState::NotInstalled | BrokerState::Installing);
        Self { download_bytes: installable.then_some(download), ..self }
    }

    /// One that Hopscope starts, of a product; `installed` is its version, where that is known before it runs.
    fn local<T>(
        protocol: Protocol,
        product: &str,
        installed: Result<Option<String>, String>,
        seen: Seen<u16, T>,
        version: impl FnOnce(&T) -> String,
    ) -> Self {
        let Seen { state, ready, last } = seen;
        let failed = last.as_ref().and_then(|last| last.as_ref().err().cloned());
        let (state, problem) = match (state, &installed) {
            (LocalState::Ready, _) => (BrokerState::Ready, None),
            (LocalState::Starting, _) => (BrokerState::Starting, None),
            (LocalState::Stopped, Err(missing)) => (BrokerState::NotInstalled, Some(missing.clone())),
            (LocalState::Stopped, Ok(_)) if failed.is_some() => (BrokerState::Failed, failed),
            (LocalState::Stopped, Ok(_)) => (BrokerState::Stopped, None),
        };
        let running = ready.as_ref();
        Self {
            product: Some(product.to_owned()),
            version: running.map(|(_, told, _)| version(told)).or(installed.ok().flatten()),
            address: running.map(|(port, ..)| format!("127.0.0.1:{port}")),
            memory_bytes: running.and_then(|(_, _, memory)| *memory),
            started_ms: last.and_then(Result::ok).map(millis),
            problem,
            ..Self::new(protocol, Broker::LOCAL, state)
        }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

impl Brokers {
    /// Every broker that runs may have, those of queues first. It asks Java for its version the first time, a tenth of a second:
    /// call it where that holds up nobody.
    #[must_use]
    pub fn statuses(&self) -> Vec<BrokerStatus> {
        let built_in = |protocol, product: &str, version: String| BrokerStatus {
            product: Some(product.to_owned()),
            version: Some(version),
            ..BrokerStatus::new(protocol, Broker::BUILT_IN, BrokerState::Ready)
        };
        let rabbitmq = self.local.is_installed().then_some(None).ok_or_else(|| LocalError::NotInstalled.to_string());
        let kafka = self.kafka.installed().map(Some).map_err(|missing: KafkaLocalError| missing.to_string());
        let (mock, mock_version) = MockCluster::product();
        let mut statuses = vec![
            built_in(Protocol::Amqp, "Hopscope", env!("CARGO_PKG_VERSION").to_owned()),
            BrokerStatus::local(Protocol::Amqp, "RabbitMQ", rabbitmq, self.local.seen(), |product| {
                product.version.clone()
            }),
            built_in(Protocol::Kafka, mock, mock_version),
            BrokerStatus::local(Protocol::Kafka, "Kafka", kafka, self.kafka.seen(), String::clone)
                .installed_by(self.kafka.installs(), KAFKA_DOWNLOAD),
        ];
        statuses.extend(self.addresses().map(|address| {
            let protocol = if address.starts_with("kafka") { Protocol::Kafka } else { Protocol::Amqp };
            BrokerStatus::new(protocol, address, BrokerState::Allowed)
        }));
        statuses
    }

    /// Starts the local broker of a protocol, if it does not run; resolves when it is ready.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn start_local(&self, protocol: Protocol) -> Result<(), BrokerError> {
        if protocol == Protocol::Kafka {
            self.kafka.reach().await?;
        } else {
            self.local.reach().await?;
        }
        Ok(())
    }

    /// Begins to install the local broker of a protocol, if Hopscope can; whether it can. It goes on by itself: the statuses tell
    /// how far it has come, and why it failed.
    pub(crate) fn install_local(&self, protocol: Protocol) -> bool {
        if protocol == Protocol::Kafka {
            self.kafka.install();
        }
        protocol == Protocol::Kafka
    }

    /// Stops the local broker of a protocol; the next that wants it starts a new one. Resolves when nothing of it is left.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop_local(&self, protocol: Protocol) -> Result<(), BrokerError> {
        if protocol == Protocol::Kafka {
            self.kafka.halt().await?;
        } else {
            self.local.halt().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: LocalState, last: Option<Result<Duration, String>>) -> Seen<u16, String> {
        let ready = (state == LocalState::Ready).then(|| (5672, "3.10".to_owned(), Some(7)));
        Seen { state, ready, last }
    }

    fn of(installed: Result<Option<String>, String>, seen: Seen<u16, String>) -> BrokerStatus {
        BrokerStatus::local(Protocol::Amqp, "RabbitMQ", installed, seen, String::clone)
    }

    #[test]
    fn what_is_missing_or_went_wrong_is_told_with_its_remedy() {
        let missing = of(Err("apt install".to_owned()), seen(LocalState::Stopped, None));
        assert_eq!((missing.state, missing.problem.as_deref()), (BrokerState::NotInstalled, Some("apt install")));
        let failed = of(Ok(None), seen(LocalState::Stopped, Some(Err("no port".to_owned()))));
        assert_eq!((failed.state, failed.problem.as_deref()), (BrokerState::Failed, Some("no port")));
        let stopped = of(Ok(Some("4.4.0".to_owned())), seen(LocalState::Stopped, None));
        assert_eq!((stopped.state, stopped.version.as_deref()), (BrokerState::Stopped, Some("4.4.0")));
        assert_eq!((stopped.address, stopped.problem, stopped.memory_bytes), (None, None, None));
    }

    #[test]
    fn one_that_is_being_installed_tells_how_far_it_has_come() {
        let missing = || of(Err("install it".to_owned()), seen(LocalState::Stopped, None));
        let not = missing().installed_by(Installs::Not, 43);
        assert_eq!((not.state, not.download_bytes, not.fetched_bytes), (BrokerState::NotInstalled, Some(43), None));
        let fetches = missing().installed_by(Installs::Under(KafkaInstalling::Fetches { bytes: 50 }), 43);
        assert_eq!((fetches.state, fetches.fetched_bytes, fetches.problem), (BrokerState::Installing, Some(43), None));
        let archives = missing().installed_by(Installs::Under(KafkaInstalling::Archives), 43);
        assert_eq!((archives.state, archives.fetched_bytes), (BrokerState::Installing, None));
        let failed = missing().installed_by(Installs::Failed("no Maven".to_owned()), 43);
        assert_eq!((failed.state, failed.problem.as_deref()), (BrokerState::NotInstalled, Some("no Maven")));
        let there = of(Ok(None), seen(LocalState::Stopped, None)).installed_by(Installs::Failed(String::new()), 43);
        assert_eq!((there.state, there.problem, there.download_bytes), (BrokerState::Stopped, None, None));
    }

    #[test]
    fn one_that_runs_tells_where_it_is_and_how_long_it_took() {
        let ready = of(Ok(None), seen(LocalState::Ready, Some(Ok(Duration::from_millis(3_100)))));
        assert_eq!((ready.state, ready.started_ms, ready.memory_bytes), (BrokerState::Ready, Some(3_100), Some(7)));
        assert_eq!((ready.address.as_deref(), ready.version.as_deref()), (Some("127.0.0.1:5672"), Some("3.10")));
    }

    #[test]
    fn every_broker_is_listed_once() {
        let allowed = ["amqp://one:5672".parse().unwrap()];
        let found = Brokers::new(allowed.into()).statuses();
        let told: Vec<_> = found.iter().map(|status| (status.protocol, status.broker.as_str())).collect();
        let expected = [
            ("amqp", "built-in"),
            ("amqp", "local"),
            ("kafka", "built-in"),
            ("kafka", "local"),
            ("amqp", "amqp://one:5672"),
        ];
        assert_eq!(told[..4], expected[..4]);
        assert!(told.len() == 5 && told[4].1.contains("one"), "{told:?}");
    }
}
