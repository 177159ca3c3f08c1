use std::collections::BTreeSet;

use super::*;
use crate::model::{Content, Load, OpenLoad};
use crate::quantity::{Rate, Size};
use crate::validate::validate;

const CHAIN: &str = r#"{"format": "hopscope-scenario", "version": 1, "name": "chain",
  "nodes": [
    {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "20/s", "count": 7}},
    {"id": "n2", "kind": "service", "name": "shop", "replicas": 2, "work": {"distribution": "constant", "mean": "40ms"}},
    {"id": "n3", "kind": "service", "name": "stock", "workers": 3, "room": 2, "work": {"distribution": "constant", "mean": "1 ms"}}],
  "links": [
    {"id": "l2", "from": "n2", "to": "n3", "protocol": "in-process"},
    {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1", "timeout": "0.5 s",
     "retry": {"policy": "fixed-delay", "attempts": 3, "delay": "100 ms"}}]}"#;

fn plan() -> Plan {
    let settings = RunSettings { seed: 42, duration: Some(Time(5_000_000_000)), ..RunSettings::default() };
    compile(&validate(CHAIN).unwrap().scenario, &settings)
}

#[test]
fn places_and_links_are_numbered_in_the_documents_order() {
    let plan = plan();
    let instances: Vec<_> = plan.places.iter().map(|place| (place.node, place.instance())).collect();
    let expected = [(0, "client"), (1, "replica 1"), (1, "replica 2"), (2, "replica 1")];
    assert_eq!(instances, expected.map(|(node, instance)| (node, instance.to_owned())));
    assert_eq!(plan.link(1).unwrap().id, "l1");
    assert_eq!(plan.link(2), None);
    assert_eq!(plan.node_of(2).unwrap().name, "shop");
    assert_eq!(plan.node_of(4), None);
}

#[test]
fn the_derived_body_works_then_calls_then_replies() {
    let plan = plan();
    let shop = plan.service_at(1).unwrap();
    assert_eq!(shop.places(), 1..3);
    let work = |ns| Step::Work { work: Described::of(&Work::Constant { mean: Time(ns) }) };
    assert_eq!(shop.body, [work(40_000_000), Step::Call { link: 0 }, Step::Reply]);
    let stock = plan.service_at(2).unwrap();
    assert_eq!((stock.workers, stock.room, stock.replicas), (3, Some(2), 1));
    assert_eq!(stock.body, [work(1_000_000), Step::Reply]);
    assert_eq!(plan.service_at(0), None);
}

#[test]
fn links_keep_their_timeout_and_retry() {
    let plan = plan();
    let calls = plan.link(1).unwrap();
    assert_eq!(calls.timeout, Some(Time(500_000_000)));
    let retry = calls.retry.as_ref().unwrap().read().unwrap();
    assert_eq!(retry, Retry::FixedDelay { attempts: 3, delay: Time(100_000_000) });
    let plain = plan.link(0).unwrap();
    assert_eq!((plain.timeout, &plain.retry), (None, &None));
    // A plan that says nothing of them has none: the second link's bytes name neither.
    let text = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
    assert_eq!(
        text.matches(r#""timeout":"500 ms","retry":{"policy":"fixed-delay","attempts":3,"delay":"100 ms"}"#).count(),
        2
    );
    assert_eq!(text.matches("timeout").count(), 2);
}

#[test]
fn the_load_names_its_links_and_bounds() {
    let load = Load::Constant(OpenLoad { rate: Rate(20_000_000), in_flight: 1_000, count: Some(7) });
    let payload = Payload {
        bytes: Size(256),
        content: Content::Binary,
        key: None,
        value: None,
        event_time: None,
        priority: None,
    };
    let [planned] = &plan().loads[..] else { panic!("one client has a load") };
    assert_eq!((planned.load.read().unwrap(), planned.payload.read().unwrap()), (load, payload));
    assert_eq!((planned.node, planned.place, &planned.links[..]), (0, 0, &[1][..]));
}

#[test]
fn bytes_read_back_to_the_same_plan_and_the_same_bytes() {
    let plan = plan();
    let bytes = plan.to_bytes().unwrap();
    let again = Plan::from_bytes(&bytes).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.to_bytes().unwrap(), bytes);
}

