//! What was recorded is kept: over a restart, on a full disk, at a limit; and of what never began nothing is.

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::EndReason;
use hopscope_tests::command::{Ended, Running, hopscope};
use hopscope_tests::http::fetch;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");
const FORMATS: [&str; 4] = ["json", "csv", "csv-messages", "perfetto"];

/// The template with this rate and no work to do.
fn busy(rate: &str) -> Result<Value> {
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": rate});
    scenario["nodes"][1]["work"] = json!({"distribution": "constant", "mean": "0 s"});
    Ok(scenario)
}

async fn get(server: &Server, path: &str) -> Result<Vec<u8>> {
    let reply = fetch(&format!("GET {path}"), server.address()?, &[], b"").await?;
    ensure!(reply.status == 200, "{path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
    Ok(reply.body)
}

async fn view(server: &Server, id: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&get(server, &format!("/api/runs/{id}")).await?)?)
}

/// Asks for a run; gives status and answer.
async fn ask(server: &Server, scenario: &Value, duration: &str) -> Result<(u16, Value)> {
    let body = json!({"scenario": scenario, "duration": duration}).to_string();
    let reply = fetch("POST /api/runs", server.address()?, &[("content-type", "application/json")], body.as_bytes());
    let reply = reply.await?;
    Ok((reply.status, serde_json::from_slice(&reply.body)?))
}

async fn start(server: &Server, scenario: &Value, duration: &str) -> Result<String> {
    let (status, run) = ask(server, scenario, duration).await?;
    ensure!(status == 201, "{run}");
    Ok(run["id"].as_str().context("no id")?.to_owned())
}

/// Follows a run to the end of its stream; gives the code that it is closed with.
async fn follow(server: &Server, id: &str) -> Result<u16> {
    let url = format!("ws://{}/api/streams/{id}", server.address()?);
    let mut socket = tokio_tungstenite::connect_async(url).await?.0;
    while let Some(message) = socket.next().await {
        if let Message::Close(frame) = message? {
            return Ok(frame.context("no code")?.code.into());
        }
    }
    anyhow::bail!("the stream ended without a close")
}

/// A command in a shell that first sets a limit of the system, which then holds for `hopscope` alone.
fn limited(limit: &str) -> Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]).arg(hopscope_tests::variable("HOPSCOPE_BIN")?);
    Ok(command)
}

#[tokio::test]
async fn runs_survive_a_restart_and_export_the_same_bytes() -> Result<()> {
    let server = Server::start().await?;
    let done = start(&server, &serde_json::from_str(HELLO)?, "400 ms").await?;
    assert_eq!(follow(&server, &done).await?, 1000);
    let mut before = vec![get(&server, &format!("/api/runs/{done}/recording")).await?];
    for format in FORMATS {
        before.push(get(&server, &format!("/api/runs/{done}/export?format={format}")).await?);
    }
    let told = view(&server, &done).await?;
    assert_eq!((&told["state"], &told["lost"]), (&"ended".into(), &0.into()));
    // Live when the server is told to end: stopped, brought home and stored.
    let live = start(&server, &busy("200/s")?, "1 h").await?;
    let server = Server::start_on(server.end().await?).await?;

    assert_eq!(view(&server, &done).await?, told);
    let mut after = vec![get(&server, &format!("/api/runs/{done}/recording")).await?];
    for format in FORMATS {
        after.push(get(&server, &format!("/api/runs/{done}/export?format={format}")).await?);
    }
    ensure!(before == after, "a restart has changed what a run exports");
    let stopped = view(&server, &live).await?;
    assert_eq!((&stopped["state"], &stopped["reason"]), (&"ended".into(), &"stopped".into()), "{stopped}");
    let listed: Value = serde_json::from_slice(&get(&server, "/api/runs").await?)?;
    let ids: Vec<_> = listed.as_array().context("no list")?.iter().filter_map(|run| run["id"].as_str()).collect();
    assert_eq!(ids.len(), 2);
    ensure!(ids.contains(&done.as_str()) && ids.contains(&live.as_str()), "{ids:?}");
    assert_eq!(follow(&server, &done).await?, 1000);
    Ok(())
}

