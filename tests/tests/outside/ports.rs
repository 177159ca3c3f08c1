//! Nodes at ports that the run's settings fix, as programs expect them that know no other.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Kind;
use hopscope_scenario::plan::{Broker, FixedPorts, PlanBroker, RunSettings};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::http::post;
use hopscope_tests::runs::{has_kafka, has_rabbitmq, scenario, start_with};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;

/// A port that is free now, and so is the next.
pub(crate) fn free() -> Result<u16> {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return Ok(port);
        }
    }
}

fn document() -> serde_json::Value {
    json!({"format": "hopscope-scenario", "version": 1, "name": "fixed", "nodes": [
        {"id": "n1", "name": "buyers", "kind": "client", "load": {"kind": "constant", "rate": "20/s"}},
        {"id": "n2", "name": "shop", "kind": "service", "replicas": 2, "work": {"distribution": "constant", "mean": "1 ms"}},
        {"id": "n3", "name": "mail", "kind": "queue"}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]})
}

fn settings(ports: &str) -> RunSettings {
    RunSettings { duration: Some(Time(60_000_000_000)), ports: FixedPorts::new(ports), ..RunSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_listen_at_the_ports_that_are_fixed() -> Result<()> {
    let (shop, mail) = (free()?, free()?);
    let settings = settings(&format!("shop/http1={shop}, n3/amqp={mail}"));
    let started = start_with(scenario(&document())?, &Brokers::default(), settings).await?;
    let sockets: Vec<u16> = started
        .run
        .addresses()
        .iter()
        .filter_map(|(_, _, address)| if let Address::Socket(socket) = address { Some(socket.port()) } else { None })
        .collect();
    assert_eq!(sockets, [shop, shop + 1, mail]);
    for port in [shop, shop + 1] {
        assert_eq!(post(([127, 0, 0, 1], port).into(), &Vec::new(), b"hello").await?.0, 200);
    }
    let uri = format!("amqp://guest:guest@127.0.0.1:{mail}/%2f");
    let broker = Connection::connect(&uri, ConnectionProperties::default()).await?;
    broker.close(200, "done".into()).await?;
    started.run.stop();
    started.finish().await?;
    Ok(())
}

/// A client that publishes to a queue and a topic, and services that take from them.
fn kept() -> serde_json::Value {
    let service = |id: &str| json!({"id": id, "name": id, "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}});
    json!({"format": "hopscope-scenario", "version": 1, "name": "kept", "checks": [], "nodes": [
        {"id": "n1", "name": "buyers", "kind": "client", "load": {"kind": "constant", "rate": "5/s"}},
        {"id": "n2", "name": "mail", "kind": "queue"}, service("post"),
        {"id": "n4", "name": "log", "kind": "topic", "partitions": 1}, service("audit")],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"}, {"id": "l2", "from": "n2", "to": "post", "protocol": "amqp"},
            {"id": "l3", "from": "n1", "to": "n4", "protocol": "kafka"}, {"id": "l4", "from": "n4", "to": "audit", "protocol": "kafka"}]})
}

/// Publishes one message to the queue and one record to the topic of a run, at these ports and by these names.
async fn publish(queue: (u16, &str), topic: (u16, &str)) -> Result<()> {
    let uri = format!("amqp://guest:guest@127.0.0.1:{}/%2f", queue.0);
    let broker = Connection::connect(&uri, ConnectionProperties::default()).await?;
    let channel = broker.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm =
        channel.basic_publish("".into(), queue.1.into(), options, b"hello", BasicProperties::default()).await?;
    ensure!(matches!(confirm.await?, Confirmation::Ack(None)), "there is no queue {}", queue.1);
    broker.close(200, "done".into()).await?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", format!("127.0.0.1:{}", topic.0)).set("message.timeout.ms", "30000");
    let producer: FutureProducer = config.create()?;
    let record = FutureRecord::<str, str>::to(topic.1).payload("hello");
    producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
    Ok(())
}

/// A broker that listens where it likes is found where the run's settings say, as the built-in one of queues is.
async fn found_at_their_ports(choice: &str, brokers: &Brokers) -> Result<()> {
    let (mail, log) = (free()?, free()?);
    let choice = Broker::parse(choice)?;
    let of_run = settings(&format!("mail/amqp={mail}, log/kafka={log}"));
    let kafka = Broker::of_topics(choice.as_str()).context("no broker of topics")?;
    let started = start_with(scenario(&kept())?, brokers, RunSettings { broker: choice, kafka, ..of_run }).await?;
    let addresses = started.run.addresses();
    for (protocol, port) in [(Protocol::Amqp, mail), (Protocol::Kafka, log)] {
        let told = addresses.iter().find(|(_, of, _)| *of == protocol).context("no address is told")?;
        ensure!(matches!(&told.2, Address::Socket(socket) if socket.port() == port), "{told:?} is not at {port}");
    }
    let plan = started.run.plan();
    let name =
        |node: &str, broker: Option<&PlanBroker>| format!("{}{node}", broker.map_or("", |broker| broker.prefix()));
    let names = (name("mail", plan.broker.as_ref()), name("log", plan.kafka.as_ref()));
    publish((mail, &names.0), (log, &names.1)).await?;
    started.run.stop();
    let run = started.finish().await?;
    run.holds_the_laws()?;
    // What was not ours is taken as what was.
    for (service, sent) in [("post", 0), ("audit", 2)] {
        let ours = run.of(Kind::PUBLISHED).into_iter().filter(|event| event.link.0 == sent).count();
        let worked = run.at(service, Kind::RECEIVED).len();
        ensure!(worked == ours + 1, "{service} had {worked} of {ours} and one");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_found_at_the_ports_that_are_fixed() -> Result<()> {
    found_at_their_ports("built-in", &Brokers::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_and_a_kafka_are_found_at_the_ports_that_are_fixed() -> Result<()> {
    if !has_rabbitmq("a RabbitMQ at a fixed port") || !has_kafka("a Kafka at a fixed port") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let found = found_at_their_ports("local", &brokers).await;
    brokers.stop().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_with_what_to_do() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    for (ports, who) in [(format!("shop/http1={port}"), "shop"), (format!("mail/amqp={port}"), "the built-in broker")] {
        let refused = start_with(scenario(&document())?, &Brokers::default(), settings(&ports)).await.err();
        let text = format!("{:#}", refused.context("it listens there all the same")?);
        for part in [who, &format!("127.0.0.1:{port}"), "End the program that listens there"] {
            ensure!(text.contains(part), "{text} does not say {part}");
        }
    }
    Ok(())
}
