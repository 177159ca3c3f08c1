//! The table of kinds as a page for people: docs/stamps.md is what [`render`] gives, and a test
//! keeps the two equal. `cargo run --release -p hopscope-record --example stamps > docs/stamps.md`
//! writes it again.

use crate::kind::{Attempt, Count, KINDS, KindInfo, RANGES, Stamper, Steps, Value, ValueMeaning};
use std::fmt::Write;

const HEAD: &str = "# Stamps

<!-- Made from the table of kinds in common/record. Do not edit: change the table, then run
`cargo run --release -p hopscope-record --example stamps > docs/stamps.md`. -->

What is stamped, by whom, and at which instant. Every event carries its time (ns on the run's one
clock), its kind, place, link, trace, message with attempt, the parent where an attempt or a message
begins, and two values `a` and `b` as told here. A value that is not told is 0.

A closing event whose `a` has bit 63 set is *late*: the attempt was closed before, by `TimedOut` or
`Cancelled`. It counts in no figure of latency and closes nothing a second time.

A *step of a queue* holds its ready copies just before (L1) in the lowest 28 bits, the difference to
those just after (L2) in the next 28 as a zigzag number (0, -1, +1 ... as 0, 1, 2 ...), and the cause
in the highest 8.
";

/// The page, in Markdown.
#[must_use]
pub fn render() -> String {
    let mut out = String::from(HEAD);
    for info in KINDS {
        out.push_str(&section(info));
    }
    out.push_str("\n## Numbers\n\nNumbers of kinds are never reused.\n\n| numbers | for |\n| --- | --- |\n");
    for (first, last, words) in RANGES {
        out.push_str(&format!("| {first} to {last} | {words} |\n"));
    }
    out
}

fn section(info: &KindInfo) -> String {
    let mut out = String::new();
    let mut row = |what: &str, words: &str| {
        if !words.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "| {what} | {words} |");
        }
    };
    row("stamped by", stamper(info.by));
    row("when", info.at);
    row("`a`", &value(info.a));
    row("`b`", &value(info.b));
    row("attempt", attempt(info.attempt));
    row("counts", &counts(info.counts));
    row("levels", &levels(info));
    row("on a synchronous link", info.on_sync);
    row("on an asynchronous link", info.on_async);
    format!("\n## {} ({})\n\n| | |\n| --- | --- |\n{out}", info.name, info.kind.0)
}

const fn stamper(by: Stamper) -> &'static str {
    match by {
        Stamper::Generator => "the client's generator of load",
        Stamper::Caller => "the calling end of the link",
        Stamper::Receiver => "the receiving end of the link",
        Stamper::Queue => "the queue, under its lock",
        Stamper::Run => "the run",
    }
}

fn value(value: Value) -> String {
    let unit = match value.meaning {
        ValueMeaning::None => return String::new(),
        ValueMeaning::TimeNs => "a time, ns on the run's clock",
        ValueMeaning::DurationNs => "a length of time, ns",
        ValueMeaning::Status => "a status of the protocol",
        ValueMeaning::Bytes => "a number of bytes",
        ValueMeaning::NameIndex => "a row of the run's names + 1, or 0 for none",
        ValueMeaning::Phase => "a phase",
        ValueMeaning::Admission => "an admission",
        ValueMeaning::Outcome => "an outcome",
        ValueMeaning::NotSentReason | ValueMeaning::DisconnectReason => "a reason",
        ValueMeaning::NextAttempt => "the number of an attempt",
        ValueMeaning::Marks => "marks",
        ValueMeaning::Ordinal => "a number",
        ValueMeaning::QueueStep => "a step of a queue",
        ValueMeaning::DepthReport => "two numbers of 32 bits",
        ValueMeaning::ControlAction => "an action",
        ValueMeaning::ControlArgument => "a number",
        ValueMeaning::QueueName => "a row of the run's names + 1",
        ValueMeaning::Deaths => "a number and a cause",
        ValueMeaning::Effect => "a number and a mark",
        ValueMeaning::Amount => "a signed number",
        ValueMeaning::Position => "an offset in the lowest 48 bits, a partition + 1 in the highest 16, or 0 for none",
        ValueMeaning::Offset => "an offset",
        ValueMeaning::Member => "the ordinal of a replica",
        ValueMeaning::Records => "a number of records",
        ValueMeaning::LagReport => "two numbers of 32 bits",
    };
    format!("{} ({unit})", value.words)
}

const fn attempt(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::None => "",
        Attempt::Opens => "opens it",
        Attempt::Closes => "closes it, unless late",
    }
}

fn counts(counts: Count) -> String {
    match counts {
        Count::None => String::new(),
        Count::Link(count) => format!("{count:?}, at the link"),
        Count::Place(count) => format!("{count:?}, at the place"),
    }
}

fn levels(info: &KindInfo) -> String {
    let Steps { waiting, busy, ready, unacked, .. } = info.steps;
    let steps = [("waiting", waiting), ("busy", busy), ("ready", ready), ("unacked", unacked)];
    let taken: Vec<_> =
        steps.iter().filter(|(_, step)| *step != 0).map(|(level, step)| format!("{level} {step:+}")).collect();
    let condition = match info.steps.only_if_a {
        Some(a) if !taken.is_empty() => format!(", only if `a` is {a}"),
        _ => String::new(),
    };
    let emptied = info.steps.empties.then(|| "waiting and busy become 0".to_owned());
    taken.into_iter().chain(emptied).collect::<Vec<_>>().join(", ") + &condition
}
