use serde_json::json;

use super::*;
use crate::kinds::{KINDS, Kind};

#[test]
fn the_rows_of_a_form_follow_the_chosen_variant() {
    let client = Kind::Client.descriptor();
    let rows = leaves(client.fields, &client.new_node("n1", "buyers", 0, 0));
    let pointers: Vec<_> = rows.iter().map(|row| row.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/load",
            "/load/rate",
            "/load/in_flight",
            "/load/count",
            "/payload/bytes",
            "/payload/content",
            "/payload/key",
            "/payload/value",
            "/payload/event_time",
            "/payload/priority"
        ]
    );
    let rows = leaves(client.fields, &json!({"load": {"kind": "unheard of"}}));
    assert_eq!(rows.len(), 7, "an unknown option has no rows of its own");
}

#[test]
fn completing_writes_defaults_and_keeps_what_is_there() {
    let fields = Kind::Client.descriptor().fields;
    let Value::Object(mut node) = json!({"load": {"kind": "constant", "rate": "-1.2"}}) else { unreachable!() };
    complete(fields, &mut node);
    assert_eq!(
        Value::Object(node),
        json!({
            "load": {"kind": "constant", "rate": "-1.2", "in_flight": 1000},
            "payload": {"bytes": "256 B", "content": "binary"}
        })
    );
}

#[test]
fn completing_survives_any_shape() {
    for value in [json!(null), json!(3), json!([]), json!({"kind": 7})] {
        for kind in KINDS {
            let Value::Object(mut node) = json!({"load": value, "work": value, "payload": value}) else {
                unreachable!()
            };
            complete(kind.fields, &mut node);
            assert_eq!(node.get("load"), Some(&value));
        }
    }
}
