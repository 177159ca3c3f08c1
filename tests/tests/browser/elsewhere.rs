//! The page at an address beyond loopback: let in by its token, it does all that it does on loopback.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, with_browser};
use hopscope_tests::server::Server;
use tokio::process::Command;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_opened_by_its_token_and_runs_and_follows() -> Result<()> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "0.0.0.0:0"]).env_remove("HOPSCOPE_TOKEN");
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    with_browser(async |driver| {
        let bare = format!("http://{}/", server.address()?);
        driver.goto(&bare).await?;
        ensure!(driver.source().await?.contains("POST /api/token"), "it was let in without a token");
        assert_eq!(faults(&driver).await?, Vec::<String>::new());

        let hands = Hands::open(driver, server.url()).await?;
        assert_eq!(hands.driver.current_url().await?.as_str(), bare, "the token stays in the address");
        let cookies: String = hands.driver.execute("return document.cookie", Vec::new()).await?.convert()?;
        assert_eq!(cookies, "", "a script can read the session");
        hands.click("[data-template]").await.context("no template to open")?;
        hands.fill("duration", "1 s").await?;
        hands.click("[data-action=run]").await?;
        // By fetch and by WebSocket, both with the cookie.
        hands.find("[data-action=export-json]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
