//! One attempt: its stamps, and what the laws make of them.

use hopscope_record::kind::{Admission, Attempt as Effect, ValueMeaning};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;

use super::tally::{Book, args};
use super::{Breach, Law, is_outside};

/// The stamps of an attempt in the order in which they must lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Sent,
    Received,
    Started,
    Finished,
    Replied,
    /// T2: a reply received, in time or late.
    Reply,
}

const STEPS: usize = Step::Reply as usize + 1;

/// One stamp: what it is, and when it was.
#[derive(Clone, Copy)]
struct Stamp {
    kind: Kind,
    time: i64,
}

impl Stamp {
    fn name(self) -> &'static str {
        self.kind.name().unwrap_or_default()
    }
}

/// What is known of one attempt.
#[derive(Clone)]
pub(super) struct Attempt {
    trace: TraceId,
    link: LinkIndex,
    steps: [Option<Stamp>; STEPS],
    turned_away: bool,
    /// What closed it.
    closed: Option<Stamp>,
    /// What came after it was closed, marked so.
    late: Option<Stamp>,
    /// It broke the law already, and is counted.
    closing_broken: bool,
    steps_broken: bool,
}

/// Whether a kind is a stamp of an attempt.
pub(super) fn concerns(info: &KindInfo) -> bool {
    info.attempt != Effect::None || receiver_step(info.kind).is_some()
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
fn is_reply(event: &Event, info: &KindInfo) -> bool {
    info.a.meaning == ValueMeaning::Status && (event.kind != Kind::FAILED || event.status() != 0)
}

impl Attempt {
    /// An attempt of which this is the first event seen.
    pub(super) const fn new(event: &Event) -> Self {
        Self {
            trace: event.trace,
            link: event.link,
            steps: [None; STEPS],
            turned_away: false,
            closed: None,
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

    /// Whether it was sent and not closed.
    pub(super) const fn is_open(&self) -> bool {
        self.has(Step::Sent) && self.closed.is_none()
    }

    /// Whether nothing lawful can follow: the reply is there, and all that the receiver had to stamp.
    pub(super) fn is_settled(&self) -> bool {
        let receiver = self.has(Step::Replied) && self.has(Step::Started) == self.has(Step::Finished);
        if is_outside(self.link) {
            return receiver && self.has(Step::Received);
        }
        receiver && self.closed.is_some() && self.has(Step::Reply) && self.missing().is_none()
    }

    /// Takes one of its events.
    pub(super) fn take(&mut self, event: &Event, info: &KindInfo, book: &mut Book) {
        let stamp = Stamp { kind: event.kind, time: event.time };
        match info.attempt {
            Effect::Opens if self.has(Step::Sent) => {
                self.break_closing(text!("law.breach.sent-twice"), &[], event, book);
            }
            Effect::Opens => self.set(Step::Sent, stamp),
            Effect::Closes => self.close(stamp, event, info, book),
            Effect::None => {
                if let Some(step) = receiver_step(event.kind) {
                    self.receive(step, stamp, event, book);
                }
            }
        }
    }

    fn receive(&mut self, step: Step, stamp: Stamp, event: &Event, book: &mut Book) {
        if !self.has(step) {
            self.turned_away |= step == Step::Received && event.a == Admission::TurnedAway as u64;
            self.set(step, stamp);
        } else if !std::mem::replace(&mut self.steps_broken, true) {
            let names = [("event", stamp.name())];
            let breach = || self.breach(event.message, &[stamp], text!("law.breach.step-twice"), &names);
            book.broken(Law::Steps, breach);
        }
    }

    fn close(&mut self, stamp: Stamp, event: &Event, info: &KindInfo, book: &mut Book) {
        let names = [("event", stamp.name())];
        if event.is_late() {
            if self.late.is_some() {
                return self.break_closing(text!("law.breach.late-twice"), &names, event, book);
            }
            self.late = Some(stamp);
        } else if let Some(first) = self.closed {
            let names = [("first", first.name()), ("second", stamp.name())];
            return self.break_closing(text!("law.breach.closed-twice"), &names, event, book);
        } else {
            self.closed = Some(stamp);
        }
        if is_reply(event, info) && !self.has(Step::Reply) {
            self.set(Step::Reply, stamp);
        }
    }

    fn break_closing(&mut self, text: Key, names: &[(&str, &str)], event: &Event, book: &mut Book) {
        if !std::mem::replace(&mut self.closing_broken, true) {
            book.broken(Law::Closing, || Breach {
                times: vec![event.time],
                ..self.breach(event.message, &[], text, names)
            });
        }
    }

    /// Judges it; `complete`: nothing more can come.
    pub(super) fn judge(&self, message: MessageId, complete: bool, book: &mut Book) {
        self.judge_closing(message, complete, book);
        self.judge_steps(message, complete, book);
        self.judge_order(message, book);
    }

    fn judge_closing(&self, message: MessageId, complete: bool, book: &mut Book) {
        let sent = self.has(Step::Sent);
        let closing = self.closed.or(self.late);
        if self.closing_broken || (!sent && closing.is_none()) {
            return;
        }
        let unlawful = match (self.closed, self.late) {
            _ if !sent => Some((text!("law.breach.closed-unopened"), closing)),
            (Some(closed), Some(late)) if !gave_up(closed) || late.time < closed.time => {
                return self.broken(
                    Law::Closing,
                    message,
                    &[closed, late],
                    text!("law.breach.late-unexpected"),
                    late,
                    book,
                );
            }
            (None, late @ Some(_)) => Some((text!("law.breach.late-unexpected"), late)),
            _ => None,
        };
        match unlawful {
            Some((text, Some(stamp))) if complete => self.broken(Law::Closing, message, &[stamp], text, stamp, book),
            Some(_) => book.undecided(Law::Closing, 1),
            None if closing.is_some() || complete => book.held(Law::Closing, 1),
            None => book.undecided(Law::Closing, 1),
        }
    }

    fn judge_steps(&self, message: MessageId, complete: bool, book: &mut Book) {
        let begun = [Step::Sent, Step::Received, Step::Started, Step::Finished, Step::Replied];
        if self.steps_broken || !begun.into_iter().any(|step| self.has(step)) {
            return;
        }
        if let (true, Some(started)) = (self.turned_away, self.get(Step::Started)) {
            return self.broken(Law::Steps, message, &[started], text!("law.breach.turned-away"), started, book);
        }
        match self.missing() {
            _ if !complete => book.undecided(Law::Steps, 1),
            None => book.held(Law::Steps, 1),
            Some((stamp, missing)) => {
                let names = [("event", stamp.name()), ("missing", missing.name().unwrap_or_default())];
                book.broken(Law::Steps, || self.breach(message, &[stamp], text!("law.breach.missing-step"), &names));
            }
        }
    }

    /// A stamp that is there, and the one before it that is not.
    fn missing(&self) -> Option<(Stamp, Kind)> {
        let replied_to_work = self.get(Step::Replied).filter(|_| self.has(Step::Started));
        let reply = self.get(Step::Reply).filter(|_| self.has(Step::Sent));
        let good = reply.filter(|reply| reply.kind == Kind::COMPLETED && self.has(Step::Replied));
        let received = self.get(Step::Received).filter(|_| !is_outside(self.link));
        [
            (received, Step::Sent, Kind::SENT),
            (self.get(Step::Started), Step::Received, Kind::RECEIVED),
            (self.get(Step::Finished), Step::Started, Kind::STARTED),
            (self.get(Step::Replied), Step::Received, Kind::RECEIVED),
            (replied_to_work, Step::Finished, Kind::FINISHED),
            (reply, Step::Replied, Kind::REPLIED),
            // A good reply says that the work was done.
            (good, Step::Started, Kind::STARTED),
        ]
        .into_iter()
        .find_map(|(effect, cause, kind)| effect.filter(|_| !self.has(cause)).map(|effect| (effect, kind)))
    }

    /// T1 <= Received <= Started <= Finished <= Replied <= T2 of those present, and T1 < T2: the reply is always the last
    /// step of a body ([`hopscope_scenario::plan::Plan::from_bytes`] admits no other).
    fn judge_order(&self, message: MessageId, book: &mut Book) {
        let present: Vec<Stamp> = self.steps.iter().copied().flatten().collect();
        let mut pairs: Vec<_> =
            present.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?, 0))).collect();
        if let Some(sent) = self.get(Step::Sent) {
            pairs.extend(self.closed.map(|closed| (sent, closed, 0)));
            pairs.extend(self.get(Step::Reply).map(|reply| (sent, reply, 1)));
        }
        let wrong = pairs.iter().find(|(earlier, later, least)| later.time < earlier.time.saturating_add(*least));
        match wrong {
            Some((earlier, later, _)) => book.broken(Law::ReplyAfterRequest, || Breach {
                args: args([
                    ("earlier", earlier.name().to_owned()),
                    ("earlier_ns", earlier.time.to_string()),
                    ("later", later.name().to_owned()),
                    ("later_ns", later.time.to_string()),
                ]),
                ..self.breach(message, &[*earlier, *later], text!("law.breach.order"), &[])
            }),
            None if !pairs.is_empty() => book.held(Law::ReplyAfterRequest, 1),
            None if self.has(Step::Sent) => book.undecided(Law::ReplyAfterRequest, 1),
            None => {}
        }
    }

    fn broken(&self, law: Law, message: MessageId, stamps: &[Stamp], text: Key, event: Stamp, book: &mut Book) {
        book.broken(law, || self.breach(message, stamps, text, &[("event", event.name())]));
    }

    fn breach(&self, message: MessageId, stamps: &[Stamp], text: Key, names: &[(&str, &str)]) -> Breach {
        Breach {
            trace: self.trace,
            message,
            times: stamps.iter().map(|stamp| stamp.time).collect(),
            text,
            args: names.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        }
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
    matches!(closed.kind, Kind::TIMED_OUT | Kind::CANCELLED)
}
