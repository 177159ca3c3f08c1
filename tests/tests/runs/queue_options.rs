//! What a queue may be declared with means the same on the built-in broker and on RabbitMQ: each case is run on both, by what
//! publishers and consumers see, which either tells alike.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::Counted;
use hopscope_record::kind::{Deaths, QueueCause};
use hopscope_record::{Event, Kind, MessageId};
use hopscope_report::laws::Law;
use hopscope_rules::payload::Payloads;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::model::NodeKind;
use hopscope_server::broker::{Brokers, Declared};
use hopscope_tests::runs::{Finished, finish, has_rabbitmq, scenario};
use serde_json::{Value, json};

/// One millisecond in ns.
const MS: i64 = 1_000_000;

/// A case: what it shows, its scenario, and what must come of it; whether its broker stamps.
type Case = (&'static str, fn() -> Value, fn(&Finished, bool) -> Result<()>);

const CASES: &[Case] = &[
    ("what has had its time goes on as a dead letter", expiring, expired),
    ("what is rejected waits and comes back", retried, came_back),
    ("a full queue drops its head, which goes on", dropping, dropped),
    ("a full queue refuses", refusing, refused),
    ("the highest priority first", prioritized, by_priority),
    ("what is durable", durable, kept),
    ("what a quorum keeps", quorum, kept),
];

fn document(clients: Value, queues: &[Value], services: &[Value], links: &[(&str, &str)]) -> Value {
    let nodes: Vec<_> = [clients].iter().chain(queues).chain(services).cloned().collect();
    let links: Vec<_> = links
        .iter()
        .zip(1..)
        .map(|((from, to), number)| json!({"id": format!("l{number}"), "from": from, "to": to, "protocol": "amqp"}))
        .collect();
    json!({"format": "hopscope-scenario", "version": 1, "name": "queues", "nodes": nodes, "links": links})
}

fn client(rate: &str, count: u32) -> Value {
    json!({"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": rate, "count": count}})
}

fn service(work: &str, failure: &str) -> Value {
    let work = json!({"distribution": "constant", "mean": work});
    json!({"id": "n9", "kind": "service", "name": "shop", "workers": 1, "work": work, "failure": failure})
}

fn ready(run: &Finished, queue: &str) -> Result<u64> {
    let node = run.plan.nodes.iter().position(|node| node.name == queue).context("no such queue")?;
    let place = run.plan.places.iter().position(|place| place.node as usize == node).context("no such place")?;
    let end = run.recorded.end.as_ref().context("no end")?;
    let row = end.counts.iter().find(|row| row.counted == Counted::READY && row.index as usize == place);
    Ok(row.context("it was not counted")?.count)
}

/// What the deliveries of a message were told of where it had been.
fn deaths(run: &Finished, delivery: MessageId) -> Vec<(String, Deaths)> {
    let told = run.of(Kind::X_DEATH).into_iter().filter(|event| event.message == delivery);
    told.map(|event| (run.name(event.a).to_owned(), Deaths::from_value(event.b).unwrap())).collect()
}

fn death(queue: &str, count: u32, cause: QueueCause) -> (String, Deaths) {
    (queue.to_owned(), Deaths { count, cause })
}

/// Why a law says nothing, if it does not.
fn free(run: &Finished, law: Law) -> Option<Key> {
    run.laws.iter().find(|report| report.law == law).and_then(|report| report.not_applicable)
}

fn count(events: &[Event], expected: usize, what: &str) -> Result<()> {
    ensure!(events.len() == expected, "{} {what}, not {expected}", events.len());
    Ok(())
}

fn expiring() -> Value {
    let queues = [
        json!({"id": "n2", "kind": "queue", "name": "waiting", "ttl": "50 ms", "dead_letters": "n3"}),
        json!({"id": "n3", "kind": "queue", "name": "late"}),
    ];
    document(client("200/s", 20), &queues, &[service("1 ms", "0 %")], &[("n1", "n2"), ("n3", "n9")])
}

