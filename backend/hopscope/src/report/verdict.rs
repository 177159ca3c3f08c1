//! The verdict on a disturbed run as text for a terminal: how much there is, of how many, and which traces to look at.

use hopscope_report::traces::Named;
use hopscope_report::verdict::{Again, Disturbance, Found, Verdict, on, told as told_beside};
use hopscope_scenario::plan::Plan;
use hopscope_scenario::text;

use crate::figures::{length, whole};
use crate::say::{say, word};

/// Most traces that a line names.
const MOST: usize = 3;

/// The verdict, line by line.
pub(super) fn lines(plan: &Plan, verdict: &Verdict) -> Vec<String> {
    let mut lines = match verdict.normal {
        Some(normal) => {
            vec![say(text!("cli.verdict.usual"), [("p99", time(normal.p99)), ("traces", whole(normal.traces))])]
        }
        None => vec![word(text!("cli.verdict.usual.too-few"))],
    };
    lines.push(say(text!("cli.verdict.before"), counts(&verdict.before)));
    for one in &verdict.disturbances {
        lines.push(head(plan, one));
        lines.push(format!("  {}", say(text!("cli.verdict.found"), counts(&one.found))));
        let (found, named) = (&one.found, |key, named: &Named| told(key, named));
        let examples = [
            named(text!("verdict.unanswered"), &found.unanswered),
            named(text!("verdict.unfinished"), &found.unfinished),
            named(text!("verdict.repeated"), &found.repeated),
            named(text!("verdict.late"), &found.late),
        ];
        lines.extend(examples.into_iter().flatten().map(|line| format!("  {line}")));
        lines.push(format!("  {}", normal(one.normal)));
    }
    lines
}

fn head(plan: &Plan, one: &Disturbance) -> String {
    let beside = [on(plan, &one.control), told_beside(&one.control)].into_iter().flatten();
    let done: Vec<_> = std::iter::once(one.control.action.word().to_owned()).chain(beside).collect();
    let args = [
        ("at", time(one.control.at)),
        ("done", done.join(" ")),
        ("until", one.until.map_or_else(|| "–".to_owned(), time)),
    ];
    say(text!("cli.verdict.disturbance"), args)
}

fn counts(found: &Found) -> [(&'static str, String); 5] {
    [
        ("traces", whole(found.traces)),
        ("unanswered", whole(found.unanswered.count)),
        ("unfinished", whole(found.unfinished.count)),
        ("repeated", whole(found.repeated.count)),
        ("late", whole(found.late.count)),
    ]
}

fn told(key: hopscope_scenario::catalogue::Key, named: &Named) -> Option<String> {
    let traces: Vec<_> = named.traces.iter().take(MOST).map(|trace| format!("{:016x}", trace.0)).collect();
    let more = if named.count > MOST as u64 { " …" } else { "" };
    (!traces.is_empty()).then(|| format!("{}: {}{more}", word(key), traces.join(", ")))
}

fn normal(again: Again) -> String {
    match again {
        Again::Stayed => word(text!("cli.verdict.stayed")),
        Again::After(ns) => say(text!("cli.verdict.after"), [("time", time(ns))]),
        Again::Never => word(text!("cli.verdict.never")),
        Again::TooFew => word(text!("cli.verdict.too-few")),
    }
}

fn time(ns: i64) -> String {
    length(u64::try_from(ns).unwrap_or(0))
}
