//! A person sets limits on a scenario's figures, runs it, and reads which of them it kept.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_written_judged_and_taken_away() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.find("[data-node=n2]").await?;
        assert_eq!(hands.count("[data-check]").await?, 0);
        hands.click("[data-action=add-check]").await?;
        hands.choose("checks.0.on", "buyers->shop").await?;
        // A limit that is none is marked at its check, and kept.
        hands.fill("checks.0.value", "3 m").await?;
        assert!(hands.text("[data-check='0'] .issue").await?.contains("3 m"));
        hands.fill("checks.0.value", "30 s").await?;
        hands.gone("[data-check='0'] .issue").await?;
        // Another metric keeps what it is of and has a limit of its own kind.
        hands.click("[data-action=add-check]").await?;
        hands.choose("checks.1.on", "buyers->shop").await?;
        hands.choose("checks.1.metric", "retried").await?;
        hands.choose("checks.1.op", ">").await?;
        hands.fill("checks.1.value", "5").await?;
        // One that names what is not there waits for it.
        hands.click("[data-action=add-check]").await?;
        let nothing = "[name='checks.2.on'] option[value='']";
        assert_eq!(hands.text(nothing).await?, "the whole run");
        hands.choose("checks.2.metric", "queue.longest").await?;
        assert_eq!(hands.text(nothing).await?, "none", "a length is of a queue");
        hands.find("[data-check='2'] .issue").await?;
        hands.click("[data-check='2'] [data-action=remove-check]").await?;
        hands.gone("[data-check='2']").await?;
        picture(&hands.driver, "checks").await?;
        hands.run_whole("1 s").await?;
        hands.find("[data-checks='1 / 2'][data-verdict=broken]").await?;
        hands.click("[data-checks]").await?;
        let kept = "[data-check-row='buyers->shop: answered.p99 < 30 s'][data-verdict=held]";
        let figure = hands.text(&format!("{kept} .figure")).await?;
        assert!(figure.ends_with("ms"), "{figure}");
        assert_eq!(hands.text("[data-check-row='buyers->shop: retried > 5'][data-verdict=broken] .figure").await?, "0");
        picture(&hands.driver, "checks-judged").await?;
        // What is taken away is there again by one step back.
        hands.click("[data-check='1'] [data-action=remove-check]").await?;
        hands.gone("[data-check='1']").await?;
        hands.click("[data-action=undo]").await?;
        hands.find("[data-check='1']").await?;
        assert_eq!(hands.attribute("[name='checks.1.value']", "name").await?, "checks.1.value");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
