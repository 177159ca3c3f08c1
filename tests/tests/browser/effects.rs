//! A person lets a service apply an effect, runs it with retries, and reads how often it was applied, and where the money went.

use anyhow::{Context as _, Result};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use thirtyfour::By;

use crate::accessibility::judge;
use crate::hands::Hands;

/// Adds an effect to the end of the body.
async fn add_effect(hands: &Hands, step: usize) -> Result<()> {
    hands.click("[data-menu=add-step]").await?;
    hands.find("[role=menu] [data-action=add-step]").await?;
    for item in hands.driver.find_all(By::Css("[data-action=add-step]")).await? {
        if item.text().await? == "effect" {
            item.click().await?;
            hands.find(&format!("[name='body.{step}.account']")).await?;
            return Ok(());
        }
    }
    anyhow::bail!("the menu does not offer an effect")
}

/// The count of a kind in the row of an effect.
async fn count(hands: &Hands, effect: usize, of: &str) -> Result<u64> {
    let text = hands.text(&format!("[data-effect='{effect}'] [data-count={of}]")).await?;
    text.parse().with_context(|| text.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_is_written_applied_twice_and_its_traces_are_opened() -> Result<()> {
    let axe = std::fs::read_to_string(hopscope_tests::variable("HOPSCOPE_AXE")?)?;
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.driver.execute(&axe, Vec::new()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.find("[data-node=n2]").await?;
        hands.click("[data-link=l1]").await?;
        hands.fill("timeout", "100 ms").await?;
        hands.choose("retry.policy", "fixed-delay").await?;
        hands.fill("retry.attempts", "2").await?;
        hands.click("[data-node=n2]").await?;
        hands.fill("work.mean", "300 ms").await?;
        hands.fill("workers", "64").await?;
        hands.click("[data-action=edit-steps]").await?;
        hands.find("[data-step='/1']").await?;
        add_effect(&hands, 1).await?;
        hands.fill("body.1.account", "customers").await?;
        // What is no number is marked at its step, and kept.
        hands.fill("body.1.amount", "much").await?;
        hands.find(".steps .issue").await?;
        hands.fill("body.1.amount", "-100").await?;
        hands.gone(".steps .issue").await?;
        hands.fill("body.1.transfer", "money").await?;
        add_effect(&hands, 2).await?;
        hands.fill("body.2.account", "till").await?;
        hands.fill("body.2.amount", "100").await?;
        hands.choose("body.2.apply", "every-time").await?;
        hands.fill("body.2.transfer", "money").await?;
        picture(&hands.driver, "effect-steps").await?;
        assert_eq!(judge(&hands, "effect steps").await?, Vec::<String>::new());
        hands.run_whole("1 s").await?;
        hands.click("#tab-laws").await?;
        hands.find("[data-effect='1']").await?;
        assert_eq!([count(&hands, 0, "once").await?, count(&hands, 0, "repeated").await?], [20, 20]);
        assert_eq!([count(&hands, 1, "once").await?, count(&hands, 1, "more").await?], [0, 20]);
        let money = hands.text("[data-effects=transfer]").await?;
        assert_eq!(money, "money is not conserved: +2,000 in 20 of 20 traces; where: till +2,000");
        assert!(hands.text("[data-effects=stale]").await?.starts_with("from answer to end of 20 traces"));
        // A number leads to its traces, and each of them to itself.
        assert_eq!(hands.count("[data-effect-trace]").await?, 0);
        hands.click("[data-effect='1'] [data-count=more] button").await?;
        hands.find("[data-effect-trace='19']").await?;
        picture(&hands.driver, "effects").await?;
        assert_eq!(judge(&hands, "effects").await?, Vec::<String>::new());
        hands.click("[data-effect-trace='3']").await?;
        hands.find(".trace [data-event=Effect]").await?;
        assert_eq!(hands.count(".trace [data-event=Effect]").await?, 4, "two effects, two attempts");
        picture(&hands.driver, "effect-trace").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
