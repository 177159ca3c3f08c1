//! The laws of the recording: in view as chips, and in full as a table.

mod checks;
mod chips;
mod effects;
mod table;

pub(crate) use chips::LawChips;
pub(crate) use table::LawTable;

use hopscope_report::laws::{Law, LawReport};
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::judge::Verdict;

use crate::ui::text::{t, t_with};

/// The laws that stand by themselves: a reply is received after its request was sent; a take lowers a queue by one.
pub(crate) const CHIEFS: [Law; 2] = [Law::ReplyAfterRequest, Law::TakeLowers];

/// What may be said of a law.
struct Told {
    /// How many hold it, of how many that were checked.
    figure: String,
    /// The verdict.
    words: String,
    /// The verdict's name, for style sheet and tests.
    name: &'static str,
}

/// What may be said of a law now; nothing while frames are missing, since every count would be too small.
fn told(report: &LawReport, waits: bool) -> Told {
    let verdict = Verdict::of(report);
    if waits {
        return Told { figure: "–".to_owned(), words: t(text!("laws.waits")), name: "waits" };
    }
    Told { figure: figure(report), words: words(verdict), name: verdict.name() }
}

/// A verdict in words.
fn words(verdict: Verdict) -> String {
    t(match verdict {
        Verdict::Held => text!("laws.verdict.held"),
        Verdict::Broken => text!("laws.verdict.broken"),
        Verdict::Undecided => text!("laws.verdict.undecided"),
        Verdict::Empty => text!("laws.verdict.empty"),
        Verdict::NotApplicable => text!("laws.verdict.not-applicable"),
    })
}

/// How many hold the law, of how many that were checked.
fn figure(report: &LawReport) -> String {
    let (held, checked) = (format::whole(report.held), format::whole(report.checked()));
    t_with(text!("laws.figure"), &[("held", &held), ("checked", &checked)])
}
