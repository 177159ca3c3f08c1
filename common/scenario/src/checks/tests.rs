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
        let limit = option.fields.iter().find(|field| field.name == "value").unwrap();
        match limit.value {
            ValueType::Quantity { dimension, .. } => assert_eq!(metric.dimension(), Some(dimension), "{}", option.id),
            _ => assert_eq!(metric.dimension(), None, "{}", option.id),
        }
        let part = match metric {
            Metric::Answered(part) | Metric::Completed(part) | Metric::Confirmed(part) => format!(".{part:?}"),
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
