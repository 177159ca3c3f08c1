//! A topic with two groups, built by drag and drop: each reads every record at its own pace, and one record is followed through both.

use anyhow::{Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

/// Records of the run: 100/s for 2 s.
const RECORDS: &str = "200";

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_read_what_is_published_to_a_topic() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        build(&hands).await?;
        hands.fill("duration", "2 s").await?;
        hands.click("[data-action=run]").await?;
        // The slower group is behind while the run goes on, by its broker's word.
        hands.find("[data-node=n2] [data-lags*='audit']:not([data-lags*='audit 0'])").await?;
        picture(&hands.driver, "topic-live").await?;
        hands.find("[data-action=export-json]").await?;
        assert_eq!(hands.text("[data-figure=sent]").await?, RECORDS);
        hands.find(".chief[data-law=take-lowers][data-verdict=held]").await?;
        let lags = hands.attribute("[data-node=n2] [data-lags]", "data-lags").await?;
        assert_eq!(lags, "billing 0 · audit 0", "each has read all");
        hands.click("[role=tab][data-tab=traces]").await?;
        hands.click("[data-trace]").await?;
        hands.find("svg.sequence").await?;
        assert_eq!(hands.count("svg.sequence [data-event=Fetched]").await?, 2, "one record, taken by both");
        let sequence = hands.text("svg.sequence").await?;
        for reader in ["billing", "audit"] {
            ensure!(sequence.contains(reader), "{reader} is not in {sequence}");
        }
        picture(&hands.driver, "topic-trace").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

async fn build(hands: &Hands) -> Result<()> {
    hands.drag_to_point("[data-palette=client]", 270, 170).await?;
    hands.drag_to_point("[data-palette=topic]", 560, 170).await?;
    hands.drag_to_point("[data-palette=service]", 860, 140).await?;
    hands.find("[data-node=n3]").await?;
    hands.fill("name", "billing").await?;
    hands.drag_to_point("[data-palette=service]", 860, 320).await?;
    hands.find("[data-node=n4]").await?;
    hands.fill("name", "audit").await?;
    // Half as fast as records come.
    hands.choose("work.distribution", "constant").await?;
    hands.fill("work.mean", "20 ms").await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    assert_eq!(hands.count("[name=in_flight], [name=commit]").await?, 0, "who publishes has no reader's options");
    hands.choose("partitioner", "round-robin").await?;
    hands.drag_to("[data-port-of=n2]", "[data-node=n3]").await?;
    hands.find("[data-link=l2]").await?;
    assert_eq!(hands.count("[name=acks], [name=timeout]").await?, 0, "who reads has no sender's options");
    hands.drag_to("[data-port-of=n2]", "[data-node=n4]").await?;
    hands.find("[data-link=l3]").await?;
    // What keeps the topics can be chosen now, and nothing else has changed by it.
    hands.click("[data-settings]").await?;
    hands.find("#settings:popover-open select[name=kafka]").await?;
    picture(&hands.driver, "topic-settings").await?;
    hands.click("[data-settings]").await?;
    hands.gone("#settings:popover-open").await?;
    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "100/s").await?;
    picture(&hands.driver, "topic-built").await?;
    Ok(())
}
