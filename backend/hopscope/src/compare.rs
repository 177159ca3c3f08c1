//! `hopscope compare`.

use anyhow::{Context, Result};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use hopscope_report::compare::{Change, Compared, Limit, Verdict, compare, document, worded};
use hopscope_scenario::differences::{Difference, differences};
use hopscope_scenario::text;
use hopscope_server::store::RunId;

use crate::data::Data;
use crate::exit::Exit;
use crate::report::Report;
use crate::say::{answer, say, word};

/// What stands below a heading.
const INDENT: &str = "  ";

/// Arguments of `hopscope compare`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run that is compared with, by its id
    #[arg(value_name = "BEFORE")]
    before: RunId,

    /// The run that is compared, by its id
    #[arg(value_name = "AFTER")]
    after: RunId,

    /// A change that fails, like "answered.p99 > +10%" or "buyers->shop: throughput < -5%"; may be given again
    #[arg(long, value_name = "CHANGE", value_parser = limit)]
    fail_if: Vec<Asked>,

    /// Print the comparison as JSON; what was asked of changes is told by the exit code alone
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: Data,
}

/// A limit, and how it was typed.
#[derive(Clone)]
struct Asked {
    text: String,
    limit: Limit,
}

fn limit(text: &str) -> Result<Asked, String> {
    let limit = Limit::parse(text).ok_or_else(|| word(text!("cli.compare.limit")))?;
    Ok(Asked { text: text.to_owned(), limit })
}

/// Tells by how much the figures of a run differ from those of another.
///
/// # Errors
/// When one of them is not there or cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let (before, after) = (read(arguments, &arguments.before)?, read(arguments, &arguments.after)?);
    let compared = compare((&before.plan, &before.stats), (&after.plan, &after.stats));
    let judged: Vec<_> = arguments.fail_if.iter().map(|asked| judge(asked, &before, &compared)).collect();
    let failed = judged.iter().any(|(_, failed)| *failed);
    let exit = if failed { Exit::CheckFailed } else { Exit::Fine };
    if arguments.json {
        let document = document((&before.plan, &before.stats), (&after.plan, &after.stats));
        answer(&serde_json::to_string_pretty(&document)?)?;
        return Ok(exit);
    }
    let mut lines = scenario_lines(&before, &after);
    lines.push(table(&compared).trim_fmt());
    if !judged.is_empty() {
        lines.extend([String::new(), word(text!("cli.checks"))]);
        lines.extend(judged.iter().flat_map(|(lines, _)| lines.iter().map(|line| format!("{INDENT}{line}"))));
    }
    answer(&lines.join("\n"))?;
    Ok(exit)
}

fn read(arguments: &Arguments, id: &RunId) -> Result<Report> {
    let (mut file, bytes) = arguments.data.store()?.file(id).map_err(|error| arguments.data.explain(id, error))?;
    Report::read(&mut file, bytes).with_context(|| say(text!("cli.compare.unread"), [("id", id.to_string())]))
}

/// What is not the same about what ran.
fn scenario_lines(before: &Report, after: &Report) -> Vec<String> {
    let found = differences(&before.plan, &after.plan);
    if found.is_empty() {
        return vec![word(text!("cli.compare.same")), String::new()];
    }
    let line = |difference: Difference| {
        let [before, after] = [&difference.before, &difference.after].map(|value| value.as_deref().unwrap_or("–"));
        format!("{INDENT}{}: {before} → {after}", difference.subject())
    };
    let heading = word(text!("cli.compare.differences"));
    std::iter::once(heading).chain(found.into_iter().map(line)).chain([String::new()]).collect()
}

fn table(compared: &[Compared]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let heads = [
        text!("cli.compare.of"),
        text!("cli.compare.figure"),
        text!("cli.compare.before"),
        text!("cli.compare.after"),
        text!("cli.compare.change"),
        text!("cli.compare.interval"),
    ];
    table.set_header(heads.map(word));
    for row in compared {
        table.add_row([
            row.on.as_ref().map_or_else(|| word(text!("checks.of-run")), |link| link.name.clone()),
            row.metric.id().to_owned(),
            worded(row.metric, row.before),
            worded(row.metric, row.after),
            row.change.map(Change::words).unwrap_or_default(),
            row.change.map(Change::interval).unwrap_or_default(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What is said of a limit, and whether it fails. One that nothing was found for does.
fn judge(asked: &Asked, before: &Report, compared: &[Compared]) -> (Vec<String>, bool) {
    let text = || ("check", asked.text.clone());
    let on = compared.iter().filter(|compared| asked.limit.is_on(&before.plan, compared));
    let judged: Vec<_> = on.filter_map(|compared| Some((compared, compared.change?))).collect();
    if judged.is_empty() {
        return (vec![say(text!("cli.check.nothing"), [text()])], true);
    }
    let line = |(row, change): &(&Compared, Change)| {
        let key = match asked.limit.judge(*change) {
            Verdict::Failed => text!("cli.check.failed"),
            Verdict::Passed => text!("cli.check.passed"),
            Verdict::Undecided => text!("cli.compare.undecided"),
        };
        let of = row.on.as_ref().map_or_else(String::new, |link| format!("{}, ", link.name));
        say(key, [text(), ("found", format!("{of}{}, {}", change.words(), change.interval()))])
    };
    let failed = judged.iter().any(|(_, change)| asked.limit.judge(*change) == Verdict::Failed);
    (judged.iter().map(line).collect(), failed)
}
