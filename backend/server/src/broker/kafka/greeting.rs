//! Asks what is at an address for the name of its cluster: whether it lets us in shows so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;

use crate::transport::messaging::BrokerAddress;

/// How often it is asked what it has to say, and how long it has for it each time.
const MOST_SAID: u32 = 20;
const SAID: Duration = Duration::from_millis(5);

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What librdkafka says of why it is not let in.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Option<String>>>);

impl ClientContext for Words {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, reason: &str) {
        // What came first is the cause of what follows.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.to_owned());
    }
}

impl ConsumerContext for Words {}

/// The name of the cluster at an address.
///
/// # Errors
/// Why it does not tell, in words.
pub(in crate::broker) async fn greet(address: &BrokerAddress) -> Result<String, String> {
    let config = crate::transport::kafka_config(address);
    let words = Words::default();
    let said = words.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let client: BaseConsumer<Words> = config.create_with_context(words).map_err(|error| error.to_string())?;
        if let Err(error) = client.fetch_metadata(None, PATIENCE) {
            // What it has to say of that it says when it is asked.
            (0..MOST_SAID).for_each(|_| drop(client.poll(SAID)));
            return Err(error.to_string());
        }
        let cluster = client.client().fetch_cluster_id(PATIENCE);
        cluster.ok_or_else(|| "it tells no name of its cluster".to_owned())
    });
    let answered = asked.await.unwrap_or_else(|error| Err(error.to_string()));
    answered.map_err(|error| said.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(error))
}
