//! What a group does when a member of it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::Counted;
use hopscope_record::{Event, Kind, LinkIndex};
use hopscope_scenario::plan::Plan;
use hopscope_server::broker::Brokers;
use hopscope_tests::command::Running;
use hopscope_tests::process::Process;
use hopscope_tests::recording::{Recorded, recording_in};
use hopscope_tests::runs::has_kafka;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{LOOK, document, many, positions, ran};

/// How long a member is held, ns of the run: all that others had begun before has ended then.
const HELD_NS: i64 = 1_000_000_000;

/// A member that is down gives its partitions to the others, and gets some again when it is there again: none of the records is
/// lost, and what is read twice is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_crashes_loses_nothing() -> Result<()> {
    const COUNT: u64 = 3_000;
    let mut document = document(COUNT, "1000/s", 6);
    document["disturbances"] = json!([{"do": "crash", "at": "1 s", "on": "billing", "for": "500 ms"}]);
    let run = ran(&document, &Brokers::default(), "built-in").await?;
    run.holds_the_laws()?;
    let confirmed = positions(&run)?;
    for group in ["billing", "audit"] {
        let received = run.at(group, Kind::RECEIVED);
        let known: BTreeSet<u64> = received.iter().map(|event| event.parent.0).collect();
        ensure!(confirmed.keys().all(|message| known.contains(message)), "{group} has not read all");
        // Every one that was read again had been given back before.
        let back = run.at(group, Kind::REQUEUED).len();
        ensure!(received.len() <= known.len() + back, "{group}: {} of {} and {back}", received.len(), known.len());
    }
    ensure!(!run.at("activity", Kind::REBALANCE_STARTED).is_empty(), "partitions changed hands");
    Ok(())
}

/// The records of [`many`], on which `billing` works for longer. `audit` is the only reader that listens, for the probe.
fn busy() -> Result<(Value, u64)> {
    let (mut document, count) = many()?;
    document["nodes"][2]["work"] = json!({"distribution": "exponential", "mean": "20 ms"});
    document["nodes"][2]["workers"] = 64.into();
    Ok((document, count))
}

/// The members of `billing`: they neither listen nor want anything.
fn members(program: Process) -> Result<Vec<Process>> {
    let is_member = |node: &Process| {
        node.holdings().is_ok_and(|holds| holds.listeners.is_empty() && !holds.threads.contains_key("hs-generator"))
    };
    Ok(program.nodes()?.into_iter().filter(is_member).collect())
}

/// The records that came over each link, by their publishes.
fn received(recorded: &Recorded) -> BTreeMap<LinkIndex, BTreeSet<u64>> {
    let mut received = BTreeMap::<_, BTreeSet<u64>>::new();
    for event in of(recorded, Kind::RECEIVED) {
        received.entry(event.link).or_default().insert(event.parent.0);
    }
    received
}

fn of(recorded: &Recorded, kind: Kind) -> impl Iterator<Item = &Event> {
    recorded.events.iter().filter(move |event| event.kind == kind)
}

