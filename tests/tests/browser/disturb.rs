//! A person crashes a service in a run that goes on, sees it down, starts it again, and reads both in the replay.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_crashed_and_started_by_hand_and_the_replay_shows_it() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.find("[data-node=n2]").await?;
        hands.fill("duration", "60 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find("[data-action=stop]").await?;
        hands.click("[data-node=n2]").await?;
        // Only what it can have now.
        hands.click("[data-live=crash]").await?;
        hands.find("[data-node=n2][data-mark=down] .mark").await?;
        hands.gone("[data-live=pause]").await?;
        assert!(hands.attribute("[data-node=n2]", "aria-label").await?.ends_with("down"));
        picture(&hands.driver, "crashed").await?;
        // Requests go on; one that finds nobody has no answer.
        hands.find(".figures .bad [data-figure=errors]").await?;
        hands.click("[data-live=start]").await?;
        hands.gone("[data-node=n2][data-mark]").await?;
        hands.click("[data-live=pause]").await?;
        hands.find("[data-node=n2][data-mark=paused]").await?;
        hands.click("[data-live=resume]").await?;
        hands.gone("[data-node=n2][data-mark]").await?;
        hands.click("[data-action=stop]").await?;
        hands.find("[data-action=export-json]").await?;
        // Nothing more can be done to it; what was done is marked, and each mark goes to its time.
        hands.gone("[data-live]").await?;
        assert_eq!(hands.count(".track .mark").await?, 4);
        let words = hands.attribute(".track .mark", "aria-label").await?;
        assert!(words.contains("shop crashes"), "{words}");
        hands.click(".track .mark").await?;
        hands.find("[data-node=n2][data-mark=down]").await?;
        picture(&hands.driver, "crashed-replay").await?;
        // The verdict counts what it cost, and a number opens its traces.
        hands.click("[data-tab=verdict]").await?;
        hands.find(".verdict tbody tr:nth-child(3)").await?;
        assert_eq!(hands.count(".verdict tbody tr").await?, 3, "before, the crash, the pause");
        let lost = ".verdict tr:nth-child(2) [data-count=unanswered] button";
        let count: usize = hands.text(lost).await?.replace(',', "").parse()?;
        assert!(count > 0);
        picture(&hands.driver, "verdict").await?;
        hands.click(lost).await?;
        hands.find(".narrowed").await?;
        let listed: usize = hands.attribute(".traces", "aria-rowcount").await?.parse()?;
        assert_eq!(listed, count + 1, "with the head");
        assert!(hands.text(".traces .rows .row .bad").await?.len() > 1);
        hands.click("[data-action=all-traces]").await?;
        hands.gone(".narrowed").await?;
        assert!(hands.attribute(".traces", "aria-rowcount").await?.parse::<usize>()? > listed);
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn disturbances_are_written_followed_and_carried_out() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.find("[data-node=n2]").await?;
        hands.click("[data-action=add-disturbance]").await?;
        hands.choose("disturbances.0.do", "cut").await?;
        hands.fill("disturbances.0.at", "200 ms").await?;
        hands.fill("disturbances.0.for", "300 ms").await?;
        hands.fill("duration", "1 s").await?;
        // One that would never happen is told before the run.
        hands.click("[data-action=add-disturbance]").await?;
        hands.fill("disturbances.1.at", "9 s").await?;
        hands.click("[data-action=run]").await?;
        assert_eq!(hands.count("[data-action=stop]").await?, 0);
        hands.click("[data-disturbance='1'] [data-action=remove-disturbance]").await?;
        hands.gone("[data-disturbance='1']").await?;
        picture(&hands.driver, "disturbances").await?;
        hands.click("[data-action=run]").await?;
        hands.find("[data-action=export-json]").await?;
        assert_eq!(hands.count(".track .mark").await?, 2);
        hands.click(".track .mark").await?;
        hands.find("[data-link=l1][data-mark=cut]").await?;
        picture(&hands.driver, "cut-replay").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