/// A file may not grow beyond 64 KiB (two hundred blocks of 512 bytes at least): what a full disk is to a program.
const SMALL_DISK: &str = "trap '' XFSZ; ulimit -f 128";

/// A run that its server can keep no further: it goes on, says why it is kept no further, and keeps what there is.
async fn goes_on_and_keeps_what_it_has(server: &Server, why: &str) -> Result<()> {
    let id = start(server, &busy("2000/s")?, "1 h").await?;
    // All that is kept is sent while the run goes on.
    assert_eq!(follow(server, &id).await?, 1000);
    let told = view(server, &id).await?;
    assert_eq!((&told["state"], &told["reason"]), (&"running".into(), &Value::Null), "{told}");
    let detail = told["detail"].as_str().context("no reason is told")?.to_owned();
    ensure!(detail.contains(&format!("{id}.hop")) && detail.contains(why), "{detail}");
    let listed: Value = serde_json::from_slice(&get(server, "/api/runs").await?)?;
    assert_eq!(listed[0]["detail"], told["detail"]);
    let reply = fetch(&format!("POST /api/runs/{id}/stop"), server.address()?, &[], b"").await?;
    assert_eq!(reply.status, 202);
    let mut told = view(server, &id).await?;
    while told["state"] != "cut" {
        ensure!(["running", "draining"].iter().any(|state| told["state"] == *state), "{told}");
        tokio::task::yield_now().await;
        told = view(server, &id).await?;
    }
    assert_eq!((&told["reason"], &told["detail"]), (&"stopped".into(), &detail.into()), "{told}");
    ensure!(told["events"].as_u64() > Some(500) && told["lost"].as_u64() > Some(0), "{told}");

    let file = get(server, &format!("/api/runs/{id}/recording")).await?;
    let recorded = Recorded::read(&file, Framing::File)?;
    ensure!(recorded.end.is_none() && file.len() <= 128 << 10, "{} bytes", file.len());
    assert_eq!(Some(recorded.events.len() as u64), told["events"].as_u64());
    let document: Value = serde_json::from_slice(&get(server, &format!("/api/runs/{id}/export?format=json")).await?)?;
    assert_eq!(document["run"]["whole"], false);
    // The server goes on: once there is room, a run that fits is whole.
    assert_eq!(fetch(&format!("DELETE /api/runs/{id}"), server.address()?, &[], b"").await?.status, 204);
    let small = start(server, &serde_json::from_str(HELLO)?, "100 ms").await?;
    follow(server, &small).await?;
    assert_eq!(view(server, &small).await?["state"], "ended");
    Ok(())
}

#[tokio::test]
async fn a_run_goes_on_when_its_file_may_not_grow_and_keeps_what_it_has() -> Result<()> {
    let mut command = limited(SMALL_DISK)?;
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    goes_on_and_keeps_what_it_has(&server, "may not grow any more").await
}

/// In a namespace of its own, where this user may mount: a file system in memory of 96 KiB on the folder of runs.
const FULL_DISK: &str = "mount -t tmpfs -o size=96k none \"$DATA\" && exec \"$0\" \"$@\"";

/// A command on a disk that will be full; `None` where the system lets this user mount none.
async fn on_a_small_disk(data: &std::path::Path, test: &str) -> Result<Option<Command>> {
    let unshared = |program: &std::ffi::OsStr| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK]).arg(program).env("DATA", data);
        command
    };
    let mut tried = unshared("true".as_ref());
    let may = tried.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().await;
    if may.is_ok_and(|status| status.success()) {
        return Ok(Some(unshared(&hopscope_tests::variable("HOPSCOPE_BIN")?)));
    }
    // Straight to the output, which the harness does not capture. One that cannot be written needs no word.
    let line =
        format!("not applicable: {test}: this system lets no user mount a file system in a namespace of its own\n");
    let _ = std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes());
    Ok(None)
}

