//! A person makes a queue of a call, runs it, and makes it a call again.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_made_a_queue_and_a_call_again_and_both_run() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.click("[data-link=l1] .chip").await?;
        assert_eq!(hands.text("[data-action=convert]").await?, "Make this a queue");
        hands.click("[data-action=convert]").await?;
        for name in ["shop queue", "buyers replies"] {
            hands.find(&format!("[data-node][data-name='{name}']")).await?;
        }
        picture(&hands.driver, "converted").await?;
        run(&hands).await?;
        // All twenty were taken from the queue, and answered through the other.
        hands.find("[data-law=take-lowers][data-verdict=held]").await?;
        assert_eq!(hands.text("[data-figure=completed]").await?, "20");
        // One step back, and again.
        hands.click("[data-action=undo]").await?;
        hands.gone("[data-name='shop queue']").await?;
        hands.click("[data-action=redo]").await?;
        hands.find("[data-name='shop queue']").await?;
        // From the queue's other end it is the same way.
        hands.click("[data-link=l2] .chip").await?;
        assert_eq!(hands.text("[data-action=convert]").await?, "Make this a call");
        hands.click("[data-action=convert]").await?;
        hands.gone("[data-name='shop queue']").await?;
        hands.gone("[data-name='buyers replies']").await?;
        assert_eq!(hands.count("[data-node]").await?, 2);
        run(&hands).await?;
        hands.find("[data-law=reply-after-request][data-verdict=held]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Runs what is on the canvas for a second, to its end.
async fn run(hands: &Hands) -> Result<()> {
    hands.fill("duration", "1 s").await?;
    hands.click("[data-action=run]").await?;
    hands.find("[data-action=stop]").await?;
    hands.find("[data-action=export-json]").await?;
    Ok(())
}
