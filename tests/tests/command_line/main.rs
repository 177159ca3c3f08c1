//! The command line as a script sees it: exit codes, what stands on which stream, and the same recording by every way.

mod broker;
mod brokers;
mod checks;
mod compare;
mod desk;
mod disturb;
mod effects;
mod exchange;
mod install;
mod ports;
mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::{Running, hopscope};
use hopscope_tests::http::request;
use hopscope_tests::server::Server;
use serde_json::{Value, json};

use desk::{Desk, ensure_code, id_of, ten};

#[tokio::test]
async fn a_run_is_reported_listed_and_exported_as_one() -> Result<()> {
    let desk = Desk::new()?;
    let (file, out) = (desk.scenario(ten)?, desk.path("out.json"));
    let ran = desk.hopscope(&[&"run", &file, &"--seed", &"7", &"--duration", &"5s", &"--out", &out]).await?;
    ensure_code(&ran, 0)?;
    let id = id_of(&ran.stdout)?.to_owned();

    for sentence in [
        "Hello, sync, 5 s, seed 7",
        "buyers → shop, HTTP/1.1",
        "Intended: 10, of which not sent: 0",
        "held T2 > T1: 10 of 10",
        "held Every attempt closes once: 10 of 10",
        "held Intended = sent + not sent: 10 of 10",
        "held Open, ready and unacked at the end: 1 of 1",
    ] {
        ensure!(ran.stdout.contains(sentence), "{sentence:?} is missing in:\n{}", ran.stdout);
    }
    let last = ran.stdout.lines().last().context("no last line")?;
    ensure!(last.contains("hopscope serve --data ") && last.ends_with(&format!("/#run={id}")), "{last}");
    let phases: Vec<_> = ran.stderr.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(phases, ["Setup", "Measured", "Drain", "Ended"]);
    ensure!(!ran.stderr.contains('\u{1b}'), "what steers a terminal went to a file: {:?}", ran.stderr);

    let listed = desk.hopscope(&[&"runs"]).await?;
    ensure_code(&listed, 0)?;
    let row = listed.stdout.lines().find(|line| line.contains(&id)).context("the run is not listed")?;
    ensure!(row.contains("whole") && row.contains("Hello, sync") && row.contains("5 s"), "{row}");

    let written = std::fs::read_to_string(&out)?;
    let document: Value = serde_json::from_str(&written)?;
    assert_eq!((document["run"]["id"].as_str(), document["run"]["seed"].as_u64()), (Some(id.as_str()), Some(7)));
    let again = desk.path("again.json");
    ensure_code(&desk.hopscope(&[&"export", &id, &"--format", &"json", &"--out", &again]).await?, 0)?;
    ensure!(std::fs::read_to_string(&again)? == written, "--out and export differ");
    let printed = desk.hopscope(&[&"export", &id, &"--out", &"-"]).await?;
    ensure!(printed.stdout == written, "--out and export to the standard output differ");
    Ok(())
}

#[tokio::test]
async fn a_report_as_json_is_one_document_with_every_count() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(ten)?;
    let ran = desk.hopscope(&[&"run", &file, &"--json"]).await?;
    ensure_code(&ran, 0)?;
    let report = report::read(&ran.stdout)?;
    assert_eq!(report["format"], "hopscope-run-report");
    assert_eq!(
        (&report["exit"], &report["run"]["whole"], &report["run"]["lost"]),
        (&0.into(), &true.into(), &0.into())
    );
    assert_eq!(report["run"]["end"], "load-done");
    assert_eq!((&report["schedules"][0]["kept"], &report["schedules"][0]["intended"]), (&true.into(), &10.into()));
    let link = &report["links"][0];
    assert_eq!((&link["link"], &link["sent"], &link["completed"]), (&"l1".into(), &10.into(), &10.into()));
    assert_eq!(link["answered_ns"]["count"], 10);
    ensure!(link["completed_ns"]["p50"].as_u64() >= Some(1_000_000), "{link}");
    let laws = report["laws"].as_array().context("no laws")?;
    ensure!(laws.iter().all(|law| law["broken"] == 0 && law["undecided"] == 0), "{laws:?}");
    ensure!(laws.iter().any(|law| law["law"] == "reply-after-request" && law["checked"] == 10), "{laws:?}");
    Ok(())
}

