//! `hopscope runs`.

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use hopscope_scenario::text;
use hopscope_server::store::{RecordingState, RunSummary};

use crate::data::Data;
use crate::exit::Exit;
use crate::figures::whole;
use crate::say::{answer, say, word};

/// Arguments of `hopscope runs`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: Data,
}

/// Lists the runs, the newest first.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let runs = arguments.data.store()?.list()?;
    if runs.is_empty() {
        let folder = arguments.data.folder()?.display().to_string();
        answer(&say(text!("cli.runs.none"), [("folder", folder)]))?;
    } else {
        answer(&table(&runs))?;
    }
    Ok(Exit::Fine)
}

fn table(runs: &[RunSummary]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        word(text!("cli.runs.id")),
        word(text!("cli.runs.when")),
        word(text!("cli.runs.duration")),
        word(text!("cli.runs.events")),
        word(text!("cli.runs.state")),
        word(text!("cli.runs.name")),
    ]);
    for run in runs {
        table.add_row([
            run.id.to_string(),
            run.made_at.clone(),
            run.duration.clone().unwrap_or_else(|| word(text!("duration.until-stopped"))),
            whole(run.events),
            state(run),
            run.name.clone(),
        ]);
    }
    for column in [2, 3] {
        table.column_mut(column).into_iter().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    }
    table.trim_fmt()
}

fn state(run: &RunSummary) -> String {
    let state = match run.state {
        RecordingState::Recording => word(text!("cli.state.recording")),
        RecordingState::Cut => word(text!("cli.state.cut")),
        RecordingState::Ended if run.lost > 0 => say(text!("cli.state.lossy"), [("lost", whole(run.lost))]),
        RecordingState::Ended => word(text!("cli.state.whole")),
    };
    if run.imported_from.is_some() { say(text!("cli.state.imported"), [("state", state)]) } else { state }
}
