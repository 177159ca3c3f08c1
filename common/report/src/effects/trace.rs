//! One trace as far as effects go: how it was answered, and whether anything of it is under way.

use hopscope_record::kind::{AWAITS_REPLY, Attempt, EffectMark, KindInfo, ValueMeaning};
use hopscope_record::{Event, Kind, LinkIndex, MessageId};

/// How often a trace came to an effect.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Times {
    pub(super) applied: u64,
    pub(super) repeated: u64,
    /// The sum of what was applied.
    pub(super) sum: i64,
}

/// A trace. Times are ns on the run's clock.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// Its root message without the attempt; 0 where it came from outside.
    root: u64,
    /// The link that the root goes over.
    pub(super) link: LinkIndex,
    /// When the root's last attempt was closed, and whether by a good reply or a confirm.
    answered: Option<(i64, bool)>,
    /// Its last event.
    last: i64,
    /// Its open attempts, its messages that wait for a worker or have one, and its copies that are ready in queues.
    pending: i32,
    /// Whether it counts in figures of time.
    measured: bool,
    /// How often it came to those effects that it came to, by their numbers.
    effects: Vec<(u32, Times)>,
}

impl Trace {
    pub(super) fn begin(event: &Event, measured: bool) -> Self {
        let intended = event.kind == Kind::INTENDED;
        Self {
            root: if intended { event.message.message() } else { 0 },
            link: if intended { event.link } else { LinkIndex::NONE },
            answered: None,
            last: event.time,
            pending: 0,
            measured: measured && intended,
            effects: Vec::new(),
        }
    }

    /// Takes an event; `bounded`: the broker of its queues stamps nothing, so a delivery begins when it is received.
    pub(super) fn take(&mut self, event: &Event, info: &KindInfo, bounded: bool) {
        self.last = self.last.max(event.time);
        let said = info.a.meaning == ValueMeaning::Ordinal && event.a == 0;
        let closes = info.attempt == Attempt::Closes && !event.is_late() && !(bounded && said);
        let goes_on = info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0;
        let ended = closes && !goes_on;
        self.pending += i32::from(info.attempt == Attempt::Opens) - i32::from(ended);
        if !said && info.steps.only_if_a.is_none_or(|a| a == event.a) {
            self.pending += i32::from(info.steps.waiting + info.steps.busy + info.steps.ready);
        }
        if event.message.message() != self.root || event.message == MessageId::NONE {
            return;
        }
        if info.attempt == Attempt::Opens {
            self.answered = None;
        } else if ended {
            self.answered = Some((event.time, matches!(event.kind, Kind::COMPLETED | Kind::CONFIRMED)));
        }
    }

    /// It has come to an effect of this amount.
    pub(super) fn apply(&mut self, mark: EffectMark, amount: i64) {
        let at = self.effects.iter().position(|(effect, _)| *effect == mark.effect).unwrap_or(self.effects.len());
        if at == self.effects.len() {
            self.effects.push((mark.effect, Times::default()));
        }
        let Some((_, times)) = self.effects.get_mut(at) else { return };
        if mark.repeated {
            times.repeated += 1;
        } else {
            times.applied += 1;
            times.sum = times.sum.saturating_add(amount);
        }
    }

    /// How often it came to an effect.
    pub(super) fn times(&self, effect: u32) -> Times {
        self.effects.iter().find(|(found, _)| *found == effect).map(|(_, times)| *times).unwrap_or_default()
    }

    /// Whether its client was told that all is well.
    pub(super) const fn is_answered_well(&self) -> bool {
        matches!(self.answered, Some((_, true)))
    }

    /// Whether nothing of it is under way any more.
    pub(super) const fn is_finished(&self) -> bool {
        self.pending <= 0 && (self.root == 0 || self.answered.is_some())
    }

    /// For how long it went on after its answer, if it has one, is finished, and counts in figures of time.
    pub(super) fn stale(&self) -> Option<i64> {
        let (answered, _) = self.answered.filter(|_| self.measured && self.is_finished())?;
        Some(self.last - answered)
    }
}
