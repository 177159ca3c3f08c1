//! The list of runs: rename, export in another format, import, open, delete; and what stays after a reload.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use prost::Message;
use serde_json::Value;
use thirtyfour::Key;

use crate::hands::Hands;

/// Calls that the run makes: 20/s for 1 s.
const CALLS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_renamed_exported_imported_opened_and_deleted() -> Result<()> {
    let server = Server::start().await?;
    let downloads = tempfile::tempdir()?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.download_into(downloads.path()).await?;
        nothing_yet(&hands).await?;
        let first = run_template(&hands).await?;
        rename(&hands, &first).await?;
        export(&hands, downloads.path()).await?;
        refuse_what_is_no_recording(&hands, downloads.path()).await?;
        let second = import(&hands, downloads.path()).await?;
        assert_ne!(first, second);
        the_laws_held(&hands).await?;
        open_by_keyboard(&hands, &first).await?;
        the_laws_held(&hands).await?;
        delete(&hands, &first, &second).await?;
        survives_a_reload(&hands, &second).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Before the first run the list says so, and Escape puts it away.
async fn nothing_yet(hands: &Hands) -> Result<()> {
    hands.click("[data-action=runs]").await?;
    hands.find("dialog.runs [data-runs=none]").await?;
    picture(&hands.driver, "runs-none").await?;
    hands.press(Key::Escape).await?;
    closed(hands).await
}

/// Runs the template for a second; the id of the run.
async fn run_template(hands: &Hands) -> Result<String> {
    hands.click("[data-template=hello-sync]").await?;
    hands.find("[data-link=l1]").await?;
    hands.run_whole("1 s").await?;
    the_laws_held(hands).await?;
    hands.shown_run().await
}

/// Gives the run a name by F2, and gives another one up by Escape.
async fn rename(hands: &Hands, id: &str) -> Result<()> {
    hands.click("[data-action=runs]").await?;
    hands.find(&format!(".runs tr.current[data-run='{id}'][data-state=whole]")).await?;
    hands.find(".runs-open").await?.send_keys(Key::F2).await?;
    hands.fill("run-name", "The first one").await?;
    hands.find(".runs-open[title='The first one']").await?;
    hands.click("[data-action=rename-run]").await?;
    hands.find("input[name=run-name]").await?.send_keys("x" + Key::Escape).await?;
    hands.find(".runs-open[title='The first one']").await?;
    picture(&hands.driver, "runs").await?;
    hands.click("[data-action=close-runs]").await?;
    closed(hands).await
}

/// A Perfetto trace is a list of packets.
#[derive(Message)]
struct Packets {
    #[prost(bytes = "vec", repeated, tag = "1")]
    packets: Vec<Vec<u8>>,
}

/// Exports as JSON by one click, and as a Perfetto trace by the menu.
async fn export(hands: &Hands, downloads: &Path) -> Result<()> {
    hands.click("[data-action=export-json]").await?;
    let json: Value = serde_json::from_slice(&hands.downloaded(downloads, "json").await?)?;
    let events = json["events"].as_array().context("no events")?.len();
    hands.click("[data-menu=export]").await?;
    for format in ["csv", "csv-messages", "recording"] {
        hands.find(&format!("[role=menu] [data-action=export-{format}]")).await?;
    }
    picture(&hands.driver, "export").await?;
    hands.click("[data-action=export-perfetto]").await?;
    let trace = hands.downloaded(downloads, "pftrace").await?;
    let packets = Packets::decode(trace.as_slice())?.packets;
    ensure!(packets.len() > events, "{} packets for {events} events", packets.len());
    assert_eq!(hands.count("[role=menu]").await?, 0, "the menu has closed");
    Ok(())
}

/// A file that is no recording is refused in the server's words, with the place in it.
async fn refuse_what_is_no_recording(hands: &Hands, downloads: &Path) -> Result<()> {
    let file = downloads.join("scenario.txt");
    std::fs::write(&file, r#"{"format": "hopscope-scenario"}"#)?;
    hands.click("[data-action=runs]").await?;
    choose(hands, &file).await?;
    let told = hands.text(".runs-trouble").await?;
    assert!(told.contains("scenario.txt") && told.contains("/format") && told.contains("hopscope-recording"), "{told}");
    picture(&hands.driver, "runs-refused").await?;
    Ok(())
}

/// Takes the exported JSON in as another run, which is then shown; its id.
async fn import(hands: &Hands, downloads: &Path) -> Result<String> {
    let before = hands.shown_run().await?;
    choose(hands, &exported(downloads)?).await?;
    closed(hands).await?;
    hands.click("[data-action=runs]").await?;
    hands.find(&format!(".runs tr.current:not([data-run='{before}'])")).await?;
    assert_eq!(hands.count("[data-run]").await?, 2);
    assert_eq!(hands.text("tr.current .runs-state").await?, "whole, imported");
    picture(&hands.driver, "runs-imported").await?;
    hands.click("[data-action=close-runs]").await?;
    closed(hands).await?;
    hands.shown_run().await
}

/// Goes down to the older run by the arrow key, and opens it by Enter.
/// Its scenario then stands on the canvas, whatever stood there before.
async fn open_by_keyboard(hands: &Hands, id: &str) -> Result<()> {
    hands.click("[data-node=n2]").await?;
    hands.click("[data-action=remove]").await?;
    assert_eq!(hands.count("[data-node]").await?, 1);
    hands.click("[data-action=runs]").await?;
    hands.find(&format!("[data-run='{id}']")).await?;
    hands.press(Key::Down).await?;
    hands.press(Key::Down).await?;
    hands.press(Key::Enter).await?;
    closed(hands).await?;
    assert_eq!(hands.shown_run().await?, id);
    hands.find("[data-action=export-json]").await?;
    hands.find("[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    Ok(())
}

/// Deletes the run that is shown, once it is confirmed; then none is shown, and the other one is opened by a click.
async fn delete(hands: &Hands, id: &str, other: &str) -> Result<()> {
    hands.click("[data-action=runs]").await?;
    let row = format!("[data-run='{id}']");
    hands.click(&format!("{row} [data-action=delete-run]")).await?;
    picture(&hands.driver, "runs-delete").await?;
    hands.click("[data-action=delete-no]").await?;
    hands.click(&format!("{row} [data-action=delete-run]")).await?;
    hands.click("[data-action=delete-yes]").await?;
    hands.gone(&row).await?;
    hands.gone("[data-action=export-json]").await?;
    assert!(!hands.driver.current_url().await?.as_str().contains("run="), "the address still names the run");
    hands.click(&format!("[data-run='{other}']")).await?;
    closed(hands).await?;
    assert_eq!(hands.shown_run().await?, other);
    Ok(())
}

/// After a reload the run that was opened is shown, and the list is as it was left.
async fn survives_a_reload(hands: &Hands, id: &str) -> Result<()> {
    hands.driver.refresh().await?;
    hands.find("[data-action=export-json]").await?;
    the_laws_held(hands).await?;
    hands.click("[data-action=runs]").await?;
    hands.find(&format!("tr.current[data-run='{id}']")).await?;
    assert_eq!(hands.count("[data-run]").await?, 1);
    Ok(())
}

/// The law of calls held on every call of the run that is shown.
async fn the_laws_held(hands: &Hands) -> Result<()> {
    hands.find(&format!("[data-law=reply-after-request][data-held='{CALLS}'][data-checked='{CALLS}']")).await?;
    Ok(())
}

async fn closed(hands: &Hands) -> Result<()> {
    hands.gone("dialog.runs").await
}

/// Chooses a file to import.
pub(crate) async fn choose(hands: &Hands, file: &Path) -> Result<()> {
    let picker = hands.find("input[name=recording-file]").await?;
    picker.send_keys(file.to_str().context("a path that is no text")?).await?;
    Ok(())
}

/// The JSON that was downloaded.
fn exported(downloads: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(downloads)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            return Ok(path);
        }
    }
    anyhow::bail!("no JSON in {}", downloads.display())
}
