//! Programs in Go, Node and Python at an exchange of a run, on the built-in broker and on RabbitMQ: they publish to it and take from it, and
//! the run's own consumers get exactly what their bindings say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::{Event, Kind, LinkIndex, MessageId};
use hopscope_scenario::plan::{Broker, RunSettings};
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::runs::{Finished, Started, has_rabbitmq, scenario, start_with};
use serde_json::{Value, json};

use crate::example::{Example, has_go, has_node};
use crate::{FOREIGN, python};

/// How many messages of the run each of the programs has to have seen.
const SEEN: usize = 10;

/// A client that publishes orders and users by turns, an exchange, and a queue with a service for each binding.
fn document() -> Value {
    let load = json!({"kind": "constant", "rate": "100/s", "in_flight": 100});
    let mut nodes = vec![
        json!({"id": "c", "kind": "client", "name": "shop", "load": load, "payload": {"bytes": "64 B", "content": "text"}}),
        json!({"id": "x", "kind": "exchange", "name": "events", "type": "topic"}),
    ];
    let mut links = Vec::new();
    for (id, key) in [("orders", "orders.created"), ("users", "users.created")] {
        links.push(json!({"id": id, "from": "c", "to": "x", "protocol": "amqp", "routing_key": key}));
    }
    for (service, key) in [("pricing", "orders.created"), ("audit", "orders.#"), ("crm", "users.*")] {
        let queue = format!("for-{service}");
        nodes.push(json!({"id": queue, "kind": "queue", "name": queue}));
        nodes.push(json!({"id": service, "kind": "service", "name": service, "work": {"distribution": "constant", "mean": "1 ms"}}));
        links.push(
            json!({"id": format!("to-{queue}"), "from": "x", "to": queue, "protocol": "amqp", "binding_key": key}),
        );
        links.push(json!({"id": format!("to-{service}"), "from": queue, "to": service, "protocol": "amqp"}));
    }
    json!({"format": "hopscope-scenario", "version": 1, "name": "handed on", "checks": [], "nodes": nodes, "links": links})
}

/// Starts a run until it is stopped; gives it with the address of its broker, and what the names of its queues and exchanges begin
/// with there.
pub(crate) async fn until_stopped(
    document: &Value,
    brokers: &Brokers,
    broker: &str,
) -> Result<(Started, String, String)> {
    let settings = RunSettings { broker: Broker::parse(broker)?, duration: None, ..RunSettings::default() };
    let started = start_with(scenario(document)?, brokers, settings).await?;
    let mut addresses = started.run.addresses().iter();
    let address = addresses.find_map(|(_, protocol, address)| match address {
        Address::Socket(socket) if *protocol == Protocol::Amqp => Some(socket.to_string()),
        _ => None,
    });
    let prefix = started.run.plan().broker.as_ref().map_or("", |broker| broker.prefix()).to_owned();
    Ok((started, address.context("its broker has no address")?, prefix))
}

/// The message that a header names, if it is in it.
pub(crate) fn named(told: &Value) -> Option<MessageId> {
    let span = told["traceparent"].as_str()?.split('-').nth(2)?;
    u64::from_str_radix(span, 16).ok().map(MessageId)
}

/// What the programs were told.
struct Told {
    /// What the worker in Go has taken and published again.
    go: Vec<Value>,
    /// What the consumer in Node has taken.
    node: Vec<Value>,
    /// What the program in Python was told.
    python: Value,
}

async fn at(brokers: &Brokers, broker: &str) -> Result<()> {
    let (started, address, prefix) = until_stopped(&document(), brokers, broker).await?;
    let exchange = format!("{prefix}events");
    let common = ["--address", &address, "--exchange", &exchange];
    let (go, _) = Example::start("go-worker", &common).await?;
    let (mut node, _) = Example::start("node-consumer", &[&common[..], &["--key", "orders.*"]].concat()).await?;
    let python = python("exchange.py", &[&address, &exchange, FOREIGN, &SEEN.to_string()]).await?;
    let mut seen = node.tells(SEEN).await?;
    // First those who publish: what the run records is then all that they told.
    let go = go.end().await?;
    seen.extend(node.end().await?);
    started.run.stop();
    let run = started.finish().await?;
    run.holds_the_laws()?;
    let told = Told { go, node: seen, python };
    took(&run, &told)?;
    as_bound(&run, &told, broker == "built-in")
}

/// What was published over a link of the run.
fn published(run: &Finished, link: &str) -> BTreeSet<MessageId> {
    let over = |event: &Event| run.plan.link(event.link.0).is_some_and(|found| found.id == link);
    run.of(Kind::PUBLISHED).into_iter().filter(over).map(|event| event.message).collect()
}

