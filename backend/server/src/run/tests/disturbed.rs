//! Runs that are disturbed: what each action does on each protocol, that the laws hold all the same, and that the run ends.

use hopscope_record::kind::{ControlAction, Outcome as Ended, QueueCause, QueueStep};
use hopscope_scenario::validate::{validate, validate_control};

use super::*;

/// A client that calls a service, or sends through a queue to it, and what is done to them.
fn scenario(protocol: Protocol, rate: &str, service: &str, disturbances: &str) -> Scenario {
    let (queue, links) = if protocol == Protocol::Amqp {
        let queue = r#"{"id": "n3", "kind": "queue", "name": "orders", "prefetch": 4},"#;
        let links = r#"{"id": "l1", "from": "n1", "to": "n3", "protocol": "amqp"},
                       {"id": "l2", "from": "n3", "to": "n2", "protocol": "amqp"}"#;
        (queue, links.to_owned())
    } else {
        let id = protocol.descriptor().id;
        ("", format!(r#"{{"id": "l1", "from": "n1", "to": "n2", "protocol": "{id}"}}"#))
    };
    let text = format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "disturbed", "nodes": [
        {{"id": "n1", "kind": "client", "name": "buyers", "load": {{"kind": "constant", "rate": "{rate}"}}}}, {queue}
        {{"id": "n2", "kind": "service", "name": "shop", {service}}}],
        "links": [{links}], "disturbances": [{disturbances}]}}"#
    );
    validate(&text).unwrap_or_else(|issues| panic!("{issues:?}")).scenario
}

const WORK: &str = r#""workers": 4, "work": {"distribution": "constant", "mean": "10 ms"}"#;

/// The events of an action, and the times of its first.
fn done(events: &[Event], action: ControlAction) -> Vec<Event> {
    let is = |event: &&Event| event.kind == Kind::CONTROL && event.a == action as u64;
    events.iter().filter(is).copied().collect()
}

fn between(events: &[Event], kind: Kind, from: i64, to: i64) -> usize {
    events.iter().filter(|event| event.kind == kind && (from..to).contains(&event.time)).count()
}

async fn ran(scenario: Scenario, duration: u64) -> (Arc<LiveRun>, Vec<Event>) {
    let (run, memory) = begin_scenario(scenario, duration, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    (run, events)
}

/// The place of the service, of one replica.
const SHOP: usize = 1;

async fn a_crashed_service_is_down_until_it_is_started(protocol: Protocol) {
    let crash = r#"{"do": "crash", "at": "300 ms", "on": "shop", "for": "300 ms"}"#;
    // Twenty are at work at any time, so that some are when it crashes, however late that comes.
    let work = r#""workers": 64, "work": {"distribution": "constant", "mean": "100 ms"}"#;
    let (run, events) = ran(scenario(protocol, "200/s", work, crash), 1_000 * MS).await;
    let (crashed, started) = (done(&events, ControlAction::Crash), done(&events, ControlAction::Start));
    assert_eq!((crashed.len(), started.len()), (1, 1));
    assert_eq!((crashed[0].place, crashed[0].link), (PlaceIndex(1), LinkIndex::NONE));
    let (crashed, started) = (crashed[0].time, started[0].time);
    assert!(crashed >= 300_000_000 && started >= 600_000_000, "{crashed} {started}");
    let exited = events.iter().find(|event| event.kind == Kind::PROCESS_EXITED).unwrap();
    assert_eq!(exited.place, PlaceIndex(1));
    assert_eq!(between(&events, Kind::RECEIVED, exited.time, started), 0);
    assert!(between(&events, Kind::FAILED, crashed, started) > 20, "its callers find nobody");
    assert!(between(&events, Kind::COMPLETED, started, i64::MAX) > 20, "and find it again by themselves");
    let abandoned = events.iter().any(|event| event.kind == Kind::FINISHED && event.a == Ended::Abandoned as u64);
    assert!(abandoned, "what it was at is given up");
    let state = fold(&run, &events);
    assert_eq!((state.places()[SHOP].busy, state.places()[SHOP].waiting), (0, 0));
    assert!(state.places()[SHOP].disturbed.is_none());
    let attempts = state.links()[0];
    assert_eq!(attempts.open, 0);
}

over_each_protocol!(a_crashed_service_is_down_until_it_is_started:
    a_crashed_service_is_down_in_process, a_crashed_service_is_down_over_http, a_crashed_service_is_down_over_grpc, a_crashed_service_is_down_over_thrift);

/// What a crashed consumer had goes back into its queue, and is delivered again when it has come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_consumer_loses_nothing() {
    let crash = r#"{"do": "crash", "at": "200 ms", "on": "shop", "for": "300 ms"}"#;
    let (run, events) = ran(scenario(Protocol::Amqp, "200/s", WORK, crash), 800 * MS).await;
    let state = fold(&run, &events);
    let exited = events.iter().find(|event| event.kind == Kind::PROCESS_EXITED).unwrap().time;
    let started = done(&events, ControlAction::Start)[0].time;
    assert_eq!(between(&events, Kind::RECEIVED, exited, started), 0);
    let lost = |event: &&Event| {
        event.kind == Kind::REQUEUED
            && QueueStep::from_value(event.b).is_some_and(|step| step.cause == QueueCause::CHANNEL_LOST)
    };
    let requeued = events.iter().filter(lost).count();
    assert!((1..=4).contains(&requeued), "its prefetch at most: {requeued}");
    let (enqueued, acked) = (between(&events, Kind::ENQUEUED, 0, i64::MAX), between(&events, Kind::ACKED, 0, i64::MAX));
    assert_eq!((enqueued, acked), (160, 160));
    assert_eq!((state.all_places.ready, state.all_places.unacked, state.all_places.busy), (0, 0, 0));
}

