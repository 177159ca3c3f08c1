//! Processes that are killed in the middle of a run.

use std::time::Duration;

use anyhow::Result;
use hopscope_tests::kills::{Killed, Left, kill};

use crate::ms;

/// Kills in a row, of each command.
const KILLS: u64 = 10;

/// Ten kills of each command, by turns and in one folder.
pub(crate) async fn kills() -> Result<()> {
    let mut data = tempfile::tempdir()?;
    println!("| kill | killed | after | events kept | last event is behind by | complete up to |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut worst = Duration::ZERO;
    for turn in 0..KILLS {
        for what in [Killed::Server, Killed::Run] {
            // Somewhere between two frames, another place each time.
            let after = Duration::from_millis((turn * 37 + 11) % 100);
            let (folder, left) = kill(what, data, after).await?;
            data = folder;
            worst = worst.max(left.complete_to).max(left.last_event);
            println!("{}", row(turn + 1, what, &left));
        }
    }
    println!("\nThe worst: {}. All {} runs are listed as cut, read, exported and judged.", ms(worst), KILLS * 2);
    Ok(())
}

fn row(turn: u64, what: Killed, left: &Left) -> String {
    let Left { events, ran, last_event, complete_to, .. } = left;
    let command = what.command();
    let (last, complete) = (ms(*last_event), ms(*complete_to));
    format!("| {turn} | `{command}` | {:.2} s | {events} | {last} | {complete} before |", ran.as_secs_f64())
}
