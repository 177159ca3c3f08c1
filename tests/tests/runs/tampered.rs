//! Real runs, altered: each alteration turns the laws red that it breaks, and no other, and leads to the trace at fault.

use hopscope_record::decoder::Framing;
use hopscope_record::frame::Counted;
use hopscope_record::kind::QueueStep;
use hopscope_record::{Event, Kind, TraceId};
use hopscope_report::laws::Law::{
    self, Accepted, Closing, Conservation, Intended, Little, OpenAtEnd, Order, ReplyAfterRequest, Steps, TakeLowers,
};
use hopscope_report::laws::MOST_BREACHES;
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_tests::command::hopscope;
use hopscope_tests::recording::Recorded;
use serde_json::{Value, json};

#[path = "../../../common/report/tests/it/laws/altering.rs"]
mod altering;

use altering::{copy, count, has, of, red, remove, skip, stamp, step, swap, unmark};

const HELLO_SYNC: &str = include_str!("../../../scenarios/hello-sync.json");
const HELLO_ASYNC: &str = include_str!("../../../scenarios/hello-async.json");

/// Requests of each client.
const REQUESTS: u64 = 40;

/// Alters the recording and gives the trace at fault; none where the recording as a whole is.
type Tamper = fn(&mut Recorded) -> TraceId;

/// What is altered, and the laws that turn red.
struct Row(&'static str, Tamper, &'static [Law]);

/// Runs a scenario to its end; gives what the run's file holds.
async fn recorded(scenario: &Value) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("scenario.json"), folder.path().join("runs"));
    std::fs::write(&file, scenario.to_string()).unwrap();
    let arguments = ["run".as_ref(), file.as_os_str(), "--data".as_ref(), data.as_os_str()];
    let ran = hopscope(arguments).await.unwrap();
    assert_eq!(ran.code, 0, "{ran:?}");
    let id = ran.stdout.strip_prefix("Run ").and_then(|rest| rest.split_once(':')).unwrap().0;
    Recorded::read(&std::fs::read(data.join(format!("{id}.hop"))).unwrap(), Framing::File).unwrap()
}

/// Judges the run as it is, and as each row alters it.
fn judge(run: &Recorded, table: &[Row]) {
    let reports = run.judged().unwrap();
    for report in &reports {
        assert_eq!((report.broken, report.undecided), (0, 0), "{report:?}");
    }
    for Row(what, tamper, expected) in table {
        let mut altered = run.clone();
        let trace = tamper(&mut altered);
        let reports = altered.judged().unwrap();
        assert_eq!(red(&reports), *expected, "{what}");
        // That events are missing or too many is no one trace's fault.
        for law in expected.iter().filter(|law| **law != Accepted) {
            let report = of(&reports, *law);
            assert_eq!(report.breaches.len(), (report.broken as usize).min(MOST_BREACHES), "{what}: {law:?}");
            for breach in &report.breaches {
                assert_eq!(breach.trace, trace, "{what}: {law:?} {breach:?}");
                let text = plain(Language::English, breach.text, &breach.args);
                assert!(!text.contains(['{', '}']) && text.ends_with('.'), "{what}: {text}");
            }
        }
    }
}

/// From the twentieth on, an event of a kind on a link: by then a queue has grown.
fn one(run: &Recorded, kind: Kind, link: u16, such: fn(&Event) -> bool) -> Event {
    let events = run.events.iter().filter(|event| event.kind == kind && event.link.0 == link);
    *events.skip(REQUESTS as usize / 2).find(|event| such(event)).unwrap()
}

fn any(_: &Event) -> bool {
    true
}

fn without(kind: Kind, link: u16) -> impl Fn(&mut Recorded) -> TraceId {
    move |run| {
        let Event { trace, message, .. } = one(run, kind, link, any);
        remove(&mut run.events, message, kind);
        trace
    }
}

fn doubled(kind: Kind, link: u16) -> impl Fn(&mut Recorded) -> TraceId {
    move |run| {
        let Event { trace, message, .. } = one(run, kind, link, any);
        copy(&mut run.events, message, kind);
        trace
    }
}

