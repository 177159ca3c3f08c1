//! `hopscope broker amqp`: a broker on its own, its administration, its users, and its end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use hopscope_tests::command::{Running, hopscope};
use hopscope_tests::http::request;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::desk::ensure_code;

mod limits;

/// A running broker.
struct Broker {
    process: Running,
    amqp: SocketAddr,
    admin: SocketAddr,
}

impl Broker {
    async fn start(options: &[&str], passwords: &str) -> Result<Self> {
        let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
        command.args(["broker", "amqp", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).args(options);
        command.env("HOPSCOPE_BROKER_PASSWORDS", passwords);
        let mut process = Running::start_by(command)?;
        let ready = process.answers().await?;
        let at = |scheme: &str| {
            let (_, rest) = ready.split_once(scheme).with_context(|| format!("no {scheme} in {ready}"))?;
            anyhow::Ok(rest.split([',', ' ']).next().unwrap_or_default().trim().parse()?)
        };
        let (amqp, admin) = (at("amqp://")?, at("http://")?);
        ensure!(ready.starts_with("Ready: "), "{ready}");
        Ok(Self { process, amqp, admin })
    }

    async fn connect(&self, user: &str, path: &str) -> lapin::Result<Connection> {
        let uri = format!("amqp://{user}@{}/{path}", self.amqp);
        Connection::connect(&uri, ConnectionProperties::default()).await
    }

    async fn channel(&self, path: &str) -> Result<(Connection, Channel)> {
        let connection = self.connect("guest:guest", path).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok((connection, channel))
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let (status, body) = request(&format!("GET {path}"), self.admin, &Vec::new(), b"").await?;
        ensure!(status == 200, "{path}: {status}");
        Ok(serde_json::from_slice(&body)?)
    }
}

async fn publish(channel: &Channel, queue: &str) -> Result<()> {
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default();
    channel.basic_publish("".into(), queue.into(), options, b"x", properties).await?.await?;
    Ok(())
}

#[tokio::test]
async fn clients_are_served_and_the_administration_counts_them() -> Result<()> {
    let broker = Broker::start(&["--vhost", "lab"], "").await?;
    let (_connection, channel) = broker.channel("%2f").await?;
    let mut table = FieldTable::default();
    table.insert("x-max-length".into(), AMQPValue::LongInt(10));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("orders".into(), options, table).await?;
    for _ in 0..3 {
        publish(&channel, "orders").await?;
    }
    let consume = BasicConsumeOptions::default();
    channel.basic_qos(1, Default::default()).await?;
    let mut consumer = channel.basic_consume("orders".into(), "one".into(), consume, FieldTable::default()).await?;
    let first = consumer.next().await.context("no delivery")??;
    first.ack(BasicAckOptions::default()).await?;
    consumer.next().await.context("no second delivery")??;
    let (_other, there) = broker.channel("lab").await?;
    there.queue_declare("there".into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    let kind = lapin::ExchangeKind::Topic;
    there.exchange_declare("events".into(), kind, Default::default(), FieldTable::default()).await?;
    there.queue_bind("there".into(), "events".into(), "a.#".into(), Default::default(), FieldTable::default()).await?;

    let queues = json!([
        {"name": "orders", "vhost": "/", "ready": 1, "unacked": 1, "consumers": 1, "durable": true,
            "exclusive": false, "auto_delete": false, "arguments": {"x-max-length": 10}},
        {"name": "there", "vhost": "lab", "ready": 0, "unacked": 0, "consumers": 0, "durable": false,
            "exclusive": false, "auto_delete": false, "arguments": {}},
    ]);
    assert_eq!(broker.get("/api/queues").await?, queues);
    let bindings = json!([
        {"vhost": "/", "source": "", "destination": "orders", "destination_type": "queue", "routing_key": "orders",
            "arguments": {}},
        {"vhost": "lab", "source": "", "destination": "there", "destination_type": "queue", "routing_key": "there",
            "arguments": {}},
        {"vhost": "lab", "source": "events", "destination": "there", "destination_type": "queue", "routing_key": "a.#",
            "arguments": {}},
    ]);
    assert_eq!(broker.get("/api/bindings").await?, bindings);
    let exchanges = broker.get("/api/exchanges").await?;
    let events = json!({"name": "events", "vhost": "lab", "type": "topic", "durable": false, "auto_delete": false,
        "internal": false});
    let exchanges = exchanges.as_array().context("no list")?;
    ensure!(exchanges.contains(&events) && exchanges.len() == 2 * 7 + 1, "{exchanges:?}");
    let connections = broker.get("/api/connections").await?;
    let told: Vec<_> = connections.as_array().context("no list")?.iter().collect();
    let told: Vec<_> = told.iter().map(|one| (&one["user"], &one["vhost"], &one["channels"], &one["state"])).collect();
    let (guest, one, running) = (json!("guest"), json!(1), json!("running"));
    let expected = [(&guest, &json!("/"), &one, &running), (&guest, &json!("lab"), &one, &running)];
    assert_eq!(told, expected);
    let index = broker.get("/").await?;
    assert_eq!(index["virtual_hosts"], json!(["/", "lab"]));
    assert_eq!(index["amqp"], json!(format!("amqp://{}", broker.amqp)));

    // A page of another site, by a name that leads here.
    let foreign = vec![("x-forwarded-host".to_owned(), "evil.example".to_owned())];
    assert_eq!(request("GET /api/queues", broker.admin, &foreign, b"").await?.0, 421);
    assert_eq!(request("GET /api/none", broker.admin, &Vec::new(), b"").await?.0, 404);
    assert_eq!(request("DELETE /api/queues", broker.admin, &Vec::new(), b"").await?.0, 405);
    Ok(())
}

#[tokio::test]
async fn its_end_is_told_to_every_client() -> Result<()> {
    for interrupt in [false, true] {
        let broker = Broker::start(&[], "").await?;
        let (_connection, channel) = broker.channel("%2f").await?;
        let options = QueueDeclareOptions::default();
        channel.queue_declare("q".into(), options, FieldTable::default()).await?;
        let mut consumer =
            channel.basic_consume("q".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default()).await?;
        if interrupt { broker.process.interrupt() } else { broker.process.terminate() }?;
        let told = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                match consumer.next().await {
                    Some(Err(error)) => return Some(error),
                    Some(Ok(_)) => {}
                    None => return channel.basic_get("q".into(), BasicGetOptions::default()).await.err(),
                }
            }
        });
        let told = told.await?.context("nobody was told")?;
        let code = match told.kind() {
            ErrorKind::ProtocolError(error) => Some(error.get_id()),
            _ => None,
        };
        ensure!(code == Some(320), "{told}");
        let ended = broker.process.end().await?;
        ensure_code(&ended, 0)?;
        ensure!(ended.stderr.is_empty(), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn named_users_have_their_passwords_from_the_environment() -> Result<()> {
    let broker = Broker::start(&["--user", "ann"], "bob:two ann:one").await?;
    broker.connect("ann:one", "%2f").await?;
    for refused in ["guest:guest", "bob:two", "ann:two"] {
        ensure!(broker.connect(refused, "%2f").await.is_err(), "{refused} was let in");
    }
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["broker", "amqp", "--listen", "127.0.0.1:0", "--user", "ann"]);
    command.env("HOPSCOPE_BROKER_PASSWORDS", "bob:s3cret");
    let ended = Running::start_by(command)?.end().await?;
    ensure_code(&ended, 5)?;
    ensure!(ended.stderr.contains("ann") && ended.stderr.contains("HOPSCOPE_BROKER_PASSWORDS"), "{}", ended.stderr);
    ensure!(!ended.stderr.contains("s3cret") && ended.stdout.is_empty(), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_listened_on_is_named() -> Result<()> {
    let broker = Broker::start(&[], "").await?;
    let taken = broker.amqp.to_string();
    for (listen, admin, option) in
        [(taken.as_str(), "127.0.0.1:0", "--listen"), ("127.0.0.1:0", taken.as_str(), "--admin")]
    {
        let ended = hopscope(["broker", "amqp", "--listen", listen, "--admin", admin]).await?;
        ensure_code(&ended, 5)?;
        ensure!(ended.stderr.contains(&format!("{taken} is taken")), "{}", ended.stderr);
        ensure!(ended.stderr.contains(&format!("with {option} ")) && ended.stdout.is_empty(), "{ended:?}");
    }
    for arguments in [
        &["--listen", "0.0.0.0:5672"][..],
        &["--listen", "[::]:0"],
        &["--listen", "127.0.0.1:0", "--admin", "192.0.2.1:15673"],
    ] {
        let ended = hopscope(["broker", "amqp"].iter().chain(arguments)).await?;
        ensure_code(&ended, 64)?;
        for named in arguments.iter().rev().take(2) {
            ensure!(ended.stderr.contains(named), "{}", ended.stderr);
        }
    }
    Ok(())
}