/// A service that stays down holds no run up for longer than what is in flight may take.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_though_its_consumer_stays_down() {
    let scenario = scenario(Protocol::Amqp, "100/s", WORK, r#"{"do": "crash", "at": "100 ms", "on": "shop"}"#);
    let (run, memory) = begin_scenario(scenario, 300 * MS, Duration::from_millis(200)).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, end) = memory.read();
    let state = fold(&run, &events);
    assert_eq!(state.places()[2].disturbed.crashed + state.places()[1].disturbed.crashed, 1, "it is down still");
    let ready: u64 = end.unwrap().counts.iter().filter(|it| it.counted == Counted::READY).map(|it| it.count).sum();
    assert!(ready >= 15, "what nobody took is left: {ready}");
}

async fn a_paused_service_takes_nothing_up(protocol: Protocol) {
    let pause = r#"{"do": "pause", "at": "200 ms", "on": "shop", "for": "200 ms"}"#;
    let (run, events) = ran(scenario(protocol, "100/s", WORK, pause), 600 * MS).await;
    let (paused, resumed) = (done(&events, ControlAction::Pause)[0].time, done(&events, ControlAction::Resume)[0].time);
    let place = done(&events, ControlAction::Pause)[0].place;
    // What was being handed to a worker at that very moment may begin.
    assert!(between(&events, Kind::STARTED, paused, resumed) <= 4);
    assert!(between(&events, Kind::STARTED, resumed, i64::MAX) >= 20);
    let state = fold(&run, &events);
    assert_eq!(state.all_links.count(LinkCount::Failed), 0, "nobody is turned away");
    assert!(state.places()[place.0 as usize].disturbed.is_none());
    assert_eq!((state.all_places.busy, state.all_places.waiting, state.all_places.ready), (0, 0, 0));
}

over_each_protocol!(a_paused_service_takes_nothing_up:
    a_paused_service_takes_nothing_in_process, a_paused_service_takes_nothing_over_http, a_paused_service_takes_nothing_over_grpc, a_paused_service_takes_nothing_over_thrift);

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_service_takes_nothing_from_its_queue() {
    a_paused_service_takes_nothing_up(Protocol::Amqp).await;
}

/// One that is paused at the end of the load goes on, so that what it has comes home.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_load_is_the_end_of_a_pause() {
    let pause = r#"{"do": "pause", "at": "100 ms", "on": "shop"}"#;
    let (run, events) = ran(scenario(Protocol::Http1, "100/s", WORK, pause), 300 * MS).await;
    let state = fold(&run, &events);
    let link = state.links()[0];
    assert_eq!((link.count(LinkCount::Sent), link.count(LinkCount::Completed)), (30, 30));
    assert_eq!(done(&events, ControlAction::Resume).len(), 1);
}