/// Puts one stamp of an attempt so many ns after another of it.
fn moved(kind: Kind, other: Kind, link: u16, by: i64) -> impl Fn(&mut Recorded) -> TraceId {
    move |run| {
        let Event { trace, message, time, .. } = one(run, other, link, any);
        stamp(&mut run.events, message, kind).time = time + by;
        trace
    }
}

/// Alters the step that a queue stamps.
fn stepped(kind: Kind, change: fn(QueueStep) -> QueueStep) -> impl Fn(&mut Recorded) -> TraceId {
    move |run| {
        let at = one(run, kind, TAKE, any);
        step(&mut run.events, at, change)
    }
}

fn end_off(run: &mut Recorded, counted: Counted) -> TraceId {
    let counts = &mut run.end.as_mut().unwrap().counts;
    counts.iter_mut().find(|row| row.counted == counted).unwrap().count += 1;
    TraceId::NONE
}

/// The client that gives up after 10 ms and tries once more.
const HASTY: u16 = 0;
/// The one that waits.
const PATIENT: u16 = 1;

const CALLS: &[Row] = &[
    Row("a reply before its request", |r| moved(Kind::COMPLETED, Kind::SENT, PATIENT, -1)(r), &[ReplyAfterRequest]),
    // It is before the end of the wait, too, and so cannot be late.
    Row("a late reply before its request", late_reply_first, &[ReplyAfterRequest, Closing]),
    Row(
        "a reply received before it is sent",
        |r| moved(Kind::COMPLETED, Kind::REPLIED, PATIENT, -1)(r),
        &[ReplyAfterRequest],
    ),
    Row(
        "a request received before it is sent",
        |r| moved(Kind::RECEIVED, Kind::SENT, HASTY, -1)(r),
        &[ReplyAfterRequest],
    ),
    Row("a closing event removed", |r| without(Kind::COMPLETED, PATIENT)(r), &[OpenAtEnd, Accepted]),
    Row("a closing event copied", |r| doubled(Kind::COMPLETED, PATIENT)(r), &[Closing, Accepted]),
    Row("the end of a wait removed", |r| without(Kind::TIMED_OUT, HASTY)(r), &[Closing, OpenAtEnd, Accepted]),
    Row("the end of a wait copied", |r| doubled(Kind::TIMED_OUT, HASTY)(r), &[Closing, Accepted]),
    Row("the mark of a late reply removed", late_unmarked, &[Closing]),
    Row("a reply moved to another attempt", moved_to_another_attempt, &[Closing, OpenAtEnd]),
    Row("Intended removed", |r| without(Kind::INTENDED, PATIENT)(r), &[Intended, Accepted]),
    Row("Sent removed", |r| without(Kind::SENT, PATIENT)(r), &[Closing, Steps, Intended, Accepted]),
    Row("Sent of a second attempt removed", second_sent_removed, &[Closing, Steps, Accepted]),
    Row("Received removed", |r| without(Kind::RECEIVED, HASTY)(r), &[Steps, Accepted]),
    Row("Received copied", |r| doubled(Kind::RECEIVED, HASTY)(r), &[Steps, Accepted]),
    Row("Finished removed", |r| without(Kind::FINISHED, HASTY)(r), &[Steps, Accepted]),
    Row("Replied removed", |r| without(Kind::REPLIED, PATIENT)(r), &[Steps, Accepted]),
    Row("End's open attempts off by one", |r| end_off(r, Counted::OPEN_ATTEMPTS), &[OpenAtEnd]),
    Row("End's accepted events off by one", |r| end_off(r, Counted::EVENTS), &[Accepted]),
];

fn late_reply_first(run: &mut Recorded) -> TraceId {
    let late = one(run, Kind::COMPLETED, HASTY, Event::is_late);
    let sent = stamp(&mut run.events, late.message, Kind::SENT).time;
    stamp(&mut run.events, late.message, Kind::COMPLETED).time = sent - 1;
    late.trace
}

