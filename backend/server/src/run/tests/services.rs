//! What a service may be asked beside its work's length: to burn CPU, to have little room, to fail.

use hopscope_record::kind::{Admission, Outcome as Ended};
use rustix::time::ClockId;

use super::*;

/// The scenario of the others with another first service.
fn with(shape: &Shape, change: impl Fn(&mut Service)) -> Scenario {
    let mut scenario = scenario(shape);
    if let NodeKind::Service(service) = &mut scenario.nodes[1].kind {
        change(service);
    }
    scenario
}

/// The runtime has this one thread, which spends less CPU time than the works do: they have threads of their own.
#[tokio::test]
async fn work_that_burns_is_no_work_of_the_runtime() {
    let mut scenario = scenario(&Shape { count: Some(3), workers: 2, work: 50 * MS, ..CALM });
    for node in &mut scenario.nodes {
        if let NodeKind::Service(service) = &mut node.kind {
            service.effort = Effort::Burning;
        }
    }
    let spent = || [ClockId::ProcessCPUTime, ClockId::ThreadCPUTime].map(cpu_ns);
    let before = spent();
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    run.join().await;
    memory.keeps_the_laws();
    let state = fold(&run, &memory.read().0);
    assert_eq!(state.all_links.count(LinkCount::Completed), 6);
    let [process, thread] = [0, 1].map(|clock| spent()[clock] - before[clock]);
    let works = 6 * 50 * MS.cast_signed();
    assert!(process >= works && thread < works, "of {works} ns the process spent {process}, this thread {thread}");
}

fn cpu_ns(clock: ClockId) -> i64 {
    let spent = rustix::time::clock_gettime(clock);
    spent.tv_sec * 1_000_000_000 + spent.tv_nsec
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_burns_without_end_is_given_up() {
    let scenario = with(&Shape { count: Some(3), workers: 1, work: 3_600_000 * MS, ..CALM }, |service| {
        service.effort = Effort::Burning;
    });
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, Duration::from_millis(50)).await;
    run.join().await;
    memory.keeps_the_laws();
    assert_eq!(fold(&run, &memory.read().0).all_places.busy, 0);
}

/// Fifty at once for one worker and one place: what finds no room is refused, sees no worker, and its caller is told.
async fn a_full_room_refuses(protocol: Protocol) {
    let scenario =
        with(&Shape { protocol, rate: 20_000, workers: 1, work: 200 * MS, ..CALM }, |service| service.room = Some(1));
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let state = fold(&run, &events);
    let (calls, shop) = (state.links()[0], state.places()[1]);
    let (completed, refused) = (calls.count(LinkCount::Completed), calls.count(LinkCount::Refused));
    assert_eq!((calls.count(LinkCount::Sent), completed + refused), (50, 50));
    assert!(refused > 0 && completed >= 2, "{completed} completed");
    assert_eq!((shop.count(PlaceCount::Received), shop.count(PlaceCount::Started)), (50, completed));
    assert_eq!((state.all_places.waiting, state.all_places.busy), (0, 0));
    let turned_away =
        events.iter().filter(|event| event.kind == Kind::RECEIVED && event.a == Admission::TurnedAway as u64);
    assert_eq!(turned_away.count() as u64, refused);
}

over_each_protocol!(a_full_room_refuses: a_full_room_refuses_in_process, a_full_room_refuses_over_http, a_full_room_refuses_over_grpc, a_full_room_refuses_over_thrift);

/// What fails in the middle calls nobody behind it; the caller has a failure for each, and chance decides the same again.
#[tokio::test(flavor = "multi_thread")]
async fn work_fails_as_often_as_chance_has_it() {
    let scenario = with(&Shape { rate: 5_000, count: Some(200), ..CALM }, |service| service.failure = Share(300_000));
    let mut found = Vec::new();
    for _ in 0..2 {
        let (run, memory) = begin_scenario(scenario.clone(), 60_000 * MS, DRAIN).await;
        run.join().await;
        memory.keeps_the_laws();
        let (events, _) = memory.read();
        let state = fold(&run, &events);
        let (calls, behind) = (state.links()[0], state.links()[1]);
        let failed = calls.count(LinkCount::Failed);
        assert_eq!((calls.count(LinkCount::Completed), behind.count(LinkCount::Sent)), (200 - failed, 200 - failed));
        let ended = Ended::Failed as u64;
        let finished = events.iter().filter(|event| event.kind == Kind::FINISHED && event.a == ended).count() as u64;
        assert_eq!(finished, failed);
        found.push(failed);
    }
    // 60 in the mean, with a standard deviation of 6.5; the seed is fixed.
    assert!(found[0] == found[1] && (30..=90).contains(&found[0]), "{found:?}");
}
