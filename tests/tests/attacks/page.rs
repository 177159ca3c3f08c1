//! Names that are markup, in the page: shown as they are, never made into elements, never run.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::Value;
use thirtyfour::prelude::ElementQueryable as _;
use thirtyfour::{By, WebDriver};

use crate::names::{MARKUP, altered, marked};
use crate::support::{ask, get, ran};

/// Elements that only a name could have made, and what one would have done.
const MADE: &str = r#"
    const made = document.querySelectorAll("img[onerror], script:not([type]), [src=x], title + script");
    return [window.pwned === undefined, made.length, document.body.textContent];
"#;

async fn find(driver: &WebDriver, css: &str) -> Result<thirtyfour::WebElement> {
    let query = driver.query(By::Css(css)).wait(Duration::from_secs(20), Duration::from_millis(50));
    query.first().await.with_context(|| format!("the page does not show {css}"))
}

/// That nothing was made of names; gives what the page says.
async fn nothing_made(driver: &WebDriver) -> Result<String> {
    let (unharmed, made, text): (bool, usize, String) = driver.execute(MADE, Vec::new()).await?.convert()?;
    ensure!(unharmed && made == 0, "{made} elements were made of names");
    assert_eq!(faults(driver).await?, Vec::<String>::new());
    Ok(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_shown_as_they_are() -> Result<()> {
    let server = Server::start().await?;
    let id = ran(&server, &marked()?, "1 s").await?;
    let document: Value = serde_json::from_slice(&get(&server, &format!("/api/runs/{id}/export?format=json")).await?)?;
    let error = format!("{}\u{1b}[2J", MARKUP[1]);
    let altered = altered(document, &error)?;
    let imported = ask(&server, "POST /api/runs/import", altered.to_string().as_bytes()).await?;
    let imported: Value = serde_json::from_slice(&imported.body)?;
    let copy = imported["id"].as_str().with_context(|| imported.to_string())?;
    let rename = serde_json::json!({"name": MARKUP[1]}).to_string();
    ensure!(ask(&server, &format!("PATCH /api/runs/{copy}"), rename.as_bytes()).await?.status == 200);
    with_browser(async |driver| {
        driver.goto(format!("{}/#run={copy}", server.url())).await?;
        find(&driver, "[data-ready=true]").await?;
        find(&driver, "[data-node='-n2']").await?;
        // Every panel of the dock, the one of a trace last.
        for tab in driver.find_all(By::Css("[data-tab]")).await? {
            tab.click().await?;
            nothing_made(&driver).await?;
        }
        let said = nothing_made(&driver).await?;
        // As much of a node's name as there is room for.
        ensure!(said.contains("</title><scri"), "a node's name is not shown as it is: {said}");
        find(&driver, "[data-node='-n2']").await?.click().await?;
        nothing_made(&driver).await?;
        find(&driver, "[data-action=runs]").await?.click().await?;
        find(&driver, &format!("[data-run='{copy}']")).await?;
        let said = nothing_made(&driver).await?;
        ensure!(MARKUP[..2].iter().all(|name| said.contains(name)), "{said}");
        picture(&driver, "attack-names").await?;
        Ok(())
    })
    .await
}
