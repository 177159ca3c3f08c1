//! Load before the measured phase.

use super::*;

const WARM_UP: u64 = 200 * MS;

async fn begin_warm(shape: &Shape, duration: Option<Time>) -> (Arc<LiveRun>, Memory) {
    let memory = Memory::default();
    let options = RunOptions {
        id: "test".into(),
        key: new_run_key().unwrap(),
        scenario: scenario(shape),
        settings: RunSettings { seed: 1, warm_up: Time(WARM_UP), duration, ..RunSettings::default() },
        brokers: Brokers::default(),
        sink: Box::new(memory.clone()),
        most_events: MOST_EVENTS,
    };
    (start(options).await.unwrap(), memory)
}

/// When each phase began, in their order.
fn phases(events: &[Event]) -> Vec<(Phase, i64)> {
    let begun = events.iter().filter(|event| event.kind == Kind::PHASE_BEGAN);
    begun.filter_map(|event| Some((Phase::from_value(event.a)?, event.time))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warm_up_is_offered_from_zero_on_and_the_duration_after_it() {
    let (run, memory) = begin_warm(&Shape { count: None, rate: 100, ..CALM }, Some(Time(300 * MS))).await;
    run.join().await;
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let phases = phases(&events);
    let names: Vec<_> = phases.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(names, [Phase::Setup, Phase::WarmUp, Phase::Measured, Phase::Drain, Phase::End]);
    let measured = phases[2].1;
    assert!(
        phases[1].1 >= 0 && measured >= WARM_UP.cast_signed() && phases[3].1 >= 500 * MS.cast_signed(),
        "{phases:?}"
    );
    let intended: Vec<_> = events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.a).collect();
    // One each 10 ms over warm-up and duration, in one schedule.
    assert_eq!(intended, (0..50).map(|n| n * 10 * MS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_while_it_warms_up_measures_nothing() {
    let (run, memory) = begin_warm(&Shape { count: None, ..CALM }, None).await;
    run.state().wait_for(|state| state.phase == Phase::WarmUp).await.unwrap();
    run.stop();
    run.join().await;
    memory.keeps_the_laws();
    let names: Vec<_> = phases(&memory.read().0).into_iter().map(|(phase, _)| phase).collect();
    assert_eq!(names, [Phase::Setup, Phase::WarmUp, Phase::Drain, Phase::End]);
}
