//! A broker on a free port, clients for it, and an observer that remembers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use hopscope_amqp::{
    AMQPValue, Broker, Config, ConnectionId, ConnectionInfo, ConsumerInfo, Delivery, Incoming, LongString, Observer,
    QueueInfo, Routing, Serving, Transition, TransitionKind, serve,
};
pub(crate) use hopscope_tests::tables::{table as arguments, text};
use lapin::message::Delivery as LapinDelivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, ErrorKind, Queue};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Nothing in these tests takes this long; what does is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(30);

/// What an observer heard, in order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Heard {
    Published(u64),
    Routed(u64, Routing),
    Step { queue: String, mark: u64, transition: Transition, delivery: Option<(u64, u16, String, u64)> },
    Buried(String),
    Declared(String),
    Deleted(String),
    ConsumerAdded(String, String),
    ConsumerGone(String, String),
    Opened(u64),
    Closed(u64),
}

/// Remembers all it hears and numbers publishes.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memory {
    heard: Arc<Mutex<Vec<Heard>>>,
    changed: Arc<Notify>,
}

impl Memory {
    fn hear(&self, heard: Heard) {
        self.heard.lock().unwrap().push(heard);
        self.changed.notify_waiters();
    }

    /// Resolves once what was heard is so.
    pub(crate) async fn until(&self, is_so: impl Fn(&[Heard]) -> bool) {
        within(async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if is_so(&self.heard.lock().unwrap()) {
                    return;
                }
                changed.await;
            }
        })
        .await;
    }

    /// Resolves once a queue has told so many steps of a kind.
    pub(crate) async fn until_steps(&self, of: &str, kind: TransitionKind, count: usize) {
        let is_one = |heard: &&Heard| matches!(heard, Heard::Step { queue, transition, .. } if queue == of && transition.kind == kind);
        self.until(|all| all.iter().filter(is_one).count() >= count).await;
    }

    pub(crate) fn all(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The transitions of a queue, in order.
    pub(crate) fn steps(&self, of: &str) -> Vec<Transition> {
        let steps = self.all().into_iter().filter_map(|heard| match heard {
            Heard::Step { queue, transition, .. } if queue == of => Some(transition),
            _ => None,
        });
        steps.collect()
    }

    /// The kinds of a queue's transitions, in order.
    pub(crate) fn kinds(&self, of: &str) -> Vec<TransitionKind> {
        self.steps(of).into_iter().map(|step| step.kind).collect()
    }

    /// Fails where a queue's transitions are no account: gaps, a length that is not the one before, a wrong step.
    pub(crate) fn check(&self, of: &str) {
        let mut length = 0;
        for (index, step) in self.steps(of).into_iter().enumerate() {
            assert_eq!(step.ordinal, index as u64 + 1);
            assert_eq!(step.before, length);
            assert_eq!(i64::from(step.after) - i64::from(step.before), i64::from(step.kind.step()), "{step:?}");
            length = step.after;
        }
    }
}

impl Observer for Memory {
    type Mark = u64;
    type Queue = String;
    type Consumer = String;

    fn published(&self, publish: &mut Incoming<'_>) -> u64 {
        let mut heard = self.heard.lock().unwrap();
        let number = heard.iter().filter(|heard| matches!(heard, Heard::Published(_))).count() as u64 + 1;
        heard.push(Heard::Published(number));
        if publish.header("mark-me").is_some() {
            publish.set_header("marked", AMQPValue::LongString(LongString::from("yes")));
        }
        number
    }

    fn routed(&self, mark: &u64, routing: Routing) {
        self.hear(Heard::Routed(*mark, routing));
    }

    fn transition(&self, queue: &String, step: &Transition, mark: &u64, delivery: Option<Delivery<'_, String>>) {
        let delivery = delivery.map(|it| {
            assert!(it.consumer.is_none_or(|tag| tag == it.consumer_tag));
            (it.connection.get(), it.channel, it.consumer_tag.to_owned(), it.delivery_tag)
        });
        self.hear(Heard::Step { queue: queue.clone(), mark: *mark, transition: *step, delivery });
    }

    fn buried(&self, queue: &String) {
        self.hear(Heard::Buried(queue.clone()));
    }

    fn queue_declared(&self, queue: &QueueInfo<'_>) -> String {
        self.hear(Heard::Declared(queue.name.to_owned()));
        queue.name.to_owned()
    }

    fn queue_deleted(&self, queue: &String) {
        self.hear(Heard::Deleted(queue.clone()));
    }

