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
