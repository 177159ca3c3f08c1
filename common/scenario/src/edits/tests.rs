use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::Language;
use crate::issue::Code;
use crate::kinds::{KINDS, Kind};
use crate::protocol::Protocol;
use crate::validate::validate;

mod convert;
mod event;

const GOOD: &str = include_str!("../../tests/two_services.json");

fn node(id: &str) -> Target {
    Target::Node(id.to_owned())
}

#[test]
fn a_scenario_built_by_edits_is_valid() {
    let mut document = Document::new("built");
    let mut history = History::default();
    let mut apply = |document: &mut Document, change| history.apply(document, change, None).unwrap();
    let (client, change) = document.add_node(Kind::Client.descriptor(), "client", 0, 0);
    apply(&mut document, change);
    let (first, change) = document.add_node(Kind::Service.descriptor(), "service", 100, 0);
    apply(&mut document, change);
    let (second, change) = document.add_node(Kind::Service.descriptor(), "service", 200, 0);
    apply(&mut document, change);
    assert_eq!([&client, &first, &second], ["n1", "n2", "n3"]);
    assert_eq!(document.node("n3").unwrap().name(), "service 2");
    assert_eq!(document.node("n3").unwrap().position(), Some((200, 0)));
    for (from, to) in [("n1", "n2"), ("n2", "n3")] {
        let protocol = document.may_link(from, to).unwrap();
        assert_eq!(protocol, Protocol::Http1);
        let (_, change) = document.add_link(from, to, protocol);
        apply(&mut document, change);
    }
    assert_eq!(document.issues(), []);
    let reopened = Document::open(&document.to_text()).unwrap();
    assert_eq!(reopened, document);
    assert_eq!(document.link("l2").unwrap().to(), "n3");
}

#[test]
fn an_illegal_link_is_refused_with_its_issue() {
    let document = Document::open(GOOD).unwrap();
    let code = |from, to| document.may_link(from, to).unwrap_err().code;
    assert_eq!(code("n2", "n1"), Code::IllegalLink);
    assert_eq!(code("n2", "n2"), Code::SelfLink);
    assert_eq!(code("n3", "n2"), Code::SynchronousCycle);
    assert_eq!(code("n3", "n9"), Code::UnknownNode);
    let issue = document.may_link("n2", "n1").unwrap_err();
    assert_eq!(issue.message(Language::English), "A service cannot be linked to a client.");
    assert_eq!(
        issue.remedy(Language::English),
        "A client receives no requests. Reply to the call of buyers, or link shop to a service or a queue."
    );
    assert_eq!(document.may_link("n1", "n3"), Ok(Protocol::Http1));
}

#[test]
fn a_body_of_its_own_follows_the_links() {
    let mut document = Document::open(GOOD).unwrap();
    let body = document.derived_body("n2");
    assert_eq!(json!(body), json!([{"step": "work"}, {"step": "call", "link": "l2"}, {"step": "reply"}]));
    document.apply(&Change::set(node("n2"), "/body", Value::Array(body))).unwrap();
    assert_eq!(document.issues(), []);
    let (id, change) = document.add_node(Kind::Service.descriptor(), "bank", 0, 0);
    document.apply(&change).unwrap();
    let (link, change) = document.connect("n2", &id, Protocol::Grpc);
    let before = document.clone();
    let undo = document.apply(&change).unwrap();
    let written = document.node("n2").unwrap().body().unwrap();
    assert_eq!(written[2], json!({"step": "call", "link": link}), "before the reply");
    assert_eq!(written.len(), 4);
    assert_eq!(document.issues(), []);
    let remove = document.remove_elements(&["n3"], &[]);
    let undo_removal = document.apply(&remove).unwrap();
    assert_eq!(document.node("n2").unwrap().body().unwrap().len(), 3, "its step has gone with it");
    assert_eq!(document.issues(), []);
    document.apply(&undo_removal).unwrap();
    document.apply(&undo).unwrap();
    assert_eq!(document, before);
}