#[tokio::test]
async fn a_run_goes_on_when_the_disk_is_full_and_keeps_what_it_has() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let test = "a_run_goes_on_when_the_disk_is_full_and_keeps_what_it_has";
    let Some(mut command) = on_a_small_disk(folder.path(), test).await? else { return Ok(()) };
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start_by(command, folder).await?;
    goes_on_and_keeps_what_it_has(&server, "no room is left").await
}

#[tokio::test]
async fn the_command_line_tells_of_a_full_disk_and_keeps_what_was_stored() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (scenario, data) = (folder.path().join("scenario.json"), folder.path().join("runs"));
    std::fs::write(&scenario, busy("2000/s")?.to_string())?;
    let mut command = limited(SMALL_DISK)?;
    command.arg("run").arg(&scenario).args(["--duration", "1h", "--data"]).arg(&data);
    let mut running = Running::start_by(command)?;
    running.says("Nothing more of the run is kept: ").await?;
    running.interrupt()?;
    let ended: Ended = running.end().await?;
    assert_eq!(ended.code, 5, "{ended:?}");
    ensure!(ended.stderr.contains("could not be stored to its end"), "{}", ended.stderr);
    ensure!(ended.stdout.contains("The recording was cut") && !ended.stdout.contains("BROKEN"), "{}", ended.stdout);
    Ok(())
}

#[tokio::test]
async fn a_run_that_reaches_its_limit_of_events_is_whole_and_says_why_it_ended() -> Result<()> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--max-events", "2000"]);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    let id = start(&server, &busy("1000/s")?, "1 h").await?;
    assert_eq!(follow(&server, &id).await?, 1000);
    let told = view(&server, &id).await?;
    assert_eq!((&told["state"], &told["reason"]), (&"ended".into(), &"event-limit".into()), "{told}");
    ensure!(told["detail"].as_str().is_some_and(|detail| detail.contains("2000") && detail.contains("--max-events")));
    ensure!(told["events"].as_u64() >= Some(2000) && told["lost"] == 0, "{told}");
    let file = get(&server, &format!("/api/runs/{id}/recording")).await?;
    let end = Recorded::read(&file, Framing::File)?.end.context("no End")?;
    assert_eq!(end.reason, EndReason::EVENT_LIMIT);

    // The same from the command line: nothing was lost, so nothing is wrong.
    let folder = tempfile::tempdir()?;
    let scenario = folder.path().join("scenario.json");
    std::fs::write(&scenario, busy("1000/s")?.to_string())?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.arg("run").arg(&scenario).args(["--duration", "1h", "--max-events", "2000", "--data"]).arg(folder.path());
    let ended = Running::start_by(command)?.end().await?;
    assert_eq!(ended.code, 0, "{ended:?}");
    ensure!(ended.stdout.contains("of 1 h: the recording has come to its limit of 2000 events"), "{}", ended.stdout);
    Ok(())
}

