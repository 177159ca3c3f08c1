//! Each misuse has its reply code, and ends what it ends with RabbitMQ.

use hopscope_amqp::{AMQPValue, Config};
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties, ExchangeKind};

use crate::support::{Client, Running, arguments, broker, broker_with, code, next, text, within};

/// A misuse by a client of its own, with queue `q` there.
async fn fails<T>(
    running: &Running,
    expected: u16,
    connection: bool,
    misuse: impl AsyncFnOnce(&Client) -> lapin::Result<T>,
) {
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let Err(error) = within(misuse(&client)).await else { panic!("{expected} is not told") };
    assert_eq!(code(&error), expected, "{error}");
    assert_eq!(within(client.connection.create_channel()).await.is_err(), connection, "{error}");
}

/// A publish that fails when its confirm should come.
async fn publish(client: &Client, exchange: &str, properties: BasicProperties) -> lapin::Result<()> {
    let options = BasicPublishOptions::default();
    let confirm = client.channel.basic_publish(exchange.into(), "q".into(), options, b"x", properties).await?;
    confirm.await.map(|_| ())
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let running = broker().await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    fails(&running, 404, false, async |it| it.declare_as("none", passive, FieldTable::default()).await).await;
    fails(&running, 404, false, async |it| it.consume_as("none", "", BasicConsumeOptions::default()).await).await;
    fails(&running, 404, false, async |it| it.channel.basic_get("none".into(), Default::default()).await).await;
    fails(&running, 404, false, async |it| it.channel.queue_purge("none".into(), QueuePurgeOptions::default()).await)
        .await;
    fails(&running, 404, false, async |it| {
        it.channel
            .queue_bind("q".into(), "none".into(), "".into(), QueueBindOptions::default(), Default::default())
            .await
    })
    .await;
    fails(&running, 404, false, async |it| publish(it, "none", BasicProperties::default()).await).await;
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    fails(&running, 404, false, async |it| {
        it.channel.exchange_declare("none".into(), ExchangeKind::Direct, passive, Default::default()).await
    })
    .await;
}