/// Recordings that were made before these fields were: what they leave out is what was then.
#[test]
fn a_plan_of_an_older_recording_is_read() {
    let mut plan = plan();
    let text = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
    let older = text.replace(r#","effort":"waiting","failure":"0 %""#, "");
    assert_eq!((older.matches("effort").count(), older.matches("failure").count()), (0, 0));
    assert_eq!(Plan::from_bytes(older.as_bytes()).unwrap(), plan);
    plan.services[0].effort = Effort::Burning;
    assert_eq!(Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap(), plan);
}

#[test]
fn a_written_body_becomes_the_plans_steps() {
    let body = r#""work": {"distribution": "constant", "mean": "40ms"}, "body": [
        {"step": "parallel", "branches": [{"steps": [{"step": "call", "link": "l2"}]}, {"steps": [{"step": "work"}]}]},
        {"step": "reply"},
        {"step": "choose", "branches": [
            {"weight": 3, "steps": [{"step": "work", "work": {"distribution": "constant", "mean": "2 ms"}}]},
            {"weight": 1, "steps": []}]}]"#;
    let text = CHAIN.replacen(r#""work": {"distribution": "constant", "mean": "40ms"}"#, body, 1);
    let settings = RunSettings { seed: 42, duration: Some(Time(5_000_000_000)), ..RunSettings::default() };
    let plan = compile(&validate(&text).unwrap().scenario, &settings);
    let work = |ns| Step::Work { work: Described::of(&Work::Constant { mean: Time(ns) }) };
    let shop = plan.service_at(1).unwrap();
    let expected = [
        Step::Parallel { branches: vec![vec![Step::Call { link: 0 }], vec![work(40_000_000)]] },
        Step::Reply,
        Step::Choose {
            branches: vec![Choice { weight: 3, steps: vec![work(2_000_000)] }, Choice { weight: 1, steps: vec![] }],
        },
    ];
    assert_eq!(shop.body, expected);
    assert!(!shop.replies_last());
    assert!(plan.service_at(2).unwrap().replies_last());
    assert_eq!(Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap(), plan);
}

#[test]
fn a_run_until_stopped_says_so_and_a_plan_that_does_not_say_is_refused() {
    let endless = Plan { settings: RunSettings { seed: 1, duration: None, ..RunSettings::default() }, ..plan() };
    let text = String::from_utf8(endless.to_bytes().unwrap()).unwrap();
    assert!(text.contains(r#""settings":{"seed":1,"duration":null}"#));
    assert_eq!(Plan::from_bytes(text.as_bytes()).unwrap(), endless);
    let silent = text.replacen(r#","duration":null"#, "", 1);
    assert!(matches!(Plan::from_bytes(silent.as_bytes()), Err(PlanError::Shape(_))));
}

#[test]
fn a_warm_up_is_written_where_there_is_one() {
    let settings = RunSettings { warm_up: Time(2_000_000_000), ..RunSettings::default() };
    let warm = Plan { settings, ..plan() };
    let text = String::from_utf8(warm.to_bytes().unwrap()).unwrap();
    assert!(text.contains(r#""settings":{"seed":42,"warm_up":"2 s","duration":"5 s"}"#), "{text}");
    assert_eq!(Plan::from_bytes(text.as_bytes()).unwrap(), warm);
}

#[test]
fn bytes_that_are_no_plan_are_refused() {
    let text = String::from_utf8(plan().to_bytes().unwrap()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Plan::from_bytes(text.replacen(from, to, 1).as_bytes())
    };
    let version = changed(r#""hopscope-plan","version":1"#, r#""hopscope-plan","version":2"#);
    assert!(matches!(version, Err(PlanError::Version(2))));
    let format = changed("hopscope-plan", "hopscope-plum");
    assert!(matches!(format, Err(PlanError::Format(_))));
    let field = changed(r#""settings":{"#, r#""settings":{"mood":1,"#);
    assert!(matches!(field, Err(PlanError::Shape(_))));
    let place = changed(r#""first_place":3"#, r#""first_place":4"#);
    assert!(matches!(place, Err(PlanError::Dangling { table: "service", row: 1, what: "place", number: 4 })));
    let body = changed(r#"{"step":"call","link":0},{"step":"reply"}"#, r#"{"step":"reply"},{"step":"reply"}"#);
    assert!(matches!(body, Err(PlanError::Body(0))));
    let step =
        changed(r#"{"step":"call","link":0}"#, r#"{"step":"parallel","branches":[[{"step":"call","link":9}],[]]}"#);
    assert!(matches!(step, Err(PlanError::Dangling { table: "service", what: "link", number: 9, .. })));
    let link = changed(r#""links":[1]"#, r#""links":[2]"#);
    assert!(matches!(link, Err(PlanError::Dangling { table: "load", what: "link", .. })));
    for end in 0..text.len() {
        assert!(Plan::from_bytes(&text.as_bytes()[..end]).is_err());
    }
}

/// Each group that reads a topic has a place in each of its partitions, and no other's.
#[test]
fn groups_have_places_of_their_own() {
    let service = |id: &str| serde_json::json!({"id": id, "name": id, "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}});
    let document = serde_json::json!({"format": "hopscope-scenario", "version": 1, "name": "read twice",
        "nodes": [{"id": "n1", "name": "shop", "kind": "client", "load": {"kind": "constant", "rate": "1/s"}},
            {"id": "n2", "name": "activity", "kind": "topic", "partitions": 2}, service("n3"), service("n4")],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka", "in_flight": 9},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka", "commit": "automatic"}]});
    let scenario = crate::validate::validate(&document.to_string()).unwrap().scenario;
    let plan = compile(&scenario, &RunSettings::default());
    let instances: Vec<_> = plan.places.iter().map(Place::instance).collect();
    let groups = ["group 1 partition 0", "group 1 partition 1", "group 2 partition 0", "group 2 partition 1"];
    assert_eq!(instances[1..6], [&["topic"][..], &groups].concat());
    let (topic, group, partition) = plan.group_at(5).unwrap();
    assert_eq!((topic.place, group.link, partition, plan.group_name(group)), (1, 2, 1, "n4"));
    assert_eq!(plan.group_over(1).map(|(_, group)| group.place(1)), Some(3));
    let passages: Vec<_> = plan.links.iter().map(|link| plan.passage(link)).collect();
    assert_eq!(passages, [Passage::Publish, Passage::Deliver, Passage::Deliver]);
    // What a reader says is none of a publisher's, though neither says anything of the other.
    let options = |link: usize| plan.links[link].options.keys().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(options(1), BTreeSet::from(["commit", "in_flight"]));
    assert!(options(0).contains("acks") && !options(0).contains("commit"));
    let text = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
    assert_eq!(Plan::from_bytes(text.as_bytes()).unwrap(), plan);
    let shared = text.replacen(r#""first_place":4"#, r#""first_place":2"#, 1);
    let refused = Plan::from_bytes(shared.as_bytes());
    assert!(
        matches!(refused, Err(PlanError::Dangling { table: "topic", what: "place", number: 2, .. })),
        "{refused:?}"
    );
}
