//! What takes too long for a test, by name (`cargo xtask soak NAME`): it fails where something is lost or damaged, and prints figures.

#![allow(clippy::print_stdout, reason = "what a soak has to say")]

use std::time::Duration;

use anyhow::{Result, bail};
use hopscope_tests::kills::{Killed, Left, kill};

/// Kills in a row, of each command.
const KILLS: u64 = 10;

#[tokio::main]
async fn main() -> Result<()> {
    // Cargo has a word of its own for benches.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match names.first().map(String::as_str) {
        Some("kills") => kills().await,
        _ => bail!("name one of: kills"),
    }
}

/// Ten kills of each command, by turns and in one folder.
async fn kills() -> Result<()> {
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

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