fn expired(run: &Finished, stamped: bool) -> Result<()> {
    let (published, received) = (run.of(Kind::PUBLISHED), run.of(Kind::RECEIVED));
    count(&received, 20, "deliveries")?;
    for received in &received {
        let sent = published.iter().find(|event| event.message == received.parent).context("not of a publish")?;
        let after = received.time - sent.time;
        ensure!((50 * MS..2_000 * MS).contains(&after), "received {after} ns after it was published");
        ensure!(deaths(run, received.message) == [death("waiting", 1, QueueCause::QUEUE_TTL)]);
    }
    ensure!((ready(run, "waiting")?, ready(run, "late")?) == (0, 0));
    if stamped {
        count(&run.at("waiting", Kind::EXPIRED), 20, "that expired")?;
        count(&run.at("waiting", Kind::DEAD_LETTERED), 20, "dead letters")?;
        return count(&run.at("late", Kind::ENQUEUED), 20, "that came as dead letters");
    }
    ensure!(free(run, Law::TakeLowers).is_some(), "{:?}", run.laws);
    Ok(())
}

fn retried() -> Value {
    let queues = [
        json!({"id": "n2", "kind": "queue", "name": "orders", "dead_letters": "n3"}),
        json!({"id": "n3", "kind": "queue", "name": "waiting", "ttl": "20 ms", "dead_letters": "n2"}),
    ];
    document(client("100/s", 20), &queues, &[service("1 ms", "40 %")], &[("n1", "n2"), ("n2", "n9")])
}

fn came_back(run: &Finished, stamped: bool) -> Result<()> {
    let (acked, nacked) = (run.of(Kind::ACKED), run.of(Kind::NACKED));
    count(&acked, 20, "done")?;
    // The n-th work fails on either broker or on neither: so many have to be repeated.
    ensure!(!nacked.is_empty(), "none failed");
    let mut deliveries: BTreeMap<MessageId, u32> = BTreeMap::new();
    for received in run.of(Kind::RECEIVED) {
        let before = deliveries.entry(received.parent).or_default();
        let expected = match *before {
            0 => Vec::new(),
            times => {
                vec![death("waiting", times, QueueCause::QUEUE_TTL), death("orders", times, QueueCause::REJECTED)]
            }
        };
        ensure!(deaths(run, received.message) == expected, "{:?}", deaths(run, received.message));
        *before += 1;
    }
    ensure!(deliveries.len() == 20 && deliveries.values().sum::<u32>() as usize == acked.len() + nacked.len());
    if stamped {
        return count(&run.at("orders", Kind::DEAD_LETTERED), nacked.len(), "dead letters");
    }
    Ok(())
}

fn dropping() -> Value {
    let queues = [
        json!({"id": "n2", "kind": "queue", "name": "small", "capacity": 3, "overflow": "drop-head", "dead_letters": "n3"}),
        json!({"id": "n3", "kind": "queue", "name": "left"}),
    ];
    document(client("200/s", 10), &queues, &[service("1 ms", "0 %")], &[("n1", "n2"), ("n3", "n9")])
}

fn dropped(run: &Finished, stamped: bool) -> Result<()> {
    count(&run.of(Kind::CONFIRMED), 10, "confirmed")?;
    ensure!(ready(run, "small")? == 3);
    let (published, received) = (run.of(Kind::PUBLISHED), run.of(Kind::RECEIVED));
    let oldest: Vec<_> = published.iter().take(7).map(|event| event.message).collect();
    let parents: Vec<_> = received.iter().map(|event| event.parent).collect();
    ensure!(parents == oldest, "not the oldest were dropped: {parents:?}");
    for received in &received {
        ensure!(deaths(run, received.message) == [death("small", 1, QueueCause::MAX_LENGTH)]);
    }
    if stamped {
        return count(&run.at("small", Kind::DROPPED), 7, "dropped");
    }
    ensure!(free(run, Law::TakeLowers).is_some(), "{:?}", run.laws);
    Ok(())
}

fn refusing() -> Value {
    let queues = [json!({"id": "n2", "kind": "queue", "name": "small", "capacity": 3})];
    document(client("200/s", 10), &queues, &[], &[("n1", "n2")])
}

