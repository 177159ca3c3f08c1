//! The checks of a scenario against the figures of its recording.

use hopscope_record::PlaceIndex;
use hopscope_scenario::checks::{Metric, Subject};
use hopscope_scenario::model::Check;
use hopscope_scenario::plan::Plan;
use serde::Deserialize as _;

use crate::measured::{Measured, link_named, worded};
use crate::stats::Stats;

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
        Some(worded(Metric::find(&self.check.metric)?, figure))
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
    let measured = match &check.on {
        None => Some(Measured::of_run(stats, metric)),
        Some(on) if metric.subject() == Subject::Queue => {
            queue(plan, on).map(|place| Measured::of_queue(stats, place, metric))
        }
        Some(on) if metric.subject() == Subject::Service => {
            service(plan, on).map(|node| Measured::of_service(plan, stats, node, metric))
        }
        Some(on) => link_named(plan, on).map(|link| Measured::of_link(stats, link, metric)),
    };
    let Some(measured) = measured else { return Found::NoSubject };
    measured.and_then(|measured| measured.figure()).map_or(Found::Nothing, Found::Figure)
}

/// The place of the queue of that name.
fn queue(plan: &Plan, on: &str) -> Option<PlaceIndex> {
    let named = |node: u32| plan.nodes.get(node as usize).is_some_and(|node| node.name == on);
    plan.queues.iter().find(|queue| named(queue.node)).map(|queue| PlaceIndex(queue.place))
}

/// The node of the service of that name.
fn service(plan: &Plan, on: &str) -> Option<u32> {
    let named = |node: u32| plan.nodes.get(node as usize).is_some_and(|node| node.name == on);
    plan.services.iter().map(|service| service.node).find(|node| named(*node))
}