/// The schedule of an open load is the same again, disturbances included.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_paused_and_given_another_rate() {
    let disturbances = r#"{"do": "rate", "at": "100 ms", "on": "buyers", "rate": "400/s", "for": "100 ms"},
                          {"do": "pause", "at": "300 ms", "on": "buyers", "for": "100 ms"}"#;
    let mut found = Vec::new();
    for _ in 0..2 {
        let (_, events) = ran(scenario(Protocol::Http1, "100/s", WORK, disturbances), 500 * MS).await;
        let rates: Vec<_> = done(&events, ControlAction::Rate).iter().map(|event| event.b).collect();
        assert_eq!(rates, [400_000, 0]);
        let intended = events.iter().filter(|event| event.kind == Kind::INTENDED);
        found.push(intended.map(|event| event.a / MS).collect::<Vec<_>>());
    }
    assert_eq!(found[0], found[1]);
    let within = |from, to| found[0].iter().filter(|ms| (from..to).contains(*ms)).count();
    assert_eq!(
        [within(0, 100), within(100, 200), within(200, 300), within(300, 400), within(400, 500)],
        [10, 40, 10, 0, 10]
    );
}

/// Users whose think ends in a pause want when it is over.
#[tokio::test(flavor = "multi_thread")]
async fn the_users_of_a_paused_client_wait() {
    let mut scenario =
        scenario(Protocol::Http1, "1/s", WORK, r#"{"do": "pause", "at": "100 ms", "on": "buyers", "for": "200 ms"}"#);
    let NodeKind::Client(client) = &mut scenario.nodes[0].kind else { panic!("the first node is a client") };
    let think = Work::Constant { mean: Time(10 * MS) };
    client.load = Load::Closed(hopscope_scenario::model::Closed { users: 3, think, count: None });
    let (_, events) = ran(scenario, 500 * MS).await;
    let intended: Vec<_> = events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.a).collect();
    let (paused, resumed) = (100 * MS, 300 * MS);
    assert!(intended.iter().all(|at| *at <= paused + 5 * MS || *at >= resumed), "{intended:?}");
    assert!(intended.iter().any(|at| *at < paused) && intended.iter().any(|at| *at >= resumed));
}

