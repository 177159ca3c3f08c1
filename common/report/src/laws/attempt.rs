//! One attempt: its stamps, and what the laws make of them. A call, a publish, or a delivery.

mod judge;

use std::num::NonZeroU16;

use hopscope_record::kind::{AWAITS_REPLY, Admission, Attempt as Effect, QueueCause, QueueStep, ValueMeaning};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::catalogue::{Args, Key};
use hopscope_scenario::plan::Passage;
use hopscope_scenario::text;

use super::connections::Connections;
use super::links::Link;
use super::tally::Book;
use super::{Breach, Law, is_outside};

/// The stamps of an attempt that there is at most one of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// What opened it: Sent, Published or Delivered.
    Sent,
    /// Of a publish: Enqueued, or Returned.
    Routed,
    /// Of a publish: the broker's confirm or refusal.
    Answer,
    Received,
    Started,
    Finished,
    Replied,
    /// T2: a reply received, in time or late.
    Reply,
}

const STEPS: usize = Step::Reply as usize + 1;

/// One stamp: what it is, and when it was. No kind is 0, so that one which may be missing takes no more room.
#[derive(Clone, Copy)]
struct Stamp {
    kind: NonZeroU16,
    time: i64,
}

impl Stamp {
    fn of(event: &Event) -> Self {
        Self { kind: NonZeroU16::new(event.kind.0).unwrap_or(NonZeroU16::MAX), time: event.time }
    }

    const fn kind(self) -> Kind {
        Kind(self.kind.get())
    }

    fn name(self) -> &'static str {
        self.kind().name().unwrap_or_default()
    }
}

/// What is known of one attempt.
#[derive(Clone)]
pub(super) struct Attempt {
    trace: TraceId,
    link: LinkIndex,
    /// Where it was opened.
    place: PlaceIndex,
    passage: Passage,
    steps: [Option<Stamp>; STEPS],
    admission: u64,
    /// Of a publish: how many queues got a copy.
    copies: u16,
    /// What closed it.
    closed: Option<Stamp>,
    /// Of a delivery: why it was settled.
    cause: QueueCause,
    /// What came after it was closed, marked so.
    late: Option<Stamp>,
    /// It broke the law already, and is counted.
    closing_broken: bool,
    steps_broken: bool,
}

/// What an attempt is judged with.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// Its link.
    pub(super) link: Option<&'a Link>,
    /// Whether the queue at its link stamps its own steps.
    pub(super) stamped: bool,
    /// Whether the run's broker stamps nothing: a delivery then begins where it is received.
    pub(super) bounded: bool,
    /// The ends of connections.
    pub(super) connections: &'a Connections,
    /// Whether nothing more can come and nothing was lost.
    pub(super) complete: bool,
}

impl Scene<'_> {
    /// Whether what is called is no part of the run: it stamps nothing.
    fn is_outside(&self) -> bool {
        self.link.is_some_and(|link| link.outside)
    }

    /// Whether a worker is free before its reply goes out.
    fn replies_last(&self) -> bool {
        self.link.is_none_or(|link| link.replies_last)
    }

    /// Whether a consumer acknowledges when its work is done.
    fn acks_after_work(&self) -> bool {
        self.link.is_some_and(|link| link.acks_after_work)
    }
}

/// Whether an event is a stamp of an attempt.
pub(super) fn concerns(event: &Event, info: &KindInfo) -> bool {
    match event.kind {
        // Of a dead-lettered copy, and of a publish of an outside program, nobody stamped the publish.
        Kind::ENQUEUED => !is_outside(event.link) && cause(event) == QueueCause::PUBLISHED,
        Kind::RETURNED => true,
        kind => info.attempt != Effect::None || receiver_step(kind).is_some(),
    }
}

fn cause(event: &Event) -> QueueCause {
    QueueStep::from_value(event.b).map_or(QueueCause::NONE, |step| step.cause)
}

fn receiver_step(kind: Kind) -> Option<Step> {
    Some(match kind {
        Kind::RECEIVED => Step::Received,
        Kind::STARTED => Step::Started,
        Kind::FINISHED => Step::Finished,
        Kind::REPLIED => Step::Replied,
        _ => return None,
    })
}

