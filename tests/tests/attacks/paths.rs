//! Ids, names and documents that would lead out of the folder of runs, or to what is no run in it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::hopscope;
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::support::{HELLO, ask, exchange, get, over, ran, start};

/// What no answer may hold.
const SECRET: &str = "what stands outside";

/// Every file below a folder, with its bytes.
fn files(folder: &std::path::Path) -> Result<BTreeSet<(std::path::PathBuf, Vec<u8>)>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert((path.clone(), std::fs::read(&path)?));
        }
    }
    Ok(found)
}

#[tokio::test]
async fn no_id_leads_out_of_the_folder() -> Result<()> {
    let server = Server::start().await?;
    let id = ran(&server, &serde_json::from_str(HELLO)?, "200 ms").await?;
    let recording = get(&server, &format!("/api/runs/{id}/recording")).await?;
    // A whole recording elsewhere, under a name that runs have.
    let outside = tempfile::tempdir()?;
    let name = outside.path().file_name().and_then(|name| name.to_str()).context("no name")?.to_owned();
    let elsewhere = "20260101-000000-abcd";
    std::fs::write(outside.path().join(format!("{elsewhere}.hop")), &recording)?;
    std::fs::write(outside.path().join("secret.txt"), SECRET)?;
    std::fs::write(server.data().join("secret.txt"), SECRET)?;
    let before = files(outside.path())?;
    let absolute = outside.path().join(elsewhere).display().to_string();
    let up = [format!("../{name}/{elsewhere}"), absolute, "secret.txt".to_owned(), "../../../../etc/passwd".to_owned()];
    let mut ids = Vec::new();
    for path in &up {
        ids.extend([
            path.clone(),
            path.replace('/', "%2f"),
            path.replace('.', "%2e").replace('/', "%2F"),
            path.replace('/', "%252f"),
            path.replace('/', "\\"),
            path.replace('/', "%5c"),
            path.replace("..", "%c0%ae%c0%ae"),
            format!("{id}/../{path}"),
            format!("{id}%2f..%2f{}", path.replace('/', "%2f")),
            format!("{}%00{id}", path.replace('/', "%2f")),
        ]);
    }
    ids.extend(["..", "%2e%2e", ".", "%2e", "%00", "*", "~", "%", "%zz"].map(str::to_owned));
    ids.extend([format!("{id}.hop"), format!("{id}.json"), format!("{id}%00"), format!("{id}%20")]);
    // An id of digits alone is the same in capitals, and leads to its own run.
    ids.extend(Some(id.to_uppercase()).filter(|capitals| *capitals != id));
    for bad in &ids {
        for (method, rest) in [
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/recording"),
            ("GET", "/frames?from=0"),
            ("GET", "/keyframe"),
            ("GET", "/verdict"),
            ("GET", "/export?format=json"),
            ("POST", "/stop"),
            ("POST", "/control"),
        ] {
            let request = format!(
                "{method} /api/runs/{bad}{rest} HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}",
                server.address()?
            );
            let answers = exchange(server.address()?, request.as_bytes()).await?;
            let (status, body) = answers.first().context("no answer")?;
            ensure!((400..500).contains(status), "{method} {bad}{rest}: {status}");
            ensure!(!String::from_utf8_lossy(body).contains(SECRET), "{method} {bad}{rest}");
        }
        let query = format!("GET /api/runs/{id}/compare?with={bad}");
        ensure!((400..500).contains(&ask(&server, &query, b"").await?.status), "{query}");
        let stream = format!("GET /api/streams/{bad}");
        ensure!((400..500).contains(&ask(&server, &stream, b"").await?.status), "{stream}");
    }
    ensure!(files(outside.path())? == before, "a file outside has changed");
    ensure!(get(&server, &format!("/api/runs/{id}/recording")).await? == recording);
    for command in [&["export"][..], &["compare", &id], &["control"]] {
        for bad in &up {
            let data = server.data().display().to_string();
            let given: Vec<&str> = command.iter().copied().chain([bad.as_str(), "--data", &data]).collect();
            ensure!(hopscope(&given).await?.code == 64, "{given:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_page_is_all_that_its_paths_lead_to() -> Result<()> {
    let server = Server::start().await?;
    std::fs::write(server.data().join("secret.txt"), SECRET)?;
    let data = server.data().display().to_string();
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/scenarios/../../Cargo.toml",
        "/scenarios/%2e%2e/%2e%2e/Cargo.toml",
        "/scenarios/recorded/..%5c..%5cindex.html",
        "//etc/passwd",
        "/./index.html",
        "/index.html%00.css",
        "/%2findex.html",
        &format!("{data}/secret.txt"),
        &format!("/{data}/secret.txt"),
    ] {
        let reply = ask(&server, &format!("GET {path}"), b"").await?;
        let body = String::from_utf8_lossy(&reply.body);
        ensure!(!body.contains("root:") && !body.contains(SECRET) && !body.contains("[package]"), "{path}");
        ensure!(reply.status == 404, "{path}: {}", reply.status);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_run_is_called_is_no_path() -> Result<()> {
    let server = Server::start().await?;
    let outside = server.data().parent().context("no folder above")?.join("hopscope-attack");
    let name = format!("../{}", outside.file_name().and_then(|name| name.to_str()).context("no name")?);
    let absolute = outside.display().to_string();
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["name"] = name.clone().into();
    scenario["nodes"][1]["name"] = "../../etc".into();
    let id = ran(&server, &scenario, "200 ms").await?;
    let document: Value = serde_json::from_slice(&get(&server, &format!("/api/runs/{id}/export?format=json")).await?)?;
    for called in [&name, &absolute, "..", "C:\\Windows\\x"] {
        let rename = serde_json::json!({ "name": called }).to_string();
        let reply = ask(&server, &format!("PATCH /api/runs/{id}"), rename.as_bytes()).await?;
        ensure!(reply.status == 200, "{called}: {reply:?}");
        let mut altered = document.clone();
        altered["run"]["id"] = called.into();
        let query: String = called.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let line = format!("POST /api/runs/import?name={query}");
        let imported = ask(&server, &line, altered.to_string().as_bytes()).await?;
        ensure!(imported.status == 201, "{called}: {}", String::from_utf8_lossy(&imported.body));
        let run: Value = serde_json::from_slice(&imported.body)?;
        assert_eq!((&run["name"], &run["imported_from"]), (&(*called).into(), &(*called).into()));
        let copy = run["id"].as_str().context("no id")?;
        for format in ["json", "csv", "csv-messages", "perfetto"] {
            let reply = ask(&server, &format!("GET /api/runs/{copy}/export?format={format}"), b"").await?;
            let file = reply.header("content-disposition").context("no file's name")?;
            ensure!(file.starts_with(&format!("attachment; filename=\"{copy}.")) && !file.contains('/'), "{file}");
        }
    }
    // Another run, so that whatever is swept or written is.
    let run = start(&server, &scenario, Some("100 ms")).await?;
    over(&server, run["id"].as_str().context("no id")?).await?;
    for (path, _) in files(server.data())? {
        let file = path.file_name().and_then(|name| name.to_str()).context("no name")?;
        let (id, ending) = file.split_once('.').context("no ending")?;
        // That the folder has a server lies beside the runs.
        ensure!(file == ".served" || (id.len() == 20 && ["hop", "json", "keys"].contains(&ending)), "{file}");
    }
    ensure!(!outside.exists() && !outside.with_extension("hop").exists(), "{} was made", outside.display());
    Ok(())
}
