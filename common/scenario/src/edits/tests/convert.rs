//! Calls made queues and queues made calls, and the checks that follow them.

use super::*;
use crate::protocol::{PROTOCOLS, Style};

const QUEUE: Added<'_> = Added { name: "shop queue", x: 300, y: 40 };
const REPLIES: Added<'_> = Added { name: "buyers replies", x: 300, y: 240 };

/// The links as `from -> to over protocol`, by names.
pub(super) fn drawn(document: &Document) -> Vec<String> {
    let name = |id: &str| document.node(id).map_or_else(|| id.to_owned(), |node| node.name().to_owned());
    let line = |link: LinkRef<'_>| {
        let replies = link
            .value()
            .get("replies")
            .and_then(Value::as_str)
            .map(|queue| format!(", replies through {}", name(queue)));
        let protocol = link.protocol().unwrap().descriptor().id;
        format!("{} -> {} over {protocol}{}", name(link.from()), name(link.to()), replies.unwrap_or_default())
    };
    document.links().map(line).collect()
}

#[test]
fn a_call_becomes_a_queue_and_the_queue_a_call_again() {
    let mut document = Document::open(GOOD).unwrap();
    let before = document.to_text();
    let mut history = History::default();
    assert_eq!(document.conversions("l1"), [Conversion::ToQueue, Conversion::ToEvent]);
    let change = document.to_queue("l1", QUEUE, REPLIES).unwrap();
    history.apply(&mut document, change, None).unwrap();
    let queued = [
        "buyers -> shop queue over amqp, replies through buyers replies",
        "shop -> stock over in-process",
        "shop queue -> shop over amqp",
    ];
    assert_eq!(drawn(&document), queued);
    assert_eq!(document.issues(), []);
    assert_eq!(document.node("n4").unwrap().position(), Some((300, 40)));
    // Back from either of its links, with what the queue needed gone.
    for link in ["l1", "l3"] {
        assert_eq!(document.conversions(link), [Conversion::ToCall], "{link}");
        let mut back = document.clone();
        let change = back.to_call(link).unwrap();
        back.apply(&change).unwrap();
        assert_eq!(back.to_text(), before, "{link}");
    }
    assert!(history.undo(&mut document).unwrap());
    assert_eq!(document.to_text(), before, "one step of undo");
}

#[test]
fn a_service_that_called_publishes_in_its_steps_and_awaits_nothing() {
    let mut document = Document::open(GOOD).unwrap();
    let body = json!([
        {"step": "work"},
        {"step": "parallel", "branches": [{"steps": [{"step": "call", "link": "l2"}]}, {"steps": []}]},
        {"step": "reply"}]);
    document.apply(&Change::set(node("n2"), "/body", body)).unwrap();
    document.apply(&Change::set(Target::Link("l2".to_owned()), "/protocol", json!("http1"))).unwrap();
    document.apply(&Change::set(Target::Link("l2".to_owned()), "/timeout", json!("1 s"))).unwrap();
    assert_eq!(document.issues(), []);
    let change = document.to_queue("l2", QUEUE, REPLIES).unwrap();
    document.apply(&change).unwrap();
    assert_eq!(
        drawn(&document),
        ["buyers -> shop over http1", "shop -> shop queue over amqp", "shop queue -> stock over amqp"]
    );
    assert_eq!(document.get(&node("n2"), "/body/1/branches/0/steps/0/step"), Some(&json!("publish")));
    assert_eq!(document.issues(), [], "the timeout is the confirm's now, and no worker is idle");
    assert_eq!(document.get(&node("n4"), "/prefetch"), Some(&json!(4)));
    let change = document.to_call("l2").unwrap();
    document.apply(&change).unwrap();
    assert_eq!(document.get(&node("n2"), "/body/1/branches/0/steps/0/step"), Some(&json!("call")));
    assert_eq!(document.issues(), []);
}

#[test]
fn what_others_use_stays_and_what_is_not_one_way_is_not_converted() {
    let mut document = Document::open(GOOD).unwrap();
    let change = document.to_queue("l1", QUEUE, REPLIES).unwrap();
    document.apply(&change).unwrap();
    // A second sender, whose replies come through the same queue.
    let (client, change) = document.add_node(Kind::Client.descriptor(), "others", 0, 300);
    document.apply(&change).unwrap();
    let (second, change) = document.add_link(&client, "n4", Protocol::Amqp);
    document.apply(&change).unwrap();
    document.apply(&Change::set(Target::Link(second.clone()), "/replies", json!("n5"))).unwrap();
    assert_eq!(document.conversions("l3"), [], "who of two senders shall call?");
    let mut one = document.clone();
    let change = one.to_call("l1").unwrap();
    one.apply(&change).unwrap();
    assert_eq!(
        drawn(&one),
        [
            "buyers -> shop over http1",
            "shop -> stock over in-process",
            "shop queue -> shop over amqp",
            "others -> shop queue over amqp, replies through buyers replies"
        ]
    );
    // A second taker: no one service would be called.
    let (_, change) = document.add_link("n4", "n3", Protocol::Amqp);
    document.apply(&change).unwrap();
    assert!(["l1", &second, "l3"].iter().all(|link| document.conversions(link).is_empty()));
    assert_eq!(document.to_call("l1"), None);
    assert_eq!(document.to_queue("l3", QUEUE, REPLIES), None);
    assert_eq!(document.conversions("no such link"), []);
}

