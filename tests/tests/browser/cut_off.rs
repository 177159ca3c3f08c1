//! A page whose connection is cut while a run goes on, twice, and which in the end misses nothing.

use anyhow::{Context as _, Result, ensure};
use hopscope_report::frames::each_frame;
use hopscope_report::laws::{LawReport, Laws};
use hopscope_tests::browser::{faults, picture, with_browser_flags};
use hopscope_tests::http::request;
use hopscope_tests::server::Server;
use hopscope_tests::wire::Wire;
use serde_json::Value;

use crate::hands::Hands;

/// Calls that the run makes: 200/s for 8 s.
const CALLS: usize = 1_600;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_lost_its_connection_resumes_with_nothing_missing() -> Result<()> {
    let server = Server::start().await?;
    let port = server.address()?.port();
    let wire = Wire::to(server.address()?).await?;
    // The server answers under its own name only, so the browser takes another way to that name.
    let way = format!("--host-resolver-rules=MAP localhost:{port} {}", wire.address());
    with_browser_flags(&[way], async |driver| {
        let hands = Hands::open(driver, &format!("http://localhost:{port}")).await?;
        start(&hands).await?;
        let id = hands.shown_run().await?;
        // Cut in the middle, and mended while the run goes on.
        wire.cut();
        hands.find(".notice[data-status=lost]").await?;
        picture(&hands.driver, "cut-off").await?;
        let seen = recorded(&server, &id).await?.1;
        while recorded(&server, &id).await?.1 < seen + 8_192 {
            tokio::task::yield_now().await;
        }
        ensure!(!recorded(&server, &id).await?.0, "the run has ended too early for this test");
        wire.mend();
        hands.gone(".notice[data-status=lost]").await?;
        ensure!(hands.count("[data-action=stop]").await? == 1, "the run has ended too early for this test");
        // Cut again, until the run has ended without the page.
        wire.cut();
        hands.find(".notice[data-status=lost]").await?;
        while !recorded(&server, &id).await?.0 {
            tokio::task::yield_now().await;
        }
        wire.mend();
        hands.find("[data-action=export-json]").await?;
        compare(&hands, &server, &id).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Runs the template at ten times its rate, until the page has shown some of it.
async fn start(hands: &Hands) -> Result<()> {
    hands.click("[data-template=hello-sync]").await?;
    hands.click("[data-node=n2]").await?;
    hands.fill("work.mean", "2 ms").await?;
    hands.click("[data-node=n1]").await?;
    hands.fill("load.rate", "200/s").await?;
    hands.fill("duration", "8 s").await?;
    hands.click("[data-action=run]").await?;
    hands.find("[data-trace]").await?;
    Ok(())
}

/// Whether the run has ended, and how many bytes of it are stored; asked without the wire.
async fn recorded(server: &Server, id: &str) -> Result<(bool, u64)> {
    let (status, body) = request(&format!("GET /api/runs/{id}"), server.address()?, &Vec::new(), b"").await?;
    ensure!(status == 200, "{status}");
    let run: Value = serde_json::from_slice(&body)?;
    Ok((run["state"] == "ended", run["bytes"].as_u64().context("no bytes")?))
}

/// Traces, figures and every law of the page are those of the recording.
async fn compare(hands: &Hands, server: &Server, id: &str) -> Result<()> {
    let (_, file) = request(&format!("GET /api/runs/{id}/recording"), server.address()?, &Vec::new(), b"").await?;
    let laws = judge(&file)?;
    assert_eq!(hands.text("[data-tab=traces] .count").await?.replace(',', ""), CALLS.to_string());
    assert_eq!(hands.text("[data-figure=completed]").await?.replace(',', ""), CALLS.to_string());
    for LawReport { law, held, broken, .. } in &laws {
        let (law, checked) = (law.id(), held + broken);
        let css = format!(".law-chips [data-law={law}]");
        // A law that is not applicable to a run without queues may have no chip of its own.
        if checked > 0 || hands.count(&css).await? > 0 {
            hands.find(&format!("{css}[data-held='{held}'][data-checked='{checked}']")).await?;
        }
    }
    ensure!(laws.iter().any(|report| report.law.id() == "accepted" && report.held > CALLS as u64 * 6));
    Ok(())
}

fn judge(file: &[u8]) -> Result<Vec<LawReport>> {
    let mut laws = Laws::new();
    each_frame(&mut &*file, |frame| laws.push(frame).map_err(anyhow::Error::from))?;
    Ok(laws.report())
}
