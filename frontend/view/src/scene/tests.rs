use super::*;

fn document(nodes: &str, links: &str) -> Document {
    let text = format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "test", "nodes": [{nodes}], "links": [{links}]}}"#
    );
    Document::open(&text).unwrap()
}

const TWO: &str = r#"{"id": "n1", "kind": "client", "name": "a", "x": 0, "y": 0},
    {"id": "n2", "kind": "service", "name": "b", "x": 300, "y": 0}"#;

#[test]
fn a_drag_moves_its_nodes_and_the_ends_of_their_links() {
    let document = document(TWO, r#"{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"}"#);
    let moving = BTreeSet::from(["n2".to_owned()]);
    let still = Scene::of(&document, &moving, Point::default());
    let moved = Scene::of(&document, &moving, Point::new(100.0, 60.0));
    assert_eq!(moved.node("n1"), still.node("n1"));
    assert_eq!(moved.node("n2").unwrap().rect.origin(), Point::new(400.0, 60.0));
    assert_eq!(still.link("l1").unwrap().path.at(1.0), Point::new(300.0, 50.0));
    assert_eq!(moved.link("l1").unwrap().path.at(1.0), Point::new(400.0, 110.0));
}

#[test]
fn links_without_an_end_and_unknown_kinds_do_not_stop_the_rest() {
    let nodes = format!(r#"{TWO}, {{"id": "n3", "kind": "oracle", "name": "c"}}"#);
    let links = r#"{"id": "l1", "from": "n1", "to": "gone"}, {"id": "l2", "from": "n1", "to": "n3"}"#;
    let scene = Scene::of(&document(&nodes, links), &BTreeSet::new(), Point::default());
    assert_eq!(scene.nodes().len(), 3);
    assert_eq!(scene.node("n3").unwrap().kind, None);
    assert!(scene.link("l1").is_none());
    assert_eq!(scene.link("l2").unwrap().protocol, None);
}

#[test]
fn nodes_without_a_position_do_not_lie_on_each_other() {
    let nodes: Vec<_> =
        (0..9).map(|index| format!(r#"{{"id": "n{index}", "kind": "client", "name": "c{index}"}}"#)).collect();
    let scene = Scene::of(&document(&nodes.join(","), ""), &BTreeSet::new(), Point::default());
    for (index, node) in scene.nodes().iter().enumerate() {
        assert!(scene.nodes()[index + 1..].iter().all(|other| !other.rect.touches(node.rect)));
    }
}

#[test]
fn a_new_node_steps_aside_from_one_in_its_place() {
    let scene = Scene::of(&document(TWO, ""), &BTreeSet::new(), Point::default());
    assert_eq!(scene.place(Kind::Client, Point::new(83.0, 51.0)), Point::new(20.0, 20.0));
    assert_eq!(scene.place(Kind::Client, Point::new(100.0, 51.0)), Point::new(20.0, 0.0));
    let free = scene.free_place(Kind::Client, Point::new(100.0, 51.0));
    let rect = crate::geometry::node_rect(Kind::Client, free.x, free.y);
    assert!(scene.nodes().iter().all(|node| !node.rect.touches(rect)));
}

#[test]
fn replies_come_back_over_links_of_the_plans_ids() {
    let text = include_str!("../../../../scenarios/hello-async.json");
    let document = Document::open(text).unwrap();
    let scene = Scene::of(&document, &BTreeSet::new(), Point::default());
    let scenario = hopscope_scenario::validate::validate(text).unwrap().scenario;
    let settings = hopscope_scenario::plan::RunSettings {
        seed: 1,
        duration: Some(hopscope_scenario::quantity::Time(1_000_000_000)),
        ..Default::default()
    };
    let plan = hopscope_scenario::plan::compile(&scenario, &settings);
    let ids: Vec<_> = plan.links.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(scene.links().iter().map(|link| link.id.as_str()).collect::<Vec<_>>(), ids);
    for (drawn, planned) in scene.links().iter().zip(&plan.links) {
        let node = |number: u32| plan.nodes[number as usize].id.as_str();
        assert_eq!((drawn.from.as_str(), drawn.to.as_str()), (node(planned.from), node(planned.to)));
        let of = planned.replies_of.map(|of| ids[usize::from(of)]);
        assert_eq!(drawn.replies_of.as_deref(), of);
    }
}

#[test]
fn dead_letters_have_a_way_that_is_no_link_of_the_document() {
    let nodes = r#"{"id": "q1", "kind": "queue", "name": "orders", "dead_letters": "q2"},
        {"id": "q2", "kind": "queue", "name": "late", "dead_letters": "gone"}"#;
    let scene = Scene::of(&document(nodes, ""), &BTreeSet::new(), Point::default());
    let [way] = scene.links() else { panic!("{:?}", scene.links()) };
    assert_eq!((way.id.as_str(), way.from.as_str(), way.to.as_str()), ("q1~dead", "q1", "q2"));
    assert!(way.dead_letters && way.replies_of.is_none());
}
