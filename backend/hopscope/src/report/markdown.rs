//! The report as Markdown, for the summary of a job.

use hopscope_record::kind::LinkCount;
use hopscope_report::laws::Law;
use hopscope_report::stats::LinkStats;
use hopscope_scenario::plan::PlanLink;
use hopscope_scenario::text;

use super::lines::{check_line, head, law_line, queue_lines};
use super::{Report, effects};
use crate::figures::{length, or_dash, whole};
use crate::say::word;

/// The report: what it says above its tables, the checks, a table of the links, the laws.
pub(crate) fn markdown(report: &Report) -> String {
    let mut lines = vec![format!("## {}", escaped(report.plan.name())), String::new()];
    lines.extend(head(report).iter().map(|line| format!("{}\n", escaped(line))));
    if !report.checks.is_empty() {
        lines.push(format!("### {}\n", word(text!("cli.checks"))));
        let line = |check| format!("- {}", escaped(&check_line(check)));
        lines.extend(report.checks.iter().map(line));
        lines.push(String::new());
    }
    lines.extend(links(report));
    let effects = effects::notes(report);
    if !effects.is_empty() {
        lines.push(format!("\n### {}\n", word(text!("effects.label"))));
        lines.extend(effects.iter().map(|line| format!("- {}", escaped(line))));
    }
    lines.push(format!("\n### {}\n", word(text!("cli.laws"))));
    for law in &report.laws {
        lines.push(format!("- {}", escaped(&law_line(law))));
        if law.law == Law::TakeLowers {
            lines.extend(report.queues.iter().flat_map(queue_lines).map(|line| format!("  - {}", escaped(&line))));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn links(report: &Report) -> Vec<String> {
    let titles = [
        text!("field.link"),
        text!("cli.figures.sent"),
        text!("cli.figures.completed"),
        text!("cli.figures.confirmed"),
        text!("cli.figures.refused"),
        text!("cli.figures.failed"),
        text!("cli.figures.timed-out"),
        text!("cli.figures.answered.p50"),
        text!("cli.figures.answered.p99"),
    ];
    let mut sides = ["--:"; 9].map(str::to_owned);
    sides[0] = "---".to_owned();
    let mut lines = vec![row(&titles.map(word)), row(&sides)];
    lines.extend(report.links().map(|(link, stats)| row(&cells(report, link, stats))));
    lines
}

fn cells(report: &Report, link: &PlanLink, stats: Option<&LinkStats>) -> [String; 9] {
    let count = |count| whole(stats.map_or(0, |stats| stats.count(count)));
    let answered = stats.map(LinkStats::answered).unwrap_or_default();
    [
        escaped(&format!("{} -> {}", report.node(link.from), report.node(link.to))),
        count(LinkCount::Sent),
        count(LinkCount::Completed),
        count(LinkCount::Confirmed),
        count(LinkCount::Refused),
        count(LinkCount::Failed),
        count(LinkCount::TimedOut),
        or_dash(answered.percentile(50.0), length),
        or_dash(answered.percentile(99.0), length),
    ]
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// A text as it is, whatever it has that Markdown would take for a sign.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>#|~!".contains(c) {
            escaped.push('\\');
        }
        escaped.push(if c == '\n' { ' ' } else { c });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_markdown_are_texts() {
        assert_eq!(escaped("a|b <i> *c*\nd"), "a\\|b \\<i\\> \\*c\\* d");
    }
}