/// The programs took what they had bound and nothing else, from the run and from each other.
fn took(run: &Finished, told: &Told) -> Result<()> {
    let orders = published(run, "orders");
    ensure!(told.go.iter().filter(|one| named(one).is_some_and(|message| orders.contains(&message))).count() >= SEEN);
    let bodies = |told: &[Value], body: &str| told.iter().filter(|one| one["body"] == body).count();
    ensure!(
        (bodies(&told.go, "one"), bodies(&told.go, "two"), bodies(&told.go, "three")) == (1, 1, 0),
        "{:?}",
        told.go
    );
    ensure!(told.python["returned"] == json!(["wanted.by.nobody"]), "{}", told.python);
    let taken = told.python["taken"].as_array().context("nothing taken")?;
    for one in taken {
        ensure!(one["key"] == "orders.priced", "{one}");
        // It is what became of something that the worker took, in its trace.
        let of = |took: &&Value| one["body"] == format!("priced: {}", took["body"].as_str().unwrap_or_default());
        let took = told.go.iter().find(of).with_context(|| format!("who published {one}?"))?;
        let trace =
            |told: &Value| told["traceparent"].as_str().and_then(|text| text.split('-').nth(1)).map(str::to_owned);
        ensure!(trace(one) == trace(took) || trace(took).is_none(), "{one} of {took}");
    }
    for one in &told.node {
        let (created, priced) = (one["key"] == "orders.created", one["key"] == "orders.priced");
        let of_python = one["body"] == "one" || one["body"] == "two";
        let of_run = named(one).is_some_and(|message| orders.contains(&message));
        ensure!(priced || (created && (of_python || of_run)), "{one} is not what it wants");
    }
    Ok(())
}

/// How many messages came to a service, by the message that caused them: itself where it is the run's, else what the one who published it
/// was given.
fn causes(run: &Finished, service: &str) -> BTreeMap<MessageId, usize> {
    let strangers: BTreeMap<_, _> = strangers(run).into_iter().map(|event| (event.message, event.parent)).collect();
    let mut causes = BTreeMap::new();
    for received in run.at(service, Kind::RECEIVED) {
        *causes.entry(*strangers.get(&received.parent).unwrap_or(&received.parent)).or_default() += 1;
    }
    causes
}

/// Copies that came into the run's queues from programs, as the built-in broker stamps them.
fn strangers(run: &Finished) -> Vec<Event> {
    run.of(Kind::ENQUEUED).into_iter().filter(|event| event.link == LinkIndex::NONE).collect()
}

/// Each service got what its binding says, of what the run published and of what the programs did, and nothing else.
fn as_bound(run: &Finished, told: &Told, stamped: bool) -> Result<()> {
    let (orders, users) = (published(run, "orders"), published(run, "users"));
    ensure!(orders.len() > SEEN && users.len() > SEEN, "{} and {}", orders.len(), users.len());
    let once =
        |messages: &BTreeSet<MessageId>| messages.iter().map(|message| (*message, 1)).collect::<BTreeMap<_, _>>();
    let with = |mut expected: BTreeMap<MessageId, usize>, caused: &[MessageId]| {
        caused.iter().for_each(|cause| *expected.entry(*cause).or_default() += 1);
        expected
    };
    // What a program publishes on its own has no cause.
    let pricing = with(once(&orders), &[MessageId::NONE; 2]);
    ensure!(causes(run, "pricing") == pricing, "{:?}", causes(run, "pricing"));
    ensure!(causes(run, "crm") == with(once(&users), &[MessageId::NONE]), "{:?}", causes(run, "crm"));
    // What became of an order was caused by it. Of the two of the other program this is known where the broker named them.
    let cause = |one: &Value| match named(one) {
        Some(message) if stamped || orders.contains(&message) => message,
        _ => MessageId::NONE,
    };
    let priced: Vec<_> = told.go.iter().map(cause).collect();
    ensure!(causes(run, "audit") == with(pricing, &priced), "{:?}", causes(run, "audit"));
    if stamped { told_apart(run, told) } else { Ok(()) }
}

/// Where the broker stamps its queues, what programs publish has its own identity, in the trace that it was given or in a new one.
fn told_apart(run: &Finished, told: &Told) -> Result<()> {
    let strangers = strangers(run);
    // Two orders in two queues each, a user in one, and what became of each order.
    ensure!(strangers.len() == 5 + told.go.len(), "{} came from programs", strangers.len());
    let own: BTreeMap<_, _> = run.of(Kind::PUBLISHED).into_iter().map(|event| (event.message, event.trace)).collect();
    for event in &strangers {
        ensure!(!own.contains_key(&event.message), "{event:?} is one of the run");
        let caused = strangers.iter().find(|other| other.message == event.parent).map(|other| other.trace);
        let trace = own.get(&event.parent).copied().or(caused);
        ensure!(
            trace.is_some() != event.parent.is_none() && trace.is_none_or(|trace| trace == event.trace),
            "{event:?}"
        );
    }
    let roots: BTreeSet<_> =
        strangers.iter().filter(|event| event.parent.is_none()).map(|event| (event.trace, event.message)).collect();
    ensure!(roots.len() == 3, "{roots:?}");
    Ok(())
}

fn has_them(test: &str) -> bool {
    has_go(test) && has_node(test)
}

#[tokio::test(flavor = "multi_thread")]
async fn go_node_and_python_at_an_exchange_of_the_built_in_broker() -> Result<()> {
    if !has_them("Go, Node and Python at an exchange of the built-in broker") {
        return Ok(());
    }
    at(&Brokers::default(), "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn go_node_and_python_at_an_exchange_of_a_rabbitmq() -> Result<()> {
    const TEST: &str = "Go, Node and Python at an exchange of a real RabbitMQ";
    if !has_them(TEST) || !has_rabbitmq(TEST) {
        return Ok(());
    }
    let brokers = Brokers::default();
    let shown = at(&brokers, "local").await;
    brokers.local().stop().await;
    shown
}
