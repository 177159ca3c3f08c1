//! The main job: drag a client and a service onto an empty canvas, link them, run, watch, read one trace, download.

use std::path::Path;

use anyhow::{Context, Result};
use hopscope_record::Kind;
use hopscope_record::decoder::Framing;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::fields::{json_agrees, perfetto_agrees};
use hopscope_tests::http::request;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::hands::Hands;

/// Calls that the run makes: 200/s for 2 s.
const CALLS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_dragged_run_watched_read_and_downloaded() -> Result<()> {
    let server = Server::start().await?;
    let downloads = tempfile::tempdir()?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.download_into(downloads.path()).await?;
        build(&hands).await?;
        mistake_and_repair(&hands).await?;
        hands.fill("duration", "2 s").await?;
        hands.click("[data-action=run]").await?;
        // A dot on the canvas while the run goes on.
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        picture(&hands.driver, "live").await?;
        hands.find("[data-action=export-json]").await?;
        assert_eq!(hands.text("[data-figure=completed]").await?.replace(',', ""), CALLS.to_string());
        picture(&hands.driver, "replay").await?;
        read_the_laws(&hands).await?;
        read_a_trace(&hands).await?;
        compare_download(&hands, &server, downloads.path()).await?;
        survives_a_reload(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Drags a client and a service onto the empty canvas and a link between them.
async fn build(hands: &Hands) -> Result<()> {
    assert_eq!(hands.count("[data-node]").await?, 0, "the canvas begins empty");
    picture(&hands.driver, "empty").await?;
    hands.drag_to_point("[data-palette=client]", 320, 250).await?;
    hands.find("[data-node=n1]").await?;
    hands.drag_to_point("[data-palette=service]", 680, 250).await?;
    hands.find("[data-node=n2]").await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    assert_eq!((hands.count("[data-node]").await?, hands.count("[data-link]").await?), (2, 1));
    Ok(())
}

/// Types a rate that cannot be, is told beside the field and at Run, and puts it right.
async fn mistake_and_repair(hands: &Hands) -> Result<()> {
    hands.click("[data-node=n2]").await?;
    hands.choose("work.distribution", "constant").await?;
    hands.fill("work.mean", "2 ms").await?;
    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "-1/s").await?;
    let told = hands.text("[data-issue-for='load.rate']").await?;
    assert!(told.contains("-1/s"), "{told}");
    hands.click("[data-action=run]").await?;
    hands.find("[data-refusal]").await?;
    picture(&hands.driver, "mistake").await?;
    hands.fill("load.rate", "200/s").await?;
    assert_eq!(hands.text("[data-issue-for='load.rate']").await?, "");
    Ok(())
}

/// The law of calls was checked on every call and held on each.
async fn read_the_laws(hands: &Hands) -> Result<()> {
    let law = "[data-law=reply-after-request]";
    for (count, expected) in [("data-held", CALLS), ("data-checked", CALLS), ("data-broken", 0)] {
        assert_eq!(hands.attribute(law, count).await?, expected.to_string(), "{count}");
    }
    hands.click("[role=tab][data-tab=laws]").await?;
    picture(&hands.driver, "laws").await?;
    hands.click("[role=tab][data-tab=latency]").await?;
    picture(&hands.driver, "latency").await?;
    Ok(())
}

/// Chooses a trace in the table and reads its sequence.
async fn read_a_trace(hands: &Hands) -> Result<()> {
    hands.click("[role=tab][data-tab=traces]").await?;
    hands.click("[data-trace]").await?;
    hands.click("[role=tab][data-tab=trace]").await?;
    hands.find("svg.sequence").await?;
    for kind in [Kind::SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED] {
        let name = kind.name().context("a kind without a name")?;
        hands.find(&format!("svg.sequence [data-event={name}]")).await?;
    }
    picture(&hands.driver, "trace").await?;
    Ok(())
}

/// Both files have what the recording has, and every call of it came home.
async fn compare_download(hands: &Hands, server: &Server, downloads: &Path) -> Result<()> {
    let (_, recorded) = exported(hands, server, downloads).await?;
    let completed = recorded.events.iter().filter(|event| event.kind == Kind::COMPLETED).count();
    assert_eq!((completed, recorded.lost), (CALLS, 0));
    Ok(())
}

/// Downloads the run as JSON and as a Perfetto trace, which both tell each event of its recording in all its fields.
pub(crate) async fn exported(hands: &Hands, server: &Server, downloads: &Path) -> Result<(Value, Recorded)> {
    let recorded = recorded(hands, server).await?;
    hands.click("[data-action=export-json]").await?;
    let json: Value = serde_json::from_slice(&hands.downloaded(downloads, "json").await?)?;
    assert_eq!(json["run"]["id"].as_str(), Some(hands.shown_run().await?.as_str()));
    json_agrees(&json, &recorded)?;
    hands.click("[data-menu=export]").await?;
    hands.click("[data-action=export-perfetto]").await?;
    perfetto_agrees(&hands.downloaded(downloads, "pftrace").await?, &recorded)?;
    Ok((json, recorded))
}

/// The recording of the run that the page shows.
pub(crate) async fn recorded(hands: &Hands, server: &Server) -> Result<Recorded> {
    let line = format!("GET /api/runs/{}/recording", hands.shown_run().await?);
    let (status, bytes) = request(&line, server.address()?, &Vec::new(), b"").await?;
    assert_eq!(status, 200);
    Recorded::read(&bytes, Framing::File)
}

/// After a reload the scenario and the run are there again.
async fn survives_a_reload(hands: &Hands) -> Result<()> {
    hands.driver.refresh().await?;
    hands.find("[data-link=l1]").await?;
    hands.find("[data-action=export-json]").await?;
    assert_eq!(hands.text("[data-figure=completed]").await?.replace(',', ""), CALLS.to_string());
    assert_eq!(hands.attribute("[data-node=n1]", "data-name").await?, "client");
    Ok(())
}