/// Whether a closing event carries a reply: all with a status do, but a failure for want of one.
pub(super) fn is_reply(event: &Event, info: &KindInfo) -> bool {
    info.a.meaning == ValueMeaning::Status && (event.kind != Kind::FAILED || event.status() != 0)
}

/// What an event that opens an attempt begins, on a link that is for `due`.
const fn opened(kind: Kind, due: Passage) -> Option<Passage> {
    Some(match kind {
        Kind::SENT if matches!(due, Passage::Send) => Passage::Send,
        Kind::SENT => Passage::Call,
        Kind::PUBLISHED => Passage::Publish,
        Kind::DELIVERED => Passage::Deliver,
        _ => return None,
    })
}

impl Attempt {
    /// An attempt of which this is the first event seen.
    pub(super) fn new(event: &Event, link: Option<&Link>) -> Self {
        Self {
            trace: event.trace,
            link: event.link,
            place: event.place,
            passage: link.map_or(Passage::Call, |link| link.passage),
            steps: [None; STEPS],
            admission: Admission::Admitted as u64,
            copies: 0,
            closed: None,
            cause: QueueCause::NONE,
            late: None,
            closing_broken: false,
            steps_broken: false,
        }
    }

    pub(super) const fn trace(&self) -> TraceId {
        self.trace
    }

    pub(super) const fn link(&self) -> LinkIndex {
        self.link
    }

    /// Whether it was opened and not closed.
    pub(super) const fn is_open(&self) -> bool {
        self.has(Step::Sent) && self.closed.is_none()
    }

    /// Whether what begins it was seen.
    fn has_begun(&self, scene: Scene<'_>) -> bool {
        self.has(Step::Sent) || (scene.bounded && self.passage == Passage::Deliver && self.has(Step::Received))
    }

    /// Whether nothing lawful can follow.
    pub(super) fn is_settled(&self, scene: Scene<'_>) -> bool {
        match self.passage {
            Passage::Call | Passage::Send if scene.is_outside() => self.closed.is_some_and(|closed| !gave_up(closed)),
            Passage::Call => {
                let receiver = self.has(Step::Replied) && self.has(Step::Started) == self.has(Step::Finished);
                if is_outside(self.link) {
                    return receiver && self.has(Step::Received);
                }
                receiver && self.closed.is_some() && self.has(Step::Reply) && self.missing(scene).is_none()
            }
            Passage::Send => {
                let unworked = self.admission != Admission::Admitted as u64;
                self.closed.is_some() && self.has(Step::Received) && (self.has(Step::Finished) || unworked)
            }
            Passage::Publish => {
                let routed = self.has(Step::Routed) && self.missing_copies(scene) == 0 || !scene.stamped;
                self.has(Step::Sent)
                    && self.closed.is_some_and(|closed| match closed.kind() {
                        Kind::CONFIRM_REFUSED => true,
                        Kind::CONFIRMED => routed,
                        _ => routed && self.has(Step::Answer) && self.has(Step::Reply) && !gave_up(closed),
                    })
            }
            Passage::Bind => false,
            Passage::Deliver => {
                let unworked = self.admission != Admission::Admitted as u64;
                let worked = self.has(Step::Started) && self.has(Step::Finished);
                let received = self.has(Step::Received) && (worked || unworked);
                if scene.bounded {
                    // Nobody acknowledges a reply, and nothing follows it.
                    let reply = self.admission == Admission::Taken as u64;
                    return received && (reply || self.closed.is_some());
                }
                self.has(Step::Sent) && self.closed.is_some() && (received || is_outside(self.link))
            }
        }
    }

    /// Takes one of its events.
    pub(super) fn take(&mut self, event: &Event, info: &KindInfo, book: &mut Book) {
        let stamp = Stamp::of(event);
        match info.attempt {
            Effect::Opens if self.has(Step::Sent) => {
                self.break_closing(text!("law.breach.sent-twice"), &[], event, book);
            }
            Effect::Opens => {
                self.set(Step::Sent, stamp);
                self.passage = opened(event.kind, self.passage).unwrap_or(self.passage);
                self.place = event.place;
            }
            Effect::Closes => self.close(stamp, event, info, book),
            Effect::None => match receiver_step(event.kind) {
                Some(step) => self.receive(step, stamp, event, book),
                None => {
                    self.copies = self.copies.saturating_add(u16::from(event.kind == Kind::ENQUEUED));
                    // Of several copies of one publish the first is the step.
                    if !self.has(Step::Routed) {
                        self.set(Step::Routed, stamp);
                    }
                }
            },
        }
    }

