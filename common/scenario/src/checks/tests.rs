use super::*;

#[test]
fn a_link_is_named_by_its_id_or_by_its_ends() {
    for on in ["l1", "buyers->shop", "buyers -> shop"] {
        assert!(names_link(on, "l1", "buyers", "shop"), "{on}");
    }
    for on in ["", "l2", "buyers", "buyers->", "->shop", "shop->buyers", "buyers->shop 2", "buyers- >shop"] {
        assert!(!names_link(on, "l1", "buyers", "shop"), "{on}");
    }
    // Names may have anything in them.
    assert!(names_link("a->b->c", "l1", "a->b", "c") && names_link("a->b->c", "l1", "a", "b->c"));
}

#[test]
fn each_metric_has_a_limit_of_its_dimension_and_its_own_name() {
    assert_eq!(METRICS.len(), Metric::ALL.len());
    for (option, metric) in METRICS.iter().zip(Metric::ALL) {
        assert_eq!(Metric::find(option.id), Some(metric), "{}", option.id);
        assert_eq!(metric.id(), option.id);
        let limit = option.fields.iter().find(|field| field.name == "value").unwrap();
        match limit.value {
            ValueType::Quantity { dimension, .. } => assert_eq!(metric.dimension(), Some(dimension), "{}", option.id),
            _ => assert_eq!(metric.dimension(), None, "{}", option.id),
        }
        let part = match metric {
            Metric::Answered(part) | Metric::Completed(part) | Metric::Confirmed(part) => format!(".{part:?}"),
            Metric::Stale(part) | Metric::Finished(part) => format!(".{part:?}"),
            _ => continue,
        };
        assert!(option.id.ends_with(&part.to_lowercase()), "{}", option.id);
    }
    assert_eq!(Metric::find("answered.p99"), Some(Metric::Answered(Part::P99)));
    assert_eq!(Metric::find("happiness"), None);
}

#[test]
fn a_check_is_written_one_way() {
    let mut document: Value = serde_json::from_str(include_str!("../../../../scenarios/hello-sync.json")).unwrap();
    document["checks"] = serde_json::json!([
        {"value": "50ms", "op": "<", "on": "buyers->shop", "metric": "answered.p99"},
        {"op": ">=", "value": "19/s", "metric": "throughput", "on": "l1"},
        {"metric": "error-rate", "on": "l1", "op": "<", "value": "1%"},
        {"metric": "errors", "on": "l1", "op": "<=", "value": 3},
        {"metric": "answered.max", "op": ">", "value": "1 ms"}
    ]);
    let valid = crate::validate::validate(&document.to_string()).unwrap();
    assert_eq!(valid.warnings, []);
    let written = serde_json::to_string(&valid.scenario.checks).unwrap();
    let canonical = crate::shape::canonical(&document);
    assert_eq!(canonical["checks"].to_string(), written);
    assert!(
        written.starts_with(r#"[{"metric":"answered.p99","on":"buyers->shop","op":"<","value":"50 ms"}"#),
        "{written}"
    );
}

#[test]
fn a_limit_is_one_kind_of_thing() {
    let read = |json: &str| serde_json::from_str::<crate::model::Limit>(json).map(|limit| limit.to_string());
    for (json, limit) in [("3", "3"), (r#""50ms""#, "50 ms"), (r#""20/s""#, "20/s"), (r#""1%""#, "1 %")] {
        assert_eq!(read(json).unwrap(), limit);
    }
    for json in ["-3", "1.5", "null", "[]", "\"50\"", "\"3 m\""] {
        assert!(read(json).is_err(), "{json}");
    }
}

#[test]
fn subjects_are_offered_by_names_that_say_which() {
    let document = serde_json::json!({
        "nodes": [
            {"id": "n1", "kind": "client", "name": "buyers"},
            {"id": "n2", "kind": "service", "name": "shop"},
            {"id": "n3", "kind": "queue", "name": "orders"},
            {"id": "n4", "kind": "queue"}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2"},
            {"id": "l2", "from": "n1", "to": "n3"},
            {"id": "l3", "from": "n1", "to": "n2"},
            {"id": "l4", "from": "n1", "to": "n9"}]});
    let subjects = |metric| crate::validate::subjects(&document, metric);
    assert_eq!(subjects(Metric::Errors), ["l1", "buyers->orders", "l3"]);
    assert_eq!(subjects(Metric::QueueEnd), ["orders"]);
    assert_eq!(crate::validate::subjects(&serde_json::json!(7), Metric::Errors), [""; 0]);
}
