//! A recording that somebody altered: the law that it breaks is red, and leads to the trace that breaks it.

use std::path::Path;

use anyhow::{Context as _, Result};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::hands::Hands;
use crate::runs::choose;

/// `--bad` of the light theme, as the browser computes it.
const RED: &str = "rgba(201, 42, 42, 1)";

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_before_its_request_turns_its_law_red_and_leads_to_its_trace() -> Result<()> {
    let server = Server::start().await?;
    let downloads = tempfile::tempdir()?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        let mut recording = recorded(&hands, downloads.path()).await?;
        hands.find(".chief[data-law=reply-after-request][data-verdict=held]").await?;
        let trace = reply_first(&mut recording)?;
        import(&hands, downloads.path(), &recording).await?;
        follow(&hands, &trace).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Puts the good reply of a call before its request, by a nanosecond at least; gives its trace.
fn reply_first(recording: &mut Value) -> Result<String> {
    let events = recording["events"].as_array_mut().context("no events")?;
    // Not the first one, so that the page has to look for it.
    let sent = events.iter().enumerate().filter(|(_, event)| event["kind"] == "Sent").nth(7);
    let (at, sent) = sent.map(|(at, event)| (at, event.clone())).context("no call")?;
    let same = |event: &Value| event["kind"] == "Completed" && event["message"] == sent["message"];
    let reply = events.iter().position(same).context("no reply")?;
    let mut reply = events.remove(reply);
    let before = events[at - 1]["time_ns"].as_i64().context("no time")?;
    let time = sent["time_ns"].as_i64().context("no time")?;
    reply["time_ns"] = before.max(time - 1).into();
    events.insert(at, reply);
    Ok(sent["trace"].as_str().context("no trace")?.to_owned())
}

/// Runs a template for a second and exports it into the folder of downloads; gives the recording.
pub(crate) async fn recorded(hands: &Hands, folder: &Path) -> Result<Value> {
    hands.download_into(folder).await?;
    hands.click("[data-template=hello-sync]").await?;
    hands.fill("duration", "1 s").await?;
    hands.click("[data-action=run]").await?;
    hands.click("[data-action=export-json]").await?;
    Ok(serde_json::from_slice(&hands.downloaded(folder, "json").await?)?)
}

/// Puts an altered recording into the folder of downloads and opens it by the list of runs.
pub(crate) async fn import(hands: &Hands, folder: &Path, recording: &Value) -> Result<()> {
    let file = folder.join("altered.json");
    std::fs::write(&file, recording.to_string())?;
    hands.click("[data-action=runs]").await?;
    choose(hands, &file).await?;
    hands.gone("dialog.runs").await
}

/// From the red chip to the table of laws, from there to the trace.
async fn follow(hands: &Hands, trace: &str) -> Result<()> {
    let chip = ".chief[data-law=reply-after-request][data-verdict=broken][data-broken='1']";
    let chip = hands.find(chip).await?;
    assert_eq!(chip.css_value("color").await?, RED);
    picture(&hands.driver, "broken-chip").await?;
    chip.click().await?;
    let verdict = hands.find("[data-law-row=reply-after-request] .verdict[data-verdict=broken]").await?;
    assert_eq!((verdict.text().await?.as_str(), verdict.css_value("color").await?.as_str()), ("broken", RED));
    let breach = format!("[data-breach='{trace}']");
    hands.find(&breach).await?;
    picture(&hands.driver, "broken-laws").await?;
    hands.click(&breach).await?;
    hands.find("[data-tab=trace][aria-selected=true]").await?;
    hands.find("svg.sequence [data-event=Completed]").await?;
    picture(&hands.driver, "broken-trace").await?;
    hands.click("[data-tab=traces]").await?;
    hands.find(&format!("[data-trace='{trace}'][aria-selected=true]")).await?;
    Ok(())
}