/// So few files may be open that half of the replicas are bound when there are no more.
#[tokio::test]
async fn a_setup_that_fails_half_way_names_the_node_and_leaves_nothing_behind() -> Result<()> {
    let mut command = limited("ulimit -n 60")?;
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    let mut many: Value = serde_json::from_str(HELLO)?;
    many["nodes"][1]["replicas"] = 64.into();
    // What one of them kept open would be missing to the next.
    for _ in 0..4 {
        let (status, refused) = ask(&server, &many, "1 s").await?;
        assert_eq!((status, &refused["code"]), (503, &"run-not-started".into()), "{refused}");
        let message = refused["message"].as_str().context("no message")?;
        ensure!(message.contains("shop could not be started") && message.contains("open files"), "{message}");
        ensure!(refused["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
        // It goes as soon as the thread that writes its file lets go of it.
        while get(&server, "/api/runs").await? != b"[]" {
            tokio::task::yield_now().await;
        }
    }
    let left: Vec<_> = std::fs::read_dir(server.data())?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    // The server's own lock.
    ensure!(left == [".served"], "files of a run that did not start: {left:?}");
    let mut few = many.clone();
    few["nodes"][1]["replicas"] = 8.into();
    let id = start(&server, &few, "200 ms").await?;
    follow(&server, &id).await?;
    assert_eq!(view(&server, &id).await?["state"], "ended");
    Ok(())
}

#[tokio::test]
async fn a_second_server_on_the_folder_says_whose_it_is_and_what_to_do() -> Result<()> {
    let server = Server::start().await?;
    let id = start(&server, &busy("200/s")?, "1 h").await?;
    let data = server.data().to_str().context("no name")?;
    let refused = hopscope(["serve", "--listen", "127.0.0.1:0", "--data", data]).await?;
    assert_eq!((refused.code, refused.stdout.as_str()), (5, ""), "{refused:?}");
    for word in [data, &format!("process {}", server.process()?.id()), "--data DIR"] {
        ensure!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    // Who only reads, or makes a run, goes on beside it.
    let listed = hopscope(["runs", "--data", data]).await?;
    ensure!(listed.code == 0 && listed.stdout.contains(&id) && listed.stdout.contains("recording"), "{listed:?}");
    let mut reached = view(&server, &id).await?;
    while reached["frames"].as_u64() < Some(5) {
        tokio::task::yield_now().await;
        reached = view(&server, &id).await?;
    }
    let exported = hopscope(["export", &id, "--data", data]).await?;
    ensure!(exported.code == 0, "{exported:?}");
    let document: Value = serde_json::from_str(&exported.stdout)?;
    assert_eq!(document["run"]["whole"], false);
    // None of them has done anything to it.
    let left = server.end().await?;
    let whole = Recorded::read(&std::fs::read(left.path().join(format!("{id}.hop")))?, Framing::File)?;
    ensure!(whole.end.is_some_and(|end| end.reason == EndReason::STOPPED) && whole.lost == 0);
    // And the folder is free again.
    Server::start_on(left).await?.end().await?;
    Ok(())
}

#[tokio::test]
async fn what_is_older_than_runs_are_kept_goes_when_the_server_begins_and_is_told() -> Result<()> {
    let server = Server::start().await?;
    let id = start(&server, &serde_json::from_str(HELLO)?, "200 ms").await?;
    follow(&server, &id).await?;
    let about: Value = serde_json::from_slice(&get(&server, "/api/about").await?)?;
    ensure!(about["runs"]["bytes"].as_u64() > Some(0) && about["runs"]["most_bytes"].is_null(), "{about}");
    let data = server.end().await?;
    // The same, made long ago.
    let old = "20200101-000000-0001";
    std::fs::copy(data.path().join(format!("{id}.hop")), data.path().join(format!("{old}.hop")))?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--keep-runs-for", "2d", "--keep-runs-size", "10GB"]);
    let server = Server::start_by(command, data).await?;
    let mut about = Value::Null;
    while about["runs"]["removed"] != 1 {
        tokio::task::yield_now().await;
        about = serde_json::from_slice(&get(&server, "/api/about").await?)?;
    }
    let runs = &about["runs"];
    assert_eq!((&runs["most_seconds"], &runs["most_bytes"]), (&172_800.into(), &10_000_000_000_u64.into()));
    assert_eq!(runs["last_removed"], "Hello, sync");
    let listed: Value = serde_json::from_slice(&get(&server, "/api/runs").await?)?;
    ensure!(listed.as_array().is_some_and(|runs| runs.len() == 1) && listed[0]["id"] == id.as_str(), "{listed}");
    for name in ["hop", "json", "keys"] {
        ensure!(!server.data().join(format!("{old}.{name}")).exists(), "{old}.{name} is left");
    }
    Ok(())
}
