//! Scenarios of a million nodes and JSON that is nested without end: refused with a clear error, in bounded time and memory.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::hopscope;
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::support::{HELLO, ask, code, get, live, ran};

/// What a server may take while it reads four MiB of the worst JSON.
const MEMORY: u64 = 768 << 20;

fn errors(body: &[u8]) -> Result<Vec<(String, String)>> {
    let body: Value = serde_json::from_slice(body)?;
    let issues = body["issues"].as_array().context("no issues")?;
    let text = |issue: &Value, field: &str| issue[field].as_str().unwrap_or_default().to_owned();
    Ok(issues.iter().map(|issue| (text(issue, "code"), text(issue, "path"))).collect())
}

#[tokio::test]
async fn a_million_nodes_are_refused_by_their_number() -> Result<()> {
    let server = Server::start().await?;
    // As many as fit the body of a request: they say nothing and are many.
    for one in ["{}", "0", "[]", "{\"a\":0}", "{\"id\":\"n\",\"name\":\"n\",\"kind\":\"service\"}"] {
        let head =
            "{\"scenario\":{\"format\":\"hopscope-scenario\",\"version\":1,\"name\":\"a\",\"links\":[],\"nodes\":[";
        let count = ((4 << 20) - head.len() - 64) / (one.len() + 1);
        let body = format!("{head}{}{one}]}}}}", format!("{one},").repeat(count));
        let reply = ask(&server, "POST /api/runs", body.as_bytes()).await?;
        assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "too-many"), "{one}");
        let told: Value = serde_json::from_slice(&reply.body)?;
        let message = told["message"].as_str().unwrap_or_default();
        ensure!(message.contains(&(count + 1).to_string()) && message.contains("1000"), "{message}");
        ensure!(errors(&reply.body)?.contains(&("too-many".to_owned(), "/scenario/nodes".to_owned())), "{message}");
        ensure!(reply.body.len() < 64 << 10, "an answer of {} bytes", reply.body.len());
    }
    let most = server.process()?.most_memory()?;
    ensure!(most < MEMORY, "{} MiB were taken", most >> 20);
    Ok(())
}

#[tokio::test]
async fn a_million_nodes_in_a_file_are_refused_by_its_length() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("million.json");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    write!(file, "{{\"format\":\"hopscope-scenario\",\"version\":1,\"name\":\"a\",\"links\":[],\"nodes\":[")?;
    for node in 0..1_000_000 {
        let comma = if node > 0 { "," } else { "" };
        write!(file, "{comma}{{\"id\":\"n{node}\",\"name\":\"n{node}\",\"kind\":\"service\"}}")?;
    }
    write!(file, "]}}")?;
    file.flush()?;
    let bytes = std::fs::metadata(&path)?.len();
    for command in ["validate", "run"] {
        let ended = hopscope(
            [command.as_ref(), path.as_os_str(), "--data".as_ref(), folder.path().as_os_str()]
                .into_iter()
                .take(if command == "run" { 4 } else { 2 }),
        )
        .await?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        ensure!(ended.code == 3 && said.contains(&format!("{bytes} bytes")), "{command}: {} {said}", ended.code);
    }
    // A file that does not end.
    let ended = hopscope(["validate", "/dev/zero"]).await?;
    ensure!(ended.code == 3 && ended.stdout.contains("bytes"), "{} {}", ended.stdout, ended.stderr);
    Ok(())
}

/// So many levels of lists, or of objects.
const LEVELS: usize = 500_000;

#[tokio::test]
async fn json_that_is_nested_without_end_is_refused() -> Result<()> {
    let server = Server::start().await?;
    let (live, _) = live(&server).await?;
    let lists = "[".repeat(LEVELS);
    let closed = format!("{lists}{}", "]".repeat(LEVELS));
    let objects = "{\"a\":".repeat(LEVELS);
    for deep in [&lists, &closed, &objects] {
        for line in ["POST /api/runs".to_owned(), format!("POST /api/runs/{live}/control")] {
            let reply = ask(&server, &line, deep.as_bytes()).await?;
            assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "bad-json"), "{line}");
        }
        let reply = ask(&server, &format!("PATCH /api/runs/{live}"), deep.as_bytes()).await?;
        ensure!((400..500).contains(&reply.status), "{reply:?}");
        for head in ["", "{\"scenario\":", "{\"names\":", "{\"format\":"] {
            let document = format!("{head}{deep}");
            let reply = ask(&server, "POST /api/runs/import", document.as_bytes()).await?;
            assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "not-json"), "{head}");
        }
    }
    // In the middle of a recording that is one up to there, where an event has a value that means nothing.
    let id = ran(&server, &serde_json::from_str(HELLO)?, "300 ms").await?;
    let document = String::from_utf8(get(&server, &format!("/api/runs/{id}/export?format=json")).await?)?;
    for deep in [&lists, &closed, &objects] {
        let altered = document.replacen("\"kind\":\"Sent\"", &format!("\"kind\":{deep}"), 1);
        ensure!(altered.len() > document.len());
        let reply = ask(&server, "POST /api/runs/import", altered.as_bytes()).await?;
        ensure!(reply.status == 422, "{reply:?}");
        let code = code(&reply.body)?;
        // Of the last one as many bytes as no event has.
        ensure!(["not-json", "bad-value", "too-large"].contains(&code.as_str()), "{code}");
    }
    // On the command line as well, whose thread is another.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("deep.json");
    std::fs::write(&path, &lists)?;
    let ended = hopscope([std::ffi::OsStr::new("validate"), path.as_os_str()]).await?;
    ensure!(ended.code == 3 && ended.stdout.contains("line 1, column 128"), "{} {}", ended.stdout, ended.stderr);
    Ok(())
}
