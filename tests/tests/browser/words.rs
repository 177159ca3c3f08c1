//! The page is built without the words of what is wrong and of what runs do: they come after its first sight, whenever that is.

use anyhow::{Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::json;

use crate::hands::Hands;
use crate::hole::block;

/// Leaves a client that is linked to nothing, which is told of at once.
const LEFT_LONELY: &str = r#"
    const lonely = { format: "hopscope-scenario", version: 1, name: "Lonely", nodes: [
        { id: "n1", kind: "client", name: "shopper", x: 100, y: 100, load: { kind: "constant", rate: "10/s" } }], links: [] };
    if (location.protocol === "http:") localStorage.setItem("hopscope.scenario", JSON.stringify(lonely));
"#;

#[tokio::test(flavor = "multi_thread")]
async fn words_that_come_late_are_told_when_they_are_here() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": LEFT_LONELY })).await?;
        driver.cdp().send_raw("Network.enable", json!({})).await?;
        block(&driver, json!(["*/en.json?*"])).await?;
        let hands = Hands::open_first(driver, server.url()).await?;
        // What the first sight needs is there, and what is wrong is counted.
        assert_eq!(hands.text("[data-problems]").await?, "Problems: 1");
        assert_eq!(hands.text(".problem-list .issue .message").await?, "…");
        picture(&hands.driver, "words-missing").await?;
        block(&hands.driver, json!([])).await?;
        // Its subject is set apart only where there are words.
        hands.find(".problem-list .issue .message b").await?;
        let told = hands.text(".problem-list .issue .message").await?;
        ensure!(told.starts_with("shopper is linked to nothing"), "{told}");
        assert_eq!(hands.count("[data-node]").await?, 1, "the document stays");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
