//! A verdict as JSON.

use hopscope_record::kind::ControlAction;
use hopscope_scenario::disturb::KAFKA;
use hopscope_scenario::plan::Plan;
use hopscope_scenario::quantity::{Rate, Throughput, Time};
use serde_json::{Value, json};

use super::{Again, Control, Disturbance, Found, Verdict};
use crate::figures::length;
use crate::traces::Named;

/// The document; nodes and links are named by the plan, traces as exports write them.
#[must_use]
pub fn document(plan: &Plan, verdict: &Verdict) -> Value {
    json!({
        "normal": verdict.normal.map(|normal| json!({
            "answered_p99_ns": normal.p99,
            "answered_p99": words(normal.p99),
            "traces": normal.traces,
        })),
        "before": found(&verdict.before),
        "disturbances": verdict.disturbances.iter().map(|row| disturbance(plan, row)).collect::<Vec<_>>(),
    })
}

fn disturbance(plan: &Plan, row: &Disturbance) -> Value {
    let (state, after) = match row.normal {
        Again::Stayed => ("stayed", None),
        Again::After(ns) => ("after", Some(ns)),
        Again::Never => ("never", None),
        Again::TooFew => ("too-few", None),
    };
    json!({
        "do": row.control.action.word(),
        "argument": row.control.argument,
        "told": told(&row.control),
        "on": on(plan, &row.control),
        "at_ns": row.control.at,
        "at": words(row.control.at),
        "until_ns": row.until,
        "until": row.until.map(words),
        "found": found(&row.found),
        "normal": {"state": state, "after_ns": after, "after": after.map(words)},
    })
}

fn found(found: &Found) -> Value {
    json!({
        "traces": found.traces,
        "unanswered": named(&found.unanswered),
        "unfinished": named(&found.unfinished),
        "repeated": named(&found.repeated),
        "late": named(&found.late),
    })
}

fn named(named: &Named) -> Value {
    json!({
        "count": named.count,
        "traces": named.traces.iter().map(|trace| format!("{:016x}", trace.0)).collect::<Vec<_>>(),
    })
}

/// What the action was told beside what it was done to, as scenarios write it; nothing where it is told nothing.
#[must_use]
pub fn told(control: &Control) -> Option<String> {
    let argument = control.argument;
    match control.action {
        ControlAction::Rate => Some(Rate(argument.saturating_mul(1_000)).to_string()),
        ControlAction::Delay => Some(Time(argument).to_string()),
        ControlAction::Throttle => Some(Throughput(argument).to_string()),
        _ => None,
    }
}

fn words(ns: i64) -> String {
    length(u64::try_from(ns).unwrap_or(0))
}

/// What it was done to: a node's name, a link's ends as `from->to`, `kafka` for the broker of topics, or nothing for that of
/// queues.
#[must_use]
pub fn on(plan: &Plan, control: &Control) -> Option<String> {
    let name = |node: u32| plan.nodes.get(node as usize).map(|node| node.name.clone());
    match (control.node, control.link) {
        (Some(node), _) => name(node),
        (None, Some(link)) => {
            let link = plan.link(link.0)?;
            Some(format!("{}->{}", name(link.from)?, name(link.to)?))
        }
        (None, None) => control.kafka.then(|| KAFKA.to_owned()),
    }
}
