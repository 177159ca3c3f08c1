//! Calls made events, services that subscribe to them, and types that are called otherwise.

use super::convert::drawn;
use super::*;

const EXCHANGE: Added<'_> = Added { name: "shop events", x: 300, y: 40 };
const QUEUE: Added<'_> = Added { name: "stock inbox", x: 500, y: 40 };

/// The shop tells the stock by an event: l2 goes to the exchange n4, l3 binds the queue n5, and l4 leads on.
fn told() -> (Document, History) {
    let mut document = Document::open(GOOD).unwrap();
    let mut history = History::default();
    let change = document.to_event("l2", EXCHANGE, QUEUE).unwrap();
    history.apply(&mut document, change, None).unwrap();
    (document, history)
}

fn link(id: &str) -> Target {
    Target::Link(id.to_owned())
}

fn key<'a>(document: &'a Document, id: &str, name: &str) -> Option<&'a str> {
    document.get(&link(id), name).and_then(Value::as_str)
}

/// Each type with who publishes it and who gets it, by names.
fn events(document: &Document) -> Vec<String> {
    let names = |ends: &[EventEnd<'_>]| -> Vec<String> {
        ends.iter().map(|end| document.node(end.node).unwrap().name().to_owned()).collect()
    };
    let line = |event: &EventType<'_>| {
        format!("{}: {} -> {}", event.name, names(&event.publishers).join(", "), names(&event.subscribers).join(", "))
    };
    document.events("n4").iter().map(line).collect()
}

#[test]
fn a_call_becomes_an_event_in_one_step_of_undo() {
    let (mut document, mut history) = told();
    assert_eq!(
        drawn(&document),
        [
            "buyers -> shop over http1",
            "shop -> shop events over amqp",
            "shop events -> stock inbox over amqp",
            "stock inbox -> stock over amqp"
        ]
    );
    assert_eq!(document.issues(), [], "no worker is idle, and each event is wanted");
    assert_eq!(events(&document), ["shop.1: shop -> stock"]);
    assert_eq!(
        (key(&document, "l2", "/routing_key"), key(&document, "l3", "/binding_key")),
        (Some("shop.1"), Some("shop.1"))
    );
    assert!(history.undo(&mut document).unwrap());
    assert_eq!(document.to_text(), Document::open(GOOD).unwrap().to_text());
    // A queue, and what is bound to it, is no call that could be one.
    let (document, _) = told();
    for id in ["l2", "l3", "l4", "no such link"] {
        assert_eq!(document.conversions(id), [], "{id}");
        assert_eq!(document.to_event(id, EXCHANGE, QUEUE), None, "{id}");
    }
}

#[test]
fn a_second_event_of_a_service_goes_to_the_exchange_that_it_has() {
    let (mut document, _) = told();
    let (bank, change) = document.add_node(Kind::Service.descriptor(), "bank", 400, 300);
    document.apply(&change).unwrap();
    let (call, change) = document.add_link("n2", &bank, Protocol::Grpc);
    document.apply(&change).unwrap();
    assert_eq!(document.publishes_to("n2"), Some("n4"));
    let change = document.to_event(&call, EXCHANGE, Added { name: "bank inbox", ..QUEUE }).unwrap();
    document.apply(&change).unwrap();
    assert_eq!(events(&document), ["shop.1: shop -> stock", "shop.2: shop -> bank"]);
    assert_eq!(document.nodes().filter(|node| node.kind() == Some(Kind::Exchange)).count(), 1);
    assert_eq!(document.issues(), []);
    // A type of a client that goes by no letters is one too.
    document.apply(&Change::rename(node("n1"), " Ö# .*")).unwrap();
    let change = document.to_event("l1", EXCHANGE, QUEUE).unwrap();
    document.apply(&change).unwrap();
    assert_eq!(key(&document, "l1", "/routing_key"), Some("ö----.1"));
    let mut unnamed = Document::open(GOOD).unwrap();
    unnamed.apply(&Change::rename(node("n2"), "  ")).unwrap();
    let change = unnamed.to_event("l2", EXCHANGE, QUEUE).unwrap();
    unnamed.apply(&change).unwrap();
    assert_eq!(key(&unnamed, "l2", "/routing_key"), Some("n2.1"));
}