#[test]
fn a_circle_that_a_body_can_leave_is_no_fault() {
    let mut document = Document::open(GOOD).unwrap();
    let sometimes = json!([{"step": "choose", "branches": [{"weight": 1, "steps": []}, {"weight": 1, "steps": []}]}]);
    document.apply(&Change::set(node("n3"), "/body", sometimes)).unwrap();
    // A new link gets a step that every request takes.
    assert_eq!(document.may_link("n3", "n2").unwrap_err().code, Code::SynchronousCycle);
    let (link, change) = document.add_link("n3", "n2", Protocol::Http1);
    document.apply(&change).unwrap();
    let step = json!([{"step": "call", "link": link}]);
    document
        .apply(&Change::set(
            node("n3"),
            "/body",
            json!([{"step": "choose", "branches": [
        {"weight": 1, "steps": step}, {"weight": 9, "steps": []}]}]),
        ))
        .unwrap();
    assert_eq!(document.issues(), []);
}

#[test]
fn what_is_typed_is_kept_and_marked() {
    let mut document = Document::open(GOOD).unwrap();
    let change = Change::set(node("n2"), "/work/mean", json!("-1.2"));
    let inverse = document.apply(&change).unwrap();
    assert_eq!(document.get(&node("n2"), "/work/mean"), Some(&json!("-1.2")));
    let issues = document.issues();
    assert_eq!(document.locate(&issues[0].path), (node("n2"), "/work/mean".to_owned()));
    let reopened = Document::open(&document.to_text()).unwrap();
    assert_eq!(reopened.get(&node("n2"), "/work/mean"), Some(&json!("-1.2")));
    document.apply(&inverse).unwrap();
    assert_eq!(document, Document::open(GOOD).unwrap());
}

#[test]
fn paths_are_located() {
    let document = Document::open(GOOD).unwrap();
    let scenario = |path: &str| (Target::Scenario, path.to_owned());
    assert_eq!(document.locate("/nodes/2"), (node("n3"), String::new()));
    assert_eq!(document.locate("/links/0/to"), (Target::Link("l1".into()), "/to".into()));
    for path in ["", "/name", "/nodes", "/nodes/9/x", "/nodes/x", "/nodesy/1"] {
        assert_eq!(document.locate(path), scenario(path));
    }
}

#[test]
fn removing_a_node_takes_its_links_and_undo_brings_all_back_in_place() {
    let mut document = Document::open(GOOD).unwrap();
    let before = document.clone();
    let mut history = History::default();
    let change = document.remove_elements(&["n2"], &[]);
    history.apply(&mut document, change, None).unwrap();
    assert_eq!((document.nodes().count(), document.links().count()), (2, 0));
    assert!(history.undo(&mut document).unwrap());
    assert_eq!(document.to_text(), before.to_text());
    assert!(!history.undo(&mut document).unwrap() && !history.can_undo());
    assert!(history.redo(&mut document).unwrap());
    assert_eq!(document.links().count(), 0);
    assert!(!history.redo(&mut document).unwrap());
}

#[test]
fn a_drag_is_one_step_and_the_next_drag_another() {
    let mut document = Document::open(GOOD).unwrap();
    let before = document.clone();
    let mut history = History::default();
    for x in 0..50 {
        let change = Change::move_nodes([("n1", x, 0), ("n2", x, 5)]);
        history.apply(&mut document, change, Some("drag")).unwrap();
    }
    history.end_gesture();
    let change = Change::move_nodes([("n1", 500, 0)]);
    history.apply(&mut document, change, Some("drag")).unwrap();
    history.undo(&mut document).unwrap();
    assert_eq!(document.node("n1").unwrap().position(), Some((49, 0)));
    history.undo(&mut document).unwrap();
    assert_eq!(document, before);
    history.redo(&mut document).unwrap();
    assert_eq!(document.node("n2").unwrap().position(), Some((49, 5)));
}

