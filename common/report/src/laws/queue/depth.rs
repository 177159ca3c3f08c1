//! The length of a queue, as it counts it itself: L1 and L2 of each step.

use hopscope_record::kind::QueueStep;
use hopscope_scenario::text;

use super::{Step, Suspects};
use crate::laws::Law;
use crate::laws::tally::Book;

/// The chain of a queue's lengths.
#[derive(Default)]
pub(super) struct Depth {
    /// The step before; none before the first.
    last: Option<Last>,
    /// Whether the step before the next one is not known.
    astray: bool,
    /// The integral of the length over time up to the last step, in copies times ns.
    integral: i128,
    pub(super) held: u64,
    pub(super) broken: u64,
    pub(super) undecided: u64,
}

/// What a step left.
#[derive(Clone, Copy)]
struct Last {
    /// The length that it says.
    stated: i64,
    /// The length that it should have said: another one only where the step breaks the law. The next step may go on from
    /// either, so that one wrong length breaks one step.
    due: i64,
    time: i64,
}

impl Depth {
    /// The next step has another before it that is not known.
    pub(super) const fn lose_track(&mut self) {
        self.astray = true;
    }

    /// The length after the last step, as the queue says.
    pub(super) fn ready(&self) -> i64 {
        self.last.map_or(0, |last| last.stated)
    }

    /// The integral of the length over time, up to `end`.
    pub(super) fn integral(&self, end: i64) -> i128 {
        self.integral + self.since_last(end)
    }

    fn since_last(&self, time: i64) -> i128 {
        self.last.map_or(0, |last| i128::from(last.stated) * (i128::from(time) - i128::from(last.time)))
    }

    /// Takes the next step.
    pub(super) fn follow(&mut self, step: &Step<'_>, suspects: &mut Suspects, book: &mut Book) {
        let (event, change) = (step.event, i64::from(step.info.steps.ready));
        let astray = std::mem::take(&mut self.astray);
        self.integral += self.since_last(event.time);
        let before = self.last.filter(|_| !astray);
        let due = before.map_or(0, |last| last.due);
        let Some(stated) = QueueStep::from_value(event.b) else {
            let text = text!("law.breach.no-depth");
            book.broken(Law::TakeLowers, || step.breach(text, &[("event", step.info.name.to_owned())]));
            return self.leave(false, Last { stated: due + change, due: due + change, time: event.time });
        };
        let (l1, l2) = (i64::from(stated.before), i64::from(stated.after));
        let fits = astray || before.map_or(l1 == 0, |last| l1 == last.stated || l1 == last.due);
        let from = if fits { l1 } else { due };
        let backwards = before.filter(|last| event.time < last.time);
        let held = fits && l2 == l1 + change && backwards.is_none();
        if !held {
            suspects.add(event);
        }
        let last = Last { stated: l2, due: from + change, time: event.time };
        if astray {
            // It is counted with its gap.
            self.last = Some(last);
            return;
        }
        if !held {
            book.broken(Law::TakeLowers, || match backwards {
                Some(last) => {
                    let times = [("time_ns", event.time.to_string()), ("before_ns", last.time.to_string())];
                    step.breach(text!("law.breach.step-time"), &times)
                }
                None => {
                    let lengths = [("l1", l1), ("l2", l2), ("due_l1", from), ("due_l2", from + change)];
                    let lengths = lengths.map(|(name, length)| (name, length.to_string()));
                    let mut breach = step.breach(text!("law.breach.depth"), &lengths);
                    breach.args.insert("event".to_owned(), step.info.name.into());
                    breach
                }
            });
        }
        self.leave(held, last);
    }

    const fn leave(&mut self, held: bool, last: Last) {
        if held {
            self.held += 1;
        } else {
            self.broken += 1;
        }
        self.last = Some(last);
    }
}
