//! The report as text for a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use hopscope_record::frame::EndReason;
use hopscope_record::kind::LinkCount;
use hopscope_report::checks::{CheckReport, Found};
use hopscope_report::laws::{Breach, Law, LawReport, MOST_BREACHES, QueueReport};
use hopscope_report::stats::{Latency, LinkStats, Offer};
use hopscope_report::traces::TraceRow;
use hopscope_scenario::catalogue::{Key, plain};
use hopscope_scenario::plan::{Passage, PlanLink};
use hopscope_scenario::shape::MAX_DURATION;
use hopscope_scenario::text;

use super::{Report, effects};
use crate::figures::{length, or_dash, rate, whole};
use crate::say::{LANGUAGE, say, word};

/// What stands below a heading.
pub(super) const INDENT: &str = "  ";

/// The report, line by line (a table is one item of several lines).
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines = head(report);
    for (link, stats) in report.links() {
        lines.push(String::new());
        lines.extend(link_lines(report, link, stats));
    }
    lines.extend([String::new()]);
    lines.extend(whole_traces(report));
    let effects = effects::lines(report);
    if !effects.is_empty() {
        lines.extend([String::new(), word(text!("effects.label"))]);
        lines.extend(effects);
    }
    if let Some(verdict) = &report.verdict {
        lines.extend([String::new(), word(text!("cli.verdict"))]);
        lines.extend(super::verdict::lines(&report.plan, verdict).into_iter().map(|line| format!("{INDENT}{line}")));
    }
    if !report.checks.is_empty() {
        lines.extend([String::new(), word(text!("cli.checks"))]);
        lines.extend(report.checks.iter().map(|check| format!("{INDENT}{}", check_line(check))));
    }
    lines.extend([String::new(), word(text!("cli.laws"))]);
    for row in &report.laws {
        lines.extend(law(row));
        if row.law == Law::TakeLowers {
            let queues = report.queues.iter().flat_map(queue_lines);
            lines.extend(queues.map(|line| format!("{INDENT}{INDENT}{line}")));
        }
    }
    lines.push(String::new());
    lines
}

pub(super) fn head(report: &Report) -> Vec<String> {
    let settings = &report.plan.settings;
    let duration = settings.duration.map_or_else(|| word(text!("duration.until-stopped")), |time| time.to_string());
    let mut lines = vec![say(
        text!("cli.report.run"),
        [
            ("id", report.id.clone()),
            ("name", report.plan.name().to_owned()),
            ("duration", duration.clone()),
            ("seed", settings.seed.to_string()),
            ("events", whole(report.events)),
        ],
    )];
    if report.plan.has_queues() {
        lines.push(say(text!("cli.report.broker"), [("broker", report.broker())]));
    }
    if let Some(kafka) = report.kafka() {
        lines.push(say(text!("cli.report.kafka"), [("broker", kafka)]));
    }
    if settings.warm_up.0 > 0 {
        lines.push(say(text!("cli.report.warm-up"), [("time", settings.warm_up.to_string())]));
    }
    let time = || ("time", or_dash(report.measured_ns(), length));
    if report.reason == Some(EndReason::STOPPED) {
        let key =
            if settings.duration.is_some() { text!("cli.report.stopped") } else { text!("cli.report.stopped.endless") };
        lines.push(say(key, [time(), ("duration", duration)]));
    }
    if let Some(detail) = &report.detail {
        let offered = settings.duration.unwrap_or(MAX_DURATION).to_string();
        lines.push(say(text!("cli.report.early"), [time(), ("duration", offered), ("reason", detail.clone())]));
    }
    if report.reason.is_none() {
        lines.push(word(text!("cli.report.cut")));
    }
    if report.lost > 0 {
        lines.push(say(text!("cli.report.lost"), [("count", whole(report.lost))]));
    }
    if report.surroundings.samples > 0 {
        lines.push(say(text!("surroundings.worst"), report.surroundings.words()));
        lines.extend(report.surroundings.clock_words().map(|words| say(text!("surroundings.clocks"), words)));
    }
    lines.extend(report.schedules.iter().filter_map(|kept| Some(behind(report.node(kept.node), kept.missed?))));
    lines
}

/// What is told of traces as wholes: how long they took to their end, and what was lost or done twice.
fn whole_traces(report: &Report) -> [String; 2] {
    let (traces, finished) = (report.stats.traces(), report.stats.traces().finished());
    let at = |percent| or_dash(finished.percentile(percent), length);
    let times = [
        ("count", whole(finished.count())),
        ("p50", at(50.0)),
        ("p99", at(99.0)),
        ("max", or_dash(finished.max(), length)),
        ("drain", or_dash(report.stats.drain(), length)),
    ];
    let counts = [
        ("sent", whole(traces.count(|row| !row.not_sent))),
        ("unanswered", whole(traces.count(TraceRow::is_unanswered))),
        ("unfinished", whole(traces.count(TraceRow::is_unfinished))),
        ("repeated", whole(traces.count(TraceRow::is_repeated))),
    ];
    [say(text!("cli.traces.finished"), times), say(text!("cli.traces.lost"), counts)]
}

