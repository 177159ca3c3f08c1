//! The checks of a scenario against the figures of its recording.

use hopscope_record::PlaceIndex;
use hopscope_record::kind::LinkCount;
use hopscope_scenario::checks::{Metric, Part, names_link};
use hopscope_scenario::model::Check;
use hopscope_scenario::plan::{Plan, PlanLink};
use hopscope_scenario::quantity::Dimension;
use serde::Deserialize as _;

use crate::figures::{length, rate, share, whole};
use crate::stats::{Latency, LinkStats, Stats};

/// What came of one check.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckReport {
    /// The check.
    pub check: Check,
    /// What the recording says.
    pub found: Found,
}

/// What a recording says of a check's metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Found {
    /// The figure: ns, per second, parts of one, or a number.
    Figure(f64),
    /// Nothing happened that the metric is of.
    Nothing,
    /// The scenario has nothing of that name, or several links.
    NoSubject,
}

impl CheckReport {
    /// Whether it passed. What cannot be judged does not.
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self.found, Found::Figure(figure) if self.check.op.holds(figure, self.check.value.figure()))
    }

    /// The check as a line: `buyers->shop: answered.p99 < 50 ms`.
    #[must_use]
    pub fn line(&self) -> String {
        let Check { on, metric, op, value } = &self.check;
        let on = on.as_ref().map_or_else(String::new, |on| format!("{on}: "));
        format!("{on}{metric} {} {value}", op.sign())
    }

    /// The figure as people read it, in its natural unit; `None` without one.
    #[must_use]
    pub fn figure(&self) -> Option<String> {
        let Found::Figure(figure) = self.found else { return None };
        Some(match Metric::find(&self.check.metric)?.dimension() {
            Some(Dimension::Time) => length(figure as u64),
            Some(Dimension::Rate) => rate(figure),
            Some(Dimension::Share) => share(figure),
            _ => whole(figure as u64),
        })
    }
}

/// Judges the checks of a plan's scenario, in its order.
#[must_use]
pub fn judge(plan: &Plan, stats: &Stats) -> Vec<CheckReport> {
    let checks = plan.scenario.get("checks").and_then(|checks| checks.as_array()).into_iter().flatten();
    // Of a recording by another build there may be checks that this one does not know.
    let known = checks.filter_map(|check| Check::deserialize(check).ok());
    known.map(|check| CheckReport { found: found(plan, stats, &check), check }).collect()
}

fn found(plan: &Plan, stats: &Stats, check: &Check) -> Found {
    let Some(metric) = Metric::find(&check.metric) else { return Found::Nothing };
    let Some(on) = &check.on else { return of_run(stats, metric).map_or(Found::Nothing, Found::Figure) };
    let figure = if metric.is_of_queue() {
        queue(plan, on).map(|place| of_queue(stats, place, metric))
    } else {
        link(plan, on).map(|link| of_link(stats, link, metric))
    };
    figure.map_or(Found::NoSubject, |figure| figure.map_or(Found::Nothing, Found::Figure))
}

/// The place of the queue of that name.
fn queue(plan: &Plan, on: &str) -> Option<PlaceIndex> {
    let named = |node: u32| plan.nodes.get(node as usize).is_some_and(|node| node.name == on);
    plan.queues.iter().find(|queue| named(queue.node)).map(|queue| PlaceIndex(queue.place))
}

/// The number of the one link of that name.
fn link(plan: &Plan, on: &str) -> Option<u16> {
    let name = |node: u32| plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let named = |link: &PlanLink| names_link(on, &link.id, name(link.from), name(link.to));
    let mut links = plan.links.iter().zip(0_u16..).filter(|(link, _)| link.replies_of.is_none() && named(link));
    let (_, number) = links.next()?;
    links.next().is_none().then_some(number)
}

/// A metric of all links together; validation lets none be without a link but the latency of answers.
fn of_run(stats: &Stats, metric: Metric) -> Option<f64> {
    match metric {
        Metric::Answered(part) => of_latency(&stats.answered(), part),
        _ => None,
    }
}

fn of_queue(stats: &Stats, place: PlaceIndex, metric: Metric) -> Option<f64> {
    let queue = stats.queue(place);
    match metric {
        Metric::QueueLongest => Some(f64::from(queue.longest)),
        Metric::QueueEnd => Some(f64::from(queue.last)),
        _ => None,
    }
}

fn of_link(stats: &Stats, link: u16, metric: Metric) -> Option<f64> {
    let link = stats.links().find(|stats| stats.link.0 == link)?;
    match metric {
        Metric::Answered(part) => of_latency(&link.answered(), part),
        Metric::Completed(part) => of_latency(&link.completed, part),
        Metric::Confirmed(part) => of_latency(&link.confirmed, part),
        Metric::Throughput => stats.span()?.per_second(link.completed_in_phase),
        Metric::Errors => Some(errors(link) as f64),
        Metric::ErrorRate => {
            let sent = link.count(LinkCount::Sent);
            (sent > 0).then(|| errors(link) as f64 / sent as f64)
        }
        Metric::Retried => Some(link.count(LinkCount::Retried) as f64),
        Metric::Late => Some(link.late as f64),
        Metric::QueueLongest | Metric::QueueEnd => None,
    }
}

/// Attempts that failed, were refused or timed out.
pub(crate) fn errors(link: &LinkStats) -> u64 {
    [LinkCount::Failed, LinkCount::Refused, LinkCount::TimedOut].iter().map(|count| link.count(*count)).sum()
}

fn of_latency(latency: &Latency, part: Part) -> Option<f64> {
    let ns = match part {
        Part::P50 => latency.percentile(50.0),
        Part::P90 => latency.percentile(90.0),
        Part::P99 => latency.percentile(99.0),
        Part::Max => latency.max(),
    };
    ns.map(|ns| ns as f64)
}
