use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{Counted, End, EndReason, Measure, MessageRow, Payload, Sample};
use hopscope_record::kind::{LinkCount, NotSentReason, PlaceCount};
use hopscope_record::state::State;
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Laws;
use hopscope_scenario::model::{
    Client, Content, Effort, Link, Load, Node, NodeKind, OpenLoad, Payload as Body, Retry, Service, Work,
};
use hopscope_scenario::quantity::{Rate, Share, Size, Time};

use super::*;
use crate::record::{Memory, new_run_key};

/// A test for each protocol that carries calls, by one function of the protocol.
macro_rules! over_each_protocol {
    ($check:ident: $in_process:ident, $http1:ident, $grpc:ident, $thrift:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $in_process() {
            $check(Protocol::InProcess).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $http1() {
            $check(Protocol::Http1).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $grpc() {
            $check(Protocol::Grpc).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $thrift() {
            $check(Protocol::Thrift).await;
        }
    };
}

mod bodies;
mod disturbed;
mod early;
mod effects;
mod home;
mod loads;
mod networks;
mod oneway;
mod payload;
mod queues;
mod services;
mod warm_up;

const MS: u64 = 1_000_000;

/// What a test asks of the frames.
trait Recorded {
    /// The events, and the End if there is one.
    fn read(&self) -> (Vec<Event>, Option<End>);

    /// What messages carry, and the names of the keys among others.
    fn carried(&self) -> (Vec<MessageRow>, Vec<String>);

    /// The samples of its surroundings.
    fn samples(&self) -> Vec<Sample>;

    /// Checks that every law holds, and that nothing is left undecided.
    fn keeps_the_laws(&self);
}

impl Recorded for Memory {
    fn read(&self) -> (Vec<Event>, Option<End>) {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(&self.bytes());
        let (mut events, mut batch, mut end, mut batches) = (Vec::new(), Vec::new(), None, EventDecoder::new());
        while let Some(frame) = decoder.next_frame().unwrap() {
            match frame.read().unwrap() {
                Payload::Events(payload) => {
                    batches.decode(payload.batch, &mut batch).unwrap();
                    events.append(&mut batch);
                }
                Payload::End(found) => end = Some(found),
                _ => {}
            }
        }
        (events, end)
    }

    fn carried(&self) -> (Vec<MessageRow>, Vec<String>) {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(&self.bytes());
        let (mut rows, mut names) = (Vec::new(), Vec::new());
        while let Some(frame) = decoder.next_frame().unwrap() {
            match frame.read().unwrap() {
                Payload::Messages(messages) => rows.extend(messages.rows),
                Payload::Names(found) => names.extend(found.names),
                _ => {}
            }
        }
        (rows, names)
    }

    fn samples(&self) -> Vec<Sample> {
        let (mut decoder, mut samples) = (Decoder::new(Framing::Stream), Vec::new());
        decoder.push(&self.bytes());
        while let Some(frame) = decoder.next_frame().unwrap() {
            if let Payload::Clock(sample) = frame.read().unwrap() {
                samples.push(sample);
            }
        }
        samples
    }

    fn keeps_the_laws(&self) {
        let (mut decoder, mut laws) = (Decoder::new(Framing::Stream), Laws::new());
        decoder.push(&self.bytes());
        while let Some(frame) = decoder.next_frame().unwrap() {
            laws.push(&frame).unwrap();
        }
        let held = laws.report().into_iter().all(|report| (report.broken, report.undecided) == (0, 0));
        assert!(held, "{:?}", laws.report());
    }
}

struct Shape {
    protocol: Protocol,
    rate: u64,
    count: Option<u64>,
    in_flight: u32,
    work: u64,
    workers: u32,
    timeout: Option<Time>,
    retry: Option<Retry>,
}

const CALM: Shape = Shape {
    protocol: Protocol::InProcess,
    rate: 500,
    count: Some(50),
    in_flight: 1_000,
    work: MS,
    workers: 4,
    timeout: None,
    retry: None,
};

/// A client, a service and a service behind it with two replicas.
fn scenario(shape: &Shape) -> Scenario {
    let node = |id: &str, kind| Node { id: id.into(), name: format!("node {id}"), x: None, y: None, kind };
    let load = OpenLoad { rate: Rate(shape.rate * 1_000_000), in_flight: shape.in_flight, count: shape.count };
    let service = |replicas| {
        let work = Work::Constant { mean: Time(shape.work) };
        NodeKind::Service(Service {
            replicas,
            workers: shape.workers,
            room: None,
            work,
            effort: Effort::Waiting,
            failure: Share(0),
            body: None,
        })
    };
    let link = |id: &str, from: &str, to: &str| Link {
        network: None,
        options: serde_json::Map::new(),
        id: id.into(),
        from: from.into(),
        to: to.into(),
        protocol: shape.protocol,
        // The client's own link: the service behind is waited for.
        timeout: shape.timeout.filter(|_| from == "n1"),
        retry: shape.retry.filter(|_| from == "n1"),
        replies: None,
    };
    let client = Client {
        load: Load::Constant(load),
        payload: Body {
            bytes: Size(256),
            content: Content::Binary,
            key: None,
            value: None,
            event_time: None,
            priority: None,
        },
    };
    Scenario {
        format: hopscope_scenario::model::FORMAT.into(),
        version: hopscope_scenario::model::VERSION,
        name: "test".into(),
        question: String::new(),
        about: String::new(),
        nodes: vec![node("n1", NodeKind::Client(client)), node("n2", service(1)), node("n3", service(2))],
        links: vec![link("l1", "n1", "n2"), link("l2", "n2", "n3")],
        checks: Vec::new(),
        disturbances: Vec::new(),
    }
}

async fn begin(shape: &Shape, duration: u64) -> (Arc<LiveRun>, Memory) {
    begin_and_drain(shape, duration, DRAIN).await
}

async fn begin_and_drain(shape: &Shape, duration: u64, drain: Duration) -> (Arc<LiveRun>, Memory) {
    begin_scenario(scenario(shape), duration, drain).await
}

async fn begin_scenario(scenario: Scenario, duration: u64, drain: Duration) -> (Arc<LiveRun>, Memory) {
    let memory = Memory::default();
    let options = RunOptions {
        id: "test".into(),
        key: new_run_key().unwrap(),
        scenario,
        settings: RunSettings { seed: 1, duration: Some(Time(duration)), ..RunSettings::default() },
        brokers: Brokers::default(),
        sink: Box::new(memory.clone()),
        most_events: MOST_EVENTS,
    };
    (start_and_drain(options, drain).await.unwrap(), memory)
}

fn fold(run: &LiveRun, events: &[Event]) -> State {
    let mut state = State::new(run.plan().places.len(), run.plan().links.len());
    events.iter().for_each(|event| state.apply(event));
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_its_surroundings_each_second() {
    let (run, memory) = begin(&Shape { count: None, ..CALM }, 1_200 * MS).await;
    run.join().await;
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&memory.bytes());
    let mut samples = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        samples.extend(match frame.read().unwrap() {
            Payload::Clock(sample) => Some(sample),
            _ => None,
        });
    }
    // One after a second and one at the end.
    assert!(samples.len() >= 2, "{samples:?}");
    assert!(samples.is_sorted_by_key(|sample| sample.time));
    let waits: i64 = samples.iter().filter_map(|sample| sample.get(Measure::TIMER_WAITS)).sum();
    assert!(waits > 0, "{samples:?}");
    assert!(samples.iter().all(|sample| sample.get(Measure::OTHER_RUNS).is_some()));
    if cfg!(target_os = "linux") {
        assert!(samples.iter().all(|sample| sample.get(Measure::RUN_TURNS).is_some()), "{samples:?}");
    }
    memory.keeps_the_laws();
}

async fn a_calm_run_is_whole(protocol: Protocol) {
    let (run, memory) = begin(&Shape { protocol, ..CALM }, 60_000 * MS).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, end) = memory.read();
    let state = fold(&run, &events);
    for link in state.links() {
        assert_eq!((link.count(LinkCount::Sent), link.count(LinkCount::Completed), link.open), (50, 50, 0));
    }
    let received: Vec<_> = state.places().iter().map(|place| place.count(PlaceCount::Received)).collect();
    assert_eq!(received, [0, 50, 25, 25]);
    assert_eq!((state.all_places.waiting, state.all_places.busy, state.all_links.late), (0, 0, 0));
    assert_eq!(state.links()[0].count(LinkCount::Intended), 50);
    assert_eq!(end.unwrap().reason, EndReason::LOAD_DONE);
    let phases: Vec<_> = events.iter().filter(|event| event.kind == Kind::PHASE_BEGAN).map(|event| event.a).collect();
    assert_eq!(phases, [Phase::Setup, Phase::Measured, Phase::Drain, Phase::End].map(|phase| phase as u64));
    // Whoever waits for the run's end finds everything ended: its ports answer no more.
    for (_, _, address) in run.addresses() {
        if let Address::Socket(address) = address {
            assert!(tokio::net::TcpStream::connect(address).await.is_err(), "{address} still answers");
        }
    }
}

over_each_protocol!(a_calm_run_is_whole: a_run_in_process_is_whole, a_run_over_http_is_whole, a_run_over_grpc_is_whole, a_run_over_thrift_is_whole);

/// All are wanted within 10 ms, and each may have a connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_ten_thousand_over_http_is_answered() {
    let shape = Shape {
        protocol: Protocol::Http1,
        rate: 1_000_000,
        count: Some(10_000),
        in_flight: 10_000,
        work: 0,
        workers: 64,
        ..CALM
    };
    let (run, memory) = begin_and_drain(&shape, 60_000 * MS, Duration::from_secs(300)).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let first = fold(&run, &events).links()[0];
    assert_eq!((first.count(LinkCount::Sent), first.count(LinkCount::Completed)), (10_000, 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_task_outlives_the_run() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (run, _) = begin(&Shape { protocol: Protocol::Http1, ..CALM }, 60_000 * MS).await;
    run.join().await;
    let metrics = tokio::runtime::Handle::current().metrics();
    // The task that told of the end may be on its last instruction.
    while metrics.num_alive_tasks() > before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cap_forbids_is_told_and_never_sent() {
    let shape = Shape { in_flight: 1, rate: 20_000, count: Some(200), work: 20 * MS, ..CALM };
    let (run, memory) = begin(&shape, 60_000 * MS).await;
    run.join().await;
    let (events, _) = memory.read();
    let first = fold(&run, &events).links()[0];
    assert_eq!(first.count(LinkCount::Intended), 200);
    assert!(first.count(LinkCount::NotSent) > 0);
    assert_eq!(first.count(LinkCount::Sent) + first.count(LinkCount::NotSent), 200);
    assert_eq!(first.count(LinkCount::Completed), first.count(LinkCount::Sent));
    let reason = |event: &&Event| event.kind == Kind::NOT_SENT && event.a == NotSentReason::InFlightCap as u64;
    assert_eq!(events.iter().filter(reason).count() as u64, first.count(LinkCount::NotSent));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_bound_what_is_worked_on_at_once() {
    let (run, memory) = begin(&Shape { workers: 1, rate: 5_000, work: MS, ..CALM }, 60_000 * MS).await;
    run.join().await;
    let state = fold(&run, &memory.read().0);
    assert!(state.places().iter().all(|place| place.max_busy <= 1));
    assert_eq!(state.all_links.count(LinkCount::Completed), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_brings_home_what_is_in_flight() {
    let (run, memory) = begin(&Shape { count: None, ..CALM }, 3_600_000 * MS).await;
    run.state().wait_for(|state| state.phase == Phase::Measured).await.unwrap();
    run.stop();
    run.stop();
    run.join().await;
    let (events, end) = memory.read();
    let state = fold(&run, &events);
    assert_eq!(end.unwrap().reason, EndReason::STOPPED);
    assert_eq!(state.all_links.open, 0);
    assert_eq!(state.all_links.count(LinkCount::Completed), state.all_links.count(LinkCount::Sent));
}

/// A failed call is tried again while its worker is held: the one worker of the service in the middle takes nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_held_until_the_last_attempt() {
    let retry = Some(Retry::FixedDelay { attempts: 2, delay: Time(MS) });
    let mut scenario = scenario(&Shape { count: Some(4), workers: 1, work: 100 * MS, ..CALM });
    (scenario.links[1].timeout, scenario.links[1].retry) = (Some(Time(2 * MS)), retry);
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    run.join().await;
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let state = fold(&run, &events);
    let [first, second] = [state.links()[0], state.links()[1]];
    assert_eq!((first.count(LinkCount::Sent), first.count(LinkCount::Failed), first.late), (4, 4, 0));
    assert_eq!((second.count(LinkCount::Sent), second.count(LinkCount::TimedOut), second.late), (8, 8, 8));
    let mut held = None;
    for event in events.iter().filter(|event| event.place.0 == 1) {
        match event.kind {
            Kind::STARTED => assert_eq!(held.replace(event.trace), None),
            Kind::FINISHED => assert_eq!(held.take(), Some(event.trace)),
            Kind::SENT | Kind::TIMED_OUT | Kind::RETRIED => assert_eq!(held, Some(event.trace)),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_handle_stops_the_load() {
    let (run, _) = begin(&Shape { count: None, ..CALM }, 3_600_000 * MS).await;
    let mut state = run.state();
    drop(run);
    assert!(state.wait_for(|state| state.summary.is_some()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_measured_phase_lasts_the_whole_duration() {
    let (run, memory) = begin(&Shape { count: None, rate: 10, ..CALM }, 250 * MS).await;
    run.join().await;
    let (events, _) = memory.read();
    let began = |phase: Phase| {
        let mut found = events.iter().filter(|event| event.kind == Kind::PHASE_BEGAN && event.a == phase as u64);
        found.next().unwrap().time
    };
    assert!(began(Phase::Setup) < 0);
    assert!(began(Phase::Measured) >= 0);
    assert!(began(Phase::Drain) >= 250_000_000);
    let intended: Vec<_> = events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.a).collect();
    assert_eq!(intended, [0, 100 * MS, 200 * MS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_wants_the_same_sends_and_another_seed_others() {
    let mut wanted = Vec::new();
    for seed in [1, 1, 2] {
        let mut scenario = scenario(&CALM);
        if let NodeKind::Client(client) = &mut scenario.nodes[0].kind {
            client.load = Load::Poisson(OpenLoad { rate: Rate(500_000_000), in_flight: 1_000, count: Some(50) });
        }
        if let NodeKind::Service(service) = &mut scenario.nodes[1].kind {
            service.work = Work::Exponential { mean: Time(MS) };
        }
        let memory = Memory::default();
        let settings = RunSettings { seed, duration: Some(Time(60_000 * MS)), ..RunSettings::default() };
        let (key, sink) = (new_run_key().unwrap(), Box::new(memory.clone()));
        let run = start(RunOptions {
            id: "test".into(),
            key,
            scenario,
            settings,
            brokers: Brokers::default(),
            sink,
            most_events: MOST_EVENTS,
        })
        .await
        .unwrap();
        run.join().await;
        memory.keeps_the_laws();
        let (events, _) = memory.read();
        let intended = events.iter().filter(|event| event.kind == Kind::INTENDED);
        wanted.push(intended.map(|event| event.a).collect::<Vec<_>>());
    }
    assert_eq!(wanted[0].len(), 50);
    assert_eq!(wanted[0], wanted[1]);
    assert_ne!(wanted[0], wanted[2]);
    let even = wanted[0].windows(2).all(|pair| pair[1] - pair[0] == 2 * MS);
    assert!(!even, "the distances are those of a constant load");
}
