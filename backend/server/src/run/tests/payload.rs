//! What a client's requests carry.

use hopscope_rules::payload::Payloads;
use hopscope_scenario::model::{EventTimes, Keys, Values};
use hopscope_scenario::quantity::Number;

use super::*;

/// What a client's requests carry is in the recording, with its size, whether they are sent or not, and the same for the
/// same seed; on the way it is in the bodies that all receivers get.
#[tokio::test(flavor = "multi_thread")]
async fn what_requests_carry_is_recorded_and_travels() {
    let mut scenario = scenario(&Shape { protocol: Protocol::Http1, in_flight: 1, rate: 5_000, ..CALM });
    let payload = Body {
        bytes: Size(200),
        content: Content::Json,
        key: Some(Keys::Zipf { keys: 20, exponent: Number(1_100) }),
        value: Some(Values::Uniform { from: -5, to: 5 }),
        event_time: Some(EventTimes::Exponential { mean: Time(MS) }),
        priority: None,
    };
    if let NodeKind::Client(client) = &mut scenario.nodes[0].kind {
        client.payload = payload.clone();
    }
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    assert_eq!(run.join().await.lost, 0);
    let ((events, _), (rows, names)) = (memory.read(), memory.carried());
    let intended: Vec<_> = events.iter().filter(|event| event.kind == Kind::INTENDED).collect();
    assert_eq!((rows.len(), intended.len()), (50, 50));
    let mut payloads = Payloads::new(&payload, 1, "n1");
    for (n, (row, event)) in (0..).zip(rows.iter().zip(&intended)) {
        let carried = payloads.draw(n, event.a);
        assert_eq!(row.message, event.message.message());
        let key = row.key.map(|key| names[key.0 as usize].clone());
        assert_eq!((key, row.value), (carried.key.map(|key| format!("k{key}")), carried.value));
        assert_eq!((row.event_time, row.bytes), (carried.event_time_ns, 200));
    }
    let bytes = |kind| events.iter().filter(move |event| event.kind == kind).map(|event| event.b);
    assert!(bytes(Kind::RECEIVED).count() > 3 && bytes(Kind::RECEIVED).chain(bytes(Kind::SENT)).all(|b| b == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_run_has_no_rows() {
    let mut scenario = scenario(&CALM);
    for content in [Content::Binary, Content::Text] {
        if let NodeKind::Client(client) = &mut scenario.nodes[0].kind {
            client.payload.content = content;
        }
        let (run, memory) = begin_scenario(scenario.clone(), 60_000 * MS, DRAIN).await;
        run.join().await;
        assert_eq!(memory.carried(), (Vec::new(), Vec::new()));
    }
}