async fn a_cut_link_carries_nothing_until_it_is_mended(protocol: Protocol, on: &str) {
    let cut = format!(r#"{{"do": "cut", "at": "200 ms", "on": "{on}", "for": "200 ms"}}"#);
    let (run, events) = ran(scenario(protocol, "100/s", WORK, &cut), 700 * MS).await;
    let (cut, mended) = (done(&events, ControlAction::Cut), done(&events, ControlAction::Mend));
    assert_eq!((cut.len(), mended.len()), (1, 1));
    let link = cut[0].link;
    assert_eq!((cut[0].place, run.plan().link(link.0).unwrap().id.as_str()), (PlaceIndex::NONE, on));
    let (cut, mended) = (cut[0].time, mended[0].time);
    let of = |kind, from, to| {
        events
            .iter()
            .filter(|event| event.link == link && event.kind == kind && (from..to).contains(&event.time))
            .count()
    };
    assert!(of(Kind::DISCONNECTED, cut, mended) >= 1);
    assert!(fold(&run, &events).links()[usize::from(link.0)].disturbed.is_none());
    let (sent, carried) = match (protocol, on) {
        (Protocol::Amqp, "l1") => (Kind::PUBLISHED, Kind::CONFIRMED),
        (Protocol::Amqp, _) => (Kind::DELIVERED, Kind::ACKED),
        _ => (Kind::SENT, Kind::COMPLETED),
    };
    assert!(of(carried, mended, i64::MAX) >= 15);
    // None that stood before the cut is left. A new one may wait in the relay's backlog for the mending.
    let first = events.iter().filter(|event| event.link == link && event.kind == carried).map(|event| event.time);
    let first = first.filter(|time| *time >= mended).min().unwrap();
    assert!(of(Kind::CONNECTED, cut, first) >= 1, "its ends connect again by themselves");
    if on == "l1" {
        assert!(of(sent, cut, mended) >= 10 && of(Kind::FAILED, cut, mended) >= 10, "what is sent then fails");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_carries_nothing_over_http() {
    a_cut_link_carries_nothing_until_it_is_mended(Protocol::Http1, "l1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_carries_nothing_over_grpc() {
    a_cut_link_carries_nothing_until_it_is_mended(Protocol::Grpc, "l1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_publisher_is_connected_again() {
    a_cut_link_carries_nothing_until_it_is_mended(Protocol::Amqp, "l1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_consumer_is_connected_again() {
    a_cut_link_carries_nothing_until_it_is_mended(Protocol::Amqp, "l2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_link_takes_longer_by_it_there_and_back() {
    for protocol in [Protocol::Http1, Protocol::Grpc] {
        let delay = r#"{"do": "delay", "at": "100 ms", "on": "buyers->shop", "by": "40 ms", "for": "200 ms"}"#;
        let (_, events) = ran(scenario(protocol, "100/s", WORK, delay), 500 * MS).await;
        let (delayed, mended) = (done(&events, ControlAction::Delay), done(&events, ControlAction::Mend));
        assert_eq!(delayed[0].b, 40 * MS);
        let within = delayed[0].time + 10_000_000..mended[0].time - 60_000_000;
        let sent = events.iter().filter(|event| event.kind == Kind::SENT && within.contains(&event.time));
        let took: Vec<_> = sent
            .filter_map(|sent| {
                let closes = |event: &&Event| event.kind == Kind::COMPLETED && event.message == sent.message;
                Some(events.iter().find(closes)?.time - sent.time)
            })
            .collect();
        assert!(took.len() >= 8 && took.iter().all(|took| *took >= 50_000_000), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_link_lets_through_so_much() {
    let throttle = r#"{"do": "throttle", "at": "0 s", "on": "l1", "to": "100 kB/s"}"#;
    let mut scenario = scenario(Protocol::Http1, "5/s", WORK, throttle);
    let NodeKind::Client(client) = &mut scenario.nodes[0].kind else { panic!("the first node is a client") };
    client.payload.bytes = Size(20_000);
    let (_, events) = ran(scenario, 700 * MS).await;
    let throttled = done(&events, ControlAction::Throttle);
    assert_eq!(throttled[0].b, 100_000);
    // The end of the load mends it.
    let mended = done(&events, ControlAction::Mend)[0].time;
    let within = throttled[0].time..mended;
    let received = events.iter().filter(|event| event.kind == Kind::RECEIVED && within.contains(&event.time));
    let took: Vec<_> = received
        .filter_map(|received| {
            let sent = events.iter().find(|event| event.kind == Kind::SENT && event.message == received.message)?;
            (sent.time > throttled[0].time).then_some(received.time - sent.time)
        })
        .collect();
    // 20 kB and their head, a fiftieth of a second's worth of them at once.
    assert!(took.len() >= 2 && took.iter().all(|took| *took >= 170_000_000), "{took:?}");
}

/// By hand: what is done is stamped, what cannot be done is refused with its reason and is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_disturbed_by_hand() {
    let (run, memory) = begin_scenario(scenario(Protocol::Http1, "100/s", WORK, ""), 60_000 * MS, DRAIN).await;
    run.state().wait_for(|state| state.phase == Phase::Measured).await.unwrap();
    let asked = |text: &str| validate_control(text, &run.plan().scenario);
    let control = async |text: &str| run.control(&asked(text).unwrap()).await;
    control(r#"{"do": "crash", "on": "shop"}"#).await.unwrap();
    assert!(
        matches!(control(r#"{"do": "crash", "on": "shop"}"#).await, Err(ControlError::Down(name)) if name == "shop")
    );
    assert!(matches!(control(r#"{"do": "pause", "on": "shop"}"#).await, Err(ControlError::Down(_))));
    control(r#"{"do": "start", "on": "shop"}"#).await.unwrap();
    assert!(matches!(control(r#"{"do": "start", "on": "shop"}"#).await, Err(ControlError::Up(_))));
    control(r#"{"do": "rate", "on": "buyers", "rate": "500/s"}"#).await.unwrap();
    let cut = control(r#"{"do": "cut", "on": "buyers->shop"}"#).await;
    assert!(matches!(cut, Err(ControlError::NoRelay(link)) if link == "l1"));
    let issues = asked(r#"{"do": "crash", "on": "buyers"}"#).unwrap_err();
    assert_eq!(issues[0].path, "/on");
    run.stop();
    run.join().await;
    assert!(matches!(control(r#"{"do": "crash", "on": "shop"}"#).await, Err(ControlError::Over)));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let words: Vec<_> = events.iter().filter(|event| event.kind == Kind::CONTROL).map(|event| event.a).collect();
    assert_eq!(words, [ControlAction::Crash, ControlAction::Start, ControlAction::Rate].map(|action| action as u64));
}
