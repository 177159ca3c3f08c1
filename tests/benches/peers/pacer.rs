//! How far from its schedule a load is.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Kind;
use hopscope_scenario::plan::Placement;
use serde_json::json;
use tokio::process::Command;

use crate::run::{Run, times};

/// Per second, beside another.
const RATE: u64 = 1_000;
/// Per second, within one process.
const HIGH: u64 = 50_000;
const SECONDS: u64 = 10;
/// Left out at the beginning of each: connections are opened then.
const WARM: usize = 1_000;
/// Turns of each.
const TURNS: usize = 3;

/// Measures, and prints.
pub(crate) async fn measure() -> Result<()> {
    println!("{RATE}/s over HTTP/1.1 for {SECONDS} s, off the schedule in us: p50, p90, p99");
    for _ in 0..TURNS {
        let load = json!({"kind": "constant", "rate": format!("{RATE}/s")});
        let run = Run::start("http1", Some(load), Placement::Processes, SECONDS).await?;
        let events = run.join().await?;
        let intended = events.iter().filter(|event| event.kind == Kind::INTENDED);
        let own = print("a run, its own stamps", intended.map(|event| event.time - event.a as i64).collect());
        print("a run, as it arrives", off_grid(&times(&events, Kind::RECEIVED))?);
        let run = Run::start("http1", None, Placement::Processes, SECONDS + 2).await?;
        let mut oha = Command::new("oha");
        oha.args(["--no-tui", "-m", "POST", "-c", "16", "-q", &RATE.to_string(), "-z", &format!("{SECONDS}s")]);
        oha.arg(format!("http://{}/", run.service()?)).stdin(Stdio::null()).stdout(Stdio::null());
        let ended = oha.status().await.context("cannot start oha; `cargo xtask bench peers` installs it")?;
        ensure!(ended.success(), "oha ended with {ended}");
        let (events, _) = run.end().await?;
        // Those of the run's own client, one a second, have a sender that stamped them.
        let own_sent: std::collections::HashSet<_> =
            events.iter().filter(|event| event.kind == Kind::SENT).map(|event| event.message).collect();
        let mut arrived: Vec<_> = events
            .iter()
            .filter(|event| event.kind == Kind::RECEIVED && !own_sent.contains(&event.message))
            .map(|event| event.time)
            .collect();
        arrived.sort_unstable();
        let theirs = print("oha, as it arrives", off_grid(&arrived)?);
        println!("  the run's own is {:.3} of oha's at p50; wanted: at most 0.05", own / theirs);
    }
    println!("{HIGH}/s within one process for {SECONDS} s");
    for _ in 0..TURNS {
        let load = json!({"kind": "constant", "rate": format!("{HIGH}/s"), "in_flight": 10_000});
        let events = Run::start("in-process", Some(load), Placement::Tasks, SECONDS).await?.join().await?;
        let (wanted, done) = (times(&events, Kind::INTENDED).len(), times(&events, Kind::COMPLETED).len());
        println!("  {wanted} intended, {done} completed");
        let intended = events.iter().filter(|event| event.kind == Kind::INTENDED);
        print("its own stamps", intended.map(|event| event.time - event.a as i64).collect());
    }
    Ok(())
}

/// How much later than a grid of [`RATE`] each of these times is, ns, where the grid lies so that the earliest is on time.
fn off_grid(times: &[i64]) -> Result<Vec<i64>> {
    let apart = 1_000_000_000 / RATE as i64;
    let times = times.get(WARM..).context("hardly any arrived")?;
    let late: Vec<i64> = times.iter().zip(0..).map(|(time, n)| time - n * apart).collect();
    let earliest = late.iter().min().context("none arrived")?;
    Ok(late.iter().map(|late| late - earliest).collect())
}

/// Prints a row in us; gives its p50.
fn print(what: &str, mut late: Vec<i64>) -> f64 {
    late.sort_unstable();
    let at = |share: usize| late.get(late.len() * share / 1_000).map_or(f64::NAN, |ns| *ns as f64 / 1e3);
    println!("  {what:<28}{:>8}{:>10.1}{:>10.1}{:>10.1}", late.len(), at(500), at(900), at(990));
    at(500)
}
