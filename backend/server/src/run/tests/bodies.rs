//! Services whose steps a person wrote: branches at once, by chance, and steps behind the reply.

use hopscope_record::MessageId;
use hopscope_record::kind::Outcome as Ended;
use hopscope_rules::draw::{Draws, Purpose};
use hopscope_scenario::validate::validate_value;
use serde_json::{Value, json};

use super::*;

const SEED: u64 = 1;

/// Buyers ask a shop with these steps, which has a stock (l2) and a bank (l3) behind it, each working so long.
fn shop(body: Value, work_ms: u64) -> Scenario {
    let work = json!({"distribution": "constant", "mean": format!("{work_ms} ms")});
    let service =
        |id: &str, name: &str| json!({"id": id, "kind": "service", "name": name, "workers": 64, "work": work});
    let mut shop = service("n2", "shop");
    shop["body"] = body;
    let document = json!({"format": "hopscope-scenario", "version": 1, "name": "bodies", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "500/s", "count": 40}},
        shop, service("n3", "stock"), service("n4", "bank")],
        "links": [
        {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
        {"id": "l2", "from": "n2", "to": "n3", "protocol": "http1"},
        {"id": "l3", "from": "n2", "to": "n4", "protocol": "in-process"}]});
    validate_value(&document).unwrap().scenario
}

async fn events(scenario: Scenario) -> (State, Vec<Event>) {
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    (fold(&run, &events), events)
}

/// Where in the recording the event of this kind of this message is.
fn at(events: &[Event], message: MessageId, kind: Kind) -> usize {
    events.iter().position(|event| event.message == message && event.kind == kind).unwrap()
}

fn of(events: &[Event], kind: Kind, link: u16) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| event.kind == kind && event.link.0 == link)
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_are_under_way_at_once() {
    let branches = json!([{"steps": [{"step": "call", "link": "l2"}]}, {"steps": [{"step": "call", "link": "l3"}]}]);
    let (state, events) =
        events(shop(json!([{"step": "parallel", "branches": branches}, {"step": "reply"}]), 20)).await;
    for link in state.links() {
        assert_eq!((link.count(LinkCount::Sent), link.count(LinkCount::Completed)), (40, 40));
    }
    for first in of(&events, Kind::SENT, 1) {
        let second = of(&events, Kind::SENT, 2).find(|event| event.parent == first.parent).unwrap();
        let begun = at(&events, first.message, Kind::SENT).max(at(&events, second.message, Kind::SENT));
        let ended = [first, second].map(|call| at(&events, call.message, Kind::COMPLETED)).into_iter().min().unwrap();
        assert!(begun < ended, "one call had ended before the other began");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_reply_is_worked_on_after_it() {
    let body =
        json!([{"step": "reply"}, {"step": "work"}, {"step": "call", "link": "l2"}, {"step": "call", "link": "l3"}]);
    let (state, events) = events(shop(body, 20)).await;
    assert_eq!(state.links()[0].count(LinkCount::Completed), 40);
    assert_eq!(state.links()[2].count(LinkCount::Completed), 40, "the body went on to its end");
    for replied in of(&events, Kind::REPLIED, 0) {
        let finished = at(&events, replied.message, Kind::FINISHED);
        assert!(at(&events, replied.message, Kind::REPLIED) < finished);
        assert_eq!(events[finished].a, Ended::Done as u64);
    }
    assert_eq!(state.all_places.busy, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_behind_the_reply_is_the_services_alone() {
    let body = json!([{"step": "reply"}, {"step": "call", "link": "l2"}, {"step": "call", "link": "l3"}]);
    let mut scenario = shop(body, 20);
    scenario.links[1].timeout = Some(Time(MS));
    let (state, events) = events(scenario).await;
    assert_eq!(state.links()[0].count(LinkCount::Completed), 40, "the buyers had their replies");
    assert_eq!(state.links()[1].count(LinkCount::TimedOut), 40);
    assert_eq!(state.links()[2].count(LinkCount::Sent), 0, "what follows a failed step is left out");
    assert!(of(&events, Kind::FINISHED, 0).all(|event| event.a == Ended::Failed as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn chance_chooses_by_the_seed() {
    let branches = json!([
        {"weight": 1, "steps": [{"step": "call", "link": "l2"}]},
        {"weight": 3, "steps": [{"step": "call", "link": "l3"}]}]);
    let (state, _) = events(shop(json!([{"step": "choose", "branches": branches}, {"step": "reply"}]), 1)).await;
    let mut draws = Draws::new(SEED, "n2", Purpose::Choice(1));
    let first = (0..40).filter(|n| draws.unit(*n) < 0.25).count() as u64;
    assert!(first > 0 && first < 40, "{first}");
    let taken = [1, 2].map(|link: usize| state.links()[link].count(LinkCount::Sent));
    assert_eq!(taken, [first, 40 - first]);
}

/// Through a queue the reply is published when its step has come, and the message is settled when the body has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_may_reply_before_its_work() {
    let document = json!({"format": "hopscope-scenario", "version": 1, "name": "queued", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "200/s", "count": 20}},
        {"id": "n2", "kind": "queue", "name": "orders", "prefetch": 4},
        {"id": "n3", "kind": "service", "name": "shop", "workers": 4,
         "work": {"distribution": "constant", "mean": "20 ms"}, "body": [{"step": "reply"}, {"step": "work"}]},
        {"id": "n4", "kind": "queue", "name": "answers"}],
        "links": [
        {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp", "replies": "n4"},
        {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]});
    let (state, events) = events(validate_value(&document).unwrap().scenario).await;
    assert_eq!(state.links()[0].count(LinkCount::Completed), 20);
    for finished in of(&events, Kind::FINISHED, 1) {
        let acked = at(&events, finished.message, Kind::ACKED);
        assert!(at(&events, finished.message, Kind::FINISHED) < acked);
        let reply = events.iter().position(|event| event.kind == Kind::PUBLISHED && event.parent == finished.message);
        assert!(reply.unwrap() < at(&events, finished.message, Kind::FINISHED), "the reply waited for the work");
    }
}
