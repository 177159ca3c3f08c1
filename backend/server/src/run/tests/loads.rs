//! Runs whose load changes with time, or with its replies.

use hopscope_rules::draw::{Draws, Purpose};
use hopscope_rules::schedule::Schedule;
use hopscope_scenario::model::{Arrivals, Bursts, Closed, Ramp};

use super::*;

/// A run of this load and the scenario of the others: what was intended, in order, and its state at the end.
async fn run_of(load: &Load, work: u64, duration: u64) -> (Vec<Event>, State) {
    let mut scenario = scenario(&Shape { work, workers: 64, ..CALM });
    if let NodeKind::Client(client) = &mut scenario.nodes[0].kind {
        client.load = load.clone();
    }
    let (run, memory) = begin_scenario(scenario, duration, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let state = fold(&run, &events);
    assert_eq!(state.all_links.open, 0);
    (events, state)
}

fn intended(events: &[Event]) -> Vec<u64> {
    events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.a).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_and_ramps_want_what_their_schedule_wants() {
    let (rate, in_flight, arrivals, count) = (Rate(2_000_000_000), 1_000, Arrivals::Poisson, Some(60));
    let [on, off] = [Time(10 * MS), Time(40 * MS)];
    for load in [
        Load::Bursts(Bursts { rate, on, off, arrivals, in_flight, count }),
        Load::Ramp(Ramp { from: Rate(0), to: rate, over: Time(200 * MS), arrivals, in_flight, count }),
    ] {
        let (events, _) = run_of(&load, MS, 60_000 * MS).await;
        let draws = Draws::new(1, "n1", Purpose::Arrivals);
        let expected: Vec<_> = Schedule::new(&load, Time(60_000 * MS), draws).map(|send| send.at_ns).collect();
        assert_eq!(intended(&events), expected);
        assert_eq!(expected.len(), 60);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_of_a_closed_load_waits_for_the_reply_and_thinks() {
    let think = Time(2 * MS);
    let load = Load::Closed(Closed { users: 3, think: Work::Constant { mean: think }, count: Some(30) });
    let (events, state) = run_of(&load, 3 * MS, 60_000 * MS).await;
    let calls = state.links()[0];
    assert_eq!((calls.count(LinkCount::Intended), calls.count(LinkCount::Completed)), (30, 30));
    assert_eq!(calls.count(LinkCount::NotSent), 0);
    let of_client = |kind| events.iter().filter(move |event| event.kind == kind && event.link.0 == 0);
    let mut in_flight = 0;
    for event in events.iter().filter(|event| event.link.0 == 0) {
        in_flight += i32::from(event.kind == Kind::SENT) - i32::from(event.kind == Kind::COMPLETED);
        assert!((0..=3).contains(&in_flight), "{in_flight} in flight");
    }
    // The first three think from the start; every other one, from the end of a request. None is wanted before that.
    let mut wanted: Vec<_> = of_client(Kind::INTENDED).map(|event| event.a).collect();
    wanted.sort_unstable();
    assert_eq!(wanted[..3], [think.0; 3]);
    let ends: Vec<_> = of_client(Kind::COMPLETED).map(|event| event.time.unsigned_abs()).collect();
    for (wanted, ended) in wanted[3..].iter().zip(&ends) {
        assert!(*wanted >= ended + think.0, "wanted at {wanted}, the request before ended at {ended}");
    }
    for event in of_client(Kind::INTENDED) {
        assert!(event.time.unsigned_abs() >= event.a, "stamped before it was wanted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_load_ends_with_its_time() {
    let load = Load::Closed(Closed { users: 5, think: Work::Exponential { mean: Time(MS) }, count: None });
    let (events, state) = run_of(&load, MS, 100 * MS).await;
    let wanted = intended(&events);
    assert!(!wanted.is_empty() && wanted.iter().all(|at| *at < 100 * MS));
    assert_eq!(state.links()[0].count(LinkCount::Completed), wanted.len() as u64);
}
