//! Exchanges hand on what their bindings say, on the built-in broker and on RabbitMQ: each case is run on both, and what every
//! service gets is compared with what the plan foretells and with what is written here.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Kind;
use hopscope_report::laws::Law;
use hopscope_server::broker::Brokers;
use hopscope_tests::runs::{Finished, finish, has_rabbitmq};
use serde_json::{Value, json};

/// What is published over each of the three links.
const EACH: usize = 10;

/// A case: what it shows, the exchange, what its publishers and bindings say, and which of the three links each of the three
/// services gets the messages of.
struct Case {
    name: &'static str,
    exchange: fn() -> Value,
    publish: fn() -> [Value; 3],
    bind: fn() -> [Value; 3],
    gets: [&'static [usize]; 3],
}

const CASES: &[Case] = &[
    Case {
        name: "a topic by patterns",
        exchange: || json!({"type": "topic"}),
        publish: || ["orders.created", "orders.cancelled.eu", "users.created"].map(|key| json!({"routing_key": key})),
        bind: || ["orders.*", "orders.#", "#.created"].map(|key| json!({"binding_key": key})),
        gets: [&[0], &[0, 1], &[0, 2]],
    },
    Case {
        name: "a direct exchange by keys, and what has none comes back",
        exchange: || json!({"type": "direct"}),
        publish: || ["a", "b", "c"].map(|key| json!({"routing_key": key})),
        bind: || ["a", "b", "a"].map(|key| json!({"binding_key": key})),
        gets: [&[0], &[1], &[0]],
    },
    Case {
        name: "a fanout to all",
        exchange: || json!({"type": "fanout"}),
        publish: || ["a", "b", ""].map(|key| json!({"routing_key": key})),
        bind: || ["x", "", "a"].map(|key| json!({"binding_key": key})),
        gets: [&[0, 1, 2], &[0, 1, 2], &[0, 1, 2]],
    },
    Case {
        name: "headers, all of them or any",
        exchange: || json!({"type": "headers"}),
        publish: || [json!({"headers": "region=eu, kind=new"}), json!({"headers": "region=us,kind=new"}), json!({})],
        bind: || {
            [
                json!({"headers": "region=eu,kind=new"}),
                json!({"headers": "region=us,kind=new", "match": "any"}),
                json!({"headers": "", "match": "all"}),
            ]
        },
        gets: [&[0], &[0, 1], &[0, 1, 2]],
    },
];

/// A client that publishes over three links in turn, an exchange, three queues, and a service at each.
fn document(case: &Case) -> Value {
    let with = |mut node: Value, fields: Value| {
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node
    };
    let load = json!({"kind": "constant", "rate": "300/s", "count": 3 * EACH});
    let work = json!({"distribution": "constant", "mean": "1 ms"});
    let mut nodes = vec![
        json!({"id": "c", "kind": "client", "name": "shop", "load": load}),
        with(json!({"id": "x", "kind": "exchange", "name": "events"}), (case.exchange)()),
    ];
    let mut links = Vec::new();
    for (number, (publish, bind)) in (case.publish)().into_iter().zip((case.bind)()).enumerate() {
        let (queue, service) = (format!("q{number}"), format!("s{number}"));
        nodes.push(json!({"id": queue, "kind": "queue", "name": format!("queue {number}")}));
        nodes.push(json!({"id": service, "kind": "service", "name": format!("service {number}"), "work": work}));
        let link = |id: &str, from: &str, to: &str| json!({"id": format!("{id}{number}"), "from": from, "to": to, "protocol": "amqp"});
        links.push(with(link("p", "c", "x"), publish));
        links.push(with(link("b", "x", &queue), bind));
        links.push(link("t", &queue, &service));
    }
    json!({"format": "hopscope-scenario", "version": 1, "name": case.name, "nodes": nodes, "links": links})
}

/// How many messages of each publishing link each service got.
fn got(run: &Finished) -> Result<[[usize; 3]; 3]> {
    let published: BTreeMap<_, _> =
        run.of(Kind::PUBLISHED).into_iter().map(|event| (event.message, event.link)).collect();
    let number = |link: &str| link.chars().last().and_then(|digit| digit.to_digit(10)).context("no such link");
    let mut got = [[0; 3]; 3];
    for (service, got) in got.iter_mut().enumerate() {
        for received in run.at(&format!("service {service}"), Kind::RECEIVED) {
            let link = published.get(&received.parent).context("not of a publish")?;
            got[number(&run.plan.link(link.0).context("no such link")?.id)? as usize] += 1;
        }
    }
    Ok(got)
}

fn shows(case: &Case, run: &Finished, stamped: bool) -> Result<()> {
    run.holds_the_laws()?;
    let expected = case.gets.map(|links| [0, 1, 2].map(|link| if links.contains(&link) { EACH } else { 0 }));
    let got = got(run)?;
    ensure!(got == expected, "{got:?}, not {expected:?}");
    // What reaches nobody comes back to who sent it.
    let lost = (0..3).filter(|link| case.gets.iter().all(|links| !links.contains(link))).count();
    let returned = run.of(Kind::RETURNED).len();
    ensure!(returned == lost * EACH, "{returned} came back");
    let copies = got.iter().flatten().sum::<usize>();
    ensure!(!stamped || run.of(Kind::ENQUEUED).len() == copies, "{} copies", run.of(Kind::ENQUEUED).len());
    let takes = run.laws.iter().find(|report| report.law == Law::TakeLowers).context("no such law")?;
    ensure!(takes.held > 0, "no step was checked");
    Ok(())
}

async fn on(brokers: &Brokers, broker: &str) -> Result<()> {
    for case in CASES {
        let shown = async { shows(case, &finish(&document(case), brokers, broker).await?, broker == "built-in") };
        shown.await.with_context(|| format!("{}, {broker}", case.name))?;
    }
    let shown = async { stands_in(&finish(&alternate(), brokers, broker).await?) };
    shown.await.with_context(|| format!("an alternate, {broker}"))
}

/// What the first exchange hands on to nobody, the second gives to the third queue.
fn alternate() -> Value {
    let mut document = document(&CASES[1]);
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes[1]["alternate"] = json!("rest");
    nodes.push(json!({"id": "rest", "kind": "exchange", "name": "the rest", "type": "fanout"}));
    let binding = document["links"].as_array_mut().unwrap().iter_mut().find(|link| link["id"] == "b2").unwrap();
    *binding = json!({"id": "b2", "from": "rest", "to": "q2", "protocol": "amqp"});
    document
}

fn stands_in(run: &Finished) -> Result<()> {
    run.holds_the_laws()?;
    let got = got(run)?;
    ensure!(got == [[EACH, 0, 0], [0, EACH, 0], [0, 0, EACH]], "{got:?}");
    ensure!(run.of(Kind::RETURNED).is_empty(), "some came back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_of_the_built_in_broker() -> Result<()> {
    on(&Brokers::default(), "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_of_a_rabbitmq() -> Result<()> {
    if !has_rabbitmq("exchanges on a real RabbitMQ") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let shown = on(&brokers, "local").await;
    brokers.local().stop().await;
    shown
}

/// The same recording, beside a plan whose bindings are others: that copies came to other queues turns conservation red.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_no_binding_wants_and_one_that_is_missing_are_told() -> Result<()> {
    for (key, misrouted) in [("nothing", 1), ("a", 0), ("b", 2)] {
        let run = finish(&document(&CASES[1]), &Brokers::default(), "built-in").await?;
        let mut recorded = run.recorded.clone();
        let mut plan = run.plan.clone();
        let binding = plan.links.iter_mut().find(|link| link.id == "b0").context("no binding")?;
        binding.options.insert("binding_key".to_owned(), json!(key));
        recorded.hello.as_mut().context("no Hello")?.plan = plan.to_bytes()?;
        let laws = recorded.judged()?;
        let broken: BTreeMap<_, _> =
            laws.iter().filter(|report| report.broken > 0).map(|report| (report.law, report.broken)).collect();
        let expected = BTreeMap::from_iter((misrouted > 0).then_some((Law::Conservation, misrouted * EACH as u64)));
        ensure!(broken == expected, "{key}: {broken:?}");
    }
    Ok(())
}
