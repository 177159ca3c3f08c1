//! The programs in Rust that the page offers, compiled into this one by `build.rs`.

use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};

/// Where the one that runs is to send to: address and name.
static WHERE: Mutex<(String, String)> = Mutex::new((String::new(), String::new()));

/// A program's text with that in it.
fn filled(text: &str) -> &'static str {
    let told = WHERE.lock().map(|told| told.clone()).unwrap_or_default();
    text.replace("{address}", &told.0).replace("{name}", &told.1).leak()
}

/// What became of a program; empty where it is as it should be.
fn told(result: impl Ending) -> String {
    result.fault()
}

/// What a `main` gives.
trait Ending {
    /// What is wrong; empty where nothing is.
    fn fault(self) -> String;
}

impl Ending for () {
    fn fault(self) -> String {
        String::new()
    }
}

impl<E: std::fmt::Display> Ending for Result<(), E> {
    fn fault(self) -> String {
        self.err().map(|error| error.to_string()).unwrap_or_default()
    }
}

/// Compiled as they are, not as we write.
#[allow(clippy::all, clippy::expect_used, clippy::print_stdout, reason = "they are made to be read in the page")]
mod offered {
    use super::{filled, told};
    include!(concat!(env!("OUT_DIR"), "/snippets.rs"));
    pub(super) const ALL: &[(&str, fn() -> String)] = PROGRAMS;
}

/// Runs the one of this key.
///
/// # Errors
/// When it fails.
pub(crate) async fn run(key: &str, address: &str, name: &str) -> Result<()> {
    let (_, program) = offered::ALL.iter().find(|(known, _)| *known == key).context("it is not compiled")?;
    *WHERE.lock().map_err(|_| anyhow::anyhow!("one before it ended badly"))? = (address.to_owned(), name.to_owned());
    // Each has a runtime of its own, which may not start in ours.
    let program = *program;
    let fault = tokio::task::spawn_blocking(program).await?;
    ensure!(fault.is_empty(), "{fault}");
    Ok(())
}