#[test]
fn checks_go_on_naming_what_they_name() {
    let mut document = Document::open(GOOD).unwrap();
    let mut history = History::default();
    let checks = json!([
        {"metric": "answered.p99", "on": "buyers->shop", "op": "<", "value": "50 ms"},
        {"metric": "errors", "on": "l2", "op": "<", "value": 1},
        {"metric": "errors", "on": "nobody->shop", "op": "<", "value": 1},
        {"metric": "answered.p50", "op": "<", "value": "50 ms"}]);
    document.apply(&Change::set(Target::Scenario, "/checks", checks)).unwrap();
    let before = document.to_text();
    let named = |document: &Document| -> Vec<Value> {
        document.value()["checks"].as_array().unwrap().iter().map(|check| check["on"].clone()).collect()
    };
    // A name that is typed, letter by letter, on its way another node's.
    for name in ["", "s", "st", "stock", "stocks"] {
        history.apply(&mut document, Change::rename(node("n2"), name), Some("typing")).unwrap();
    }
    assert_eq!(named(&document), [json!("buyers->stocks"), json!("l2"), json!("nobody->shop"), Value::Null]);
    history.end_gesture();
    let change = document.to_queue("l1", QUEUE, REPLIES).unwrap();
    history.apply(&mut document, change, None).unwrap();
    assert_eq!(named(&document)[0], json!("buyers->shop queue"));
    // A second link between the same nodes: the name is no longer one link's, its id is.
    let (_, change) = document.add_link("n1", "n4", Protocol::Amqp);
    history.apply(&mut document, change, None).unwrap();
    assert_eq!(named(&document)[0], json!("l1"));
    for _ in 0..3 {
        assert!(history.undo(&mut document).unwrap());
    }
    assert_eq!(document.to_text(), before);
    // What is removed leaves its check waiting.
    let change = document.remove_elements(&[], &["l1"]);
    history.apply(&mut document, change, None).unwrap();
    assert_eq!(named(&document)[0], json!("buyers->shop"));
}

#[test]
fn disturbances_go_on_naming_what_they_name() {
    let mut document = Document::open(GOOD).unwrap();
    let mut history = History::default();
    let disturbances = json!([
        {"do": "crash", "at": "1 s", "on": "shop"},
        {"do": "cut", "at": "1 s", "on": "buyers->shop"},
        {"do": "cut", "at": "1 s", "on": "l1"},
        {"do": "pause", "at": "1 s", "on": "nobody"}]);
    document.apply(&Change::set(Target::Scenario, "/disturbances", disturbances)).unwrap();
    for name in ["sho", "store"] {
        history.apply(&mut document, Change::rename(node("n2"), name), None).unwrap();
    }
    let list = document.value()["disturbances"].as_array().unwrap();
    let named: Vec<_> = list.iter().map(|disturbance| disturbance["on"].as_str().unwrap()).collect();
    assert_eq!(named, ["store", "buyers->store", "l1", "nobody"]);
}

/// What a person chooses for a link: its new protocol understands all that is left.
#[test]
fn a_link_loses_with_its_protocol_what_only_that_has() {
    let mut document = Document::open(GOOD).unwrap();
    let mut history = History::default();
    let before = document.to_text();
    let link = || Target::Link("l1".to_owned());
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.style == Style::Sync) {
        let change = document.to_protocol("l1", Protocol::Thrift).unwrap();
        history.apply(&mut document, change, None).unwrap();
        for (field, value) in [("/framing", json!("buffered")), ("/mode", json!("oneway")), ("/timeout", json!("1 s"))]
        {
            history.apply(&mut document, Change::set(link(), field, value), None).unwrap();
        }
        let network = json!({"distribution": "constant", "mean": "2 ms"});
        history.apply(&mut document, Change::set(link(), "/network", network), None).unwrap();
        let change = document.to_protocol("l1", protocol.protocol).unwrap();
        history.apply(&mut document, change, None).unwrap();
        assert_eq!(document.issues(), [], "{}", protocol.id);
        assert!(document.get(&link(), "/timeout").is_some());
        assert_eq!(document.get(&link(), "/framing").is_some(), protocol.protocol == Protocol::Thrift);
        assert_eq!(document.get(&link(), "/network").is_some(), protocol.socket);
    }
    while history.undo(&mut document).unwrap() {}
    assert_eq!(document.to_text(), before);
    assert_eq!(document.to_protocol("no such link", Protocol::Grpc), None);
}
