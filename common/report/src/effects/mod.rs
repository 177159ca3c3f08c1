//! What became of the effects of a run: which traces applied them never, once, more than once; what the accounts came to; where a
//! transfer did not come to nothing; and how long after its answer a trace was finished.
//!
//! All of it is a finding and none of it a law: an effect that is applied each time is applied twice where a call is tried again,
//! and that is what the run is there to show. Traces of every phase count, as they do for the laws; only times are the measured
//! phase's own.

mod ways;
mod words;

use hopscope_record::kind::EffectMark;
use hopscope_record::{Event, Kind, TraceId};
use hopscope_scenario::plan::{Plan, PlanEffect};

use crate::numbered::Numbered;
use crate::stats::Latency;
use crate::traces::{Named, TraceRow, Traces};

pub use self::words::{Words, name};

#[cfg(test)]
mod tests;

/// Most traces that are named of one kind; more are counted.
pub const MOST_TRACES: usize = 20;

/// What became of one effect. Traces that want it are those that applied it, and those that were answered well and come to it
/// whatever chance decides: each is one of `never`, `open`, `once` and `more`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EffectReport {
    /// Its number in the plan.
    pub effect: u32,
    /// Traces that were answered well, are finished, and did not apply it.
    pub never: Named,
    /// Traces that may still apply it; none once the recording has ended.
    pub open: u64,
    /// Traces that applied it once.
    pub once: Named,
    /// Traces that applied it more than once.
    pub more: Named,
    /// Traces in which a repeat was recognised, and not applied.
    pub repeated: Named,
    /// How often it was applied.
    pub applied: u64,
}

impl EffectReport {
    /// How many traces want it.
    #[must_use]
    pub const fn wanted(&self) -> u64 {
        self.never.count + self.open + self.once.count + self.more.count
    }
}

/// What an account came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountReport {
    /// Its name.
    pub account: String,
    /// The sum of all that was applied.
    pub sum: i64,
    /// How often something was.
    pub applied: u64,
}

/// What a transfer came to: conserved, where it comes to nothing in every trace.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TransferReport {
    /// Its name.
    pub transfer: String,
    /// Finished traces that applied something of it.
    pub traces: u64,
    /// Those of them in which it does not come to nothing.
    pub unbalanced: Named,
    /// What they come to together.
    pub sum: i64,
    /// Where that is, as far as it can be told: what each account has more or less than if each effect had been applied once.
    pub where_to: Vec<(String, i64)>,
}

impl TransferReport {
    /// Whether it came to nothing in each trace.
    #[must_use]
    pub const fn is_conserved(&self) -> bool {
        self.unbalanced.count == 0
    }
}

/// How long traces went on after their answer.
#[derive(Clone, Debug, Default)]
pub struct Stale {
    /// From the answer to the end of the trace, of finished traces of the measured phase.
    pub times: Latency,
    /// Those that went on for longest, the longest first, with how long in ns.
    pub longest: Vec<(TraceId, i64)>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct EffectsReport {
    /// By effect, in the plan's order.
    pub effects: Vec<EffectReport>,
    /// By account, in the order of the effects.
    pub accounts: Vec<AccountReport>,
    /// By transfer, in the order of the effects.
    pub transfers: Vec<TransferReport>,
    /// How long traces went on after their answer.
    pub stale: Stale,
}

/// How often a trace came to an effect.
#[derive(Clone, Copy, Default, Debug)]
struct Times {
    applied: u64,
    repeated: u64,
    /// The sum of what was applied.
    sum: i64,
}

/// Gathers what was applied, by trace; what became of the traces themselves, [`Traces`] knows.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    rows: Vec<PlanEffect>,
    /// By link, the effects that a message over it surely comes to.
    certain: Vec<Vec<u32>>,
    /// By trace, the effects that it came to, by their numbers.
    traces: Numbered<Vec<(u32, Times)>>,
}

impl Effects {
    /// Of a plan.
    #[must_use]
    pub(crate) fn of(plan: &Plan) -> Self {
        if plan.effects.is_empty() {
            return Self::default();
        }
        Self { rows: plan.effects.clone(), certain: ways::certain(plan), ..Self::default() }
    }

    /// Whether the plan has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The effects of the plan, by their numbers.
    #[must_use]
    pub fn rows(&self) -> &[PlanEffect] {
        &self.rows
    }

    /// The node of the service that has an effect.
    pub(crate) fn node_of(&self, effect: u32) -> Option<u32> {
        self.rows.get(effect as usize).map(|row| row.node)
    }

    /// Takes an event, if it tells of an effect.
    pub(crate) fn take(&mut self, event: &Event) {
        if event.kind != Kind::EFFECT || self.rows.is_empty() {
            return;
        }
        let mark = EffectMark::from_value(event.a);
        let effects = self.traces.get_or_insert_with(event.trace.0, Vec::new);
        let row = effects.iter().position(|(effect, _)| *effect == mark.effect).unwrap_or_else(|| {
            effects.push((mark.effect, Times::default()));
            effects.len() - 1
        });
        let (_, times) = &mut effects[row];
        if mark.repeated {
            times.repeated += 1;
        } else {
            times.applied += 1;
            times.sum = times.sum.saturating_add(event.b.cast_signed());
        }
    }

