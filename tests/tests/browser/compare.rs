//! A person runs a scenario, lays a network on its link, runs it again, and compares the two.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_compared_with_one_over_a_network() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        // Alone, there is nothing to compare with, and the panel says how there will be.
        run(&hands).await?;
        let near = hands.shown_run().await?;
        hands.click("[data-tab=compare]").await?;
        hands.find(".compare .note").await?;
        ensure!(hands.count("[name=compare-with]").await? == 0);
        // A preset is a value like any other: it can be changed, and is one step of undo.
        hands.click("[data-link=l1] .chip").await?;
        hands.click("[data-network='80 ms']").await?;
        let mean = hands.find("[name='network.mean']").await?;
        assert_eq!(mean.value().await?.as_deref(), Some("80 ms"));
        hands.fill("network.mean", "60 ms").await?;
        picture(&hands.driver, "network").await?;
        run(&hands).await?;
        hands.click("[data-tab=compare]").await?;
        hands.choose("compare-with", &near).await?;
        let differences = hands.text("[data-differences='1']").await?;
        ensure!(differences.contains("network") && differences.contains("60 ms"), "{differences}");
        // Both runs ask for the same work: what the round trip adds is sure.
        hands.find(".compare tr[data-metric='completed.p50'][data-sure=true]").await?;
        let row = hands.text(".compare tr[data-metric='completed.p50']").await?;
        ensure!(row.contains("buyers->shop") && row.contains(" % … "), "{row}");
        let lines = hands.attribute(".spreads path.after", "d").await?;
        ensure!(lines.starts_with('M') && lines.contains('L'), "{lines}");
        picture(&hands.driver, "compare").await?;
        // What the relay itself added is told with the surroundings.
        hands.click("[data-tab=latency]").await?;
        let told = hands.text(".surroundings").await?;
        ensure!(told.contains("Networks later than asked: p50"), "{told}");
        hands.click("[data-tab=compare]").await?;
        hands.choose("compare-with", "").await?;
        hands.gone(".compare table").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Runs what is on the canvas for two seconds, to its end.
async fn run(hands: &Hands) -> Result<()> {
    hands.fill("duration", "2 s").await?;
    hands.click("[data-action=run]").await?;
    hands.find("[data-action=stop]").await.context("it does not run")?;
    hands.find("[data-action=export-json]").await?;
    Ok(())
}
