//! Nodes as processes: the same scenarios, the same laws, and a crash that is a process that is killed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::Measure;
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Law;
use hopscope_tests::command::{Running, hopscope};
use hopscope_tests::process::Process;
use hopscope_tests::recording::{Recorded, recording_in};
use hopscope_tests::runs::has_rabbitmq;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// From one look at something to the next.
const LOOK: Duration = Duration::from_millis(10);

fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name)
}

/// A run of a file with its nodes as processes, as its report has it.
async fn run(file: &Path, data: &Path, more: &[&str]) -> Result<Value> {
    let words = ["--placement", "processes", "--json"];
    let arguments = ["run".as_ref(), file.as_os_str()].into_iter().chain(words.iter().chain(more).map(AsRef::as_ref));
    let ended = hopscope(arguments.chain(["--data".as_ref(), data.as_os_str()])).await?;
    ensure!(ended.code == 0, "{}: exit {}, {}", file.display(), ended.code, ended.stderr);
    Ok(serde_json::from_str(&ended.stdout)?)
}

/// No law is broken or left undecided, and nothing is lost.
fn holds(report: &Value) -> Result<()> {
    for law in report["laws"].as_array().context("no laws")? {
        ensure!(law["broken"] == 0 && law["undecided"] == 0, "{law}");
    }
    ensure!(report["run"]["lost"] == 0 && report["run"]["whole"] == true, "{}", report["run"]);
    Ok(())
}

#[tokio::test]
async fn every_template_runs_as_processes() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut ran = 0;
    for entry in std::fs::read_dir(template("."))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") || path.ends_with("hello-monolith.json") {
            continue;
        }
        let report = run(&path, data.path(), &["--duration", "2s"]).await?;
        holds(&report).with_context(|| path.display().to_string())?;
        let held = |name: &str| {
            let laws = report["laws"].as_array().into_iter().flatten();
            laws.filter(|law| law["law"] == name).find_map(|law| law["held"].as_u64()).unwrap_or(0)
        };
        ensure!(held("reply-after-request") > 0, "{}: nothing was checked", path.display());
        let (offset, wrong_by) =
            (report["surroundings"]["clock_offset_ns"].as_i64(), &report["surroundings"]["clock_uncertainty_ns"]);
        let (offset, wrong_by) = offset.zip(wrong_by.as_i64()).context("no clock was asked")?;
        // They are one clock. What says otherwise has asked it wrongly.
        ensure!(offset.abs() <= wrong_by, "{offset} ns apart, known to {wrong_by} ns");
        ran += 1;
    }
    ensure!(ran >= 5, "the templates are not where they were");
    Ok(())
}

/// Each member of a group is a process, and each group has every record.
#[tokio::test]
async fn members_of_a_group_are_processes() -> Result<()> {
    let service = |id: &str, name: &str, replicas: u32| json!({"id": id, "name": name, "kind": "service", "replicas": replicas, "work": {"distribution": "constant", "mean": "20 us"}});
    let document = json!({"format": "hopscope-scenario", "version": 1, "name": "read apart",
        "nodes": [
            {"id": "n1", "name": "shop", "kind": "client", "load": {"kind": "constant", "rate": "200/s", "count": 200}},
            {"id": "n2", "name": "activity", "kind": "topic"}, service("n3", "billing", 3), service("n4", "audit", 1)],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka"},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka"}]});
    let data = tempfile::tempdir()?;
    let file = data.path().join("apart.json");
    std::fs::write(&file, document.to_string())?;
    let report = run(&file, &data.path().join("runs"), &[]).await?;
    holds(&report)?;
    for group in report["queues"].as_array().context("no groups")? {
        ensure!(group["checked_by"] == "log" && group["held"].as_u64() > Some(200), "{group}");
    }
    ensure!(report["traces"]["unfinished"] == 0 && report["traces"]["sent"] == 200, "{}", report["traces"]);
    Ok(())
}