fn late_unmarked(run: &mut Recorded) -> TraceId {
    let late = one(run, Kind::COMPLETED, HASTY, Event::is_late);
    assert!(has(&run.events, late.message, Kind::TIMED_OUT));
    unmark(&mut run.events, late)
}

fn moved_to_another_attempt(run: &mut Recorded) -> TraceId {
    let Event { trace, message, .. } = one(run, Kind::COMPLETED, PATIENT, any);
    stamp(&mut run.events, message, Kind::COMPLETED).message = message.with_attempt(2);
    trace
}

fn second_sent_removed(run: &mut Recorded) -> TraceId {
    let second = one(run, Kind::SENT, HASTY, |event| event.message.attempt() == 2);
    remove(&mut run.events, second.message, Kind::SENT);
    second.trace
}

/// Calls that always run out of time, are tried again and answered late, beside calls that are waited for.
#[tokio::test]
async fn altered_calls_turn_their_laws_red_and_no_other_and_name_the_trace() {
    let mut scenario: Value = serde_json::from_str(HELLO_SYNC).unwrap();
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "200/s", "count": REQUESTS});
    let mut patient = scenario["nodes"][0].clone();
    (patient["id"], patient["name"]) = ("n3".into(), "who waits".into());
    scenario["nodes"].as_array_mut().unwrap().push(patient);
    scenario["nodes"][1]["workers"] = 64.into();
    scenario["links"][0]["timeout"] = "10 ms".into();
    scenario["links"][0]["retry"] = json!({"policy": "fixed-delay", "attempts": 2, "delay": "1 ms"});
    let link = json!({"id": "l2", "from": "n3", "to": "n2", "protocol": "http1"});
    scenario["links"].as_array_mut().unwrap().push(link);
    let run = recorded(&scenario).await;
    let counts = [Kind::INTENDED, Kind::TIMED_OUT, Kind::RETRIED].map(|kind| count(&run.events, kind));
    assert_eq!(counts, [2 * REQUESTS, 2 * REQUESTS, REQUESTS]);
    judge(&run, CALLS);
}

/// From the client into the queue of requests.
const PUBLISH: u16 = 0;
/// From there to the service.
const TAKE: u16 = 1;

const QUEUE: &[Row] = &[
    Row(
        "a delivery removed",
        |r| without(Kind::DELIVERED, TAKE)(r),
        &[TakeLowers, Closing, Steps, Conservation, Little, OpenAtEnd, Accepted],
    ),
    Row("two deliveries swapped", swapped, &[Order]),
    Row(
        "a delivery copied",
        |r| doubled(Kind::DELIVERED, TAKE)(r),
        &[TakeLowers, Closing, Conservation, OpenAtEnd, Accepted],
    ),
    Row(
        "a reply before its request",
        |r| moved(Kind::COMPLETED, Kind::PUBLISHED, PUBLISH, -1)(r),
        &[ReplyAfterRequest, Steps],
    ),
    Row(
        "a depth off by one",
        |r| stepped(Kind::DELIVERED, |step| QueueStep { before: step.before + 1, after: step.after + 1, ..step })(r),
        &[TakeLowers, Little],
    ),
    Row(
        "L1 off by one",
        |r| stepped(Kind::ACKED, |step| QueueStep { before: step.before + 1, ..step })(r),
        &[TakeLowers],
    ),
    Row(
        "L2 off by one",
        |r| stepped(Kind::DELIVERED, |step| QueueStep { after: step.after + 1, ..step })(r),
        &[TakeLowers, Little],
    ),
    Row("an ordinal gap", ordinal_gap, &[TakeLowers]),
    Row("a closing event removed", |r| without(Kind::COMPLETED, PUBLISH)(r), &[OpenAtEnd, Accepted]),
    Row("a confirm removed", |r| without(Kind::CONFIRMED, PUBLISH)(r), &[Conservation, Accepted]),
    Row("a confirm copied", |r| doubled(Kind::CONFIRMED, PUBLISH)(r), &[Closing, Accepted]),
    Row(
        "Enqueued removed",
        |r| without(Kind::ENQUEUED, PUBLISH)(r),
        &[TakeLowers, Steps, Conservation, Little, OpenAtEnd, Accepted],
    ),
    Row("Acked removed", |r| without(Kind::ACKED, TAKE)(r), &[TakeLowers, OpenAtEnd, Accepted]),
    Row("Acked copied", |r| doubled(Kind::ACKED, TAKE)(r), &[TakeLowers, Closing, OpenAtEnd, Accepted]),
    Row("Received before its Delivered", |r| moved(Kind::RECEIVED, Kind::DELIVERED, TAKE, -1)(r), &[ReplyAfterRequest]),
    Row("Acked before the work is done", |r| moved(Kind::FINISHED, Kind::ACKED, TAKE, 1)(r), &[ReplyAfterRequest]),
    Row("Published removed", |r| without(Kind::PUBLISHED, PUBLISH)(r), &[Closing, Steps, Intended, Accepted]),
    Row("End's ready copies off by one", |r| end_off(r, Counted::READY), &[OpenAtEnd]),
    Row("End's unacked copies off by one", |r| end_off(r, Counted::UNACKED), &[OpenAtEnd]),
];

