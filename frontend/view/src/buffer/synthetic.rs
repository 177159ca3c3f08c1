//! Made-up runs of a client and a service, by call and through queues, as the collector would write them. For tests.

#![allow(clippy::unwrap_used, reason = "a made-up run that cannot be written is a failed test")]

use hopscope_record::frame::{CODEC_VERSION, End, EndReason, FrameWriter, Hello};
use hopscope_record::kind::{AWAITS_REPLY, Admission, Phase, QueueCause, QueueStep};
use hopscope_record::{
    Event, KINDS, Kind, LinkIndex, MessageId, Minter, NameIndex, PlaceIndex, RunKey, SourceId, TraceId,
};
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;

/// One millisecond, in ns.
pub const MS: i64 = 1_000_000;

const SCENARIO: &str = r#"{"format": "hopscope-scenario", "version": 1, "name": "made up",
  "nodes": [
    {"id": "n1", "kind": "client", "name": "buyers", "x": 0, "y": 0, "load": {"kind": "constant", "rate": "20/s"}},
    {"id": "n2", "kind": "service", "name": "shop", "x": 400, "y": 0, "replicas": 2, "workers": 2,
     "work": {"distribution": "constant", "mean": "40 ms"}}],
  "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"}]}"#;

/// How one made-up call goes.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// The reply comes in time.
    Answered,
    /// No connection.
    Failed,
    /// The service says no.
    Refused,
    /// The reply comes after the limit.
    TimedOut,
    /// The load's cap.
    NotSent,
    /// The recording ends before its reply.
    Open,
}

/// Events of one call that the schedule wanted at `at`; 100 µs there, 10 ms at the service, 200 µs back.
pub fn call(minter: &mut Minter, at: i64, fate: Fate) -> Vec<Event> {
    let (trace, message) = minter.root();
    let client = |time, kind, a| stamp(time, kind, 0, trace, message, a);
    let service = |time, kind, a| stamp(time, kind, 1, trace, message, a);
    let mut events = vec![client(at + 10_000, Kind::INTENDED, at.cast_unsigned())];
    let sent = at + 20_000;
    let received = sent + 100_000;
    let replied = received + 10 * MS;
    let closed = replied + 200_000;
    match fate {
        Fate::NotSent => events.push(client(at + 15_000, Kind::NOT_SENT, 1)),
        Fate::Failed => events.extend([client(sent, Kind::SENT, 0), client(sent + 50_000, Kind::FAILED, 0)]),
        Fate::Refused => events.extend([
            client(sent, Kind::SENT, 0),
            service(received, Kind::RECEIVED, 1),
            service(received + 5_000, Kind::REPLIED, 503),
            client(received + 105_000, Kind::REFUSED, 503),
        ]),
        Fate::Answered | Fate::TimedOut | Fate::Open => events.extend([
            client(sent, Kind::SENT, 0),
            service(received, Kind::RECEIVED, 0),
            service(received + MS, Kind::STARTED, 0),
            service(replied - 10_000, Kind::FINISHED, 0),
        ]),
    }
    match fate {
        Fate::Answered => {
            events.extend([service(replied, Kind::REPLIED, 200), client(closed, Kind::COMPLETED, 200)]);
        }
        Fate::TimedOut => events.extend([
            client(received + 5 * MS, Kind::TIMED_OUT, 5_100_000),
            service(replied, Kind::REPLIED, 200),
            client(closed, Kind::COMPLETED, 200 | hopscope_record::kind::LATE),
        ]),
        _ => {}
    }
    events
}

fn stamp(time: i64, kind: Kind, place: u32, trace: TraceId, message: MessageId, a: u64) -> Event {
    Event { trace, message, a, place: PlaceIndex(place), link: LinkIndex(0), ..Event::new(time, kind) }
}

/// Calls at these times with these fates, sorted, between the phases of a run.
pub fn events(calls: &[(i64, Fate)]) -> Vec<Event> {
    let mut minter = Minter::new(SourceId(1));
    let mut events: Vec<_> = calls.iter().flat_map(|(at, fate)| call(&mut minter, *at, *fate)).collect();
    let last = events.iter().map(|event| event.time).max().unwrap_or(0);
    let phase = |time, phase| Event { a: phase as u64, ..Event::new(time, Kind::PHASE_BEGAN) };
    events.extend([phase(-MS, Phase::Setup), phase(0, Phase::Measured), phase(last, Phase::Drain)]);
    events.sort_by_key(|event| event.time);
    events
}

/// The places of a run through queues: client, orders, shop, answers.
pub const QUEUES: &str = include_str!("../../../../scenarios/hello-async.json");

/// How long the message waits in the first queue.
pub const READY: i64 = 3 * MS;

