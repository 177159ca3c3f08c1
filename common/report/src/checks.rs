//! The checks of a scenario against the figures of its recording.

use hopscope_record::PlaceIndex;
use hopscope_record::kind::LinkCount;
use hopscope_scenario::checks::{QUEUE_END, QUEUE_LONGEST, dimension, is_of_queue, names_link};
use hopscope_scenario::model::Check;
use hopscope_scenario::plan::Plan;
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
        Some(match dimension(&self.check.metric) {
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
    if is_of_queue(&check.metric) {
        return queue(plan, check).map_or(Found::NoSubject, |place| of_queue(stats, place, &check.metric));
    }
    let Some(on) = &check.on else { return of_latency(&stats.answered(), &check.metric) };
    match link(plan, on) {
        Some(link) => of_link(stats, link, &check.metric).map_or(Found::Nothing, Found::Figure),
        None => Found::NoSubject,
    }
}

fn queue(plan: &Plan, check: &Check) -> Option<PlaceIndex> {
    let on = check.on.as_deref()?;
    let named = |node: u32| plan.nodes.get(node as usize).is_some_and(|node| node.name == on);
    plan.queues.iter().find(|queue| named(queue.node)).map(|queue| PlaceIndex(queue.place))
}

fn of_queue(stats: &Stats, place: PlaceIndex, metric: &str) -> Found {
    let queue = stats.queue(place);
    match metric {
        QUEUE_LONGEST => Found::Figure(f64::from(queue.longest)),
        QUEUE_END => Found::Figure(f64::from(queue.last)),
        _ => Found::Nothing,
    }
}

/// The number of the one link of that name.
fn link(plan: &Plan, on: &str) -> Option<u16> {
    let name = |node: u32| plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let mut named = plan
        .links
        .iter()
        .zip(0_u16..)
        .filter(|(link, _)| link.replies_of.is_none() && names_link(on, &link.id, name(link.from), name(link.to)));
    let (_, number) = named.next()?;
    named.next().is_none().then_some(number)
}

fn of_link(stats: &Stats, link: u16, metric: &str) -> Option<f64> {
    let link = stats.links().find(|stats| stats.link.0 == link)?;
    let errors = || [LinkCount::Failed, LinkCount::Refused, LinkCount::TimedOut].map(|count| link.count(count));
    let errors = || errors().iter().sum::<u64>() as f64;
    match metric {
        "throughput" => stats.span()?.per_second(link.completed_in_phase),
        "errors" => Some(errors()),
        "error-rate" => Some(link.count(LinkCount::Sent)).filter(|sent| *sent > 0).map(|sent| errors() / sent as f64),
        "retried" => Some(link.count(LinkCount::Retried) as f64),
        "late" => Some(link.late as f64),
        _ => match of_latency(&latency(link, metric), metric) {
            Found::Figure(figure) => Some(figure),
            _ => None,
        },
    }
}

fn latency(link: &LinkStats, metric: &str) -> Latency {
    match metric.split_once('.') {
        Some(("answered", _)) => link.answered(),
        Some(("completed", _)) => link.completed.clone(),
        Some(("confirmed", _)) => link.confirmed.clone(),
        _ => Latency::default(),
    }
}

fn of_latency(latency: &Latency, metric: &str) -> Found {
    let figure = match metric.split_once('.') {
        Some((_, "p50")) => latency.percentile(50.0),
        Some((_, "p90")) => latency.percentile(90.0),
        Some((_, "p99")) => latency.percentile(99.0),
        Some((_, "max")) => latency.max(),
        _ => None,
    };
    figure.map_or(Found::Nothing, |ns| Found::Figure(ns as f64))
}