fn swapped(run: &mut Recorded) -> TraceId {
    let queue = one(run, Kind::DELIVERED, TAKE, any).place;
    swap(&mut run.events, queue)
}

fn ordinal_gap(run: &mut Recorded) -> TraceId {
    let from = one(run, Kind::DELIVERED, TAKE, any);
    skip(&mut run.events, from)
}

/// Requests that come faster than they are worked on, so that copies stand in the queue together.
#[tokio::test]
async fn an_altered_queue_turns_its_laws_red_and_no_other_and_names_the_trace() {
    let mut scenario: Value = serde_json::from_str(HELLO_ASYNC).unwrap();
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "1000/s", "count": REQUESTS});
    scenario["nodes"][2]["work"]["mean"] = "10 ms".into();
    let run = recorded(&scenario).await;
    let counts = [Kind::INTENDED, Kind::DELIVERED, Kind::COMPLETED].map(|kind| count(&run.events, kind));
    assert_eq!(counts, [REQUESTS, 2 * REQUESTS, REQUESTS]);
    judge(&run, QUEUE);
}

const ONEWAY: &[Row] = &[
    Row("a message that nobody answers vanished", vanished, &[Conservation, Accepted]),
    Row("handing over removed", |r| without(Kind::HANDED_OVER, 0)(r), &[OpenAtEnd, Accepted]),
    Row("handing over copied", |r| doubled(Kind::HANDED_OVER, 0)(r), &[Closing, Accepted]),
    Row("a message received before it is sent", |r| moved(Kind::RECEIVED, Kind::SENT, 0, -1)(r), &[ReplyAfterRequest]),
    Row("Started removed", |r| without(Kind::STARTED, 0)(r), &[Steps, Accepted]),
];

fn vanished(run: &mut Recorded) -> TraceId {
    let Event { trace, message, .. } = one(run, Kind::HANDED_OVER, 0, any);
    for kind in [Kind::RECEIVED, Kind::STARTED, Kind::FINISHED] {
        remove(&mut run.events, message, kind);
    }
    trace
}

/// What is handed over is received, though nobody is answered.
#[tokio::test]
async fn altered_messages_that_nobody_answers_turn_their_laws_red() {
    let mut scenario: Value = serde_json::from_str(HELLO_SYNC).unwrap();
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "200/s", "count": REQUESTS});
    scenario["nodes"][1]["workers"] = 64.into();
    scenario["links"][0]["protocol"] = "thrift".into();
    scenario["links"][0]["mode"] = "oneway".into();
    let run = recorded(&scenario).await;
    let counts = [Kind::SENT, Kind::HANDED_OVER, Kind::FINISHED, Kind::REPLIED].map(|kind| count(&run.events, kind));
    assert_eq!(counts, [REQUESTS, REQUESTS, REQUESTS, 0]);
    judge(&run, ONEWAY);
}
