//! A person makes a call one over Thrift, then a message that nobody answers, and a call over HTTP again.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

/// Messages that the template's client sends in a second.
const SENT: &str = "20";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_speaks_thrift_and_is_answered_or_not() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.fill("duration", "1 s").await?;
        hands.click("[data-link=l1] .chip").await?;
        hands.choose("protocol", "thrift").await?;
        hands.choose("framing", "framed").await?;
        hands.choose("encoding", "compact").await?;
        run(&hands).await?;
        hands.find("[data-law=reply-after-request][data-verdict=held]").await?;
        assert_eq!(hands.text("[data-figure=completed]").await?, SENT);
        hands.choose("mode", "oneway").await?;
        run(&hands).await?;
        hands.click("[data-tab=latency]").await?;
        // Sent, completed, confirmed and handed over.
        let row = async |column: usize| hands.text(&format!("[data-counts-of='0'] td:nth-of-type({column})")).await;
        assert_eq!([row(1).await?, row(2).await?, row(4).await?], [SENT, "0", SENT]);
        picture(&hands.driver, "thrift").await?;
        // What only Thrift has goes with it, in one step, and comes back in one.
        hands.choose("protocol", "http1").await?;
        hands.gone("[name=framing]").await?;
        hands.gone("[data-issue-for] > *").await?;
        hands.click("[data-action=undo]").await?;
        hands.find("[name=framing]").await?;
        hands.click("[data-action=redo]").await?;
        run(&hands).await?;
        hands.find("[data-law=reply-after-request][data-verdict=held]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Runs what is on the canvas to its end.
async fn run(hands: &Hands) -> Result<()> {
    hands.click("[data-action=run]").await?;
    hands.find("[data-action=stop]").await?;
    hands.find("[data-action=run]").await?;
    hands.find("[data-action=export-json]").await?;
    Ok(())
}