/// Events of the `n`th request (from 0) through queues that are empty before and after it: published at `at`, 100 µs on
/// each link, ready for [`READY`], 10 ms of work, ready for 50 µs in the reply queue.
pub fn queued(n: u64, at: i64) -> Vec<Event> {
    let id = |source| MessageId::new(SourceId(source), n + 1, 1);
    let (publish, delivery, result, taken) = (id(1), id(2), id(3), id(4));
    let trace = TraceId::new(SourceId(1), n + 1);
    let event = |time, kind, place, link, message| Event {
        trace,
        message,
        place: PlaceIndex(place),
        link: LinkIndex(link),
        ..Event::new(time, kind)
    };
    let step = |event: Event, ordinal: u64, before, after, cause| Event {
        a: 3 * n + ordinal,
        b: QueueStep { before, after, cause }.to_value(),
        ..event
    };
    let enqueued = at + 100_000;
    let delivered = enqueued + READY;
    let received = delivered + 100_000;
    let finished = received + 10 * MS;
    let back = finished + 100_000;
    let home = back + 150_000;
    let taken_event = step(event(back + 50_000, Kind::DELIVERED, 3, 3, taken), 2, 1, 0, QueueCause::CONSUMER);
    vec![
        Event { a: at.cast_unsigned(), ..event(at, Kind::INTENDED, 0, 0, publish) },
        event(at, Kind::PUBLISHED, 0, 0, publish),
        step(event(enqueued, Kind::ENQUEUED, 1, 0, publish), 1, 0, 1, QueueCause::PUBLISHED),
        Event { a: AWAITS_REPLY, ..event(enqueued + 50_000, Kind::CONFIRMED, 0, 0, publish) },
        Event {
            parent: publish,
            ..step(event(delivered, Kind::DELIVERED, 1, 1, delivery), 2, 1, 0, QueueCause::CONSUMER)
        },
        event(received, Kind::RECEIVED, 2, 1, delivery),
        event(received, Kind::STARTED, 2, 1, delivery),
        event(finished, Kind::FINISHED, 2, 1, delivery),
        Event { parent: delivery, ..event(finished, Kind::PUBLISHED, 2, 2, result) },
        step(event(back, Kind::ENQUEUED, 3, 2, result), 1, 0, 1, QueueCause::PUBLISHED),
        Event { parent: result, ..taken_event },
        step(event(back + 50_000, Kind::ACKED, 3, 3, taken), 3, 0, 0, QueueCause::AUTOMATIC),
        Event { a: Admission::Taken as u64, ..event(home, Kind::RECEIVED, 0, 3, taken) },
        event(home, Kind::COMPLETED, 0, 0, publish),
        event(home + 10_000, Kind::CONFIRMED, 2, 2, result),
        step(event(home + 20_000, Kind::ACKED, 1, 1, delivery), 3, 0, 0, QueueCause::ACK),
    ]
}

/// One request that its first consumer gives back: taken at 1 ms, back at 2 ms, taken again at 4 ms.
pub fn given_back() -> Vec<Event> {
    let mut events: Vec<_> = queued(0, 0).into_iter().filter(|event| event.time <= 100_000).collect();
    let put = *events.iter().find(|event| event.kind == Kind::ENQUEUED).unwrap();
    let step = |time, kind, ordinal, before, after, cause, delivery| Event {
        kind,
        time,
        a: ordinal,
        b: QueueStep { before, after, cause }.to_value(),
        message: MessageId::new(SourceId(2), delivery, 1),
        link: LinkIndex(1),
        parent: if kind == Kind::DELIVERED { put.message } else { MessageId::NONE },
        ..put
    };
    events.extend([
        step(MS, Kind::DELIVERED, 2, 1, 0, QueueCause::CONSUMER, 1),
        step(2 * MS, Kind::REQUEUED, 3, 0, 1, QueueCause::NACK, 1),
        step(4 * MS, Kind::DELIVERED, 4, 1, 0, QueueCause::CONSUMER, 2),
    ]);
    events
}

/// The run buffer of events through queues.
pub fn queue_buffer(events: &[Event]) -> super::RunBuffer {
    let mut buffer = super::RunBuffer::new(hopscope_record::decoder::Framing::Stream);
    for frame in frames_after(&hello_of(QUEUES, "made-up"), events, 50, &end_after(events)) {
        buffer.push(&frame).unwrap();
    }
    buffer
}

/// The first frame of a run by call.
pub fn hello(run_id: &str) -> Hello {
    hello_of(SCENARIO, run_id)
}

fn hello_of(scenario: &str, run_id: &str) -> Hello {
    let scenario = validate(scenario).unwrap().scenario;
    let plan =
        compile(&scenario, &RunSettings { seed: 42, duration: Some(Time(1_000_000_000)), ..RunSettings::default() });
    Hello {
        codec_version: CODEC_VERSION,
        build: "test".to_owned(),
        run_id: run_id.to_owned(),
        run_key: RunKey(7),
        unix_ns_at_zero: 0,
        kinds: KINDS.iter().map(|info| (info.kind, info.name.to_owned())).collect(),
        plan: plan.to_bytes().unwrap(),
    }
}

/// The frames of a run: Hello, names, batches of so many events, End.
pub fn frames(events: &[Event], batch: usize) -> Vec<Vec<u8>> {
    frames_ending(events, batch, &end_after(events))
}

/// The frames of a run that ends so.
pub fn frames_ending(events: &[Event], batch: usize, end: &End) -> Vec<Vec<u8>> {
    frames_after(&hello("made-up"), events, batch, end)
}

fn frames_after(hello: &Hello, events: &[Event], batch: usize, end: &End) -> Vec<Vec<u8>> {
    let mut writer = FrameWriter::new();
    let mut frames = vec![writer.hello(hello).unwrap()];
    frames.push(writer.names(NameIndex(0), &["connection refused"]).unwrap());
    for batch in events.chunks(batch) {
        let cut = batch.last().map_or(0, |event| event.time);
        frames.push(writer.events(cut, batch).unwrap());
    }
    frames.push(writer.end(end).unwrap());
    frames
}

/// How a run of these events ends.
pub fn end_after(events: &[Event]) -> End {
    let time = events.last().map_or(0, |event| event.time) + MS;
    End { time, reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() }
}
