use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::validate::validate_value;
use serde_json::{Value, json};

use super::*;

/// A client that calls a shop (l1) and publishes to a queue (l2), which two services take from; the shop may call on (l5).
fn plan(shop: Value, first: Value, second: Value) -> Plan {
    let service = |id: &str, body: Value| json!({"id": id, "kind": "service", "name": id, "work": {"distribution": "constant", "mean": "1 ms"}, "body": body});
    let document = json!({"format": "hopscope-scenario", "version": 1, "name": "ways", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "1/s"}},
        service("shop", shop),
        {"id": "q", "kind": "queue", "name": "orders"},
        service("first", first), service("second", second), service("bank", json!([apply(9)]))],
        "links": [
        {"id": "l1", "from": "n1", "to": "shop", "protocol": "http1"},
        {"id": "l2", "from": "n1", "to": "q", "protocol": "amqp"},
        {"id": "l3", "from": "q", "to": "first", "protocol": "amqp"},
        {"id": "l4", "from": "q", "to": "second", "protocol": "amqp"},
        {"id": "l5", "from": "shop", "to": "bank", "protocol": "http1"}]});
    compile(&validate_value(&document).unwrap().scenario, &RunSettings::default())
}

fn apply(amount: i64) -> Value {
    json!({"step": "effect", "account": "books", "amount": amount})
}

/// The amounts of the effects that messages over a link surely come to.
fn sure(plan: &Plan, link: usize) -> Vec<i64> {
    ways::certain(plan)[link].iter().map(|effect| plan.effects[*effect as usize].amount).collect()
}

#[test]
fn what_is_sure_to_come_is_what_no_chance_leaves_out() {
    let call = json!({"step": "call", "link": "l5"});
    let either = |one: Value, other: Value| json!({"step": "choose", "branches": [{"weight": 1, "steps": [one]}, {"weight": 1, "steps": [other]}]});
    let both = json!({"step": "parallel", "branches": [{"steps": [apply(3)]}, {"steps": [call]}]});
    let all = plan(json!([apply(1), both]), json!([apply(4)]), json!([apply(5)]));
    assert_eq!(sure(&all, 0), [1, 3, 9]);
    assert!(sure(&all, 1).is_empty(), "either service may take a message");
    let some = plan(json!([either(apply(1), call.clone()), apply(2)]), json!([]), json!([]));
    assert_eq!(sure(&some, 0), [2], "chance decides of the others");
    let same = plan(json!([either(call.clone(), call)]), json!([]), json!([]));
    assert_eq!(sure(&same, 0), [9], "each branch calls the bank");
}

#[test]
fn the_longest_are_kept_the_longest_first() {
    let mut longest = Vec::new();
    for n in 0..100_u64 {
        keep_longest(&mut longest, TraceId(n), (n * 37 % 100).cast_signed());
    }
    let times: Vec<_> = longest.iter().map(|(_, time)| *time).collect();
    assert_eq!(times, (80..100).rev().collect::<Vec<i64>>());
}

#[test]
fn a_plan_without_effects_keeps_nothing() {
    let plan = plan(json!([]), json!([]), json!([]));
    let plan = Plan { effects: Vec::new(), ..plan };
    let mut effects = Effects::of(&plan);
    let event = Event { trace: TraceId(1), ..Event::new(0, Kind::INTENDED) };
    effects.take(&Event { kind: Kind::EFFECT, ..event });
    assert!(effects.is_empty() && effects.traces.is_empty());
    assert!(effects.report(&Traces::default(), true).effects.is_empty());
}
