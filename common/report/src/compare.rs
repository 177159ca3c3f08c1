//! Two recordings beside each other: by how much the figures of the second differ from those of the first, and how far that
//! can be known.
//!
//! Each figure has an interval in which its true value lies: of a percentile, between two of the lengths that were measured
//! (order statistics: W. J. Conover, Practical Nonparametric Statistics, 1999, 3.2); of a share, E. B. Wilson's (1927); of a
//! number of events in a time, the score interval of the Poisson distribution. Both hold with 97.5 %, so that the change between
//! them lies between the quotients of their ends with 95 % (C. E. Bonferroni's inequality). All of them take what was measured as
//! independent; where one slow reply delays the next, the truth is less certain than that.

use hopscope_record::kind::LinkCount;
use hopscope_scenario::checks::{METRICS, Metric, Part};
use hopscope_scenario::model::Comparison;
use hopscope_scenario::plan::Plan;

use crate::checks::errors;
use crate::stats::{Latency, LinkStats, Stats};

#[cfg(test)]
mod tests;

/// Standard deviations on each side that 97.5 % of a normal distribution lie within.
const Z: f64 = 2.241_402_727_604_947;

/// A figure of both recordings.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// The link by its ends' names, or by its id where others have the same ends; `None`: all of the run.
    pub on: Option<String>,
    /// What.
    pub metric: Metric,
    /// In the first recording: ns, per second, or parts of one.
    pub before: f64,
    /// In the second.
    pub after: f64,
    /// By how much it changed.
    pub change: Change,
}

/// A change in parts of one: 0.1 is a tenth more. It lies between the two ends with 95 %.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Change {
    /// The change of the figures; infinite from nothing to something.
    pub by: f64,
    /// The lower end; -1 at the least.
    pub from: f64,
    /// The upper end; infinite where too little was measured for one.
    pub to: f64,
}

/// A limit on a change.
#[derive(Clone, PartialEq, Debug)]
pub struct Limit {
    /// Of which link; `None`: of all of the run, where the metric has that, otherwise of each link.
    pub on: Option<String>,
    /// Of what.
    pub metric: Metric,
    /// How the change has to be to the limit, so that this fails.
    pub op: Comparison,
    /// The limit, in parts of one.
    pub by: f64,
}

/// What a comparison says of a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The change is beyond the limit, wherever in its interval it lies.
    Failed,
    /// It is not, wherever it lies.
    Passed,
    /// It may be.
    Undecided,
}

impl Limit {
    /// Reads one as it is written: `answered.p99 > +10%`, `buyers->shop: throughput < -5 %`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (on, rest) = text.rsplit_once(": ").map_or((None, text), |(on, rest)| (Some(on.trim().to_owned()), rest));
        let at = rest.find(['<', '>'])?;
        let (metric, rest) = rest.split_at(at);
        let metric = Metric::find(metric.trim()).filter(|metric| is_compared(*metric))?;
        let operators = [Comparison::AtMost, Comparison::AtLeast, Comparison::Below, Comparison::Above];
        let op = operators.into_iter().find(|op| rest.starts_with(op.sign()))?;
        let percent = rest.strip_prefix(op.sign())?.trim().strip_suffix('%')?.trim_end();
        let by = percent.parse::<f64>().ok().filter(|by| by.is_finite())? / 100.0;
        Some(Self { on, metric, op, by })
    }

    /// Whether it is a limit on this.
    #[must_use]
    pub fn is_on(&self, compared: &Compared) -> bool {
        let subject = match (&self.on, &compared.on) {
            (None, None) => true,
            (None, Some(_)) => !matches!(self.metric, Metric::Answered(_)),
            (on, of) => on == of,
        };
        self.metric == compared.metric && subject
    }

    /// What a change says of it.
    #[must_use]
    pub fn judge(&self, change: Change) -> Verdict {
        match [change.from, change.to].map(|end| self.op.holds(end, self.by)) {
            [true, true] => Verdict::Failed,
            [false, false] => Verdict::Passed,
            _ => Verdict::Undecided,
        }
    }
}

/// Whether a metric has an interval: what is the greatest or the last of a run has none.
#[must_use]
pub fn is_compared(metric: Metric) -> bool {
    match metric {
        Metric::Answered(part) | Metric::Completed(part) | Metric::Confirmed(part) => part != Part::Max,
        Metric::Throughput | Metric::ErrorRate => true,
        Metric::Errors | Metric::Retried | Metric::Late | Metric::QueueLongest | Metric::QueueEnd => false,
    }
}

/// The id of a metric.
#[must_use]
pub fn metric_id(metric: Metric) -> &'static str {
    let row = Metric::ALL.iter().position(|other| *other == metric);
    row.and_then(|row| METRICS.get(row)).map_or("", |option| option.id)
}

