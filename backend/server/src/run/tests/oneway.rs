//! Messages that nobody answers: who sends them goes on at once, and the run waits for what they cause.

use serde_json::{Map, Value};

use super::*;

/// The scenario of the others, over Thrift and oneway from end to end.
fn oneway(shape: &Shape) -> Scenario {
    let mut scenario = scenario(&Shape { protocol: Protocol::Thrift, ..*shape });
    for link in &mut scenario.links {
        link.options = Map::from_iter([("mode".to_owned(), Value::from("oneway"))]);
    }
    scenario
}

/// The works take far longer than the sending: what was handed over comes home all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_answers_is_worked_on_to_its_end() {
    let shape = Shape { rate: 5_000, work: 20 * MS, workers: 2, ..CALM };
    let (run, memory) = begin_scenario(oneway(&shape), 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let state = fold(&run, &events);
    for link in state.links() {
        let counts = [LinkCount::Sent, LinkCount::HandedOver, LinkCount::Completed].map(|count| link.count(count));
        assert_eq!((counts, link.open), ([50, 50, 0], 0));
    }
    let finished = |place: &hopscope_record::state::PlaceState| place.count(PlaceCount::Finished);
    assert_eq!(finished(&state.places()[1]), 50);
    assert_eq!(finished(&state.places()[2]) + finished(&state.places()[3]), 50);
    assert!(events.iter().all(|event| event.kind != Kind::REPLIED), "nobody is answered");
}

/// Who sends is told nothing of what is turned away: only the recording knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_is_lost_and_recorded() {
    let mut scenario = oneway(&Shape { rate: 20_000, workers: 1, work: 200 * MS, ..CALM });
    if let NodeKind::Service(service) = &mut scenario.nodes[1].kind {
        service.room = Some(1);
    }
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    run.join().await;
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let state = fold(&run, &events);
    let (calls, shop) = (state.links()[0], state.places()[1]);
    assert_eq!((calls.count(LinkCount::HandedOver), calls.count(LinkCount::Refused)), (50, 0));
    let started = shop.count(PlaceCount::Started);
    assert_eq!(shop.count(PlaceCount::Received), 50);
    assert!((2..50).contains(&started), "{started} started");
    assert_eq!(state.links()[1].count(LinkCount::Sent), started);
}
