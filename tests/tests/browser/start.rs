//! The page starts, under its policy.

use anyhow::{Context, Result};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use thirtyfour::{By, prelude::ElementQueryable as _};

#[tokio::test]
async fn the_page_starts_under_its_policy_and_finds_its_server() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        driver.goto(server.url()).await?;
        driver.query(By::Css("[data-ready=true]")).first().await.context("the page did not start")?;
        driver.query(By::Css(".server[data-state=ready]")).first().await.context("the page did not find its server")?;
        picture(&driver, "start").await?;
        assert_eq!(faults(&driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_script_or_style_of_another_origin_is_blocked_and_reported() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        driver.goto(server.url()).await?;
        driver.query(By::Css("[data-ready=true]")).first().await?;
        let inject = r#"
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.head.append(script);
            document.body.setAttribute("style", "opacity: 0.5");
            return window.injected === true;
        "#;
        let ran: bool = driver.execute(inject, Vec::new()).await?.convert()?;
        assert!(!ran, "an inline script ran");
        // The reports are events: ask until both are there.
        let mut seen = faults(&driver).await?;
        while seen.len() < 2 {
            tokio::task::yield_now().await;
            seen = faults(&driver).await?;
        }
        assert!(seen.iter().any(|fault| fault.starts_with("policy: script-src")), "{seen:?}");
        assert!(seen.iter().any(|fault| fault.starts_with("policy: style-src")), "{seen:?}");
        Ok(())
    })
    .await
}