fn refused(run: &Finished, _: bool) -> Result<()> {
    count(&run.of(Kind::CONFIRMED), 3, "confirmed")?;
    count(&run.of(Kind::CONFIRM_REFUSED), 7, "refused")?;
    ensure!(ready(run, "small")? == 3);
    ensure!(free(run, Law::TakeLowers).is_none(), "a queue that refuses loses nothing: {:?}", run.laws);
    Ok(())
}

fn prioritized() -> Value {
    let queues = [json!({"id": "n2", "kind": "queue", "name": "urgent", "priorities": 2})];
    let mut buyers = client("1000/s", 40);
    buyers["payload"] = json!({"priority": {"distribution": "uniform", "from": 2, "to": 0}});
    document(buyers, &queues, &[service("15 ms", "0 %")], &[("n1", "n2"), ("n2", "n9")])
}

/// Whoever is delivered when all are there has the highest priority of them.
fn by_priority(run: &Finished, stamped: bool) -> Result<()> {
    let written = scenario(&prioritized())?;
    let NodeKind::Client(client) = &written.nodes[0].kind else { anyhow::bail!("no client") };
    let mut draws = Payloads::new(&client.payload, run.plan.settings.seed, "n1");
    let priorities: BTreeMap<_, _> =
        run.of(Kind::INTENDED).iter().zip(0..).map(|(event, n)| (event.message, (draws.priority(n), n))).collect();
    ensure!((0..=2).all(|level| priorities.values().any(|(priority, _)| *priority == level)), "{priorities:?}");
    let all = run.of(Kind::CONFIRMED).last().context("nothing was confirmed")?.time;
    let rest: Vec<_> =
        run.of(Kind::RECEIVED).iter().filter(|event| event.time > all).map(|event| event.parent).collect();
    let mut rest: Vec<_> = rest.iter().filter_map(|message| priorities.get(message)).collect();
    // One may have been on its way when the last was confirmed.
    rest.remove(0);
    ensure!(rest.len() > 20, "{} were left", rest.len());
    // Of one priority the broker has them as they came, which on a busy machine is not as they were wanted.
    let ranks = |(priority, _): &&(u8, u64)| std::cmp::Reverse(*priority);
    ensure!(rest.is_sorted_by_key(ranks), "{rest:?}");
    let reason = if stamped { "law.not-applicable.priorities" } else { "law.not-applicable.not-stamped" };
    ensure!(free(run, Law::Order) == Key::find(reason), "{:?}", run.laws);
    Ok(())
}

fn durable() -> Value {
    let queues = [json!({"id": "n2", "kind": "queue", "name": "orders", "durability": "durable"})];
    document(client("200/s", 20), &queues, &[service("1 ms", "0 %")], &[("n1", "n2"), ("n2", "n9")])
}

fn quorum() -> Value {
    let kept = json!({"id": "n2", "kind": "queue", "name": "orders", "durability": "quorum"});
    document(client("200/s", 20), &[kept], &[service("1 ms", "0 %")], &[("n1", "n2"), ("n2", "n9")])
}

fn kept(run: &Finished, _: bool) -> Result<()> {
    count(&run.of(Kind::ACKED), 20, "done")?;
    ensure!(free(run, Law::TakeLowers).is_none(), "{:?}", run.laws);
    Ok(())
}

async fn on(brokers: &Brokers, broker: &str) -> Result<()> {
    for (name, document, expect) in CASES {
        let stamped = broker == "built-in";
        let shown = async {
            let run = finish(&document(), brokers, broker).await?;
            run.holds_the_laws()?;
            expect(&run, stamped)
        };
        shown.await.with_context(|| format!("{name}, {broker}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_options_of_queues_on_the_built_in_broker() -> Result<()> {
    on(&Brokers::default(), "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_options_of_queues_on_a_rabbitmq() -> Result<()> {
    if !has_rabbitmq("the options of queues on a real RabbitMQ") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let shown = on(&brokers, "local").await;
    brokers.local().stop().await;
    shown
}

#[test]
fn what_is_not_asked_for_is_not_declared() {
    let plain = Declared::default();
    assert!(plain.arguments().inner().is_empty() && !plain.durable() && !plain.loses());
}