/// Every figure that both recordings have: of the run, then link by link in the first plan's order. Links are the same where
/// their ends' names are.
#[must_use]
pub fn compare(before: (&Plan, &Stats), after: (&Plan, &Stats)) -> Vec<Compared> {
    let mut compared = Vec::new();
    let mut add =
        |on: Option<&str>, one: &dyn Fn(Metric) -> Option<Estimate>, other: &dyn Fn(Metric) -> Option<Estimate>| {
            for metric in Metric::ALL.into_iter().filter(|metric| is_compared(*metric)) {
                if let (Some(one), Some(other)) = (one(metric), other(metric)) {
                    let (before, after) = (one.figure, other.figure);
                    compared.push(Compared { on: on.map(str::to_owned), metric, before, after, change: one.to(other) });
                }
            }
        };
    let of_run = |stats: &Stats, metric| match metric {
        Metric::Answered(part) => of_latency(&stats.answered(), part),
        _ => None,
    };
    add(None, &|metric| of_run(before.1, metric), &|metric| of_run(after.1, metric));
    let (first, second) = (links(before.0), links(after.0));
    for (name, link) in &first {
        let Some((_, other)) = second.iter().find(|(other, _)| other == name) else { continue };
        add(Some(name), &|metric| of_link(before.1, *link, metric), &|metric| of_link(after.1, *other, metric));
    }
    compared
}

/// The scenario's own links, by name and number.
fn links(plan: &Plan) -> Vec<(String, u16)> {
    let node = |node: u32| plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let own = plan.links.iter().zip(0_u16..).filter(|(link, _)| link.replies_of.is_none());
    let named: Vec<_> =
        own.map(|(link, number)| (format!("{}->{}", node(link.from), node(link.to)), &link.id, number)).collect();
    let shared = |name: &str| named.iter().filter(|(other, ..)| other == name).count() > 1;
    named.iter().map(|(name, id, number)| (if shared(name) { (*id).clone() } else { name.clone() }, *number)).collect()
}

/// A figure, and the interval that its true value lies in with 97.5 %.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Estimate {
    figure: f64,
    low: f64,
    high: f64,
}

impl Estimate {
    /// The change from this one to another.
    fn to(self, after: Self) -> Change {
        // Nothing to nothing is no change, nothing to something is one without bounds.
        let change = |after: f64, before: f64| if after == before { 0.0 } else { after / before - 1.0 };
        Change {
            by: change(after.figure, self.figure),
            from: change(after.low, self.high),
            to: if self.low == 0.0 { f64::INFINITY } else { change(after.high, self.low) },
        }
    }
}

fn of_link(stats: &Stats, link: u16, metric: Metric) -> Option<Estimate> {
    let link = stats.links().find(|stats| stats.link.0 == link)?;
    match metric {
        Metric::Answered(part) => of_latency(&link.answered(), part),
        Metric::Completed(part) => of_latency(&link.completed, part),
        Metric::Confirmed(part) => of_latency(&link.confirmed, part),
        Metric::Throughput => of_count(link.completed_in_phase, stats),
        Metric::ErrorRate => of_share(link),
        Metric::Errors | Metric::Retried | Metric::Late | Metric::QueueLongest | Metric::QueueEnd => None,
    }
}

/// A percentile: so many of `n` are below the true one as a binomial distribution has it.
fn of_latency(latency: &Latency, part: Part) -> Option<Estimate> {
    let p = match part {
        Part::P50 => 0.5,
        Part::P90 => 0.9,
        Part::P99 => 0.99,
        Part::Max => return None,
    };
    let n = latency.count() as f64;
    let figure = latency.percentile(p * 100.0)? as f64;
    let spread = Z * (n * p * (1.0 - p)).sqrt();
    let at = |rank: f64| latency.percentile(rank / n * 100.0).map_or(0.0, |ns| ns as f64);
    let (below, above) = ((n * p - spread).floor(), (n * p + spread).ceil() + 1.0);
    // Where a rank would be outside of all that was measured, it could be anything there.
    let low = if below < 1.0 { 0.0 } else { at(below) };
    let high = if above > n { f64::INFINITY } else { at(above) };
    Some(Estimate { figure, low, high })
}

fn of_count(count: u64, stats: &Stats) -> Option<Estimate> {
    let span = stats.span()?;
    let (figure, seconds) = (span.per_second(count)?, (span.to - span.from) as f64 / 1e9);
    let (middle, half) = (count as f64 + Z * Z / 2.0, Z * (count as f64 + Z * Z / 4.0).sqrt());
    Some(Estimate { figure, low: ((middle - half) / seconds).max(0.0), high: (middle + half) / seconds })
}

fn of_share(link: &LinkStats) -> Option<Estimate> {
    let (bad, all) = (errors(link) as f64, link.count(LinkCount::Sent) as f64);
    if all == 0.0 {
        return None;
    }
    let (share, z2) = (bad / all, Z * Z);
    let middle = (share + z2 / (2.0 * all)) / (1.0 + z2 / all);
    let half = Z * (share * (1.0 - share) / all + z2 / (4.0 * all * all)).sqrt() / (1.0 + z2 / all);
    Some(Estimate { figure: share, low: if bad == 0.0 { 0.0 } else { middle - half }, high: middle + half })
}