#[tokio::test]
async fn what_is_not_allowed_is_403() {
    let running = broker().await;
    fails(&running, 403, false, async |it| {
        it.declare_as("amq.mine", QueueDeclareOptions::default(), FieldTable::default()).await
    })
    .await;
    let declare = async |it: &Client, name: &str| {
        let options = ExchangeDeclareOptions::default();
        it.channel.exchange_declare(name.into(), ExchangeKind::Direct, options, FieldTable::default()).await
    };
    fails(&running, 403, false, async |it| declare(it, "amq.mine").await).await;
    fails(&running, 403, false, async |it| declare(it, "").await).await;
    fails(&running, 403, false, async |it| {
        it.channel.exchange_delete("amq.direct".into(), ExchangeDeleteOptions::default()).await
    })
    .await;
    fails(&running, 403, false, async |it| {
        it.channel.queue_bind("q".into(), "".into(), "k".into(), QueueBindOptions::default(), Default::default()).await
    })
    .await;
    fails(&running, 403, false, async |it| {
        it.consume("q", "first").await;
        let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
        it.consume_as("q", "second", options).await
    })
    .await;
    fails(&running, 403, false, async |it| {
        let options = ExchangeDeclareOptions { internal: true, ..ExchangeDeclareOptions::default() };
        it.channel.exchange_declare("in".into(), ExchangeKind::Fanout, options, FieldTable::default()).await?;
        publish(it, "in", BasicProperties::default()).await
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_another_connection_is_405() {
    let running = broker().await;
    let owner = running.client().await;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    owner.declare_as("own", options, FieldTable::default()).await.unwrap();
    owner.declare_as("own", options, FieldTable::default()).await.unwrap();
    fails(&running, 405, false, async |it| it.declare_as("own", options, FieldTable::default()).await).await;
    fails(&running, 405, false, async |it| it.consume_as("own", "", BasicConsumeOptions::default()).await).await;
    fails(&running, 405, false, async |it| it.channel.queue_delete("own".into(), QueueDeleteOptions::default()).await)
        .await;
}

#[tokio::test]
async fn what_is_otherwise_is_406() {
    let running = broker().await;
    let plain = QueueDeclareOptions::default();
    let durable = QueueDeclareOptions { durable: true, ..plain };
    fails(&running, 406, false, async |it| it.declare_as("q", durable, FieldTable::default()).await).await;
    let tables =
        [arguments(&[("x-message-ttl", AMQPValue::LongInt(-1))]), arguments(&[("x-queue-type", text("quorum"))])];
    for table in tables {
        fails(&running, 406, false, async |it| it.declare_as("other", plain, table).await).await;
    }
    assert_eq!(running.broker.queue("other"), None);
    let table = arguments(&[("x-message-ttl", AMQPValue::LongInt(1))]);
    fails(&running, 406, false, async |it| it.declare_as("q", plain, table).await).await;
    for properties in [
        BasicProperties::default().with_expiration("soon".into()),
        BasicProperties::default().with_expiration("-1".into()),
        BasicProperties::default().with_user_id("someone".into()),
    ] {
        fails(&running, 406, false, async |it| publish(it, "", properties).await).await;
    }
    fails(&running, 406, false, async |it| {
        it.consume("q", "").await;
        let options = QueueDeleteOptions { if_unused: true, ..QueueDeleteOptions::default() };
        it.channel.queue_delete("q".into(), options).await
    })
    .await;
    fails(&running, 406, false, async |it| {
        it.publish("q", b"x").await;
        let options = QueueDeleteOptions { if_empty: true, ..QueueDeleteOptions::default() };
        it.channel.queue_delete("q".into(), options).await
    })
    .await;
    fails(&running, 406, false, async |it| {
        let options = BasicConsumeOptions { no_ack: false, ..BasicConsumeOptions::default() };
        it.consume_as("amq.rabbitmq.reply-to", "", options).await
    })
    .await;
    let exchange = async |it: &Client, kind| {
        let options = ExchangeDeclareOptions::default();
        it.channel.exchange_declare("e".into(), kind, options, FieldTable::default()).await
    };
    fails(&running, 406, false, async |it| {
        exchange(it, ExchangeKind::Direct).await?;
        exchange(it, ExchangeKind::Fanout).await
    })
    .await;
}

#[tokio::test]
async fn what_no_client_may_ends_the_connection() {
    let running = broker().await;
    fails(&running, 530, true, async |it| {
        it.consume("q", "twice").await;
        it.consume_as("q", "twice", BasicConsumeOptions::default()).await
    })
    .await;
    fails(&running, 503, true, async |it| {
        let kind = ExchangeKind::Custom("strange".to_owned());
        it.channel.exchange_declare("e".into(), kind, ExchangeDeclareOptions::default(), FieldTable::default()).await
    })
    .await;
    fails(&running, 540, true, async |it| {
        let options = BasicPublishOptions { immediate: true, ..BasicPublishOptions::default() };
        let publish = it.channel.basic_publish("".into(), "q".into(), options, b"x", BasicProperties::default());
        publish.await?.await.map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let running = broker_with(Config { connections_max: 1, ..Config::default() }).await;
    let refused = async |path: &str| {
        let uri = format!("amqp://{path}");
        code(&within(Connection::connect(&uri, ConnectionProperties::default())).await.err().unwrap())
    };
    let address = running.broker.address();
    assert_eq!(refused(&format!("guest:wrong@{address}/%2f")).await, 403);
    assert_eq!(refused(&format!("guest:guest@{address}/elsewhere")).await, 530);
    let _first = running.connect().await;
    assert_eq!(refused(&format!("guest:guest@{address}/%2f")).await, 530);
}

#[tokio::test]
async fn a_message_may_be_as_large_as_configured() {
    let running = broker_with(Config { message_max: 1000, ..Config::default() }).await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    client.publish("q", &[0; 1000]).await;
    let options = BasicPublishOptions::default();
    let confirm =
        client.channel.basic_publish("".into(), "q".into(), options, &[0; 1001], BasicProperties::default()).await;
    let error = match confirm {
        Ok(confirm) => within(confirm).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(code(&error), 406);
    assert_eq!(running.broker.queue("q").unwrap().ready, 1);
}

#[tokio::test]
async fn channels_are_limited_as_agreed() {
    let running = broker_with(Config { channel_max: 2, ..Config::default() }).await;
    let connection = running.connect().await;
    let _one = within(connection.create_channel()).await.unwrap();
    let _two = within(connection.create_channel()).await.unwrap();
    assert!(within(connection.create_channel()).await.is_err(), "the client keeps to what was agreed");
}

#[tokio::test]
async fn a_fault_ends_its_channel_and_no_other() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let other = within(client.connection.create_channel()).await.unwrap();
    let consume = other.basic_consume("q".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = within(consume).await.unwrap();
    let error = within(client.channel.basic_get("none".into(), Default::default())).await.err().unwrap();
    assert_eq!(code(&error), 404);
    let publish = other.basic_publish("".into(), "q".into(), Default::default(), b"x", BasicProperties::default());
    within(publish).await.unwrap();
    assert_eq!(next(&mut consumer).await.data, b"x");
}
