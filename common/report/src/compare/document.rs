//! A comparison as JSON: what ran differently, every figure of both with its change, and how the answers spread.

use hopscope_scenario::differences::differences;
use hopscope_scenario::plan::Plan;
use serde_json::{Value, json};

use super::{Change, Compared, compare, worded};
use crate::stats::{Latency, Stats};

/// Steps of a spread: each is half a percent of the answers.
const STEPS: u32 = 200;

/// The document. A number without bounds is null in it, as JSON has none.
#[must_use]
pub fn document(before: (&Plan, &Stats), after: (&Plan, &Stats)) -> Value {
    let differences = differences(before.0, after.0).into_iter().map(|difference| {
        json!({
            "of": difference.of, "field": difference.field, "before": difference.before, "after": difference.after,
        })
    });
    json!({
        "differences": differences.collect::<Vec<_>>(),
        "figures": compare(before, after).iter().map(figure).collect::<Vec<_>>(),
        "spreads": {"before": spread(&before.1.answered()), "after": spread(&after.1.answered())},
    })
}

fn figure(row: &Compared) -> Value {
    json!({
        "on": row.on.as_ref().map(|subject| &subject.name),
        "metric": row.metric.id(),
        "before": row.before,
        "after": row.after,
        "before_words": worded(row.metric, row.before),
        "after_words": worded(row.metric, row.after),
        "change": row.change.map(change),
    })
}

fn change(change: Change) -> Value {
    json!({
        "by": change.by, "from": change.from, "to": change.to,
        "words": change.words(), "interval": change.interval(),
        // An interval that has no change in it is no chance.
        "sure": change.from > 0.0 || change.to < 0.0,
    })
}

/// The times that half a percent of the answers and so on came within, in ns, from the least on; empty without answers.
fn spread(answered: &Latency) -> Vec<u64> {
    let at = |step: u32| match step {
        0 => answered.min(),
        step => answered.percentile(f64::from(step) / f64::from(STEPS) * 100.0),
    };
    (0..=STEPS).filter_map(at).collect()
}
