use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::{LANGUAGES, Language};
use crate::issue::{CODES, Severity};
use crate::quantity::Time;

const BROKEN: &str = include_str!("../../tests/broken.json");
const GOOD: &str = include_str!("../../tests/two_services.json");

/// The good scenario with the patches of one broken case: JSON pointer -> value, null removes.
fn broken(patches: &Value) -> Value {
    let mut document: Value = serde_json::from_str(GOOD).unwrap();
    for (pointer, value) in patches.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(object) if value.is_null() => drop(object.remove(key)),
            Value::Object(object) => drop(object.insert(key.to_owned(), value.clone())),
            Value::Array(items) if key.starts_with('-') => items.push(value.clone()),
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value.clone(),
            other => unreachable!("{other}"),
        }
    }
    document
}

fn found(issues: &[Issue]) -> Vec<(String, String)> {
    let mut found: Vec<_> = issues.iter().map(|issue| (issue.code.name().to_owned(), issue.path.clone())).collect();
    found.sort();
    found
}

#[test]
fn the_good_scenario_is_valid_without_warnings() {
    let valid = validate(GOOD).unwrap();
    assert_eq!(valid.warnings, []);
    assert_eq!(valid.scenario.nodes.len(), 3);
}

#[test]
fn every_broken_scenario_yields_exactly_its_issues() {
    let cases: Vec<Value> = serde_json::from_str(BROKEN).unwrap();
    assert!(cases.len() >= 40, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["case"].as_str().unwrap();
        let mut expected: Vec<_> = case["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| (issue[0].as_str().unwrap().to_owned(), issue[1].as_str().unwrap().to_owned()))
            .collect();
        expected.sort();
        let document = broken(&case["patch"]);
        let issues = document_issues(&document);
        if found(&issues) != expected {
            wrong.push(format!("{name}: found {:?}, expected {expected:?}", found(&issues)));
        }
        let errors = issues.iter().any(Issue::is_error);
        assert_eq!(validate_value(&document).is_err(), errors, "{name}");
        for issue in &issues {
            for language in LANGUAGES {
                let text = issue.message(*language) + &issue.remedy(*language);
                assert!(!text.contains('{') && !text.contains("**"), "{name}: an argument is missing in {text}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_broken_scenarios_meets_every_code() {
    let elsewhere = [
        Code::BadJson,
        Code::BadPort,
        Code::BrokerNotAllowed,
        Code::BrokerNotLocal,
        Code::InProcessApart,
        Code::DisturbedTooLate,
        Code::DocumentTooLarge,
        Code::StreamNotHere,
        Code::TargetNotAllowed,
        Code::TooMany,
        Code::TransactionNotHere,
        Code::UnknownPort,
        Code::Unreadable,
    ];
    for code in CODES {
        let met = BROKEN.contains(&format!("[\"{}\",", code.name()));
        assert!(met || elsewhere.contains(code), "{}", code.name());
    }
}

/// What would never happen is no part of a run; how long that is, its settings say.
#[test]
fn a_disturbance_that_begins_after_the_load_is_refused() {
    let crash = json!([{"do": "crash", "at": "4 s", "on": "shop", "for": "10 s"}]);
    let scenario = broken(&json!({"/disturbances": crash}));
    let found = |duration: Value| {
        let mut request = json!({"scenario": scenario, "duration": duration});
        if duration == "" {
            request.as_object_mut().unwrap().remove("duration");
        }
        let issues = request_issues(&request.to_string());
        assert_eq!(validate_request(&request.to_string()).is_err(), issues.iter().any(Issue::is_error));
        issues.into_iter().filter(Issue::is_error).map(|issue| (issue.code, issue.path)).collect::<Vec<_>>()
    };
    for fine in [json!(""), json!("4.1 s"), Value::Null] {
        assert_eq!(found(fine), []);
    }
    assert_eq!(found(json!("4 s")), [(Code::DisturbedTooLate, "/scenario/disturbances/0/at".to_owned())]);
}

#[test]
fn what_is_done_at_once_is_a_disturbance_without_its_time() {
    let scenario = broken(&json!({}));
    let asked =
        validate_control(r#"{"do": "delay", "on": "buyers->shop", "by": "50ms", "for": "2 s"}"#, &scenario).unwrap();
    assert_eq!((asked.argument(), asked.lasts.map(|lasts| lasts.0)), (50_000_000, Some(2_000_000_000)));
    for (text, path) in [
        (r#"{"do": "crash", "on": "shop", "at": "0 s"}"#, "/at"),
        (r#"{"do": "crash", "on": "nobody"}"#, "/on"),
        (r#"{"do": "delay", "on": "l1"}"#, "/by"),
        ("[]", ""),
    ] {
        assert_eq!(validate_control(text, &scenario).unwrap_err()[0].path, path, "{text}");
    }
}

#[test]
fn an_illegal_link_says_what_may_join_the_two_kinds() {
    let nodes = json!([
        {"id": "c", "kind": "client", "name": "buyers"},
        {"id": "d", "kind": "client", "name": "others"},
        {"id": "q", "kind": "queue", "name": "settle"},
        {"id": "r", "kind": "queue", "name": "answers"},
        {"id": "s", "kind": "service", "name": "shop"},
        {"id": "t", "kind": "service", "name": "stock"},
    ]);
    let said = |from: &str, to: &str, protocol: &str| {
        let link = json!({"id": "l1", "from": from, "to": to, "protocol": protocol});
        let issues = document_issues(&json!({"nodes": nodes, "links": [link]}));
        let issue = issues.into_iter().find(|issue| issue.code == Code::IllegalLink).unwrap();
        issue.message(Language::English) + " " + &issue.remedy(Language::English)
    };
    let cases = [
        (
            "c",
            "q",
            "http1",
            "A queue cannot be called over HTTP/1.1 by a client. Publish to settle over AMQP, or call the service behind it.",
        ),
        (
            "s",
            "q",
            "grpc",
            "A queue cannot be called over gRPC by a service. Publish to settle over AMQP, or call the service behind it.",
        ),
        (
            "c",
            "s",
            "amqp",
            "A service cannot be published to over AMQP by a client. Call shop over HTTP/1.1, or put a queue between the two.",
        ),
        (
            "s",
            "t",
            "amqp",
            "A service cannot be published to over AMQP by a service. Call stock over HTTP/1.1, or put a queue between the two.",
        ),
        (
            "q",
            "s",
            "http1",
            "A service cannot be called over HTTP/1.1 by a queue. Let shop take from settle over AMQP.",
        ),
        (
            "c",
            "d",
            "http1",
            "A client cannot be linked to a client. A client only sends: link buyers to a service or a queue.",
        ),
        (
            "s",
            "c",
            "amqp",
            "A service cannot be linked to a client. A client receives no requests. Reply to the call of buyers, or link shop to a service or a queue.",
        ),
        (
            "q",
            "c",
            "amqp",
            "A queue cannot be linked to a client. Let a service take from settle. Replies reach buyers where its own link awaits Replies.",
        ),
        (
            "q",
            "r",
            "amqp",
            "A queue cannot be linked to a queue. Put a service between them that takes from settle and publishes to answers.",
        ),
    ];
    for (from, to, protocol, expected) in cases {
        assert_eq!(said(from, to, protocol), expected);
    }
}

#[test]
fn text_that_is_not_json_has_a_line_and_a_column() {
    let issues = validate("{\n  \"format\": oops").unwrap_err();
    assert_eq!(issues[0].code, Code::BadJson);
    let message = issues[0].message(Language::English);
    assert_eq!(message, "The document stops being JSON at line 2, column 13.");
    let twice = GOOD.replacen("\"version\": 1,", "\"version\": 1, \"version\": 1,", 1);
    let issues = validate(&twice).unwrap_err();
    assert_eq!(issues[0].code, Code::BadJson);
    assert_eq!(issues[0].remedy(Language::English), "Correct it there (the field \"version\" is written twice).");
    assert_eq!(validate(&format!("{GOOD} {{}}")).unwrap_err()[0].code, Code::BadJson);
    let deep = "[".repeat(100_000);
    assert_eq!(validate(&deep).unwrap_err()[0].code, Code::BadJson);
    let long = " ".repeat(MAX_DOCUMENT_BYTES + 1);
    assert_eq!(validate(&long).unwrap_err()[0].code, Code::DocumentTooLarge);
}

#[test]
fn too_many_nodes_links_and_replicas() {
    let mut document: Value = serde_json::from_str(GOOD).unwrap();
    let service = |n: usize| {
        json!({"id": format!("s{n}"), "name": format!("s{n}"), "kind": "service", "replicas": 64,
        "work": {"distribution": "constant", "mean": "1 ms"}})
    };
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.extend((0..16).map(service));
    let codes = |document: &Value| {
        let issues = document_issues(document);
        let errors = issues.iter().filter(|issue| issue.severity == Severity::Error);
        errors.map(|issue| (issue.code, issue.path.clone())).collect::<Vec<_>>()
    };
    assert_eq!(codes(&document), [(Code::TooMany, "/nodes".to_owned())]);
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.extend((16..1_000).map(service));
    assert_eq!(codes(&document).len(), 2);
    // Beyond a limit nothing else is told: the faults of each would hide it.
    let links = document["links"].as_array_mut().unwrap();
    links.extend(std::iter::repeat_n(json!(7), 5_000));
    assert_eq!(document_issues(&document).len(), 3);
    let mut document: Value = serde_json::from_str(GOOD).unwrap();
    document["links"].as_array_mut().unwrap().extend(std::iter::repeat_n(json!(7), 3_000));
    assert_eq!(document_issues(&document).len(), MAX_ISSUES);
    let mut document: Value = serde_json::from_str(GOOD).unwrap();
    let links = document["links"].as_array_mut().unwrap();
    let (link, here) = (links[0].clone(), links.len());
    let again = |n: usize| {
        let mut another = link.clone();
        another["id"] = json!(format!("another{n}"));
        another
    };
    links.extend((here..shape::MAX_LINKS).map(again));
    assert_eq!(codes(&document), []);
    document["links"].as_array_mut().unwrap().push(again(shape::MAX_LINKS));
    assert_eq!(codes(&document), [(Code::TooMany, "/links".to_owned())]);
}

#[test]
fn valid_means_canonical_printing_is_identity() {
    let scenario = validate(GOOD).unwrap().scenario;
    let printed = serde_json::to_string_pretty(&scenario).unwrap();
    let again = validate(&printed).unwrap().scenario;
    assert_eq!(again, scenario);
    assert_eq!(serde_json::to_string_pretty(&again).unwrap(), printed);
}

#[test]
fn a_request_has_a_scenario_and_settings_with_defaults() {
    let good: Value = serde_json::from_str(GOOD).unwrap();
    let request = validate_request(&json!({"scenario": good}).to_string()).unwrap();
    assert_eq!(request.settings.seed, 42);
    assert_eq!(request.settings.duration, Some(Time(5_000_000_000)));
    let text = json!({"scenario": good, "seed": 7, "duration": "250ms"}).to_string();
    let request = validate_request(&text).unwrap();
    assert_eq!((request.settings.seed, request.settings.duration), (7, Some(Time(250_000_000))));
    let text = json!({"scenario": good, "duration": null}).to_string();
    let request = validate_request(&text).unwrap();
    assert_eq!((request.settings.duration, request.settings.offered().to_string()), (None, "1 h".to_owned()));
    let text = json!({"scenario": good, "warm_up": "2 s", "duration": "3 s"}).to_string();
    let settings = validate_request(&text).unwrap().settings;
    assert_eq!((settings.warm_up, settings.offered()), (Time(2_000_000_000), Time(5_000_000_000)));
    let text = json!({"scenario": good, "warm_up": "1 h"}).to_string();
    assert_eq!(found(&validate_request(&text).unwrap_err()), [("out-of-range".into(), "/warm_up".into())]);
    let text = json!({"scenario": broken(&json!({"/nodes/0/name": 3})), "seed": -1, "brokers": 1}).to_string();
    let issues = validate_request(&text).unwrap_err();
    let expected = [("out-of-range", "/seed"), ("unknown-field", "/brokers"), ("wrong-type", "/scenario/nodes/0/name")];
    assert_eq!(found(&issues), expected.map(|(code, path)| (code.to_owned(), path.to_owned())));
    assert_eq!(found(&validate_request("{}").unwrap_err()), [("missing-field".into(), "/scenario".into())]);
    assert_eq!(found(&validate_request("[]").unwrap_err()), [("wrong-type".into(), String::new())]);
}

/// Any JSON, grown from the words that mean something in a scenario, so that it goes deep into the checks.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "n1",
        "n2",
        "l1",
        "client",
        "service",
        "http1",
        "constant",
        "40 ms",
        "20/s",
        "hopscope-scenario",
        "",
        "\u{0}",
    ]);
    let keys = prop::sample::select(vec![
        "format",
        "version",
        "nodes",
        "links",
        "checks",
        "id",
        "name",
        "kind",
        "from",
        "to",
        "protocol",
        "load",
        "work",
        "rate",
        "mean",
        "distribution",
        "replicas",
        "x",
        "a/b~c",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = validate(&text);
        let _ = validate_request(&text);
    }

    #[test]
    fn strict_reading_reads_what_json_is(value in any_json()) {
        let text = value.to_string();
        prop_assert_eq!(parse(&text).ok(), serde_json::from_str::<Value>(&text).ok());
    }

    #[test]
    fn no_json_panics_and_every_path_is_a_place_in_it(
        value in any_json(),
        at in prop::sample::select(vec!["", "/nodes", "/links", "/nodes/0", "/nodes/1/work", "/nodes/0/load/rate", "/links/1", "/links/0/from"]),
    ) {
        let mut document: Value = serde_json::from_str(GOOD).unwrap();
        *document.pointer_mut(at).unwrap() = value;
        for issue in document_issues(&document) {
            // A missing field's path names what is not there; its parent is.
            let parent = issue.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let exists = document.pointer(&issue.path).is_some() || issue.code == Code::MissingField
                || issue.code == Code::NothingToRun;
            prop_assert!(exists && document.pointer(parent).is_some(), "{:?}", issue);
            prop_assert!(!issue.message(Language::English).is_empty());
        }
        match validate_value(&document) {
            Ok(valid) => prop_assert!(valid.warnings.iter().all(|issue| !issue.is_error())),
            Err(issues) => prop_assert!(issues.iter().all(|issue| issue.code != Code::Unreadable)),
        }
    }
}
