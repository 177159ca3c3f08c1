//! What takes too long for a test, by name (`cargo xtask soak NAME`): it fails where something is lost or damaged, and prints figures.

#![allow(clippy::print_stdout, reason = "what a soak has to say")]

mod kills;
mod long;
mod protocols;
mod readers;

use std::time::Duration;

use anyhow::{Result, bail};

#[tokio::main]
async fn main() -> Result<()> {
    // Cargo has a word of its own for benches.
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match words.first().map(String::as_str) {
        Some("kills") => kills::kills().await,
        Some("ten-million") => long::ten_million().await,
        Some("readers") => readers::readers().await,
        Some("protocols") => protocols::protocols(words.get(1)).await,
        _ => bail!("name one of: kills, protocols, readers, ten-million"),
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
