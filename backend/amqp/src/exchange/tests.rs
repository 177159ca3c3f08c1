use amq_protocol::types::AMQPValue;

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
fn values_are_the_same_whatever_their_types() {
    let headers = table(&[
        ("time", AMQPValue::Timestamp(7)),
        ("half", AMQPValue::Double(0.5)),
        ("two", AMQPValue::Float(2.0)),
        ("bytes", AMQPValue::ByteArray(b"b".as_slice().into())),
        ("yes", AMQPValue::Boolean(true)),
    ]);
    let matches = |name: &str, value: AMQPValue| headers_match(&table(&[(name, value)]), Some(&headers));
    assert!(matches("time", AMQPValue::LongInt(7)));
    assert!(matches("half", AMQPValue::Float(0.5)));
    assert!(matches("two", AMQPValue::LongInt(2)));
    assert!(matches("bytes", AMQPValue::LongString("b".into())));
    assert!(!matches("yes", AMQPValue::LongInt(1)));
    assert!(!matches("two", AMQPValue::LongString("2".into())));
}

#[test]
fn how_headers_match_is_checked() {
    let check = |value: AMQPValue| check_headers(&table(&[("x-match", value)])).map_err(|fault| fault.text);
    for mode in ["all", "any", "all-with-x", "any-with-x"] {
        assert_eq!(check(AMQPValue::LongString(mode.into())), Ok(()));
    }
    assert_eq!(
        check(AMQPValue::LongString("some".into())).unwrap_err(),
        "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x"
    );
    assert_eq!(
        check(AMQPValue::Boolean(true)).unwrap_err(),
        "PRECONDITION_FAILED - Invalid x-match field type bool (value true); expected longstr"
    );
    assert!(
        Exchange::<u8>::new(ExchangeKind::Topic, false)
            .check_arguments(&table(&[("x-match", AMQPValue::Void)]))
            .is_ok()
    );
}

#[test]
fn bindings_come_and_go() {
    let mut exchange = Exchange::new(ExchangeKind::Topic, false);
    let (one, other) = (Destination::Queue(1), Destination::Exchange("other".into()));
    for key in ["a.*", "#", "a.b", "a.b"] {
        exchange.bind(one.clone(), key.into(), FieldTable::default());
    }
    exchange.bind(other.clone(), "a.b".into(), FieldTable::default());
    let mut found = Vec::new();
    exchange.route(["a.b"].into_iter(), None, &mut found);
    assert_eq!(found.iter().filter(|it| ***it == one).count(), 3);
    assert_eq!(found.iter().filter(|it| ***it == other).count(), 1);
    found.clear();
    exchange.route(["none", "a.c"].into_iter(), None, &mut found);
    assert!(found.iter().all(|it| **it == one) && found.len() == 2, "by any of the keys");
    let (key, none) = ("#".into(), FieldTable::default());
    assert!(exchange.is_bound(&one, &key, &none) && !exchange.is_bound(&other, &key, &none));
    assert!(exchange.unbind(&one, &key, &none));
    assert!(!exchange.unbind(&one, &key, &none));
    assert!(exchange.forget(&one) && exchange.has_bindings());
    assert!(exchange.forget(&other) && !exchange.has_bindings());
}
