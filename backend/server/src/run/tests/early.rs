//! Runs that cannot go on, or not even begin: they end lawfully, tell why, and leave nothing behind.

use std::sync::Mutex;

use hopscope_scenario::validate::validate;

use super::*;
use crate::record::Summary;

/// A sink that takes so many bytes and then no more.
#[derive(Clone)]
struct Small {
    room: usize,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl FrameSink for Small {
    fn has_room(&mut self) -> bool {
        self.bytes.lock().unwrap().len() < self.room
    }

    fn put(&mut self, frame: Vec<u8>) {
        if self.has_room() {
            self.bytes.lock().unwrap().extend(frame);
        }
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> std::io::Result<()> {
        if self.has_room() { Ok(()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
    }
}

fn endless(protocol: Protocol) -> Scenario {
    scenario(&Shape { protocol, count: None, rate: 5_000, work: 0, ..CALM })
}

async fn begin_with(scenario: Scenario, sink: Box<dyn FrameSink>, most_events: u64) -> Arc<LiveRun> {
    let settings = RunSettings { seed: 1, duration: Some(Time(3_600_000 * MS)), ..RunSettings::default() };
    let key = new_run_key().unwrap();
    start(RunOptions { id: "test".into(), key, scenario, settings, brokers: Brokers::default(), sink, most_events })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_limit_of_events_the_load_ends_and_all_comes_home() {
    let memory = Memory::default();
    let run = begin_with(endless(Protocol::Http1), Box::new(memory.clone()), 3_000).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, end) = memory.read();
    assert!(events.len() >= 3_000);
    assert_eq!(end.unwrap().reason, EndReason::EVENT_LIMIT);
    let detail = summary.detail.unwrap();
    assert!(detail.contains("3000 events") && detail.contains("--max-events"), "{detail}");
    let all = fold(&run, &events).all_links;
    assert_eq!((all.open, all.count(LinkCount::Completed)), (0, all.count(LinkCount::Sent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_stored_no_longer_goes_on_to_its_end() {
    let small = Small { room: 20_000, bytes: Arc::default() };
    // More than 100,000 events, of which the sink has room for a few thousand.
    let calls = Shape { protocol: Protocol::InProcess, count: Some(20_000), rate: 20_000, work: 0, ..CALM };
    let run = begin_with(scenario(&calls), Box::new(small.clone()), MOST_EVENTS).await;
    let summary = run.join().await;
    assert_eq!((summary.reason, &summary.detail), (Some(EndReason::LOAD_DONE), &None));
    assert!(summary.failure.is_some(), "{summary:?}");
    assert!(summary.events() + summary.lost > 30_000, "the load ended with the recording: {summary:?}");
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&small.bytes.lock().unwrap());
    while decoder.next_frame().unwrap().is_some() {}
    assert!(!decoder.is_mid_frame() && !decoder.is_ended(), "what was stored is whole frames, without an End");
}

/// A run of this plan, as far as its parts are made.
async fn set_up(plan: &Plan, memory: &Memory) -> Result<Running, RunError> {
    let (key, sink) = (new_run_key().unwrap(), Box::new(memory.clone()));
    let options = RecordingOptions { run: "test".into(), key, plan: plan.to_bytes().unwrap(), sink };
    Running::set_up(
        &Arc::new(plan.clone()),
        Brokered::default(),
        Recording::start(options).unwrap(),
        Timer::start().unwrap(),
        None,
        None,
    )
    .await
}

fn plan_of(scenario: &Scenario) -> Plan {
    plan::compile(scenario, &RunSettings { seed: 1, duration: Some(Time(3_600_000 * MS)), ..RunSettings::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_ends_the_run_and_what_it_told_is_kept() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "queued", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "500/s"}},
        {"id": "n2", "kind": "queue", "name": "orders", "prefetch": 4},
        {"id": "n3", "kind": "service", "name": "shop", "work": {"distribution": "constant", "mean": "4 ms"}}],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"},
        {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]}"#;
    let plan = plan_of(&validate(text).unwrap().scenario);
    let memory = Memory::default();
    let running = set_up(&plan, &memory).await.unwrap();
    let broker = running.ports().brokers[0].clone();
    let generator = running.generator().unwrap();
    let (sender, mut state) = watch::channel(RunState { phase: Phase::Setup, summary: None });
    let bounds = Bounds { drain: DRAIN, most_events: MOST_EVENTS };
    let run = tokio::spawn(running.run(generator, sender, CancellationToken::new(), control::Asking::new().1, bounds));
    let taken = |memory: &Memory| memory.read().0.iter().filter(|event| event.kind == Kind::ACKED).count();
    while taken(&memory) < 5 {
        tokio::task::yield_now().await;
    }
    broker.close().await;
    run.await.unwrap();
    let summary = state.wait_for(|state| state.summary.is_some()).await.unwrap().summary.clone().unwrap();
    assert_eq!((summary.reason, &summary.failure, summary.lost), (Some(EndReason::FAILED), &None, 0));
    assert!(summary.detail.unwrap().contains("broker"));
    let (events, end) = memory.read();
    assert_eq!(end.unwrap().reason, EndReason::FAILED);
    assert!(events.iter().any(|event| event.kind == Kind::DISCONNECTED), "the connections' ends are not told");
    memory.keeps_the_laws();
}

/// Half of it is bound and connected when the rest cannot be had: a queue without a broker, which no validated plan has.
#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_fails_half_way_names_the_node_and_leaves_nothing() {
    let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "half", "nodes": [
        {"id": "n1", "kind": "client", "name": "callers", "load": {"kind": "constant", "rate": "5/s"}},
        {"id": "n2", "kind": "service", "name": "shop", "replicas": 8, "work": {"distribution": "constant", "mean": "1 ms"}},
        {"id": "n3", "kind": "queue", "name": "orders"},
        {"id": "n4", "kind": "client", "name": "publisher", "load": {"kind": "constant", "rate": "5/s"}}],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
        {"id": "l2", "from": "n1", "to": "n2", "protocol": "grpc"},
        {"id": "l3", "from": "n4", "to": "n3", "protocol": "amqp"},
        {"id": "l4", "from": "n3", "to": "n2", "protocol": "amqp"}]}"#;
    let mut plan = plan_of(&validate(text).unwrap().scenario);
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let whole = set_up(&plan, &Memory::default()).await.unwrap();
    assert!(metrics.num_alive_tasks() > before, "nothing runs in a setup");
    drop(whole);
    plan.queues.clear();
    let memory = Memory::default();
    let Err(error) = set_up(&plan, &memory).await else { panic!("it was set up") };
    assert!(error.to_string().starts_with("publisher could not be started"), "{error}");
    // What is dropped without being waited for ends at once all the same.
    while metrics.num_alive_tasks() > before {
        tokio::task::yield_now().await;
    }
    assert!(memory.read().1.is_none(), "a run that did not begin has an End");
}
