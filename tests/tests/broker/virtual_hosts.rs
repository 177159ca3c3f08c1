//! Virtual hosts: what is in one is not in another.

use hopscope_amqp::{Config, QueueOptions};
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, ExchangeKind};

use crate::support::{Client, Running, broker_with, code, within};

async fn running() -> Running {
    broker_with(Config { virtual_hosts: vec!["other".to_owned()], connections_max: 2, ..Config::default() }).await
}

async fn connect(running: &Running, path: &str) -> lapin::Result<Connection> {
    let uri = format!("amqp://guest:guest@{}/{path}", running.broker.address());
    within(Connection::connect(&uri, ConnectionProperties::default())).await
}

async fn client(running: &Running, path: &str) -> Client {
    let connection = connect(running, path).await.unwrap();
    let channel = within(connection.create_channel()).await.unwrap();
    within(channel.confirm_select(Default::default())).await.unwrap();
    Client { connection, channel }
}

#[tokio::test]
async fn each_has_queues_and_exchanges_of_its_own() {
    let running = running().await;
    let (here, there) = (client(&running, "%2f").await, client(&running, "other").await);
    here.declare("q", FieldTable::default()).await;
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    there.declare_as("q", exclusive, FieldTable::default()).await.unwrap();
    here.publish("q", b"here").await;
    there.publish("q", b"there").await;
    there.publish("q", b"there").await;
    assert_eq!((here.counts("q").await.0, there.counts("q").await.0), (1, 2));
    let kind = ExchangeKind::Fanout;
    let declare = there.channel.exchange_declare("e".into(), kind.clone(), Default::default(), FieldTable::default());
    within(declare).await.unwrap();
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let error = within(here.channel.exchange_declare("e".into(), kind, passive, FieldTable::default())).await;
    let error = error.err().unwrap();
    assert_eq!(code(&error), 404);
    assert_eq!(running.broker.queue("q").unwrap().ready, 1);
    let other = running.broker.virtual_host("other").unwrap();
    assert_eq!((other.name(), other.queue("q").unwrap().ready), ("other", 2));
    there.close().await;
    // Gone with the connection that had it for itself; the one of the same name is not.
    assert_eq!(other.queue("q"), None);
    assert_eq!(running.broker.queue("q").unwrap().ready, 1);
}

#[tokio::test]
async fn replies_name_the_one_that_they_are_about() {
    let running = running().await;
    let there = client(&running, "other").await;
    there.declare("q", FieldTable::default()).await;
    let fails = async |passive: bool, name: &str| {
        let channel = within(there.connection.create_channel()).await.unwrap();
        let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
        within(channel.queue_declare(name.into(), options, FieldTable::default())).await.err().unwrap().to_string()
    };
    let (absent, otherwise) = (fails(true, "none").await, fails(false, "q").await);
    assert!(absent.contains("NOT_FOUND - no queue 'none' in vhost 'other'"), "{absent}");
    assert!(otherwise.contains("inequivalent arg 'durable' for queue 'q' in vhost 'other'"), "{otherwise}");
}

#[tokio::test]
async fn connections_are_counted_in_all_of_them_together() {
    let running = running().await;
    assert_eq!(code(&connect(&running, "none").await.err().unwrap()), 530);
    let first = connect(&running, "%2f").await.unwrap();
    let _second = connect(&running, "other").await.unwrap();
    assert_eq!(running.broker.connections(), 2);
    let error = connect(&running, "other").await.err().unwrap();
    assert_eq!(code(&error), 530);
    let told = "access to vhost 'other' refused for user 'guest': connection limit (2) is reached";
    assert!(error.to_string().contains(told), "{error}");
    within(first.close(200, "done".into())).await.unwrap();
    assert!(connect(&running, "other").await.is_ok());
}

#[tokio::test]
async fn the_owner_names_one() {
    let running = running().await;
    let names: Vec<_> = running.broker.virtual_hosts().iter().map(|host| host.name().to_owned()).collect();
    assert_eq!(names, ["/", "other"]);
    assert!(running.broker.virtual_host("none").is_none());
    let other = running.broker.virtual_host("other").unwrap();
    other.declare_queue("q", &QueueOptions::default()).unwrap();
    assert!(running.broker.queue("q").is_none() && other.queue("q").is_some());
    assert!(other.delete_queue("q") && !other.delete_queue("q"));
}
