//! A person writes a service's steps: takes the derived ones, adds branches, moves and removes, takes back, and runs them.

use anyhow::{Context, Result};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use thirtyfour::By;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_written_moved_taken_back_and_run() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.find("[data-node=n2]").await?;
        hands.drag_to_point("[data-palette=service]", 760, 420).await?;
        hands.find("[data-node=n3]").await?;
        hands.drag_to("[data-port-of=n2]", "[data-node=n3]").await?;
        hands.find("[data-link=l2]").await?;
        hands.click("[data-node=n2]").await?;
        hands.click("[data-action=edit-steps]").await?;
        hands.find("[data-step='/2']").await?;
        assert_eq!(outline(&hands).await?, ["work", "call", "reply"]);
        // Two branches in parallel, one of which calls; the call before them goes.
        add(&hands, 0, "in parallel").await?;
        hands.find("[data-step='/3']").await?;
        assert_eq!(outline(&hands).await?, ["work", "call", "in parallel", "reply"]);
        add(&hands, 0, "call service").await?;
        hands.find("[data-step='/2/branches/0/steps/0']").await?;
        hands.click("[data-step='/1'] [data-action='steps.remove']").await?;
        hands.find("[data-step='/1/branches/0/steps/0']").await?;
        assert_eq!(outline(&hands).await?, ["work", "in parallel", "call", "reply"]);
        // The reply first: what is behind it is done after it.
        hands.click("[data-step='/2'] [data-action='steps.up']").await?;
        hands.find("[data-step='/2/branches/0/steps/0']").await?;
        assert_eq!(outline(&hands).await?, ["work", "reply", "in parallel", "call"]);
        hands.click("[data-action=undo]").await?;
        hands.find("[data-step='/1/branches/0/steps/0']").await?;
        hands.click("[data-action=redo]").await?;
        hands.find("[data-step='/2/branches/0/steps/0']").await?;
        // A time of its own that is none is marked at its step, and kept.
        hands.fill_css("[data-step='/0'] input", "3 m").await?;
        assert!(hands.text(".steps .issue").await?.contains("3 m"));
        hands.fill_css("[data-step='/0'] input", "3 ms").await?;
        picture(&hands.driver, "steps").await?;
        hands.run_whole("1 s").await?;
        let completed = hands.text("[data-figure=completed]").await?;
        assert_eq!(completed, "20", "the client has its replies");
        // A new link brings its step, and one that is removed takes it away.
        hands.click("[data-step='/2/branches/0/steps/0'] .callee").await?;
        hands.click("[data-action=remove]").await?;
        hands.click("[data-node=n2]").await?;
        hands.find("[data-step='/2']").await?;
        assert_eq!(outline(&hands).await?, ["work", "reply", "in parallel"]);
        hands.click("[data-action=derive-steps]").await?;
        hands.find("[data-action=edit-steps]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// What the steps are called, from the first to the last.
async fn outline(hands: &Hands) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for step in hands.driver.find_all(By::Css("[data-step] > :first-child")).await? {
        words.push(step.text().await?);
    }
    Ok(words)
}

/// Adds a step by the menu of the nth list of steps, in the order of the page: those of branches come before the body's own.
async fn add(hands: &Hands, nth: usize, what: &str) -> Result<()> {
    let menus = hands.driver.find_all(By::Css("[data-menu=add-step]")).await?;
    menus.get(nth).context("there is no such menu")?.click().await?;
    hands.find("[role=menu] [data-action=add-step]").await?;
    for item in hands.driver.find_all(By::Css("[data-action=add-step]")).await? {
        if item.text().await? == what {
            return Ok(item.click().await?);
        }
    }
    anyhow::bail!("the menu does not offer {what}")
}
