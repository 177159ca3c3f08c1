use super::*;

#[test]
fn every_protocol_is_listed_once_and_found_by_its_id() {
    for descriptor in PROTOCOLS {
        assert!(std::ptr::eq(descriptor.protocol.descriptor(), *descriptor));
        assert_eq!(Protocol::find(descriptor.id), Some(descriptor.protocol));
        assert_eq!(serde_json::to_value(descriptor.protocol).unwrap(), descriptor.id);
        let same = PROTOCOLS.iter().filter(|other| other.id == descriptor.id);
        assert_eq!(same.count(), 1);
        assert!(!descriptor.connects.is_empty());
        assert_eq!(descriptor.socket, descriptor.stroke != Stroke::Dotted);
    }
    assert_eq!(Protocol::find("smoke signals"), None);
}

#[test]
fn what_nobody_answers_is_drawn_like_what_nobody_waits_for() {
    let (oneway, call) = (serde_json::json!({"mode": "oneway"}), serde_json::json!({"mode": "call"}));
    assert_eq!(Protocol::Thrift.stroke_of(&oneway), Stroke::Dashed);
    assert_eq!(Protocol::Thrift.stroke_of(&call), Stroke::Solid);
    assert_eq!(Protocol::Http1.stroke_of(&oneway), Stroke::Solid, "it has no such option");
    assert_eq!(Protocol::InProcess.stroke_of(&oneway), Stroke::Dotted);
}

#[test]
fn what_may_join_what() {
    let between = |from, to| Protocol::between(from, to).collect::<Vec<_>>();
    let calls = [Protocol::Http1, Protocol::Grpc, Protocol::Thrift, Protocol::InProcess];
    assert_eq!(between(Kind::Client, Kind::Service), calls);
    assert_eq!(between(Kind::Service, Kind::Service), calls);
    assert_eq!(between(Kind::Service, Kind::Client), []);
    assert_eq!(between(Kind::Client, Kind::Client), []);
    assert!(Protocol::leave(Kind::Client) && Protocol::leave(Kind::Topic) && !Protocol::leave(Kind::External));
}