    fn consumer_added(&self, queue: &String, consumer: &ConsumerInfo<'_>) -> String {
        self.hear(Heard::ConsumerAdded(queue.clone(), consumer.tag.to_owned()));
        consumer.tag.to_owned()
    }

    fn consumer_gone(&self, queue: &String, consumer: &String) {
        self.hear(Heard::ConsumerGone(queue.clone(), consumer.clone()));
    }

    fn connection_opened(&self, connection: &ConnectionInfo<'_>) {
        self.hear(Heard::Opened(connection.id.get()));
    }

    fn connection_closed(&self, connection: ConnectionId) {
        self.hear(Heard::Closed(connection.get()));
    }
}

/// A broker that ends with the test.
pub(crate) struct Running {
    pub(crate) broker: Broker<Memory>,
    pub(crate) memory: Memory,
    stop: CancellationToken,
    serving: Serving,
}

pub(crate) async fn broker() -> Running {
    broker_with(Config::default()).await
}

pub(crate) async fn broker_with(config: Config) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (memory, stop) = (Memory::default(), CancellationToken::new());
    let (broker, serving) = serve(listener, config, memory.clone(), stop.clone().cancelled_owned()).unwrap();
    Running { broker, memory, stop, serving }
}

impl Running {
    pub(crate) async fn connect(&self) -> Connection {
        let uri = format!("amqp://guest:guest@{}/%2f", self.broker.address());
        within(Connection::connect(&uri, ConnectionProperties::default())).await.unwrap()
    }

    /// A client with one channel on a connection of its own; its publishes are confirmed.
    pub(crate) async fn client(&self) -> Client {
        let connection = self.connect().await;
        let channel = within(connection.create_channel()).await.unwrap();
        within(channel.confirm_select(ConfirmSelectOptions::default())).await.unwrap();
        Client { connection, channel }
    }

    /// Ends the broker and waits until nothing of it is left.
    pub(crate) async fn stop(self) -> Memory {
        self.stop.cancel();
        within(self.serving).await;
        self.memory
    }
}

/// A client with one channel.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
}

impl Client {
    pub(crate) async fn declare(&self, name: &str, table: FieldTable) -> Queue {
        self.declare_as(name, QueueDeclareOptions::default(), table).await.unwrap()
    }

    pub(crate) async fn declare_as(
        &self,
        name: &str,
        options: QueueDeclareOptions,
        table: FieldTable,
    ) -> lapin::Result<Queue> {
        within(self.channel.queue_declare(name.into(), options, table)).await
    }

    /// Ready copies and consumers, as a passive declare tells them; all that this client sent before is done then.
    pub(crate) async fn counts(&self, name: &str) -> (u32, u32) {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.declare_as(name, options, FieldTable::default()).await.unwrap();
        (queue.message_count(), queue.consumer_count())
    }

    /// Publishes to a queue and waits for the confirm.
    pub(crate) async fn publish(&self, queue: &str, body: &[u8]) -> Confirmation {
        self.publish_as("", queue, body, BasicProperties::default(), false).await
    }

    pub(crate) async fn publish_as(
        &self,
        exchange: &str,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
        mandatory: bool,
    ) -> Confirmation {
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let publish = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties);
        within(within(publish).await.unwrap()).await.unwrap()
    }

    pub(crate) async fn consume(&self, queue: &str, tag: &str) -> Consumer {
        self.consume_as(queue, tag, BasicConsumeOptions::default()).await.unwrap()
    }

    pub(crate) async fn consume_as(
        &self,
        queue: &str,
        tag: &str,
        options: BasicConsumeOptions,
    ) -> lapin::Result<Consumer> {
        within(self.channel.basic_consume(queue.into(), tag.into(), options, FieldTable::default())).await
    }

    /// Consumes with arguments.
    pub(crate) async fn consume_with(&self, queue: &str, tag: &str, table: FieldTable) -> lapin::Result<Consumer> {
        let options = BasicConsumeOptions::default();
        within(self.channel.basic_consume(queue.into(), tag.into(), options, table)).await
    }

    pub(crate) async fn close(self) {
        within(self.connection.close(200, "done".into())).await.unwrap();
    }
}

/// The next delivery.
pub(crate) async fn next(consumer: &mut Consumer) -> LapinDelivery {
    within(consumer.next()).await.unwrap().unwrap()
}

/// The protocol's reply code of an error.
pub(crate) fn code(error: &lapin::Error) -> u16 {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_id(),
        other => panic!("{other:?}"),
    }
}

/// The reply text of an error.
pub(crate) fn reply_text(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        other => panic!("{other:?}"),
    }
}

/// A future that must not get stuck.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(STUCK, future).await.expect("stuck")
}
