//! `cargo xtask bench NAME`: measures, prints, and never fails on a time.

use anyhow::{Result, bail};

use crate::step::{command, run, step};
use crate::tools::{Purpose, Tools};

/// A bench: its name here, its package, its target.
const BENCHES: [(&str, &str, &str); 4] = [
    ("codec", "hopscope-record", "codec"),
    ("recorder", "hopscope-server", "recorder"),
    ("timing", "hopscope-server", "timing"),
    ("frame", "hopscope-view", "frame"),
];

/// The bench that counts bytes: the page's first load, built first where it is out of date.
const SIZE: &str = "size";

/// Runs one bench, or says which there are.
///
/// # Errors
/// When there is none of that name, it does not compile, or the first load is over its limit.
pub(crate) fn run_bench(tools: &Tools, name: &str, parts: &[String]) -> Result<()> {
    if name == SIZE {
        tools.ensure(&[Purpose::Page])?;
        crate::page::build(tools)?;
        return step("the page's first load", crate::load::check);
    }
    let Some((_, package, target)) = BENCHES.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = BENCHES.iter().map(|(known, ..)| *known).chain([SIZE]).collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    step(&format!("bench {name}"), || {
        // The one native profile again, so that nothing is compiled a second time.
        run(command("cargo")
            .args(["bench", "--profile", "release", "--locked", "--package", package, "--bench", target, "--"])
            .args(parts))
    })
}