    /// What became of them so far, in these traces; `ended`: nothing more is applied. It takes one pass over the traces.
    pub(crate) fn report(&self, traces: &Traces, ended: bool) -> EffectsReport {
        let mut report = self.blank();
        if self.is_empty() {
            return report;
        }
        report.stale.times = traces.stale();
        for trace in traces.all() {
            self.add(&mut report, trace, ended);
        }
        for transfer in &mut report.transfers {
            transfer.where_to.retain(|(_, off)| *off != 0);
        }
        report
    }

    /// How often a trace came to an effect.
    fn times(&self, trace: TraceId, effect: u32) -> Times {
        let effects = self.traces.get(trace.0).map_or(&[][..], Vec::as_slice);
        effects.iter().find(|(found, _)| *found == effect).map(|(_, times)| *times).unwrap_or_default()
    }

    /// A report without a trace.
    fn blank(&self) -> EffectsReport {
        let mut report = EffectsReport::default();
        for (effect, row) in (0..).zip(&self.rows) {
            report.effects.push(EffectReport { effect, ..EffectReport::default() });
            if report.accounts.iter().all(|account| account.account != row.account) {
                report.accounts.push(AccountReport { account: row.account.clone(), sum: 0, applied: 0 });
            }
            let Some(name) = &row.transfer else { continue };
            let at = report.transfers.iter().position(|transfer| transfer.transfer == *name);
            let at = at.unwrap_or(report.transfers.len());
            if at == report.transfers.len() {
                report.transfers.push(TransferReport { transfer: name.clone(), ..TransferReport::default() });
            }
            if let Some(transfer) = report.transfers.get_mut(at)
                && transfer.where_to.iter().all(|(account, _)| *account != row.account)
            {
                transfer.where_to.push((row.account.clone(), 0));
            }
        }
        report
    }

    /// Adds a trace.
    fn add(&self, report: &mut EffectsReport, trace: &TraceRow, ended: bool) {
        let id = trace.trace;
        if let Some(time) = trace.stale().filter(|_| trace.measured) {
            keep_longest(&mut report.stale.longest, id, time);
        }
        let over = ended || trace.is_finished();
        for (row, found) in self.rows.iter().zip(&mut report.effects) {
            let times = self.times(id, found.effect);
            found.applied += times.applied;
            if times.repeated > 0 {
                found.repeated.add(id, MOST_TRACES);
            }
            match times.applied {
                0 if !trace.is_answered_well() || !self.comes(trace, found.effect) => {}
                0 if over => found.never.add(id, MOST_TRACES),
                0 => found.open += 1,
                1 => found.once.add(id, MOST_TRACES),
                _ => found.more.add(id, MOST_TRACES),
            }
            for account in report.accounts.iter_mut().filter(|account| account.account == row.account) {
                account.sum = account.sum.saturating_add(times.sum);
                account.applied += times.applied;
            }
        }
        for transfer in report.transfers.iter_mut().filter(|_| over) {
            self.add_transfer(transfer, trace);
        }
    }

    /// Whether a trace surely comes to an effect.
    fn comes(&self, trace: &TraceRow, effect: u32) -> bool {
        self.certain.get(usize::from(trace.link.0)).is_some_and(|effects| effects.contains(&effect))
    }

    fn add_transfer(&self, report: &mut TransferReport, trace: &TraceRow) {
        let mut parts = Vec::new();
        let (mut applied, mut sum) = (0, 0_i64);
        for (effect, row) in (0..).zip(&self.rows) {
            if row.transfer.as_ref() == Some(&report.transfer) {
                let times = self.times(trace.trace, effect);
                applied += times.applied;
                sum = sum.saturating_add(times.sum);
                // What is not sure to come belongs where it came to.
                let wanted = if times.applied > 0 || self.comes(trace, effect) { row.amount } else { 0 };
                parts.push((&row.account, times.sum.saturating_sub(wanted)));
            }
        }
        report.traces += u64::from(applied > 0);
        if sum == 0 {
            return;
        }
        report.unbalanced.add(trace.trace, MOST_TRACES);
        report.sum = report.sum.saturating_add(sum);
        for (account, off) in parts {
            for (_, sum) in report.where_to.iter_mut().filter(|(name, _)| name == account) {
                *sum = sum.saturating_add(off);
            }
        }
    }
}

/// Keeps the longest, the longest first.
fn keep_longest(longest: &mut Vec<(TraceId, i64)>, trace: TraceId, time: i64) {
    let at = longest.partition_point(|(_, other)| *other >= time);
    if at < MOST_TRACES {
        longest.insert(at, (trace, time));
        longest.truncate(MOST_TRACES);
    }
}
