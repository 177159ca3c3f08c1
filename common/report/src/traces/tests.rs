use hopscope_record::kind::{ControlAction, Outcome, QueueCause, QueueStep};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, Minter, PlaceIndex, SourceId, TraceId};

use super::*;

const CLIENT: PlaceIndex = PlaceIndex(0);
const SERVICE: PlaceIndex = PlaceIndex(1);
const QUEUE: PlaceIndex = PlaceIndex(2);

/// A made-up run of calls, one trace after the other.
pub(crate) struct Calls {
    minter: Minter,
    pub(crate) events: Vec<Event>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let measured = Event { a: Phase::Measured as u64, ..Event::new(0, Kind::PHASE_BEGAN) };
        Self { minter: Minter::new(SourceId(1)), events: vec![measured] }
    }

    /// A call that is wanted `at` and takes so long; answered by `closing`.
    pub(crate) fn call(&mut self, at: i64, took: i64, closing: Kind) -> TraceId {
        let (trace, message) = self.wanted(at);
        let of = |time, kind, place| Event { trace, message, place, link: LinkIndex(0), ..Event::new(time, kind) };
        self.events.extend([
            of(at + 1, Kind::SENT, CLIENT),
            of(at + took / 4, Kind::RECEIVED, SERVICE),
            of(at + took / 3, Kind::STARTED, SERVICE),
            Event { a: Outcome::Done as u64, ..of(at + took / 2, Kind::FINISHED, SERVICE) },
            of(at + took, closing, CLIENT),
        ]);
        trace
    }

    /// What was done to the service.
    pub(crate) fn control(&mut self, at: i64, action: ControlAction) {
        self.events.push(Event { a: action as u64, place: SERVICE, ..Event::new(at, Kind::CONTROL) });
    }

    pub(crate) fn traces(&self) -> Traces {
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.time);
        let mut traces = Traces::default();
        for event in &events {
            traces.take(event, event.kind.info().unwrap());
        }
        traces
    }

    fn wanted(&mut self, at: i64) -> (TraceId, MessageId) {
        let (trace, message) = self.minter.root();
        self.events.push(Event {
            a: at as u64,
            trace,
            message,
            place: CLIENT,
            link: LinkIndex(0),
            ..Event::new(at, Kind::INTENDED)
        });
        (trace, message)
    }
}

#[test]
fn a_call_is_finished_with_its_last_event_and_lost_without_a_good_answer() {
    let mut calls = Calls::new();
    calls.call(100, 40, Kind::COMPLETED);
    calls.call(200, 60, Kind::TIMED_OUT);
    let traces = calls.traces();
    let [good, bad] = traces.rows[..] else { panic!("{:?}", traces.rows) };
    assert_eq!((good.took(), good.finished(), good.is_lost()), (Some(40), Some(40), false));
    assert_eq!((bad.took(), bad.is_unanswered(), bad.is_unfinished(), bad.is_lost()), (Some(60), true, false, true));
    assert_eq!(traces.finished().count(), 2);
}

#[test]
fn what_ends_with_its_process_is_not_under_way_and_what_is_worked_on_again_is_repeated() {
    let mut calls = Calls::new();
    let (trace, message) = calls.wanted(100);
    let of = |time, kind, place, message| Event { trace, message, place, link: LinkIndex(0), ..Event::new(time, kind) };
    calls.events.extend([
        of(101, Kind::SENT, CLIENT, message),
        of(102, Kind::RECEIVED, SERVICE, message),
        of(103, Kind::STARTED, SERVICE, message),
        Event { place: SERVICE, ..Event::new(110, Kind::PROCESS_EXITED) },
        of(111, Kind::FAILED, CLIENT, message),
    ]);
    let row = calls.traces().rows[0];
    assert_eq!((row.finished(), row.is_unanswered(), row.repeats), (Some(11), true, 0));
    let again = message.with_attempt(2);
    calls.events.extend([
        of(120, Kind::SENT, CLIENT, again),
        of(121, Kind::RECEIVED, SERVICE, again),
        of(122, Kind::STARTED, SERVICE, again),
        of(123, Kind::FINISHED, SERVICE, again),
        of(124, Kind::COMPLETED, CLIENT, again),
    ]);
    let row = calls.traces().rows[0];
    assert_eq!((row.finished(), row.is_lost(), row.repeats), (Some(24), false, 1));
}

#[test]
fn a_copy_that_stays_or_leaves_unworked_is_lost_though_the_sender_has_its_confirm() {
    let mut calls = Calls::new();
    let put = |calls: &mut Calls, at: i64| {
        let (trace, message) = calls.wanted(at);
        let of = |time, kind, place| Event { trace, message, place, link: LinkIndex(0), ..Event::new(time, kind) };
        let step = QueueStep { before: 0, after: 1, cause: QueueCause::NONE };
        calls.events.extend([
            of(at + 1, Kind::PUBLISHED, CLIENT),
            Event { a: 1, b: step.to_value(), ..of(at + 2, Kind::ENQUEUED, QUEUE) },
            of(at + 3, Kind::CONFIRMED, CLIENT),
        ]);
        (trace, message)
    };
    put(&mut calls, 100);
    let (trace, message) = put(&mut calls, 200);
    let expired = Event { trace, message, place: QUEUE, a: 2, ..Event::new(300, Kind::EXPIRED) };
    calls.events.push(expired);
    let traces = calls.traces();
    let [stays, left] = traces.rows[..] else { panic!("{:?}", traces.rows) };
    assert_eq!((stays.finished(), stays.is_unanswered(), stays.is_unfinished()), (None, false, true));
    assert_eq!((left.finished(), left.is_unfinished()), (Some(100), true));
    // What goes on to a dead-letter queue is still there.
    calls.events.push(Event { kind: Kind::DEAD_LETTERED, time: 301, ..expired });
    assert!(!calls.traces().rows[1].is_unfinished());
}