    fn receive(&mut self, step: Step, stamp: Stamp, event: &Event, book: &mut Book) {
        if !self.has(step) {
            if step == Step::Received {
                self.admission = event.a;
            }
            self.set(step, stamp);
        } else if !std::mem::replace(&mut self.steps_broken, true) {
            let names = [("event", stamp.name())];
            let breach = || self.breach(event.message, &[stamp], text!("law.breach.step-twice"), &names);
            book.broken(Law::Steps, breach);
        }
    }

    fn close(&mut self, stamp: Stamp, event: &Event, info: &KindInfo, book: &mut Book) {
        if matches!(event.kind, Kind::CONFIRMED | Kind::CONFIRM_REFUSED) {
            if let Some(first) = self.get(Step::Answer) {
                return self.closed_twice(first, stamp, event, book);
            }
            self.set(Step::Answer, stamp);
            if event.kind == Kind::CONFIRMED && event.a & AWAITS_REPLY != 0 {
                return;
            }
        }
        if info.a.meaning == ValueMeaning::Ordinal {
            self.cause = cause(event);
        }
        if event.is_late() {
            // Who waits for confirm and reply may see both late.
            let confirms = |stamp: Stamp| stamp.kind() == Kind::CONFIRMED;
            if self.late.is_some_and(|late| confirms(late) == confirms(stamp)) {
                let names = [("event", stamp.name())];
                return self.break_closing(text!("law.breach.late-twice"), &names, event, book);
            }
            self.late = self.late.filter(|late| late.time <= stamp.time).or(Some(stamp));
        } else if let Some(first) = self.closed {
            return self.closed_twice(first, stamp, event, book);
        } else {
            self.closed = Some(stamp);
        }
        if is_reply(event, info) && !self.has(Step::Reply) {
            self.set(Step::Reply, stamp);
        }
    }

    fn closed_twice(&mut self, first: Stamp, second: Stamp, event: &Event, book: &mut Book) {
        let names = [("first", first.name()), ("second", second.name())];
        self.break_closing(text!("law.breach.closed-twice"), &names, event, book);
    }

    fn break_closing(&mut self, text: Key, names: &[(&str, &str)], event: &Event, book: &mut Book) {
        if !std::mem::replace(&mut self.closing_broken, true) {
            book.broken(Law::Closing, || Breach {
                times: vec![event.time],
                ..self.breach(event.message, &[], text, names)
            });
        }
    }

    fn broken(&self, law: Law, message: MessageId, stamps: &[Stamp], text: Key, event: Stamp, book: &mut Book) {
        book.broken(law, || self.breach(message, stamps, text, &[("event", event.name())]));
    }

    fn breach(&self, message: MessageId, stamps: &[Stamp], text: Key, names: &[(&str, &str)]) -> Breach {
        let mut args = Args::new();
        args.extend(names.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        Breach { trace: self.trace, message, times: stamps.iter().map(|stamp| stamp.time).collect(), text, args }
    }

    const fn has(&self, step: Step) -> bool {
        self.get(step).is_some()
    }

    const fn get(&self, step: Step) -> Option<Stamp> {
        self.steps[step as usize]
    }

    const fn set(&mut self, step: Step, stamp: Stamp) {
        self.steps[step as usize] = Some(stamp);
    }
}

/// Whether the caller stopped waiting by itself, so that a reply may still come.
fn gave_up(closed: Stamp) -> bool {
    matches!(closed.kind(), Kind::TIMED_OUT | Kind::CANCELLED)
}

/// Whether a delivery was settled by the word of its consumer, which had it then.
fn said_by_consumer(cause: QueueCause) -> bool {
    matches!(cause, QueueCause::ACK | QueueCause::REJECTED | QueueCause::NACK)
}
