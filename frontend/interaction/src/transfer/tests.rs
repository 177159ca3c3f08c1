use super::*;

const HELLO: &str = include_str!("../../../../scenarios/hello-sync.json");

fn hello() -> Document {
    Document::open(HELLO).unwrap()
}

fn all(document: &Document) -> BTreeSet<String> {
    document.nodes().map(|node| node.id().to_owned()).collect()
}

#[test]
fn a_copy_pasted_into_its_own_document_is_a_second_one_beside_it() {
    let mut document = hello();
    let copied = Document::open(&part(&document, &all(&document), "copy")).unwrap();
    let (ids, change) = pasting(&document, &copied);
    let before = document.clone();
    let inverse = document.apply(&change).unwrap();
    assert_eq!(ids.len(), 2);
    assert_eq!((document.nodes().count(), document.links().count()), (4, 2));
    assert!(document.issues().is_empty(), "{:?}", document.issues());
    let (old, new) = (document.node("n1").unwrap(), document.node(&ids[0]).unwrap());
    assert_eq!(new.position(), old.position().map(|(x, y)| (x + 40, y + 40)));
    assert_eq!(new.value()["load"], old.value()["load"]);
    document.apply(&inverse).unwrap();
    assert_eq!(document, before);
}

#[test]
fn steps_and_replies_name_the_pasted_links_and_queues() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "x", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "1/s"}},
        {"id": "n2", "kind": "queue", "name": "orders"},
        {"id": "n3", "kind": "service", "name": "shop", "work": {"distribution": "constant", "mean": "1 ms"},
         "body": [{"step": "call", "link": "l3"}, {"step": "reply"}]},
        {"id": "n4", "kind": "queue", "name": "answers"},
        {"id": "n5", "kind": "service", "name": "stock", "work": {"distribution": "constant", "mean": "1 ms"}}],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp", "replies": "n4"},
        {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"},
        {"id": "l3", "from": "n3", "to": "n5", "protocol": "http1"}]}"#;
    let mut document = Document::open(text).unwrap();
    assert!(document.issues().is_empty(), "{:?}", document.issues());
    let (_, change) = pasting(&document, &Document::open(text).unwrap());
    document.apply(&change).unwrap();
    assert!(document.issues().is_empty(), "{:?}", document.issues());
    let copy = document.links().find(|link| link.from() == "n6").unwrap();
    assert_eq!(copy.value()["replies"], "n9");
    assert_eq!(document.node("n8").unwrap().body().unwrap()[0]["link"], "l6");
    // What a pasted part leaves behind is named no longer.
    let alone = BTreeSet::from(["n3".to_owned()]);
    let (ids, change) = pasting(&document, &Document::open(&part(&document, &alone, "part")).unwrap());
    document.apply(&change).unwrap();
    assert_eq!(document.node(&ids[0]).unwrap().body().unwrap().len(), 1);
}

#[test]
fn a_part_has_only_the_links_within_it() {
    let document = hello();
    let part = Document::open(&part(&document, &BTreeSet::from(["n2".to_owned()]), "part")).unwrap();
    assert_eq!((part.nodes().count(), part.links().count()), (1, 0));
}

#[test]
fn what_has_no_known_kind_stays_behind_with_its_links() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "x",
        "nodes": [{"id": "a", "kind": "oracle", "name": "a"}, {"id": "b", "kind": "service", "name": "b"}],
        "links": [{"id": "l", "from": "a", "to": "b", "protocol": "http1"}]}"#;
    let mut document = Document::new("empty");
    let (ids, change) = pasting(&document, &Document::open(text).unwrap());
    document.apply(&change).unwrap();
    assert_eq!((ids.len(), document.links().count()), (1, 0));
}

#[test]
fn replacing_makes_the_other_document_and_can_be_undone() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "x", "nodes": [], "links": [], "a/b~": 1}"#;
    for other in [Document::open(text).unwrap(), Document::new("empty")] {
        let mut document = hello();
        let inverse = document.apply(&replacing(&document, &other)).unwrap();
        assert_eq!(document, other);
        document.apply(&inverse).unwrap();
        assert_eq!(document, hello());
        let mut back = other.clone();
        back.apply(&replacing(&other, &hello())).unwrap();
        assert_eq!(back, hello());
    }
}

#[test]
fn dead_letters_go_to_the_pasted_queue_or_nowhere() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "x", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "1/s"}},
        {"id": "n2", "kind": "queue", "name": "orders", "ttl": "1 s", "dead_letters": "n3"},
        {"id": "n3", "kind": "queue", "name": "late"}],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"}]}"#;
    let mut document = Document::open(text).unwrap();
    assert!(document.issues().is_empty(), "{:?}", document.issues());
    let (_, change) = pasting(&document, &Document::open(text).unwrap());
    let before = document.clone();
    let inverse = document.apply(&change).unwrap();
    assert_eq!(document.node("n5").unwrap().value()["dead_letters"], "n6");
    document.apply(&inverse).unwrap();
    assert_eq!(document, before);
    let alone = BTreeSet::from(["n2".to_owned()]);
    let (ids, change) = pasting(&document, &Document::open(&part(&document, &alone, "part")).unwrap());
    document.apply(&change).unwrap();
    assert!(document.node(&ids[0]).unwrap().value().get("dead_letters").is_none());
}