fn behind(node: &str, missed: Offer) -> String {
    let [reached, wanted] = [missed.reached_per_second(), missed.wanted_per_second()].map(|per_s| or_dash(per_s, rate));
    let args = [("node", node.to_owned()), ("reached", reached), ("wanted", wanted)];
    say(text!("run.behind"), args)
}

fn link_lines(report: &Report, link: &PlanLink, stats: Option<&LinkStats>) -> Vec<String> {
    let title = [
        ("from", report.node(link.from).to_owned()),
        ("to", report.node(link.to).to_owned()),
        ("protocol", word(link.protocol.descriptor().label)),
    ];
    let mut lines = vec![say(text!("cli.figures.link"), title)];
    let intended = stats.map_or(0, |stats| stats.count(LinkCount::Intended));
    if intended > 0 {
        let not_sent = stats.map_or(0, |stats| stats.count(LinkCount::NotSent));
        let args = [("intended", whole(intended)), ("not_sent", whole(not_sent))];
        lines.push(format!("{INDENT}{}", say(text!("cli.figures.wanted"), args)));
    }
    let told = Told::of(report.plan.passage(link), link);
    lines.push(indented(&counts(told, stats).trim_fmt()));
    if told != Told::Delivered {
        lines.push(indented(&latencies(told, stats).trim_fmt()));
    }
    if !matches!(told, Told::Called | Told::Requested) {
        return lines;
    }
    let completed = stats.map_or(0, |stats| stats.completed_in_phase);
    let throughput = [
        ("rate", or_dash(report.stats.span().and_then(|span| span.per_second(completed)), rate)),
        ("count", whole(completed)),
        ("time", or_dash(report.measured_ns(), length)),
    ];
    lines.push(format!("{INDENT}{}", say(text!("cli.figures.throughput"), throughput)));
    lines
}

/// What a link's attempts are, and so what is told of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Calls: closed by their reply.
    Called,
    /// Messages that nobody answers: closed when they are handed over.
    HandedOver,
    /// Publishes whose reply is awaited: closed by that.
    Requested,
    /// Other publishes: closed by the broker's confirm.
    Published,
    /// Deliveries from a queue: settled.
    Delivered,
}

impl Told {
    fn of(passage: Passage, link: &PlanLink) -> Self {
        match passage {
            Passage::Call => Self::Called,
            Passage::Send => Self::HandedOver,
            Passage::Publish if link.replies.is_some() => Self::Requested,
            Passage::Publish => Self::Published,
            Passage::Deliver | Passage::Bind => Self::Delivered,
        }
    }
}

