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
fn each_metric_has_a_limit_of_its_dimension() {
    for option in METRICS {
        let limit = option.fields.iter().find(|field| field.name == "value").unwrap();
        let counts = matches!(limit.value, ValueType::Integer { .. });
        assert_eq!(dimension(option.id).is_none(), counts, "{}", option.id);
        assert!(!is_of_queue(option.id) || counts);
    }
    assert_eq!(dimension("answered.p99"), Some(Dimension::Time));
    assert_eq!(dimension("throughput"), Some(Dimension::Rate));
    assert_eq!(dimension("error-rate"), Some(Dimension::Share));
    assert_eq!(dimension("happiness"), None);
}