#[tokio::test]
async fn calls_that_go_wrong_are_counted_and_break_no_law() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| {
        ten(scenario);
        scenario["nodes"][1]["work"]["mean"] = "300 ms".into();
        scenario["nodes"][1]["workers"] = 64.into();
        scenario["links"][0]["timeout"] = "10 ms".into();
        scenario["links"][0]["retry"] = serde_json::json!({"policy": "fixed-delay", "attempts": 2, "delay": "1 ms"});
    })?;
    let ran = desk.hopscope(&[&"run", &file, &"--json"]).await?;
    ensure_code(&ran, 0)?;
    let report = report::read(&ran.stdout)?;
    let link = &report["links"][0];
    let counts = ["sent", "completed", "timed_out", "retried", "late", "open"].map(|name| link[name].as_u64());
    assert_eq!(counts, [20, 0, 20, 10, 20, 0].map(Some));
    assert_eq!((&link["completed_ns"]["count"], &link["completed_ns"]["p50"]), (&0.into(), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn a_warm_up_is_recorded_and_counts_in_no_figure() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|_| {})?;
    let out = desk.path("out.json");
    let ran = desk
        .hopscope(&[&"run", &file, &"--warm-up", &"500ms", &"--duration", &"1s", &"--json", &"--out", &out])
        .await?;
    ensure_code(&ran, 0)?;
    let report = report::read(&ran.stdout)?;
    ensure!(report["run"]["warm_up"] == "500 ms", "{}", report["run"]);
    let recording: Value = serde_json::from_slice(&std::fs::read(out)?)?;
    let events = recording["events"].as_array().context("no events")?;
    let recorded = events.iter().filter(|event| event["kind"] == "Intended").count() as u64;
    let counted = report["schedules"][0]["intended"].as_u64().context("no schedule")?;
    ensure!(report["schedules"][0]["kept"] == true && report["run"]["whole"] == true, "{report}");
    ensure!(0 < counted && counted < recorded, "{counted} of {recorded}");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_stops_a_run_which_is_whole_and_reported() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|_| {})?;
    let mut running = Running::start(desk.arguments(&[&"run", &file, &"--duration", &"until-stopped"]))?;
    running.says("Measured: ").await?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure_code(&ended, 0)?;
    ensure!(ended.stdout.contains("The run was stopped after "), "{}", ended.stdout);
    let listed = desk.hopscope(&[&"runs"]).await?;
    ensure!(listed.stdout.contains("whole") && listed.stdout.contains("until stopped"), "{}", listed.stdout);
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_cut_is_not_whole() -> Result<()> {
    let desk = Desk::new()?;
    // One request that is worked on for longer than this test needs: it is in flight when the load has ended.
    let file = desk.scenario(|scenario| {
        scenario["nodes"][0]["load"]["count"] = 1.into();
        scenario["nodes"][1]["work"]["mean"] = "9 s".into();
    })?;
    let mut running = Running::start(desk.arguments(&[&"run", &file]))?;
    running.says("Drain: ").await?;
    running.interrupt()?;
    running.says("Ctrl-C again cuts").await?;
    running.interrupt()?;
    let ended = running.end().await?;
    ensure_code(&ended, 4)?;
    ensure!(ended.stderr.contains("was cut") && ended.stdout.is_empty(), "{ended:?}");
    let listed = desk.hopscope(&[&"runs"]).await?;
    ensure!(listed.stdout.contains("cut"), "{}", listed.stdout);
    Ok(())
}

/// The machine sleeps through the whole run and more: the schedule's time is over when it wakes, and much was never wanted.
#[tokio::test]
async fn a_schedule_that_was_not_kept_is_not_whole() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| {
        let mut client = scenario["nodes"][0].take();
        client["load"] = json!({"kind": "constant", "rate": "100000/s", "in_flight": 1});
        let (mut nodes, mut links) = (vec![scenario["nodes"][1].take()], Vec::new());
        for n in 0..20 {
            let mut another = client.clone();
            (another["id"], another["name"]) = (format!("c{n}").into(), format!("client {n}").into());
            nodes.push(another);
            links.push(json!({"id": format!("l{n}"), "from": format!("c{n}"), "to": "n2", "protocol": "in-process"}));
        }
        (scenario["nodes"], scenario["links"]) = (nodes.into(), links.into());
    })?;
    let mut running = Running::start(desk.arguments(&[&"run", &file, &"--duration", &"2s"]))?;
    running.says("Measured: ").await?;
    running.hold(Duration::from_secs(4)).await?;
    let ended = running.end().await?;
    ensure_code(&ended, 4)?;
    ensure!(
        ended.stdout.contains("the generator reached ") && ended.stdout.contains(" of 100,000/s"),
        "{}",
        ended.stdout
    );
    ensure!(!ended.stdout.contains("BROKEN"), "{}", ended.stdout);
    Ok(())
}

