//! The page on a host of plain files: scenarios are built there, and a run says what it needs.

use anyhow::{Result, ensure};
use hopscope_tests::browser::{console_errors, faults, picture, with_browser};
use hopscope_tests::static_host::StaticHost;
use thirtyfour::Key;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_editor_works_and_a_run_says_what_it_needs() -> Result<()> {
    let host = StaticHost::of_the_page().await?;
    with_browser(async |driver| {
        let hands = Hands::open_alone(driver, &host.url()).await?;
        hands.find(".server[data-state=absent]").await?;
        build(&hands).await?;
        hands.click("[data-action=run]").await?;
        needs_a_server(&hands, "dialog[data-needs=server]").await?;
        picture(&hands.driver, "no-server").await?;
        hands.press(Key::Escape).await?;
        hands.gone("dialog[data-needs=server]").await?;
        hands.click("[data-action=runs]").await?;
        needs_a_server(&hands, "[data-runs=refused]").await?;
        picture(&hands.driver, "no-server-runs").await?;
        hands.press(Key::Escape).await?;
        hands.gone("dialog.runs").await?;
        // Its other language lies on the same host.
        hands.choose("language", "zh-Hans").await?;
        hands.find("html[lang=zh-Hans]").await?;
        picture(&hands.driver, "no-server-chinese").await?;
        hands.choose("language", "en").await?;
        survives_a_reload(&hands, &host.url()).await?;
        let asked = host.asked()?;
        let wrong: Vec<_> = asked.iter().filter(|line| !(line.starts_with("GET ") && line.ends_with(" 200"))).collect();
        ensure!(wrong.is_empty(), "the page asked a host of plain files for {wrong:?}");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        assert_eq!(console_errors(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Drags two nodes and a link, types into a form, and takes it back.
async fn build(hands: &Hands) -> Result<()> {
    hands.drag_to_point("[data-palette=client]", 320, 250).await?;
    hands.drag_to_point("[data-palette=service]", 680, 250).await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    hands.click("[data-node=n1]").await?;
    hands.fill("load.rate", "30/s").await?;
    hands.click("[data-action=undo]").await?;
    hands.click("[data-action=redo]").await?;
    Ok(())
}

/// It says what a server adds and how one is started.
async fn needs_a_server(hands: &Hands, css: &str) -> Result<()> {
    let told = hands.text(css).await?;
    ensure!(told.contains("no server behind this page") && told.contains("cargo xtask serve"), "{told}");
    Ok(())
}

/// What was built is there again; and an address that names a run says what that needs.
async fn survives_a_reload(hands: &Hands, url: &str) -> Result<()> {
    hands.driver.goto(&format!("{url}#run=20260101-000000-0000")).await?;
    hands.driver.refresh().await?;
    hands.find("[data-link=l1]").await?;
    needs_a_server(hands, ".notice[data-status=refused]").await
}