#[test]
fn changes_that_do_not_apply_leave_the_document_alone() {
    let mut document = Document::open(GOOD).unwrap();
    let before = document.clone();
    let fits = Change::rename(node("n1"), "x");
    let misfits = [
        Change::rename(node("n9"), "x"),
        Change::set(node("n1"), "/id", json!("n2")),
        Change::set(node("n1"), "/load/rate/deep", json!(1)),
        Change::set(node("n1"), "", json!({})),
        Change::set(Target::Scenario, "/nodes", json!([])),
        Change::set(Target::Scenario, "/nodes/0/id", json!("n7")),
        Change::Remove { list: List::Links, id: "n1".into() },
        Change::Insert { list: List::Nodes, index: 9, element: json!({"id": "n9"}) },
        Change::Insert { list: List::Nodes, index: 0, element: json!({"id": "n1"}) },
        Change::Insert { list: List::Nodes, index: 0, element: json!("n8") },
    ];
    for misfit in misfits {
        assert!(document.apply(&misfit).is_err(), "{misfit:?}");
        assert!(document.apply(&Change::Group(vec![fits.clone(), misfit])).is_err());
        assert_eq!(document, before);
    }
}

#[test]
fn what_is_no_document_is_not_opened_and_says_why() {
    for text in ["", "[]", "{}", r#"{"format": "hopscope-scenario", "version": 1, "nodes": {}, "links": []}"#] {
        assert!(!Document::open(text).unwrap_err().is_empty(), "{text}");
    }
    let twice = GOOD.replace("\"n3\"", "\"n2\"");
    assert!(Document::open(&twice).unwrap_err().iter().any(|issue| issue.code == Code::DuplicateId));
}

#[test]
fn new_names_and_ids_are_fresh() {
    let mut document = Document::new("many");
    for _ in 0..20 {
        for kind in KINDS {
            let (_, change) = document.add_node(kind, "same", 0, 0);
            document.apply(&change).unwrap();
        }
        let remove = document.remove_elements(&["n3", "n7"], &[]);
        document.apply(&remove).unwrap();
    }
    let issues = document.issues();
    assert!(issues.iter().all(|issue| !matches!(issue.code, Code::DuplicateId | Code::DuplicateName)));
    let last = json!({"id": format!("n{}", u32::MAX)});
    let index = document.nodes().count();
    document.apply(&Change::Insert { list: List::Nodes, index, element: last }).unwrap();
    let (id, _) = document.add_node(Kind::Client.descriptor(), "same", 0, 0);
    assert!(document.node(&id).is_none());
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<i32>().prop_map(Value::from),
        "[a-z0-9 /.-]{0,8}".prop_map(Value::from),
        Just(json!({"distribution": "constant", "mean": "1 ms"})),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    let id = prop::sample::select(vec!["n1", "n2", "n3", "n4", "l1", "l2", "l3"]).prop_map(str::to_owned);
    let list = prop::sample::select(vec![List::Nodes, List::Links]);
    let target =
        prop_oneof![Just(Target::Scenario), id.clone().prop_map(Target::Node), id.clone().prop_map(Target::Link)];
    let pointer =
        prop::sample::select(vec!["/name", "/x", "/work", "/work/mean", "/load/rate", "/a~1b", "/to", "/kind"]);
    let element = (id.clone(), any_value()).prop_map(|(id, value)| json!({"id": id, "work": value}));
    let single = prop_oneof![
        (list.clone(), 0..5_usize, element).prop_map(|(list, index, element)| Change::Insert { list, index, element }),
        (list, id).prop_map(|(list, id)| Change::Remove { list, id }),
        (target, pointer, prop::option::of(any_value())).prop_map(|(target, pointer, value)| Change::Set {
            target,
            pointer: pointer.to_owned(),
            value
        }),
    ];
    prop_oneof![4 => single.clone(), 1 => prop::collection::vec(single, 0..4).prop_map(Change::Group)]
}