#[tokio::test]
async fn a_run_beside_a_server_is_found_by_it() -> Result<()> {
    let desk = Desk::new()?;
    let server = Server::start().await?;
    let file = desk.scenario(ten)?;
    let arguments: [&dyn AsRef<Path>; 4] = [&"run", &file, &"--data", &server.data()];
    let ran = hopscope(arguments.map(|argument| argument.as_ref().as_os_str().to_owned())).await?;
    ensure_code(&ran, 0)?;
    let line = format!("GET /api/runs/{}", id_of(&ran.stdout)?);
    let (status, body) = request(&line, server.address()?, &Vec::new(), b"").await?;
    let view: Value = serde_json::from_slice(&body)?;
    assert_eq!((status, &view["name"], &view["state"]), (200, &"Hello, sync".into(), &"ended".into()));
    Ok(())
}

#[tokio::test]
async fn a_broken_scenario_is_refused_with_every_path_and_remedy() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| {
        scenario["nodes"][1]["work"]["mean"] = "40".into();
        scenario["links"][0]["to"] = "n9".into();
    })?;
    let checked = hopscope([Path::new("validate"), &file]).await?;
    ensure_code(&checked, 3)?;
    let ran = desk.hopscope(&[&"run", &file]).await?;
    ensure_code(&ran, 3)?;
    ensure!(ran.stdout.is_empty(), "{}", ran.stdout);
    for text in [&checked.stdout, &ran.stderr] {
        ensure!(text.contains("error at /nodes/1/work/mean: 40 is not a number with a unit."), "{text}");
        ensure!(text.contains("Write a plain number and a unit"), "{text}");
        ensure!(text.contains("error at /links/0/to: "), "{text}");
        ensure!(text.contains("cannot run. Errors: 2"), "{text}");
    }
    ensure!(desk.hopscope(&[&"runs"]).await?.stdout.contains("There are no runs"), "a refused run is listed");

    std::fs::write(&file, b"\xff{}")?;
    let checked = hopscope([Path::new("validate"), &file]).await?;
    ensure_code(&checked, 3)?;
    ensure!(checked.stdout.contains("not UTF-8"), "{}", checked.stdout);
    Ok(())
}

#[tokio::test]
async fn warnings_are_told_and_do_not_stop_a_run() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| {
        ten(scenario);
        let mut idle = scenario["nodes"][1].clone();
        idle["id"] = "n3".into();
        idle["name"] = "idle".into();
        scenario["nodes"].as_array_mut().into_iter().for_each(|nodes| nodes.push(idle.clone()));
    })?;
    let checked = hopscope([Path::new("validate"), &file]).await?;
    ensure_code(&checked, 0)?;
    ensure!(
        checked.stdout.contains("warning at /nodes/2") && checked.stdout.contains("Warnings: 1"),
        "{}",
        checked.stdout
    );
    let ran = desk.hopscope(&[&"run", &file]).await?;
    ensure_code(&ran, 0)?;
    ensure!(ran.stderr.contains("warning at /nodes/2"), "{}", ran.stderr);
    Ok(())
}

#[tokio::test]
async fn what_the_environment_lacks_is_named() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(ten)?;
    let nowhere = desk.path("nowhere/file.json");
    let missing = desk.hopscope(&[&"run", &nowhere]).await?;
    ensure_code(&missing, 5)?;
    ensure!(missing.stderr.contains("nowhere/file.json"), "{}", missing.stderr);
    ensure_code(&hopscope([Path::new("validate"), &nowhere]).await?, 5)?;

    // Told before anything runs.
    for option in ["--out", "--junit"] {
        let unwritable = desk.hopscope(&[&"run", &file, &"--duration", &"1h", &option, &nowhere]).await?;
        ensure_code(&unwritable, 5)?;
        ensure!(unwritable.stderr.contains("cannot write"), "{}", unwritable.stderr);
    }

    let unknown = desk.hopscope(&[&"export", &"20261123-141530-7f3a"]).await?;
    ensure_code(&unknown, 5)?;
    ensure!(unknown.stderr.contains("there is no run 20261123-141530-7f3a"), "{}", unknown.stderr);

    // A file where the folder should be.
    let blocked = hopscope([Path::new("runs"), Path::new("--data"), &file]).await?;
    ensure_code(&blocked, 5)?;
    let server = Server::start().await?;
    let taken = server.address()?.to_string();
    let second = desk.hopscope(&[&"serve", &"--listen", &taken]).await?;
    ensure_code(&second, 5)?;
    ensure!(second.stderr.contains(&format!("{taken} is taken")), "{}", second.stderr);
    ensure!(second.stderr.contains("--listen") && second.stdout.is_empty(), "{second:?}");
    // An address for documents, which no machine has (RFC 5737).
    let foreign = desk.hopscope(&[&"serve", &"--listen", &"192.0.2.1:7878"]).await?;
    ensure_code(&foreign, 5)?;
    ensure!(foreign.stderr.contains("cannot listen on 192.0.2.1:7878"), "{}", foreign.stderr);
    Ok(())
}

