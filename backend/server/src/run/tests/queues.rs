//! Runs whose messages go through queues of the built-in broker.

use std::collections::BTreeMap;

use hopscope_record::kind::{AWAITS_REPLY, Admission, QueueStep};
use hopscope_record::{LinkIndex, MessageId};
use hopscope_scenario::model::Closed;
use hopscope_scenario::validate::validate;

use super::*;

/// A client, a queue and a service that takes from it; `more` goes into the client's link, `queue` into the queue.
fn queued(rate: u64, count: u64, queue: &str, link: &str, service: &str) -> Scenario {
    let text = format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "queued", "nodes": [
        {{"id": "n1", "kind": "client", "name": "buyers", "load": {{"kind": "constant", "rate": "{rate}/s", "count": {count}}}}},
        {{"id": "n2", "kind": "queue", "name": "orders"{queue}}},
        {{"id": "n3", "kind": "service", "name": "shop", {service}}},
        {{"id": "n4", "kind": "queue", "name": "answers"}}],
        "links": [{{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"{link}}},
        {{"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}}]}}"#
    );
    validate(&text).unwrap().scenario
}

const WORK: &str = r#""workers": 4, "work": {"distribution": "constant", "mean": "1 ms"}"#;
const REPLIES: &str = r#", "replies": "n4""#;
const PREFETCH: &str = r#", "prefetch": 8"#;

fn of_kind(events: &[Event], kind: Kind) -> Vec<&Event> {
    events.iter().filter(|event| event.kind == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_its_reply_go_through_two_queues() {
    let (run, memory) = begin_scenario(queued(500, 40, PREFETCH, REPLIES, WORK), 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    let (events, end) = memory.read();
    let end = end.unwrap();
    let state = fold(&run, &events);
    assert_eq!(state.all_links.open, 0);
    assert_eq!((state.all_places.ready, state.all_places.unacked, state.all_places.busy), (0, 0, 0));
    let completed = of_kind(&events, Kind::COMPLETED);
    assert_eq!(completed.len(), 40);
    for completed in completed {
        let mine: Vec<_> = events.iter().filter(|event| event.trace == completed.trace).collect();
        let find = |kind: Kind, link: u16| {
            *mine.iter().find(|event| event.kind == kind && event.link == LinkIndex(link)).unwrap()
        };
        let (published, enqueued) = (find(Kind::PUBLISHED, 0), find(Kind::ENQUEUED, 0));
        assert_eq!((published.message, enqueued.message), (completed.message, completed.message));
        assert_eq!(find(Kind::CONFIRMED, 0).a, AWAITS_REPLY);
        let (delivered, received) = (find(Kind::DELIVERED, 1), find(Kind::RECEIVED, 1));
        assert_eq!((delivered.message, delivered.parent), (received.message, published.message));
        assert_eq!(received.parent, published.message);
        // The service's reply, and its delivery to the client.
        let (reply, back) = (find(Kind::PUBLISHED, 2), find(Kind::DELIVERED, 3));
        assert_eq!((reply.parent, back.parent), (delivered.message, reply.message));
        let taken = find(Kind::RECEIVED, 3);
        assert_eq!((taken.a, taken.message, taken.place), (Admission::Taken as u64, back.message, PlaceIndex(0)));
        let order = [published, enqueued, delivered, received, find(Kind::STARTED, 1), find(Kind::FINISHED, 1), reply];
        assert!(order.windows(2).all(|pair| pair[0].time <= pair[1].time));
        assert!(reply.time < taken.time && taken.time <= completed.time);
        assert_eq!(find(Kind::ACKED, 1).message, delivered.message);
    }
    let queued =
        |counted| -> u64 { end.counts.iter().filter(|count| count.counted == counted).map(|count| count.count).sum() };
    assert_eq!((queued(Counted::READY), queued(Counted::UNACKED)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transition_of_a_queue_has_the_next_ordinal_and_the_lengths_of_its_neighbours() {
    let slow = r#""work": {"distribution": "constant", "mean": "2 ms"}"#;
    let (run, memory) = begin_scenario(queued(2_000, 60, "", "", slow), 60_000 * MS, DRAIN).await;
    run.join().await;
    let (events, _) = memory.read();
    let steps: Vec<_> = events.iter().filter(|event| event.place == PlaceIndex(1) && event.a > 0).collect();
    let mut length = 0;
    for (event, ordinal) in steps.iter().zip(1..) {
        let step = QueueStep::from_value(event.b).unwrap();
        assert_eq!((event.a, step.before), (ordinal, length), "{event:?}");
        let expected = i64::from(event.kind.info().unwrap().steps.ready);
        assert_eq!(i64::from(step.after) - i64::from(step.before), expected, "{event:?}");
        length = step.after;
    }
    assert_eq!(steps.len(), 3 * 60, "put, taken, acked");
    assert_eq!(length, 0);
    assert!(of_kind(&events, Kind::ENQUEUED).iter().any(|event| QueueStep::from_value(event.b).unwrap().after > 5));
    assert!(of_kind(&events, Kind::CONFIRMED).iter().all(|event| event.a == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_says_so() {
    let slow = r#""work": {"distribution": "constant", "mean": "50 ms"}"#;
    let (run, memory) = begin_scenario(queued(2_000, 30, r#", "capacity": 3"#, "", slow), 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!(summary.lost, 0);
    let (events, _) = memory.read();
    let (confirmed, refused) = (of_kind(&events, Kind::CONFIRMED), of_kind(&events, Kind::CONFIRM_REFUSED));
    assert_eq!(confirmed.len() + refused.len(), 30);
    assert!(!refused.is_empty());
    assert_eq!(of_kind(&events, Kind::ENQUEUED).len(), confirmed.len());
}

/// Callers on several threads publish over one connection: each of them is told of its own message.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_many_who_publish_at_once_gets_the_answer_to_its_own_message() {
    let mut scenario = queued(1, 1, r#", "capacity": 16, "prefetch": 64"#, "", WORK);
    let NodeKind::Client(client) = &mut scenario.nodes[0].kind else { panic!("the first node is a client") };
    let think = Work::Constant { mean: Time(MS / 2) };
    client.load = Load::Closed(Closed { users: 64, think, count: Some(4_000) });
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    assert_eq!(run.join().await.lost, 0);
    let (events, _) = memory.read();
    let put: BTreeMap<_, _> =
        of_kind(&events, Kind::ENQUEUED).iter().map(|event| (event.message, event.time)).collect();
    let (confirmed, refused) = (of_kind(&events, Kind::CONFIRMED), of_kind(&events, Kind::CONFIRM_REFUSED));
    assert!(!confirmed.is_empty() && !refused.is_empty(), "{} and {}", confirmed.len(), refused.len());
    for event in confirmed {
        assert!(put[&event.message] < event.time, "{event:?}");
    }
    assert!(refused.iter().all(|event| !put.contains_key(&event.message)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_when_the_run_gives_up_goes_back_to_its_queue() {
    let endless = r#""work": {"distribution": "constant", "mean": "1 h"}"#;
    let drain = Duration::from_millis(50);
    let (run, memory) = begin_scenario(queued(1_000, 5, "", "", endless), 60_000 * MS, drain).await;
    run.join().await;
    let (events, end) = memory.read();
    let end = end.unwrap();
    assert_eq!(of_kind(&events, Kind::REQUEUED).len(), 1);
    assert_eq!(of_kind(&events, Kind::ACKED).len(), 0);
    let state = fold(&run, &events);
    assert_eq!((state.all_places.ready, state.all_places.unacked), (5, 0));
    assert!(end.counts.iter().any(|count| (count.counted, count.index, count.count) == (Counted::READY, 1, 5)));
    assert_eq!(of_kind(&events, Kind::FINISHED)[0].a, hopscope_record::kind::Outcome::Abandoned as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_acked_before_its_work_is_settled_then() {
    let early = r#", "prefetch": 8, "ack": "before-work""#;
    // Far longer than the way of an acknowledgement.
    let long = r#""workers": 10, "work": {"distribution": "constant", "mean": "500 ms"}"#;
    let (run, memory) = begin_scenario(queued(500, 10, early, "", long), 60_000 * MS, DRAIN).await;
    run.join().await;
    let (events, _) = memory.read();
    for acked in of_kind(&events, Kind::ACKED) {
        let at = |kind| events.iter().find(|event| event.kind == kind && event.message == acked.message).unwrap().time;
        assert!(at(Kind::RECEIVED) <= acked.time && acked.time < at(Kind::FINISHED));
    }
    assert_eq!(of_kind(&events, Kind::FINISHED).len(), 10);
    assert!(of_kind(&events, Kind::FINISHED).iter().all(|event| event.message != MessageId::NONE));
}

/// Its prefetch bounds what a queue delivers: the room turns none of it away.
#[tokio::test(flavor = "multi_thread")]
async fn no_delivery_is_refused_for_want_of_room() {
    let narrow = r#""workers": 1, "room": 0, "work": {"distribution": "constant", "mean": "2 ms"}"#;
    let (run, memory) = begin_scenario(queued(2_000, 30, PREFETCH, "", narrow), 60_000 * MS, DRAIN).await;
    run.join().await;
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    assert_eq!((of_kind(&events, Kind::ACKED).len(), of_kind(&events, Kind::NACKED).len()), (30, 0));
    let received = of_kind(&events, Kind::RECEIVED);
    assert!(received.iter().all(|event| event.a == Admission::Admitted as u64));
}

/// A delivery whose work fails is rejected for good where nobody hears of the failure, and settled where its sender does.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_whose_work_fails_is_rejected_unless_its_sender_is_told() {
    let failing = r#""workers": 4, "work": {"distribution": "constant", "mean": "1 ms"}, "failure": "100 %""#;
    for (replies, settled, failed) in [("", (0, 20), 0), (REPLIES, (20, 0), 20)] {
        let (run, memory) = begin_scenario(queued(1_000, 20, PREFETCH, replies, failing), 60_000 * MS, DRAIN).await;
        run.join().await;
        memory.keeps_the_laws();
        let (events, _) = memory.read();
        let of_orders = |kind| of_kind(&events, kind).into_iter().filter(|event| event.place == PlaceIndex(1)).count();
        assert_eq!((of_orders(Kind::ACKED), of_orders(Kind::NACKED)), settled);
        assert_eq!(of_kind(&events, Kind::FAILED).len(), failed);
    }
}
