//! The page in a person's language: the browser's at first, another one at once when it is chosen.

use anyhow::{Result, ensure};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_scenario::text;
use hopscope_tests::browser::{console_errors, faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::json;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_chinese_reader_reads_chinese_and_may_choose_english() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let agent: String = driver.execute("return navigator.userAgent", Vec::new()).await?.convert()?;
        let reader = json!({ "userAgent": agent, "acceptLanguage": "zh-CN,zh" });
        driver.cdp().send_raw("Emulation.setUserAgentOverride", reader).await?;
        let hands = Hands::open(driver, server.url()).await?;
        reads(&hands, Language::Chinese).await?;
        picture(&hands.driver, "chinese-empty").await?;
        run_the_template(&hands).await?;
        in_english_and_back(&hands).await?;
        remembers(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        assert_eq!(console_errors(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// The page's attribute, palette, run bar and chooser are in this language.
async fn reads(hands: &Hands, language: Language) -> Result<()> {
    hands.find(&format!("html[lang={}]", language.tag())).await?;
    let say = |key| plain(language, key, &Default::default());
    hands.find(&format!(".palette[aria-label='{}']", say(text!("palette.label")))).await?;
    for (css, key) in [
        ("[data-palette=client]", text!("kind.client")),
        ("[data-palette=queue]", text!("kind.queue")),
        ("[data-action=run]", text!("run.start")),
        ("[data-action=runs]", text!("runs.label")),
        ("[data-tab=laws]", text!("dock.laws")),
    ] {
        assert_eq!(hands.text(css).await?, say(key), "{css}");
    }
    let chosen: String = hands
        .driver
        .execute("return document.querySelector('select[name=language]').value", Vec::new())
        .await?
        .convert()?;
    assert_eq!(chosen, language.tag());
    Ok(())
}

/// The template's own texts and the laws of its run are in Chinese.
async fn run_the_template(hands: &Hands) -> Result<()> {
    hands.click("[data-template=hello-async]").await?;
    assert_eq!(hands.attribute("[data-node=n1]", "data-name").await?, "顾客");
    let question: String = hands
        .driver
        .execute("return document.querySelector('.inspector [name=question]').value", Vec::new())
        .await?
        .convert()?;
    ensure!(question.contains("队列"), "{question}");
    hands.run_whole("1 s").await?;
    let law = ".chief[data-law=reply-after-request][data-verdict=held]";
    hands.find(law).await?;
    assert_eq!(hands.text(&format!("{law} .words")).await?, "成立");
    picture(&hands.driver, "chinese-run").await?;
    for tab in ["traces", "statement", "latency", "laws"] {
        hands.click(&format!("[data-tab={tab}]")).await?;
        picture(&hands.driver, &format!("chinese-{tab}")).await?;
    }
    hands.click("[data-tab=traces]").await?;
    hands.click("[data-trace]").await?;
    hands.find("svg.sequence").await?;
    picture(&hands.driver, "chinese-trace").await?;
    hands.click("[data-node=n1]").await?;
    picture(&hands.driver, "chinese-node").await?;
    Ok(())
}

/// Another language is there at once, and document, run, trace and what was typed stay.
async fn in_english_and_back(hands: &Hands) -> Result<()> {
    let trace = hands.attribute("[data-trace][aria-selected=true]", "data-trace").await;
    ensure!(trace.is_err(), "the list of traces is not shown");
    hands.choose("language", "en").await?;
    reads(hands, Language::English).await?;
    assert_eq!(hands.count("[data-node]").await?, 4);
    hands.find("svg.sequence").await?;
    hands.find("[data-node=n1][aria-pressed=true]").await?;
    assert_eq!(hands.text(".chief[data-law=reply-after-request] .words").await?, "held");
    let duration: String = hands
        .driver
        .execute("return document.querySelector('input[name=duration]').value", Vec::new())
        .await?
        .convert()?;
    assert_eq!(duration, "1 s");
    // The canvas goes on: its dots are painted on what is there now.
    hands.click("[data-tab=traces]").await?;
    if hands.count("[data-action=play]").await? > 0 {
        hands.click("[data-action=play]").await?;
    }
    hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
    hands.choose("language", "zh-Hans").await?;
    reads(hands, Language::Chinese).await?;
    hands.choose("language", "en").await?;
    reads(hands, Language::English).await
}

/// After a reload the page speaks what was chosen, whatever the browser prefers.
async fn remembers(hands: &Hands) -> Result<()> {
    hands.driver.refresh().await?;
    hands.find("[data-action=export-json]").await?;
    reads(hands, Language::English).await
}
