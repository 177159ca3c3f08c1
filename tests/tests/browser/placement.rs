//! A person has the nodes of a run be processes, chosen in the run bar: the run says so, and links within one process are refused.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_processes_says_so_and_refuses_calls_within_one() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-async]").await?;
        hands.find("[data-node=n2]").await?;
        hands.fill("duration", "1 s").await?;
        // Tasks of the server are what is usual, and nothing is said of them.
        run(&hands).await?;
        hands.click("[data-tab=statement]").await?;
        hands.find("[data-broker=built-in]").await?;
        ensure!(hands.count("[data-placement]").await? == 0);
        ensure!(hands.count("[data-settings].changed").await? == 0, "nothing has been chosen");
        hands.set("placement", "processes").await?;
        hands.find("[data-settings].changed").await?;
        run(&hands).await?;
        hands.click("[data-tab=statement]").await?;
        assert_eq!(hands.text(".statement [data-placement=processes]").await?, "nodes as processes");
        picture(&hands.driver, "placement").await?;
        // Also where there may be no queue.
        hands.click("[data-tab=latency]").await?;
        assert_eq!(hands.text(".surroundings [data-placement=processes]").await?, "nodes as processes");
        fits(&hands).await?;
        hands.choose("language", "zh-Hans").await?;
        hands.find("html[lang=zh-Hans]").await?;
        // What was chosen stays chosen.
        assert_eq!(hands.find("[name=placement]").await?.value().await?.as_deref(), Some("processes"));
        fits(&hands).await?;
        picture(&hands.driver, "placement-chinese").await?;
        hands.choose("language", "en").await?;
        hands.find("html[lang=en]").await?;
        refused(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Runs what is on the canvas to its end.
async fn run(hands: &Hands) -> Result<()> {
    hands.click("[data-action=run]").await?;
    hands.find("[data-action=stop]").await.context("it does not run")?;
    hands.find("[data-action=export-json]").await?;
    Ok(())
}

/// Nodes that call each other within one process cannot be processes of their own; as tasks they run.
async fn refused(hands: &Hands) -> Result<()> {
    hands.click("[data-menu=file]").await?;
    hands.click("[role=menuitem][data-action=hello-monolith]").await?;
    hands.gone("[data-node=n3]").await?;
    hands.click("[data-action=run]").await?;
    let told = hands.text("[data-refusal]").await?;
    ensure!(told.contains("is a call within one process") && told.contains("as tasks of the server"), "{told}");
    picture(&hands.driver, "placement-refused").await?;
    hands.set("placement", "tasks").await?;
    hands.gone("[data-refusal]").await?;
    run(hands).await
}

/// The whole bar is in the window, and nothing in it overlaps or wraps.
async fn fits(hands: &Hands) -> Result<()> {
    let script = "
        const boxes = [...document.querySelectorAll('.bar > :not(.runbar, .spring, .unseen, input[type=file]), .runbar > *')]
            .map((part) => part.getBoundingClientRect()).filter((box) => box.width > 1);
        const wrong = boxes.filter((box, at) => box.right > innerWidth || box.height > 32 || (at && box.left < boxes[at - 1].right));
        return wrong.map((box) => JSON.stringify(box));
    ";
    let wrong: Vec<String> = hands.driver.execute(script, Vec::new()).await?.convert()?;
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}
