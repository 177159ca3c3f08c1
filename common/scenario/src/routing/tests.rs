use serde_json::json;

use super::*;

fn link(fields: &Value) -> Map<String, Value> {
    fields.as_object().unwrap().clone()
}

fn topic(pattern: &str, key: &str) -> bool {
    let (publish, binding) = (link(&json!({"routing_key": key})), link(&json!({"binding_key": pattern})));
    hands_on(ExchangeType::Topic, &publish, &binding)
}

#[test]
fn a_topic_is_like_its_pattern_word_by_word() {
    for (pattern, key) in [
        ("", ""),
        ("#", ""),
        ("#", "orders.created"),
        ("orders.*", "orders.created"),
        ("*.created", "orders.created"),
        ("orders.#", "orders"),
        ("orders.#", "orders.created.eu"),
        ("#.eu", "eu"),
        ("#.eu", "orders.created.eu"),
        ("#.created.#", "orders.created.eu.north"),
        ("*.#.*", "a.b"),
        ("a..b", "a..b"),
    ] {
        assert!(topic(pattern, key), "{pattern} {key}");
    }
    for (pattern, key) in [
        ("", "orders"),
        ("*", ""),
        ("orders", "orders.created"),
        ("orders.*", "orders"),
        ("orders.*", "orders.created.eu"),
        ("*.#.*", "a"),
        ("#.eu", "europe"),
        ("o*", "orders"),
    ] {
        assert!(!topic(pattern, key), "{pattern} {key}");
    }
}

#[test]
fn a_long_pattern_of_many_hashes_is_soon_told() {
    let (pattern, key) = (vec!["#"; 100].join(".") + ".x", vec!["a"; 100].join("."));
    assert!(!topic(&pattern, &key));
    assert!(topic(&pattern, &(key + ".x")));
}

#[test]
fn a_direct_exchange_compares_keys_and_a_fanout_none() {
    let (publish, binding) = (link(&json!({"routing_key": "a"})), link(&json!({"binding_key": "a"})));
    let empty = Map::new();
    assert!(hands_on(ExchangeType::Direct, &publish, &binding) && hands_on(ExchangeType::Direct, &empty, &empty));
    assert!(!hands_on(ExchangeType::Direct, &publish, &empty) && !hands_on(ExchangeType::Direct, &empty, &binding));
    assert!(hands_on(ExchangeType::Fanout, &publish, &empty));
}

#[test]
fn headers_are_wanted_all_or_one_of_them() {
    let publish = link(&json!({"headers": "region=eu, kind = new"}));
    let wants = |headers: &str, how: &str| {
        hands_on(ExchangeType::Headers, &publish, &link(&json!({"headers": headers, "match": how})))
    };
    assert!(wants("region=eu,kind=new", "all") && wants("", "all") && wants("region=eu,kind=old", "any"));
    assert!(!wants("region=eu,kind=old", "all") && !wants("region=us", "any") && !wants("", "any"));
    assert!(!hands_on(ExchangeType::Headers, &Map::new(), &link(&json!({"headers": "region=eu"}))));
}

#[test]
fn what_is_no_header_is_named() {
    assert_eq!(headers(" a=1 ,b=, c = x=y,"), Ok(vec![("a", "1"), ("b", ""), ("c", "x=y")]));
    assert_eq!(headers(""), Ok(Vec::new()));
    for (written, wrong) in
        [("a=1,b", "b"), ("=1", "=1"), ("x-match=all", "x-match=all"), ("traceparent=1", "traceparent=1")]
    {
        assert_eq!(headers(written), Err(wrong));
    }
}
