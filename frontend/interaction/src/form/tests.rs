use hopscope_scenario::edits::Document;
use hopscope_scenario::kinds::{KINDS, Kind};

use super::*;

/// A document with one new node of a kind, its id, and its form.
fn form(kind: Kind) -> (Document, Target, Vec<Section>) {
    let mut document = Document::new("test");
    let (id, change) = document.add_node(kind.descriptor(), "it", 0, 0);
    document.apply(&change).unwrap();
    let target = Target::Node(id);
    let sections = sections(kind.descriptor().fields, document.get(&target, "").unwrap());
    (document, target, sections)
}

/// What typing into a row changes.
fn typing(document: &Document, target: &Target, row: &Row, text: &str) -> Option<Change> {
    typed(target, row, text, document.get(target, "").unwrap())
}

fn row(sections: &[Section], pointer: &str) -> Row {
    sections.iter().flat_map(|section| &section.rows).find(|row| row.pointer == pointer).unwrap().clone()
}

#[test]
fn every_kind_has_an_input_for_every_value_of_a_new_node() {
    for kind in KINDS {
        let (document, target, sections) = form(kind.kind);
        for leaf in leaves(kind.fields, document.get(&target, "").unwrap()) {
            let is_choice = matches!(leaf.field.value, ValueType::Variant { .. });
            let has_row = sections.iter().flat_map(|section| &section.rows).any(|row| row.pointer == leaf.pointer);
            assert!(is_choice || has_row, "{}{}", kind.id, leaf.pointer);
        }
    }
}

#[test]
fn a_choice_is_asked_before_what_it_brings() {
    let (_, _, sections) = form(Kind::Client);
    assert_eq!(sections[0].heading.map(Key::name), Some("field.load"));
    assert_eq!(sections[0].option, None);
    assert_eq!(sections[0].rows[0].pointer, "/load/kind");
    assert_eq!(sections[0].rows[1].pointer, "/load/rate");
}

#[test]
fn a_document_that_chose_nothing_known_is_asked() {
    let fields = Kind::Client.descriptor().fields;
    let broken = serde_json::json!({"load": {"kind": "tidal"}});
    assert_eq!(sections(fields, &broken)[0].rows[0].pointer, "/load/kind");
}

#[test]
fn whatever_is_typed_is_shown_again() {
    let (document, target, sections) = form(Kind::Service);
    for pointer in ["/workers", "/work/mean"] {
        for text in ["3", "-1.2", "many", " 40ms", "", "007x"] {
            let mut document = document.clone();
            let change = typing(&document, &target, &row(&sections, pointer), text);
            document.apply(&change.unwrap()).unwrap();
            assert_eq!(shown(document.get(&target, pointer)), text);
        }
    }
}

#[test]
fn a_whole_number_is_a_number_and_a_cleared_bound_is_none() {
    let (mut document, target, sections) = form(Kind::Client);
    let count = row(&sections, "/load/count");
    document.apply(&typing(&document, &target, &count, "12").unwrap()).unwrap();
    assert_eq!(document.get(&target, "/load/count"), Some(&Value::from(12)));
    document.apply(&typing(&document, &target, &count, "").unwrap()).unwrap();
    assert_eq!(document.get(&target, "/load/count"), None);
}

#[test]
fn an_option_comes_with_its_defaults() {
    let (document, target, sections) = form(Kind::Client);
    let row = Row { pointer: "/load/kind".into(), ..row(&sections, "/load/rate") };
    let variant = &Kind::Client.descriptor().fields[0];
    let row = Row { field: variant, ..row };
    let Some(Change::Set { pointer, value, .. }) = typing(&document, &target, &row, "poisson") else {
        panic!("one field is set")
    };
    assert_eq!((pointer.as_str(), value.as_ref()), ("/load", document.get(&target, "/load")));
    assert_eq!(typing(&document, &target, &row, "tidal"), None);
}

#[test]
fn another_option_keeps_what_it_shares_with_the_one_before() {
    let (mut document, target, sections) = form(Kind::Client);
    let kind = row(&sections, "/load/kind");
    for (pointer, text) in [("/load/rate", "7/s"), ("/load/in_flight", "3"), ("/load/count", "many")] {
        document.apply(&typing(&document, &target, &row(&sections, pointer), text).unwrap()).unwrap();
    }
    document.apply(&typing(&document, &target, &kind, "bursts").unwrap()).unwrap();
    let bursts = serde_json::json!({"kind": "bursts", "rate": "7/s", "on": "1 s", "off": "1 s", "arrivals": "poisson",
        "in_flight": 3, "count": "many"});
    assert_eq!(document.get(&target, "/load"), Some(&bursts));
    document.apply(&typing(&document, &target, &kind, "closed").unwrap()).unwrap();
    let thinking = serde_json::json!({"distribution": "exponential", "mean": "40 ms"});
    let closed = serde_json::json!({"kind": "closed", "users": 10, "think": thinking, "count": "many"});
    assert_eq!(document.get(&target, "/load"), Some(&closed));
    // A choice within a choice has rows of its own.
    let sections = super::sections(Kind::Client.descriptor().fields, document.get(&target, "").unwrap());
    let think = row(&sections, "/load/think/distribution");
    document.apply(&typing(&document, &target, &row(&sections, "/load/think/mean"), "3 s").unwrap()).unwrap();
    document.apply(&typing(&document, &target, &think, "erlang").unwrap()).unwrap();
    let erlang = serde_json::json!({"distribution": "erlang", "mean": "3 s", "cv": "50 %"});
    assert_eq!(document.get(&target, "/load/think"), Some(&erlang));
}

#[test]
fn quantities_are_tidied_and_other_texts_are_not() {
    let (_, _, sections) = form(Kind::Service);
    let mean = row(&sections, "/work/mean").field;
    assert_eq!(tidied(mean, "40000us"), Some("40 ms".to_owned()));
    assert_eq!(tidied(mean, "40 ms"), None);
    assert_eq!(tidied(mean, "soon"), None);
    assert_eq!(tidied(row(&sections, "/workers").field, "40000us"), None);
}

#[test]
fn inputs_are_named_by_dots() {
    assert_eq!(path("/load/rate"), "load.rate");
}

#[test]
fn an_optional_choice_can_be_made_and_taken_back() {
    let mut document = Document::new("test");
    for kind in [Kind::Client, Kind::Service] {
        let (_, change) = document.add_node(kind.descriptor(), kind.descriptor().id, 0, 0);
        document.apply(&change).unwrap();
    }
    let protocol = document.may_link("n1", "n2").unwrap();
    let (id, linked) = document.add_link("n1", "n2", protocol);
    document.apply(&linked).unwrap();
    let before = document.value().clone();
    let target = Target::Link(id);
    let fields = protocol.descriptor().options;
    let form = |document: &Document| sections(fields, document.get(&target, "").unwrap());
    let pointers = |document: &Document| -> Vec<String> {
        form(document).into_iter().flat_map(|section| section.rows).map(|row| row.pointer).collect()
    };
    assert_eq!(pointers(&document), ["/timeout", "/retry/policy", "/network/distribution"]);
    let policy = row(&form(&document), "/retry/policy");
    document.apply(&typing(&document, &target, &policy, "fixed-delay").unwrap()).unwrap();
    assert_eq!(
        pointers(&document),
        ["/timeout", "/retry/policy", "/retry/attempts", "/retry/delay", "/network/distribution"]
    );
    assert_eq!(shown(document.get(&target, "/retry/attempts")), "3");
    document.apply(&typing(&document, &target, &policy, "").unwrap()).unwrap();
    assert_eq!(*document.value(), before);
}
