//! A run that publishes and takes, and one that lends its queue or its topic to others.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use hopscope_record::Kind;
use hopscope_scenario::plan::{Broker, Placement, RunSettings};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_tests::process::Process;
use serde_json::{Value, json};

use super::{BEFORE, BODY, Load, Looked, RATE, SECONDS, Setting, Turn, spread};
use crate::run::Run;

/// What the queue or the topic is called.
const NAME: &str = "messages";
/// Messages that a consumer may hold that it has not settled.
const HELD: u32 = 256;
/// Partitions of the topic.
const PARTITIONS: u32 = 3;

/// Starts a run at the broker: one that publishes and takes by this load, or one that publishes once a second and takes nothing.
pub(super) async fn start(setting: Setting, brokers: &Brokers, load: Option<Load>) -> Result<Run> {
    let mut settings = RunSettings { duration: Some(Time(SECONDS * 1_000_000_000)), ..RunSettings::default() };
    match setting.protocol {
        Protocol::Kafka => settings.kafka = Broker::of_topics(setting.broker).context("no broker of topics")?,
        _ => settings.broker = Broker::parse(setting.broker)?,
    }
    if load.is_some() {
        settings.placement = Placement::Processes;
    } else {
        settings.duration = None;
    }
    Run::of(&document(setting, load), brokers, settings).await
}

fn document(setting: Setting, load: Option<Load>) -> Value {
    let (protocol, at_once) = (setting.protocol, setting.at_once());
    let kafka = matches!(protocol, Protocol::Kafka);
    let offered = match load {
        None => json!({"kind": "constant", "rate": "1/s"}),
        Some(Load::Closed) => {
            json!({"kind": "closed", "users": at_once, "think": {"distribution": "constant", "mean": "0 s"}})
        }
        Some(Load::Rate) => json!({"kind": "constant", "rate": format!("{RATE}/s"), "in_flight": at_once}),
    };
    let between = if kafka {
        json!({"id": "n2", "kind": "topic", "name": NAME, "partitions": PARTITIONS})
    } else {
        json!({"id": "n2", "kind": "queue", "name": NAME, "prefetch": HELD})
    };
    let (mut to, mut from) = (
        json!({"id": "l1", "from": "n1", "to": "n2", "protocol": protocol.descriptor().id}),
        json!({"id": "l2", "from": "n2", "to": "n3", "protocol": protocol.descriptor().id}),
    );
    if kafka {
        to["linger"] = format!("{} ms", setting.linger_ms()).into();
        from["commit"] = "automatic".into();
        from["in_flight"] = HELD.into();
    }
    let mut nodes = vec![
        json!({"id": "n1", "kind": "client", "name": "publisher", "load": offered, "payload": {"bytes": format!("{BODY} B")}}),
        between,
    ];
    let mut links = vec![to];
    if load.is_some() {
        nodes.push(json!({"id": "n3", "kind": "service", "name": "consumer", "workers": HELD,
            "work": {"distribution": "constant", "mean": "0 s"}}));
        links.push(from);
    }
    json!({"format": "hopscope-scenario", "version": 1, "name": "messages", "nodes": nodes, "links": links})
}

/// What a run's queue or topic is called at its broker, and what that broker calls itself.
pub(super) fn called(setting: Setting, run: &Run) -> (String, String) {
    let plan = run.plan();
    let broker = if setting.protocol == Protocol::Kafka { &plan.kafka } else { &plan.broker };
    let product = broker.as_ref().map(|broker| format!("{} {}", broker.product(), broker.version()));
    let prefix = broker.as_ref().map_or("", |broker| broker.prefix());
    (format!("{prefix}{NAME}"), product.unwrap_or_else(|| "the built-in broker".to_owned()))
}

/// One load by a run; and at which broker.
pub(super) async fn turn(setting: Setting, brokers: &Brokers) -> Result<(Turn, String)> {
    let run = start(setting, brokers, Some(setting.load)).await?;
    let (_, at) = called(setting, &run);
    tokio::time::sleep(BEFORE).await;
    let looked = Looked::at(ends()?).await?;
    let (events, zero) = run.end().await?;
    let published: HashMap<_, _> =
        events.iter().filter(|event| event.kind == Kind::PUBLISHED).map(|event| (event.message, event.time)).collect();
    let (mut took, mut taken) = (Vec::new(), 0);
    for event in events.iter().filter(|event| looked.has(event.time + zero)) {
        match event.kind {
            Kind::CONFIRMED => took.extend(published.get(&event.message).map(|sent| event.time - sent)),
            Kind::RECEIVED => taken += 1,
            _ => {}
        }
    }
    let (publisher, consumer) = (looked.end(0, took.len() as f64), looked.end(1, f64::from(taken)));
    Ok((Turn { publisher, consumer, confirm: spread(took) }, at))
}

/// The processes of who publishes and of who takes. Who publishes has a thread that wants messages.
fn ends() -> Result<[Process; 2]> {
    let nodes = Process::new(std::process::id()).nodes()?;
    let wants = |node: &Process| node.holdings().is_ok_and(|holds| holds.threads.contains_key("hs-generator"));
    let (publishers, consumers): (Vec<_>, Vec<_>) = nodes.into_iter().partition(wants);
    match (&publishers[..], &consumers[..]) {
        ([publisher], [consumer]) => Ok([*publisher, *consumer]),
        _ => anyhow::bail!("{publishers:?} publish and {consumers:?} take"),
    }
}