/// The recording, as soon as it is so.
async fn once(recording: &Path, so: impl Fn(&Recorded) -> bool) -> Result<Recorded> {
    loop {
        let recorded = Recorded::so_far(recording)?;
        if so(&recorded) {
            return Ok(recorded);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Holds a process until it is seen that it is at work, and kills it then: some work has begun a second ago and has not ended.
async fn kill_at_work(process: Process, recording: &Path) -> Result<()> {
    let pid = Pid::from_raw(process.id().cast_signed()).context("no process")?;
    let last = |recorded: &Recorded| recorded.events.last().map_or(0, |event| event.time);
    loop {
        kill_process(pid, Signal::STOP)?;
        let held = last(&Recorded::so_far(recording)?);
        let recorded = once(recording, |recorded| last(recorded) > held + HELD_NS).await?;
        let mut begun: BTreeSet<u64> =
            of(&recorded, Kind::STARTED).filter(|event| event.time <= held).map(|event| event.message.0).collect();
        for event in of(&recorded, Kind::FINISHED) {
            begun.remove(&event.message.0);
        }
        if !begun.is_empty() {
            return Ok(kill_process(pid, Signal::KILL)?);
        }
        kill_process(pid, Signal::CONT)?;
        tokio::time::sleep(LOOK).await;
    }
}

/// A member is a process, and someone kills it while it is at work: both groups have every record all the same, and those that were
/// worked on twice are counted as that.
#[tokio::test]
async fn a_member_that_is_killed_loses_nothing_and_its_repeats_are_told() -> Result<()> {
    if !has_kafka("a member that is killed") {
        return Ok(());
    }
    let (document, count) = busy()?;
    let data = tempfile::tempdir()?;
    let (file, runs) = (data.path().join("members.json"), data.path().join("runs"));
    std::fs::write(&file, document.to_string())?;
    let mut words = vec!["run".as_ref(), file.as_os_str(), "--data".as_ref(), runs.as_os_str()];
    let more = ["--kafka", "local", "--placement", "processes", "--duration", "until-stopped", "--json"];
    words.extend(more.map(AsRef::<std::ffi::OsStr>::as_ref));
    let mut running = Running::start(words)?;
    running.says("Measured: ").await?;
    let recording = recording_in(&runs)?;
    once(&recording, |recorded| of(recorded, Kind::CONFIRMED).count() as u64 > count / 5).await?;
    let members = members(running.process()?)?;
    ensure!(members.len() == 3, "{members:?}");
    kill_at_work(members[0], &recording).await?;
    let has_all =
        |recorded: &Recorded| received(recorded).values().filter(|has| has.len() as u64 == count).count() == 2;
    once(&recording, has_all).await?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure!(ended.code == 0, "exit {}: {}", ended.code, ended.stderr);

    let (recorded, report) = (Recorded::so_far(&recording)?, serde_json::from_str::<Value>(&ended.stdout)?);
    for law in report["laws"].as_array().context("no laws")? {
        ensure!(law["broken"] == 0, "{law}");
    }
    ensure!(report["run"]["lost"] == 0 && report["run"]["whole"] == true, "{}", report["run"]);
    let plan = Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?;
    let exits: Vec<_> = of(&recorded, Kind::PROCESS_EXITED).map(|event| plan.node_of(event.place.0)).collect();
    ensure!(exits.len() == 1 && exits[0].is_some_and(|node| node.name == "billing"), "{} exits", exits.len());
    let confirmed: BTreeSet<u64> = of(&recorded, Kind::CONFIRMED).map(|event| event.message.0).collect();
    ensure!(confirmed.len() as u64 == count, "{} of {count} confirmed", confirmed.len());
    let lost = |has: &BTreeSet<u64>| confirmed.difference(has).count();
    let groups = received(&recorded);
    ensure!(groups.values().filter(|has| has.len() as u64 >= count && lost(has) == 0).count() == 2, "records are lost");
    let end = recorded.end.as_ref().context("no End")?;
    let ready: Vec<u64> = end.counts.iter().filter(|row| row.counted == Counted::READY).map(|row| row.count).collect();
    ensure!(ready.iter().all(|lag| *lag == 0) && !ready.is_empty(), "lags at the end: {ready:?}");

    // By hand: which publishes were taken up more than once over one link. What the probe asks is none.
    let taken = of(&recorded, Kind::RECEIVED).filter(|event| confirmed.contains(&event.parent.0));
    let parents: BTreeMap<u64, u64> = taken.map(|event| (event.message.0, event.parent.0)).collect();
    let mut taken_up = BTreeMap::<_, u64>::new();
    for event in of(&recorded, Kind::STARTED) {
        if let Some(publish) = parents.get(&event.message.0) {
            *taken_up.entry((event.link, publish)).or_default() += 1;
        }
    }
    let repeated = taken_up.values().filter(|times| **times > 1).count();
    ensure!(repeated > 0, "it was at work on none");
    ensure!(report["traces"]["repeated"] == repeated, "{repeated}, and not {}", report["traces"]["repeated"]);
    let line =
        format!("a member was killed: {count} records, none lost, {repeated} worked on twice and told as that\n");
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}