#[test]
fn a_service_subscribes_where_an_exchange_is_drawn_to_it() {
    let (mut document, _) = told();
    let (audit, change) = document.add_node(Kind::Service.descriptor(), "audit", 700, 300);
    document.apply(&change).unwrap();
    let queue = Added { name: "audit inbox", x: 500, y: 300 };
    for (routing, wanted) in [("topic", "#"), ("direct", "shop.1"), ("fanout", ""), ("headers", "")] {
        let mut document = document.clone();
        document.apply(&Change::set(node("n4"), "/type", json!(routing))).unwrap();
        assert_eq!(document.may_join("n4", &audit), Ok(Join::Subscription));
        let change = document.subscribe("n4", &audit, queue).unwrap();
        document.apply(&change).unwrap();
        assert_eq!(key(&document, "l5", "/binding_key").unwrap_or_default(), wanted, "{routing}");
        assert_eq!(document.issues(), [], "{routing}");
        let name = if routing == "headers" { "" } else { "shop.1" };
        assert_eq!(events(&document), [format!("{name}: shop -> stock, audit")], "{routing}");
    }
    // As a file is told: each event of its own would have it publish another, for ever; and other nodes are linked or are not.
    assert_eq!(document.may_join("n4", "n2").unwrap_err().code, Code::EndlessCycle);
    assert_eq!(document.may_join("n1", "n2"), Ok(Join::Link(Protocol::Http1)));
    assert_eq!(document.may_join("n4", "n1").unwrap_err().code, Code::IllegalLink);
    assert_eq!(document.may_join("n4", "no such node").unwrap_err().code, Code::UnknownNode);
    assert_eq!(document.subscribe("n5", &audit, queue), None);
    // A queue that nobody takes from gets it all the same.
    document.apply(&document.remove_elements(&[], &["l4"])).unwrap();
    assert_eq!(events(&document), ["shop.1: shop -> stock inbox"]);
}

#[test]
fn who_subscribed_to_a_type_by_its_name_follows_when_it_is_called_otherwise() {
    let (mut document, mut history) = told();
    // Others that are met on the way: a publisher's type, a binding that waits for its publisher, a pattern.
    let (client, change) = document.add_node(Kind::Client.descriptor(), "others", 0, 300);
    document.apply(&change).unwrap();
    let (other, change) = document.add_link(&client, "n4", Protocol::Amqp);
    document.apply(&change).unwrap();
    document.apply(&Change::set(link(&other), "/routing_key", json!("order"))).unwrap();
    let mut bound = Vec::new();
    for pattern in ["o", "order", "order.*"] {
        let (queue, change) = document.add_node(Kind::Queue.descriptor(), pattern, 500, 300);
        document.apply(&change).unwrap();
        let (binding, change) = document.add_link("n4", &queue, Protocol::Amqp);
        document.apply(&change).unwrap();
        document.apply(&Change::set(link(&binding), "/binding_key", json!(pattern))).unwrap();
        bound.push((binding, pattern));
    }
    let before = document.clone();
    for typed in ["", "o", "order", "order.", "order.placed"] {
        let change = if typed.is_empty() {
            Change::unset(link("l2"), "/routing_key")
        } else {
            Change::set(link("l2"), "/routing_key", json!(typed))
        };
        history.apply(&mut document, change, Some("typing")).unwrap();
        assert_eq!(key(&document, "l3", "/binding_key").unwrap_or_default(), typed);
    }
    history.end_gesture();
    for (binding, pattern) in &bound {
        assert_eq!(key(&document, binding, "/binding_key"), Some(*pattern));
    }
    assert!(history.undo(&mut document).unwrap());
    assert_eq!(document, before, "one step of undo");
    // Of a type that two publish, the other's subscribers stay.
    history.apply(&mut document, Change::set(link(&other), "/routing_key", json!("shop.1")), None).unwrap();
    history.apply(&mut document, Change::set(link("l2"), "/routing_key", json!("shop.2")), None).unwrap();
    assert_eq!(key(&document, "l3", "/binding_key"), Some("shop.1"));
}
