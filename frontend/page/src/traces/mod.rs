//! Traces: the list of all, and one in full.

mod detail;
mod list;

pub(crate) use detail::TraceDetail;
pub(crate) use list::TraceList;

use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::buffer::Outcome;

/// How an outcome is called.
fn outcome_label(outcome: Outcome) -> Key {
    match outcome {
        Outcome::Open => text!("outcome.open"),
        Outcome::Answered => text!("outcome.answered"),
        Outcome::Failed => text!("outcome.failed"),
        Outcome::TimedOut => text!("outcome.timed-out"),
        Outcome::Refused => text!("outcome.refused"),
        Outcome::Cancelled => text!("outcome.cancelled"),
        Outcome::NotSent => text!("outcome.not-sent"),
        Outcome::Outside => text!("outcome.outside"),
    }
}

/// For the style sheet.
fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "good",
        Outcome::Open | Outcome::Outside => "open",
        _ => "bad",
    }
}
