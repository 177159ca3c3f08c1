//! `cargo xtask bench NAME`: measures, prints, and never fails on a time.

use anyhow::{Result, bail};

use crate::step::{command, run, step};

/// A bench: its name here, its package, its target.
const BENCHES: [(&str, &str, &str); 4] = [
    ("codec", "hopscope-record", "codec"),
    ("recorder", "hopscope-server", "recorder"),
    ("timing", "hopscope-server", "timing"),
    ("frame", "hopscope-view", "frame"),
];

/// Runs one bench, or says which there are.
///
/// # Errors
/// When there is none of that name, or it does not compile.
pub(crate) fn run_bench(name: &str) -> Result<()> {
    let Some((_, package, target)) = BENCHES.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = BENCHES.iter().map(|(known, ..)| *known).collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    step(&format!("bench {name}"), || {
        // The one native profile again, so that nothing is compiled a second time.
        run(command("cargo").args([
            "bench",
            "--profile",
            "release",
            "--locked",
            "--package",
            package,
            "--bench",
            target,
        ]))
    })
}
