use super::*;

#[test]
fn the_published_schema_is_the_descriptors() {
    let committed = include_str!("../../../../docs/scenario.schema.json");
    let current = serde_json::to_string_pretty(&scenario_schema()).unwrap() + "\n";
    assert!(
        committed == current,
        "docs/scenario.schema.json is out of date: \
         cargo run --release -p hopscope-scenario --example schema > docs/scenario.schema.json"
    );
}

#[test]
fn every_kind_and_protocol_is_in_the_schema() {
    let schema = scenario_schema();
    let consts = |list: &str, tag: &str| -> Vec<String> {
        let options = schema.pointer(&format!("/$defs/{list}/oneOf")).unwrap().as_array().unwrap();
        options.iter().map(|option| option["properties"][tag]["const"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(consts("node", "kind"), KINDS.iter().map(|kind| kind.id).collect::<Vec<_>>());
    assert_eq!(consts("link", "protocol"), PROTOCOLS.iter().map(|protocol| protocol.id).collect::<Vec<_>>());
}

#[test]
fn every_reference_is_defined() {
    fn walk(value: &Value, schema: &Value, met: &mut usize) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    *met += 1;
                    assert!(schema.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                object.values().for_each(|value| walk(value, schema, met));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, schema, met)),
            _ => {}
        }
    }
    let (schema, mut met) = (scenario_schema(), 0);
    walk(&schema, &schema, &mut met);
    assert!(met > 5);
}
