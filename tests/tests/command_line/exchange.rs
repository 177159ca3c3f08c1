//! Recordings that leave and come back: every format by every way, and JSON taken in again.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::hopscope;
use hopscope_tests::http::fetch;
use hopscope_tests::server::Server;
use serde_json::{Value, json};

use crate::{Desk, ensure_code, id_of, ten};

const HELLO_ASYNC: &str = include_str!("../../../scenarios/hello-async.json");
const SHOP: &str = include_str!("../../../scenarios/shop.json");

#[tokio::test]
async fn every_format_is_the_same_from_the_command_line_and_the_server_and_json_comes_back() -> Result<()> {
    let desk = Desk::new()?;
    comes_back(&desk, &desk.scenario(ten)?).await?;
    Ok(())
}

/// Requests that wait in a queue together, and whose replies come back through another.
#[tokio::test]
async fn so_it_is_of_a_run_through_queues() -> Result<()> {
    let desk = Desk::new()?;
    let scenario = desk.scenario(|scenario| {
        *scenario = serde_json::from_str(HELLO_ASYNC).unwrap_or_default();
        scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "1000/s", "count": 30});
        scenario["nodes"][2]["work"]["mean"] = "5 ms".into();
    })?;
    let document = comes_back(&desk, &scenario).await?;
    let events = document["events"].as_array().context("no events")?;
    let steps = events.iter().filter(|event| event["depth"].is_u64()).count();
    let deepest = events.iter().filter_map(|event| event["depth"].as_u64()).max();
    ensure!(steps == 2 * 3 * 30 && deepest > Some(1), "{steps} steps, {deepest:?} at most");
    Ok(())
}

/// Calls over two protocols, some of them tried again, and mails through a queue.
#[tokio::test]
async fn so_it_is_of_a_run_with_calls_and_a_queue() -> Result<()> {
    let desk = Desk::new()?;
    let scenario = desk.scenario(|scenario| {
        *scenario = serde_json::from_str(SHOP).unwrap_or_default();
        scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "100/s", "count": 20});
        scenario["nodes"][2]["failure"] = "50 %".into();
    })?;
    let document = comes_back(&desk, &scenario).await?;
    let events = document["events"].as_array().context("no events")?;
    for kind in ["Sent", "Failed", "Retried", "Enqueued", "Acked"] {
        ensure!(events.iter().any(|event| event["kind"] == kind), "no {kind}");
    }
    Ok(())
}

/// Runs the scenario, takes its JSON in again, and compares every export of both, by the command line and by a server; gives
/// the JSON.
async fn comes_back(desk: &Desk, scenario: &Path) -> Result<Value> {
    let server = Server::start().await?;
    let there = async |arguments: &[&dyn AsRef<Path>]| {
        let given = arguments.iter().map(|argument| argument.as_ref().as_os_str().to_owned());
        hopscope(given.chain(["--data".into(), server.data().as_os_str().to_owned()])).await
    };
    let ran = there(&[&"run", &scenario]).await?;
    ensure_code(&ran, 0)?;
    let (id, json) = (id_of(&ran.stdout)?.to_owned(), desk.path("recording.json"));
    ensure_code(&there(&[&"export", &id, &"--out", &json]).await?, 0)?;
    let imported = there(&[&"import", &json, &"--name", &"from the lab"]).await?;
    ensure_code(&imported, 0)?;
    let told = imported.stdout.strip_prefix(&format!("Imported {id} as run ")).context("not told")?;
    let copy = told.split_once(':').context("no id")?.0;
    let listed = there(&[&"runs"]).await?.stdout;
    let row = listed.lines().find(|line| line.contains(copy)).context("the import is not listed")?;
    ensure!(row.contains("whole, imported") && row.contains("from the lab"), "{row}");
    for format in ["json", "csv", "csv-messages", "perfetto"] {
        let mut written = Vec::new();
        for id in [id.as_str(), copy] {
            let out = desk.path(&format!("{format}-{id}"));
            ensure_code(&there(&[&"export", &id, &"--format", &format, &"--out", &out]).await?, 0)?;
            let line = format!("GET /api/runs/{id}/export?format={format}");
            let document = fetch(&line, server.address()?, &[], b"").await?;
            ensure!(document.status == 200, "{document:?}");
            written.extend([std::fs::read(&out)?, document.body]);
        }
        ensure!(!written[0].is_empty() && written.iter().all(|other| *other == written[0]), "{format} of {id}");
    }
    Ok(serde_json::from_slice(&std::fs::read(&json)?)?)
}

#[tokio::test]
async fn a_file_that_is_no_recording_is_refused_with_its_path() -> Result<()> {
    let desk = Desk::new()?;
    let (file, json) = (desk.scenario(ten)?, desk.path("recording.json"));
    ensure_code(&desk.hopscope(&[&"run", &file, &"--out", &json]).await?, 0)?;
    let altered = std::fs::read_to_string(&json)?.replacen("\"kind\":\"Sent\"", "\"kind\":\"Posted\"", 1);
    std::fs::write(&json, altered)?;
    let refused = desk.hopscope(&[&"import", &json]).await?;
    ensure_code(&refused, 3)?;
    ensure!(refused.stderr.contains("error at /events/") && refused.stderr.contains("Posted"), "{}", refused.stderr);
    ensure_code(&desk.hopscope(&[&"import", &json, &"--name", &""]).await?, 64)?;
    ensure_code(&desk.hopscope(&[&"import", &desk.path("nowhere.json")]).await?, 5)?;
    let listed = desk.hopscope(&[&"runs"]).await?.stdout;
    ensure!(listed.lines().count() == 2, "more than the heading and the one run: {listed}");
    Ok(())
}