proptest! {
    #[test]
    fn a_change_and_its_inverse_are_identity(changes in prop::collection::vec(any_change(), 1..20)) {
        let mut document = Document::open(GOOD).unwrap();
        for change in changes {
            let before = document.clone();
            match document.apply(&change) {
                Err(_) => prop_assert_eq!(&document, &before),
                Ok(inverse) => {
                    let after = document.clone();
                    let again = document.apply(&inverse).unwrap();
                    prop_assert_eq!(&document, &before);
                    document.apply(&again).unwrap();
                    prop_assert_eq!(&document, &after);
                }
            }
        }
    }

    #[test]
    fn undo_goes_back_to_the_start_and_redo_to_the_end(
        changes in prop::collection::vec((any_change(), prop::option::of(prop::sample::select(vec!["a", "b"]))), 0..30),
    ) {
        let mut document = Document::open(GOOD).unwrap();
        let start = document.clone();
        let mut history = History::default();
        for (change, gesture) in changes {
            let _ = history.apply(&mut document, change, gesture);
        }
        let end = document.clone();
        while history.undo(&mut document).unwrap() {}
        prop_assert_eq!(&document, &start);
        while history.redo(&mut document).unwrap() {}
        prop_assert_eq!(&document, &end);
    }
}

/// The canonical form is told by descriptors here and by the model elsewhere; both must say the same.
#[test]
fn the_canonical_form_is_how_the_model_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut texts = vec![GOOD.to_owned(), EVERYTHING.to_owned()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    for text in texts {
        let valid = validate(&text).unwrap();
        let printed = serde_json::to_string_pretty(&valid.scenario).unwrap() + "\n";
        assert_eq!(Document::open(&text).unwrap().to_text(), printed);
    }
}

/// Every kind, protocol, option and step, out of order and in unusual spellings.
const EVERYTHING: &str = r#"{"links": [
    {"protocol": "amqp", "to": "q1", "from": "c1", "id": "l1", "replies": "q2", "timeout": "0.5s"},
    {"id": "l2", "from": "q1", "to": "s1", "protocol": "amqp"},
    {"id": "l3", "from": "s1", "to": "s2", "protocol": "grpc", "timeout": "2000ms",
     "retry": {"delay": "1000us", "attempts": 3, "policy": "fixed-delay"}},
    {"id": "l4", "from": "c2", "to": "s2", "protocol": "http1"}, {"id": "l5", "from": "c3", "to": "s2", "protocol": "in-process"},
    {"id": "l6", "from": "c4", "to": "s2", "protocol": "http1"}],
  "nodes": [
    {"kind": "client", "id": "c1", "y": 3, "x": -2, "name": "one",
     "payload": {"content": "json", "key": {"exponent": "1.10", "keys": 9, "distribution": "zipf"},
       "value": {"to": 5, "from": -5, "distribution": "uniform"}, "bytes": "1024B",
       "event_time": {"mean": "1000ms", "distribution": "exponential"}},
     "load": {"count": 7, "rate": "2.50/s", "kind": "constant"}},
    {"id": "c2", "kind": "client", "name": "two", "load": {"kind": "bursts", "off": "1s", "on": "500ms", "rate": "10/s"}},
    {"id": "c3", "kind": "client", "name": "three",
     "load": {"over": "10s", "to": "20/s", "from": "0/s", "kind": "ramp", "arrivals": "even"}},
    {"id": "c4", "kind": "client", "name": "four", "load": {"think": {"cv": "50%", "mean": "1s", "distribution": "erlang"},
     "users": 3, "kind": "closed"}, "payload": {"key": {"distribution": "uniform", "keys": 2}}},
    {"id": "s1", "name": "five", "kind": "service", "body": [
      {"step": "parallel", "branches": [{"steps": [{"link": "l3", "step": "call"}]}, {"steps": []}]},
      {"branches": [{"steps": [{"step": "work", "work": {"mean": "1000us", "distribution": "constant"}}], "weight": 2},
        {"weight": 1, "steps": []}], "step": "choose"}, {"step": "reply"}, {"step": "work"}],
     "room": 4, "failure": "0.50%", "effort": "burning", "work": {"cv": "150%", "mean": "5ms", "distribution": "lognormal"},
     "workers": 1, "replicas": 2},
    {"id": "s2", "name": "six", "kind": "service", "work": {"distribution": "uniform", "mean": "1ms", "cv": "10%"}},
    {"id": "q1", "name": "seven", "kind": "queue", "ack": "before-work", "capacity": 5, "prefetch": 2},
    {"id": "q2", "name": "eight", "kind": "queue"}],
  "name": "everything", "version": 1, "format": "hopscope-scenario", "about": "a"}"#;