#[tokio::test]
async fn bad_usage_has_a_code_of_its_own() -> Result<()> {
    let desk = Desk::new()?;
    // The usage comes first: this file is broken, too.
    let file = desk.scenario(|scenario| scenario["nodes"] = Value::Null)?;
    for (option, value) in [("--duration", "5"), ("--duration", "2 h"), ("--seed", "18446744073709551615")] {
        let ended = desk.hopscope(&[&"run", &file, &option, &value]).await?;
        ensure_code(&ended, 64)?;
        ensure!(ended.stderr.starts_with(&format!("{option}: ")), "{}", ended.stderr);
    }
    for arguments in [
        &["fly"][..],
        &["run"],
        &["run", "x.json", "--seed", "one"],
        &["run", "x.json", "--fast"],
        &["export", "../../etc/passwd"],
        &["export", "20261123-141530-7f3a", "--format", "xml"],
        &["run", "x.json", "--max-events", "0"],
        &["run", "x.json", "--summary", "html"],
        &["run", "x.json", "--summary", "md", "--json"],
        &["serve", "--listen", "localhost"],
        &["serve", "--open", "../../etc/passwd"],
        &["serve", "--host", "http://play.lab/"],
    ] {
        ensure_code(&hopscope(arguments).await?, 64)?;
    }
    ensure_code(&hopscope(["--help"]).await?, 0)
}

/// The pseudo terminal is that of util-linux' `script`, which every Linux has; others have another one of that name.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_no_text_goes_to_no_terminal() -> Result<()> {
    let desk = Desk::new()?;
    let binary = hopscope_tests::variable("HOPSCOPE_BIN")?;
    let export = async |format: &str| -> Result<(Option<i32>, String)> {
        let data = desk.path("runs");
        let line =
            format!("'{}' export 20261123-141530-7f3a --format {format} --data '{}'", binary.display(), data.display());
        let mut command = tokio::process::Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).stdin(std::process::Stdio::null());
        let ended = command.output().await.context("no script")?;
        Ok((ended.status.code(), String::from_utf8(ended.stdout)?))
    };
    let (code, said) = export("perfetto").await?;
    assert_eq!(code, Some(64), "{said}");
    ensure!(said.contains("--out 20261123-141530-7f3a.pftrace"), "{said}");
    // Of what is text, the run is looked for.
    assert_eq!(export("json").await?.0, Some(5));
    Ok(())
}

#[tokio::test]
async fn every_template_runs_whole_and_accounts_for_all() -> Result<()> {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(templates)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let desk = Desk::new()?;
        let ran = desk.hopscope(&[&"run", &path, &"--duration", &"2s", &"--json"]).await?;
        ensure_code(&ran, 0).with_context(|| path.display().to_string())?;
        let report = report::read(&ran.stdout)?;
        for link in report["links"].as_array().context("no links")? {
            let sum = |names: &[&str]| names.iter().filter_map(|name| link[*name].as_u64()).sum::<u64>();
            ensure!(sum(&["sent", "acked"]) > 0, "{}: nothing passed over {link}", path.display());
            let good = sum(&["completed"]).max(sum(&["confirmed"]));
            let closed = good + sum(&["refused", "failed", "timed_out", "cancelled", "open"]);
            ensure!(sum(&["sent"]) == closed, "{}: not all is accounted for: {link}", path.display());
        }
        for law in report["laws"].as_array().context("no laws")? {
            let counts = ["broken", "undecided"].map(|count| law[count].as_u64());
            ensure!(counts == [Some(0), Some(0)], "{}: {law}", path.display());
            let judged = law["held"].as_u64() > Some(0) || law["not_applicable"].is_string();
            ensure!(judged, "{}: {law}", path.display());
        }
        seen.push(path.file_stem().context("no name")?.to_string_lossy().into_owned());
    }
    seen.sort_unstable();
    assert_eq!(seen, ["activity", "bank", "hello-async", "hello-monolith", "hello-sync", "shop", "sign-up", "social"]);
    Ok(())
}