/// Each sum is that of its parts: sent = completed (confirmed or handed over, where no reply is awaited) + refused + failed + timed out +
/// given up + open; delivered = acked + rejected + given back + open.
fn counts(told: Told, stats: Option<&LinkStats>) -> Table {
    let count = |count| stats.map_or(0, |stats| stats.count(count));
    let open = (text!("cli.figures.open"), stats.map_or(0, |stats| stats.open));
    let columns = if told == Told::Delivered {
        vec![
            (text!("cli.figures.delivered"), stats.map_or(0, LinkStats::delivered)),
            (text!("cli.figures.acked"), count(LinkCount::Acked)),
            (text!("cli.figures.nacked"), count(LinkCount::Nacked)),
            (text!("cli.figures.requeued"), count(LinkCount::Requeued)),
            open,
        ]
    } else {
        let good = match told {
            Told::HandedOver => (text!("cli.figures.handed-over"), count(LinkCount::HandedOver)),
            Told::Published => (text!("cli.figures.confirmed"), count(LinkCount::Confirmed)),
            _ => (text!("cli.figures.completed"), count(LinkCount::Completed)),
        };
        vec![
            (text!("cli.figures.sent"), count(LinkCount::Sent)),
            good,
            (text!("cli.figures.refused"), count(LinkCount::Refused)),
            (text!("cli.figures.failed"), count(LinkCount::Failed)),
            (text!("cli.figures.timed-out"), count(LinkCount::TimedOut)),
            (text!("cli.figures.cancelled"), count(LinkCount::Cancelled)),
            open,
            (text!("cli.figures.retried"), count(LinkCount::Retried)),
            (text!("cli.figures.late"), stats.map_or(0, |stats| stats.late)),
        ]
    };
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(columns.iter().map(|(name, _)| word(*name)));
    table.add_row(columns.iter().map(|(_, count)| whole(*count)));
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn latencies(told: Told, stats: Option<&LinkStats>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(
        [
            text!("cli.figures.took"),
            text!("cli.figures.count"),
            text!("cli.figures.p50"),
            text!("cli.figures.p90"),
            text!("cli.figures.p99"),
            text!("cli.figures.max"),
        ]
        .map(word),
    );
    let answered = (text!("cli.figures.answered"), stats.map(LinkStats::answered));
    let completed = (text!("cli.figures.completed.latency"), stats.map(|stats| stats.completed.clone()));
    let confirmed = (text!("cli.figures.confirmed.latency"), stats.map(|stats| stats.confirmed.clone()));
    let rows = match told {
        Told::Called => vec![answered, completed],
        Told::HandedOver => vec![answered],
        Told::Requested => vec![answered, completed, confirmed],
        Told::Published | Told::Delivered => vec![confirmed],
    };
    for (name, latency) in rows {
        table.add_row(latency_row(name, &latency.unwrap_or_default()));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn latency_row(name: Key, latency: &Latency) -> [String; 6] {
    let percentile = |percent| or_dash(latency.percentile(percent), length);
    [
        word(name),
        whole(latency.count()),
        percentile(50.0),
        percentile(90.0),
        percentile(99.0),
        or_dash(latency.max(), length),
    ]
}

/// What came of a law, in one line.
pub(super) fn law_line(report: &LawReport) -> String {
    let args = [
        ("name", word(report.law.name())),
        ("held", whole(report.held)),
        ("checked", whole(report.checked())),
        ("broken", whole(report.broken)),
        ("undecided", whole(report.undecided)),
        ("reason", report.not_applicable.map(word).unwrap_or_default()),
    ];
    say(verdict(report), args)
}

fn law(report: &LawReport) -> Vec<String> {
    let mut lines = vec![format!("{INDENT}{}", law_line(report))];
    lines.push(format!("{INDENT}{INDENT}{}", word(report.law.statement())));
    lines.extend(report.breaches.iter().map(|breach| format!("{INDENT}{INDENT}{}", breach_line(breach))));
    // Some laws count by more than one a breach; only a full list leaves breaches out.
    if report.breaches.len() >= MOST_BREACHES {
        let more = report.broken.saturating_sub(MOST_BREACHES as u64);
        lines.push(format!("{INDENT}{INDENT}{}", say(text!("cli.law.more"), [("count", whole(more))])));
    }
    lines
}

/// What came of L2 = L1 - 1 at one queue, by what it was checked, and what of it nobody came to.
pub(super) fn queue_lines(queue: &QueueReport) -> impl Iterator<Item = String> {
    let key = match (queue.stamped, queue.bounded && queue.checked() > 0) {
        (true, _) => text!("cli.law.queue.stamped"),
        (_, true) => text!("cli.law.queue.bounded"),
        _ if queue.log && queue.checked() > 0 => text!("cli.law.queue.log"),
        _ => text!("cli.law.queue.unchecked"),
    };
    let name = || ("queue", queue.name.clone());
    let held = say(key, [name(), ("held", whole(queue.held)), ("checked", whole(queue.checked()))]);
    let removed = || say(text!("cli.law.queue.removed"), [name(), ("count", whole(queue.removed))]);
    std::iter::once(held).chain((queue.removed > 0).then(removed))
}

/// What came of a check.
pub(super) fn check_line(report: &CheckReport) -> String {
    let key = match report.found {
        Found::Figure(_) if report.passed() => text!("cli.check.passed"),
        Found::Figure(_) => text!("cli.check.failed"),
        Found::Nothing => text!("cli.check.nothing"),
        Found::NoSubject => text!("cli.check.no-subject"),
    };
    say(key, [("check", report.line()), ("found", report.figure().unwrap_or_default())])
}

fn verdict(report: &LawReport) -> Key {
    match report {
        LawReport { not_applicable: Some(_), .. } => text!("cli.law.not-applicable"),
        LawReport { broken: 1.., .. } => text!("cli.law.broken"),
        LawReport { held: 1.., undecided: 0, .. } => text!("cli.law.held"),
        LawReport { held: 1.., .. } => text!("cli.law.held-in-part"),
        LawReport { undecided: 1.., .. } => text!("cli.law.undecided"),
        _ => text!("cli.law.nothing"),
    }
}

pub(super) fn breach_line(breach: &Breach) -> String {
    let key = match (breach.trace.is_none(), breach.message.is_none()) {
        (false, _) => text!("cli.law.breach"),
        (true, false) => text!("cli.law.breach.message"),
        (true, true) => text!("cli.law.breach.nowhere"),
    };
    let args = [
        ("trace", format!("{:016x}", breach.trace.0)),
        ("message", or_dash((!breach.message.is_none()).then_some(breach.message), |id| format!("{:016x}", id.0))),
        ("text", plain(LANGUAGE, breach.text, &breach.args)),
    ];
    say(key, args)
}

pub(super) fn indented(table: &str) -> String {
    // Every cell begins with a space of its own.
    table.lines().map(|line| format!(" {line}")).collect::<Vec<_>>().join("\n")
}
