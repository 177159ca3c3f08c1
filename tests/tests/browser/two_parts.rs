//! The page's WebAssembly comes in two parts: its first sight needs the first alone, and what needs the second gets it.

use anyhow::{Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::json;

use crate::hands::Hands;
use crate::hole::block;

/// The second part's file, whatever is in it.
const SECOND: &str = "*/later-*.wasm";

/// Leaves a client that calls a service.
const LEFT: &str = r#"
    const left = { format: "hopscope-scenario", version: 1, name: "Two parts", nodes: [
        { id: "n1", kind: "client", name: "shopper", x: 80, y: 160, load: { kind: "constant", rate: "50/s" } },
        { id: "n2", kind: "service", name: "shop", x: 400, y: 160, work: { distribution: "constant", mean: "1 ms" } }],
        links: [{ id: "l1", from: "n1", to: "n2", protocol: "http1" }] };
    if (location.protocol === "http:") localStorage.setItem("hopscope.scenario", JSON.stringify(left));
"#;

/// Lets nobody fetch the second part ahead of its use.
const NEVER_AHEAD: &str = r#"
    const fetched = window.fetch;
    window.fetch = (what, ...more) =>
        String(what).includes("/later-") ? Promise.reject(new Error("not ahead")) : fetched(what, ...more);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sight_needs_the_first_part_alone() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": LEFT })).await?;
        driver.cdp().send_raw("Network.enable", json!({})).await?;
        block(&driver, json!([SECOND])).await?;
        let hands = Hands::open_first(driver, server.url()).await?;
        hands.find("[data-node=n2]").await?;
        hands.find("[data-palette=queue]").await?;
        hands.find("[data-link=l1]").await?;
        hands.find("[data-state=ready]").await?;
        picture(&hands.driver, "first-part").await?;
        // A node can be looked at and changed.
        hands.click("[data-node=n2]").await?;
        hands.fill("name", "store").await?;
        // Had anything asked for the other part, there would be a fault.
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        // It comes when it can, and then there is all.
        block(&hands.driver, json!([])).await?;
        hands.fill("duration", "1 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find(".chief[data-law=reply-after-request][data-verdict=held]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_before_it_has_come_fetches_it_on_the_spot() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        for source in [LEFT, NEVER_AHEAD] {
            driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        }
        let hands = Hands::open_first(driver, server.url()).await?;
        hands.find("[data-node=n2]").await?;
        hands.click("[data-action=runs]").await?;
        hands.find("[data-runs=none]").await?;
        let asked = "return performance.getEntriesByType('resource').filter((entry) =>
            entry.initiatorType === 'xmlhttprequest' && entry.name.includes('/later-')).length";
        let asked: u64 = hands.driver.execute(asked, Vec::new()).await?.convert()?;
        ensure!(asked == 1, "the second part was asked for {asked} times");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
