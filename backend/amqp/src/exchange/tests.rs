use super::*;

fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    table
}

#[test]
fn topics_match_by_words() {
    let cases = [
        ("#", "", true),
        ("#", "a.b.c", true),
        ("*", "a", true),
        ("*", "", false),
        ("*", "a.b", false),
        ("a.*.c", "a.b.c", true),
        ("a.*.c", "a.b.b.c", false),
        ("a.#", "a", true),
        ("a.#.c", "a.c", true),
        ("a.#.c", "a.b.c.d.c", true),
        ("a.#.c", "a.b.c.d", false),
        ("#.c.#", "a.b.c.d", true),
        ("#.c.#.c", "a.c.b", false),
        ("*.#", "", false),
        ("a..b", "a..b", true),
        ("a.*.b", "a..b", true),
        ("ab", "a", false),
    ];
    for (pattern, key, expected) in cases {
        assert_eq!(topic_matches(pattern, key), expected, "{pattern} against {key}");
    }
}

#[test]
fn headers_match_all_or_any() {
    let text = |text: &str| AMQPValue::LongString(text.into());
    let headers = table(&[("a", AMQPValue::LongInt(1)), ("b", text("two")), ("x-c", text("3"))]);
    let matches = |arguments: &[(&str, AMQPValue)]| headers_match(&table(arguments), Some(&headers));
    assert!(matches(&[]));
    assert!(matches(&[("a", AMQPValue::LongLongInt(1)), ("b", text("two"))]), "whatever the integer's width");
    assert!(!matches(&[("a", AMQPValue::LongInt(1)), ("b", text("three"))]));
    assert!(matches(&[("x-match", text("any")), ("a", AMQPValue::LongInt(1)), ("b", text("three"))]));
    assert!(!matches(&[("x-match", text("any"))]), "none of none");
    assert!(matches(&[("b", AMQPValue::Void)]), "the name alone");
    assert!(matches(&[("x-c", text("4"))]), "not looked at");
    assert!(!matches(&[("x-match", text("all-with-x")), ("x-c", text("4"))]));
    assert!(matches(&[("x-match", text("any-with-x")), ("x-c", text("3"))]));
    assert!(!headers_match(&table(&[("a", AMQPValue::Void)]), None));
}

#[test]
fn a_queue_is_found_once_however_often_it_is_bound() {
    let mut exchange = Exchange::new(ExchangeKind::Topic, false);
    for key in ["a.*", "#", "a.b"] {
        exchange.bind(1, key.into(), FieldTable::default());
    }
    let mut targets = Vec::new();
    exchange.route("a.b", None, &mut targets);
    assert_eq!(targets, [1]);
    assert!(exchange.unbind(1, &"#".into(), &FieldTable::default()));
    assert!(!exchange.unbind(1, &"#".into(), &FieldTable::default()));
    assert!(exchange.forget(1) && !exchange.has_bindings());
}