#[tokio::test]
async fn a_call_within_one_process_cannot_be_between_two() -> Result<()> {
    let data = tempfile::tempdir()?;
    let file = template("hello-monolith.json");
    let arguments = ["run".as_ref(), file.as_os_str(), "--placement".as_ref(), "processes".as_ref()];
    let arguments = arguments.into_iter().chain(["--data".as_ref(), data.path().as_os_str()]);
    let ended = hopscope(arguments).await?;
    ensure!(ended.code == 3, "exit {}", ended.code);
    for word in ["/links/0/protocol", "l1", "process of its own", "another protocol", "--placement tasks"] {
        ensure!(ended.stderr.contains(word), "it does not say {word:?}, but: {}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_queues_of_processes_can_be_at_a_local_rabbitmq() -> Result<()> {
    if !has_rabbitmq("processes with a real RabbitMQ") {
        return Ok(());
    }
    let data = tempfile::tempdir()?;
    let report = run(&template("hello-async.json"), data.path(), &["--duration", "2s", "--broker", "local"]).await?;
    holds(&report)
}

/// One service that is called by twenty users at once all the time. Each work takes so much longer than what lies between two, and
/// ends by chance alone, that some are under way at any instant, also where the machine has much else to do.
fn busy() -> Result<Value> {
    let mut scenario: Value = serde_json::from_str(&std::fs::read_to_string(template("hello-sync.json"))?)?;
    scenario["nodes"][0]["load"] =
        json!({"kind": "closed", "users": 20, "think": {"distribution": "constant", "mean": "0 s"}});
    scenario["nodes"][1]["workers"] = json!(20);
    scenario["nodes"][1]["work"] = json!({"distribution": "exponential", "mean": "100 ms"});
    Ok(scenario)
}

#[tokio::test]
async fn a_crash_kills_the_process_and_another_takes_its_place() -> Result<()> {
    let data = tempfile::tempdir()?;
    let file = data.path().join("busy.json");
    std::fs::write(&file, busy()?.to_string())?;
    let running = begin(&file, data.path(), &["--disturb", "1s crash shop for 500ms", "--json"]).await?;
    let recording = recording_in(data.path())?;
    // Another takes its place, however long a process takes to begin.
    let again = |recorded: &Recorded| {
        let exit = of(recorded, Kind::PROCESS_EXITED).next().map(|exit| (exit.place, exit.time));
        exit.is_some_and(|(place, time)| {
            of(recorded, Kind::STARTED).any(|event| event.place == place && event.time > time)
        })
    };
    until(|| Ok(again(&Recorded::so_far(&recording)?))).await?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure!(ended.code == 0, "exit {}: {}", ended.code, ended.stderr);
    holds(&serde_json::from_str(&ended.stdout)?)?;
    let recorded = Recorded::so_far(&recording)?;
    let exits: Vec<&Event> = of(&recorded, Kind::PROCESS_EXITED).collect();
    let [exit] = exits[..] else { anyhow::bail!("{exits:?}") };
    // What it stamped last is there: it was always at work, on twenty requests, some of which it had just begun.
    let worked = |event: &&Event| event.kind == Kind::STARTED && event.place == exit.place;
    let unfinished = |event: &&Event| {
        let finished = |other: &Event| other.kind == Kind::FINISHED && other.message == event.message;
        !recorded.events.iter().any(finished)
    };
    let cut: Vec<&Event> = recorded.events.iter().filter(worked).filter(unfinished).collect();
    ensure!((1..=20).contains(&cut.len()), "{} requests were worked on when it was killed", cut.len());
    ensure!(cut.iter().all(|event| event.time < exit.time), "something is stamped behind its end");
    Ok(())
}

#[tokio::test]
async fn who_kills_a_process_is_told_of_and_the_run_goes_on() -> Result<()> {
    let data = tempfile::tempdir()?;
    let file = data.path().join("busy.json");
    std::fs::write(&file, busy()?.to_string())?;
    let running = begin(&file, data.path(), &[]).await?;
    let children = running.process()?.nodes()?;
    ensure!(children.len() == 2, "{children:?}");
    let service = children.iter().find(|child| listens(**child)).context("nobody listens")?;
    let recording = recording_in(data.path())?;
    until(|| Ok(of(&Recorded::so_far(&recording)?, Kind::COMPLETED).count() > 100)).await?;
    kill_process(Pid::from_raw(service.id().cast_signed()).context("no process")?, Signal::KILL)?;
    until(|| Ok(of(&Recorded::so_far(&recording)?, Kind::PROCESS_EXITED).count() == 1)).await?;
    // Who calls it still does, in vain.
    let failed = of(&Recorded::so_far(&recording)?, Kind::FAILED).count();
    until(|| Ok(of(&Recorded::so_far(&recording)?, Kind::FAILED).count() > failed + 20)).await?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure!(ended.code == 0, "exit {}: {}", ended.code, ended.stderr);
    let recorded = Recorded::so_far(&recording)?;
    ensure!(recorded.lost == 0 && recorded.end.is_some());
    for report in recorded.judged()? {
        ensure!(report.broken == 0, "{report:?}");
        ensure!(report.law != Law::Steps || report.held > 100, "{report:?}");
    }
    let offsets = recorded.samples.iter().filter_map(|sample| sample.get(Measure::CLOCK_OFFSET_NS)).count();
    ensure!(offsets > 0, "no clock was asked");
    Ok(())
}

#[tokio::test]
async fn no_process_outlives_the_one_that_started_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let running = begin(&template("shop.json"), data.path(), &[]).await?;
    let children = running.process()?.nodes()?;
    ensure!(children.len() >= 4, "{children:?}");
    // One that does not even run cannot see that the other end of its channel is gone.
    kill_process(Pid::from_raw(children[0].id().cast_signed()).context("no process")?, Signal::STOP)?;
    running.kill().await?;
    until(|| Ok(!children.iter().any(Process::is_node))).await
}

#[tokio::test]
async fn a_process_that_is_stopped_does_not_hold_up_the_end_of_its_run() -> Result<()> {
    let data = tempfile::tempdir()?;
    let running = begin(&template("hello-sync.json"), data.path(), &[]).await?;
    let children = running.process()?.nodes()?;
    let service = children.iter().find(|child| listens(**child)).context("nobody listens")?;
    kill_process(Pid::from_raw(service.id().cast_signed()).context("no process")?, Signal::STOP)?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure!(ended.code == 0, "exit {}: {}", ended.code, ended.stderr);
    ensure!(!service.is_node(), "it is there still");
    let recorded = Recorded::so_far(&recording_in(data.path())?)?;
    ensure!(of(&recorded, Kind::PROCESS_EXITED).count() == 1 && recorded.end.is_some() && recorded.lost == 0);
    Ok(())
}

#[tokio::test]
async fn a_node_without_a_server_says_what_it_is() -> Result<()> {
    let ended = hopscope(["node"]).await?;
    ensure!(ended.code == 5 && ended.stderr.contains("started by the server of its run"), "{ended:?}");
    Ok(())
}

/// Starts a run with its nodes as processes, until it is stopped; resolves when it offers load.
async fn begin(file: &Path, data: &Path, more: &[&str]) -> Result<Running> {
    let words = ["--placement", "processes", "--duration", "until-stopped"];
    let arguments = ["run".as_ref(), file.as_os_str()].into_iter().chain(words.iter().chain(more).map(AsRef::as_ref));
    let mut running = Running::start(arguments.chain(["--data".as_ref(), data.as_os_str()]))?;
    running.says("Measured: ").await?;
    Ok(running)
}

/// Resolves when it is so.
async fn until(mut so: impl FnMut() -> Result<bool>) -> Result<()> {
    while !so()? {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn listens(process: Process) -> bool {
    process.holdings().is_ok_and(|holdings| !holdings.listeners.is_empty())
}

fn of(recorded: &Recorded, kind: Kind) -> impl Iterator<Item = &Event> {
    recorded.events.iter().filter(move |event| event.kind == kind)
}
