//! What the laws make of an attempt.

use hopscope_record::kind::{Admission, QueueCause};
use hopscope_record::{Kind, MessageId};
use hopscope_scenario::plan::Passage;
use hopscope_scenario::text;

use super::{Attempt, Scene, Stamp, Step, gave_up, said_by_consumer};
use crate::laws::tally::{Book, args};
use crate::laws::{Breach, Law, is_outside};

impl Attempt {
    /// Judges it.
    pub(in crate::laws) fn judge(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        self.judge_closing(message, scene, book);
        self.judge_steps(message, scene, book);
        self.judge_order(message, scene, book);
        match self.passage {
            _ if is_outside(self.link) => {}
            Passage::Publish => self.judge_account(message, scene, book),
            Passage::Send => self.judge_hand_over(message, scene, book),
            Passage::Call | Passage::Deliver | Passage::Bind => {}
        }
    }

    fn judge_closing(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        let (sent, complete) = (self.has_begun(scene), scene.complete);
        let closing = self.closed.or(self.late);
        let told = closing.or(self.get(Step::Answer));
        if self.closing_broken || (!sent && told.is_none()) {
            return;
        }
        let unlawful = match (self.closed, self.late) {
            _ if !sent => Some((text!("law.breach.closed-unopened"), told)),
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

    fn judge_steps(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        let begun = [Step::Sent, Step::Routed, Step::Received, Step::Started, Step::Finished, Step::Replied];
        if self.steps_broken || !begun.into_iter().any(|step| self.has(step)) {
            return;
        }
        let turned_away = self.admission == Admission::TurnedAway as u64;
        if let (true, Some(started)) = (turned_away, self.get(Step::Started)) {
            return self.broken(Law::Steps, message, &[started], text!("law.breach.turned-away"), started, book);
        }
        match self.missing(scene) {
            _ if !scene.complete => book.undecided(Law::Steps, 1),
            None => book.held(Law::Steps, 1),
            Some((stamp, missing)) => {
                let names = [("event", stamp.name()), ("missing", missing.name().unwrap_or_default())];
                book.broken(Law::Steps, || self.breach(message, &[stamp], text!("law.breach.missing-step"), &names));
            }
        }
    }

    /// A stamp that is there, and the one before it that is not.
    pub(super) fn missing(&self, scene: Scene<'_>) -> Option<(Stamp, Kind)> {
        let (received, started) = (self.get(Step::Received), self.get(Step::Started));
        let needs = |effect: Option<Stamp>, cause: Step, kind: Kind| {
            effect.filter(|_| !self.has(cause)).map(|effect| (effect, kind))
        };
        let worked = || {
            needs(started, Step::Received, Kind::RECEIVED)
                .or_else(|| needs(self.get(Step::Finished), Step::Started, Kind::STARTED))
        };
        match self.passage {
            Passage::Publish => needs(self.get(Step::Routed), Step::Sent, Kind::PUBLISHED),
            Passage::Send => needs(received, Step::Sent, Kind::SENT).or_else(worked),
            // Nothing is sent over it.
            Passage::Bind => None,
            Passage::Call if scene.is_outside() => None,
            Passage::Deliver => {
                let settled = self.closed.filter(|_| !is_outside(self.link) && said_by_consumer(self.cause));
                let worked_on = settled.filter(|_| self.cause == QueueCause::ACK && scene.acks_after_work());
                needs(received.filter(|_| scene.stamped), Step::Sent, Kind::DELIVERED)
                    .or_else(worked)
                    .or_else(|| needs(settled, Step::Received, Kind::RECEIVED))
                    .or_else(|| needs(worked_on, Step::Finished, Kind::FINISHED))
            }
            Passage::Call => {
                let replied = self.get(Step::Replied);
                let reply = self.get(Step::Reply).filter(|_| self.has(Step::Sent));
                let good = reply.filter(|reply| reply.kind() == Kind::COMPLETED && self.has(Step::Replied));
                needs(received.filter(|_| !is_outside(self.link)), Step::Sent, Kind::SENT)
                    .or_else(worked)
                    .or_else(|| needs(replied, Step::Received, Kind::RECEIVED))
                    .or_else(|| needs(replied.filter(|_| started.is_some()), Step::Finished, Kind::FINISHED))
                    .or_else(|| needs(reply, Step::Replied, Kind::REPLIED))
                    // A good reply says that the work was done.
                    .or_else(|| needs(good, Step::Started, Kind::STARTED))
            }
        }
    }

    /// The stamps that are there lie in their order, and T1 < T2. Of a call: T1 <= Received <= Started <= Finished <=
    /// Replied <= T2 where the reply is the last step of the body, whatever way a request takes through it; elsewhere
    /// Started <= Finished and Started <= Replied.
    fn judge_order(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        let pairs = self.pairs(scene);
        match pairs.wrong {
            Some((earlier, later)) => book.broken(Law::ReplyAfterRequest, || Breach {
                args: args([
                    ("earlier", earlier.name().to_owned()),
                    ("earlier_ns", earlier.time.to_string()),
                    ("later", later.name().to_owned()),
                    ("later_ns", later.time.to_string()),
                ]),
                ..self.breach(message, &[earlier, later], text!("law.breach.order"), &[])
            }),
            None if pairs.any => book.held(Law::ReplyAfterRequest, 1),
            None if self.has(Step::Sent) && !scene.complete => book.undecided(Law::ReplyAfterRequest, 1),
            None => {}
        }
    }

    fn pairs(&self, scene: Scene<'_>) -> Pairs {
        let at = |step| self.get(step);
        let row: &[Step] = match self.passage {
            Passage::Call if scene.replies_last() => {
                &[Step::Sent, Step::Received, Step::Started, Step::Finished, Step::Replied, Step::Reply]
            }
            Passage::Call => &[Step::Sent, Step::Received, Step::Started, Step::Replied, Step::Reply],
            Passage::Publish => &[Step::Sent, Step::Routed, Step::Answer],
            Passage::Deliver | Passage::Send | Passage::Bind => {
                &[Step::Sent, Step::Received, Step::Started, Step::Finished]
            }
        };
        let mut pairs = Pairs::default();
        let mut last = None;
        for stamp in row.iter().filter_map(|step| at(*step)) {
            pairs.add(last.replace(stamp), Some(stamp), 0);
        }
        pairs.add(at(Step::Started), at(Step::Finished), 0);
        pairs.add(at(Step::Sent), self.closed, 0);
        pairs.add(at(Step::Sent), at(Step::Reply), 1);
        match self.passage {
            Passage::Publish => pairs.add(at(Step::Routed), at(Step::Reply), 0),
            Passage::Deliver if said_by_consumer(self.cause) => {
                pairs.add(at(Step::Received), self.closed, 0);
                if self.cause == QueueCause::ACK && scene.acks_after_work() {
                    pairs.add(at(Step::Finished), self.closed, 0);
                }
            }
            Passage::Deliver | Passage::Call | Passage::Send | Passage::Bind => {}
        }
        pairs
    }

    /// What was handed over is received, or nobody can know: its connection was lost, or its sender died.
    fn judge_hand_over(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        let Some(handed) = self.closed.filter(|closed| closed.kind() == Kind::HANDED_OVER) else { return };
        let unknown = || {
            scene.connections.ended(self.link, self.place, handed.time, true)
                || scene.connections.exited(self.place, handed.time)
        };
        if self.has(Step::Received) || scene.is_outside() || unknown() {
            book.held(Law::Conservation, 1);
        } else if scene.complete {
            self.broken(Law::Conservation, message, &[handed], text!("law.breach.not-taken"), handed, book);
        } else {
            book.undecided(Law::Conservation, 1);
        }
    }

    /// How many queues should have a copy of a publish to an exchange and have none.
    pub(super) fn missing_copies(&self, scene: Scene<'_>) -> usize {
        let wanted = scene.link.filter(|link| link.routed).map_or(0, |link| link.queues.len());
        wanted.saturating_sub(usize::from(self.copies))
    }

    /// Whether a publish to an exchange came to other queues than its bindings say; of one that came to none, its return tells.
    fn is_misrouted(&self, scene: Scene<'_>) -> bool {
        let routed = scene.link.filter(|link| link.routed);
        routed.is_some_and(|link| usize::from(self.copies) != link.queues.len())
    }

    /// A publish is confirmed, refused, or nobody can know: its connection ended.
    fn judge_account(&self, message: MessageId, scene: Scene<'_>, book: &mut Book) {
        let Some(sent) = self.get(Step::Sent) else { return };
        let unknown = || {
            let replied = self.has(Step::Reply);
            let unconnected = !replied && self.closed.is_some_and(|closed| closed.kind() == Kind::FAILED);
            // Who has the reply and closes the connection had the confirm before.
            let exited = || !replied && scene.connections.exited(self.place, sent.time);
            unconnected || scene.connections.ended(self.link, self.place, sent.time, replied) || exited()
        };
        match self.get(Step::Answer) {
            Some(answer) if answer.kind() == Kind::CONFIRMED && scene.stamped && self.is_misrouted(scene) => {
                if !scene.complete && self.missing_copies(scene) > 0 {
                    return book.undecided(Law::Conservation, 1);
                }
                let wanted = scene.link.map_or(0, |link| link.queues.len());
                let names = [("found", self.copies.to_string()), ("wanted", wanted.to_string())];
                book.broken(Law::Conservation, || Breach {
                    args: args(names),
                    ..self.breach(message, &[sent, answer], text!("law.breach.routed"), &[])
                });
            }
            Some(answer) if answer.kind() == Kind::CONFIRMED && scene.stamped && !self.has(Step::Routed) => {
                // Its exchange may have dropped it: no queue stamps that.
                book.undecided(Law::Conservation, 1);
            }
            Some(_) => book.held(Law::Conservation, 1),
            None if unknown() => book.held(Law::Conservation, 1),
            None if !scene.complete => book.undecided(Law::Conservation, 1),
            None => self.broken(Law::Conservation, message, &[sent], text!("law.breach.unaccounted"), sent, book),
        }
    }
}

/// Stamps that must lie in an order: whether there are two, and the first two that do not.
#[derive(Default)]
struct Pairs {
    any: bool,
    wrong: Option<(Stamp, Stamp)>,
}

impl Pairs {
    /// `later` is at least so many ns after `earlier`, where both are.
    fn add(&mut self, earlier: Option<Stamp>, later: Option<Stamp>, least: i64) {
        let (Some(earlier), Some(later)) = (earlier, later) else { return };
        self.any = true;
        if self.wrong.is_none() && later.time < earlier.time.saturating_add(least) {
            self.wrong = Some((earlier, later));
        }
    }
}
