//! A first visit: the page opens a template with its recorded run, says when and on what that was made, and plays it; in each
//! language, with a server behind it or none.

use anyhow::{Context as _, Result, ensure};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_scenario::text;
use hopscope_tests::browser::{console_errors, faults, picture, with_browser};
use hopscope_tests::server::Server;
use hopscope_tests::static_host::StaticHost;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::hands::Hands;

/// When and on what the recordings were made.
const INDEX: &str = include_str!("../../../scenarios/recorded/index.json");

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_a_first_visit_plays_the_recording() -> Result<()> {
    without_a_server("en-US,en", Language::English, "buyers").await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_a_first_visit_in_chinese_plays_the_recording() -> Result<()> {
    without_a_server("zh-CN,zh", Language::Chinese, "顾客").await
}

async fn without_a_server(languages: &str, language: Language, client: &str) -> Result<()> {
    let host = StaticHost::of_the_page().await?;
    with_browser(async |driver| {
        let agent: String = driver.execute("return navigator.userAgent", Vec::new()).await?.convert()?;
        let reader = json!({ "userAgent": agent, "acceptLanguage": languages });
        driver.cdp().send_raw("Emulation.setUserAgentOverride", reader).await?;
        let hands = Hands::open_first(driver, &host.url()).await?;
        hands.find(&format!("html[lang={}]", language.tag())).await?;
        is_labelled(&hands, "hello-async").await?;
        assert_eq!(hands.attribute("[data-node=n1]", "data-name").await?, client);
        plays(&hands).await?;
        for theme in ["light", "dark"] {
            let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
            hands.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
            picture(&hands.driver, &format!("first-visit-{}-{theme}", language.tag())).await?;
        }
        // Traces speak of the nodes by the names that stand on the canvas.
        hands.click("[data-trace]").await?;
        hands.find("svg.sequence").await?;
        ensure!(hands.text(".detail").await?.contains(client), "the trace calls {client} otherwise");
        run_says_what_it_needs(&hands, language).await?;
        another_template(&hands).await?;
        survives_a_reload(&hands).await?;
        let asked = host.asked()?;
        let wrong: Vec<_> = asked.iter().filter(|line| !(line.starts_with("GET ") && line.ends_with(" 200"))).collect();
        ensure!(wrong.is_empty(), "the page asked a host of plain files for {wrong:?}");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        assert_eq!(console_errors(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// The recording's label says when and on what it was made.
async fn is_labelled(hands: &Hands, template: &str) -> Result<()> {
    let label = hands.text(&format!("[data-recorded={template}]")).await?;
    let index: Value = serde_json::from_str(INDEX)?;
    let word = |name: &str| index[template][name].as_str().with_context(|| format!("no {name}"));
    for word in [&word("made_at")?[..10], word("cpu")?, word("system")?, word("version")?] {
        ensure!(label.contains(word), "{label:?} does not say {word:?}");
    }
    Ok(())
}

/// Dots move, time goes on, and the laws are judged.
async fn plays(hands: &Hands) -> Result<()> {
    hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
    hands.find("[data-action=pause]").await?;
    let before = hands.text("[data-figure=position]").await?;
    while hands.text("[data-figure=position]").await? == before {}
    for law in ["reply-after-request", "take-lowers-ready"] {
        if hands.count(&format!("[data-law={law}]")).await? > 0 {
            hands.find(&format!("[data-law={law}][data-broken='0'][data-verdict=held]")).await?;
        }
    }
    hands.find(".law-chip.chief[data-verdict=held]").await?;
    Ok(())
}

/// Run tells what a server adds and how one is started; the recording stays.
async fn run_says_what_it_needs(hands: &Hands, language: Language) -> Result<()> {
    hands.click("[data-action=run]").await?;
    let told = hands.text("dialog[data-needs=server]").await?;
    let say = |key| plain(language, key, &Default::default());
    for key in [text!("run.needs-server"), text!("server.adds.runs"), text!("server.start.binary.command")] {
        ensure!(told.contains(&say(key)), "{told}");
    }
    picture(&hands.driver, &format!("first-visit-{}-run", language.tag())).await?;
    hands.press(Key::Escape).await?;
    hands.gone("dialog[data-needs=server]").await?;
    is_labelled(hands, "hello-async").await?;
    ensure!(hands.count(".notice").await? == 0, "something else is told");
    ensure!(hands.count("[data-action=export-json]").await? == 0, "only a server exports");
    Ok(())
}

/// Another template comes with its own recording.
async fn another_template(hands: &Hands) -> Result<()> {
    hands.click("[data-menu=file]").await?;
    hands.click("[role=menuitem][data-action=shop]").await?;
    is_labelled(hands, "shop").await?;
    plays(hands).await
}

/// What was opened last is there again, and plays.
async fn survives_a_reload(hands: &Hands) -> Result<()> {
    hands.driver.refresh().await?;
    hands.find("[data-ready=true]").await?;
    is_labelled(hands, "shop").await?;
    plays(hands).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_server_a_first_visit_plays_the_recording_and_runs() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open_first(driver, server.url()).await?;
        is_labelled(&hands, "hello-async").await?;
        plays(&hands).await?;
        picture(&hands.driver, "first-visit-served").await?;
        hands.run_whole("1 s").await?;
        hands.gone("[data-recorded]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_templates_of_the_lesson_lead_from_one_to_the_next() -> Result<()> {
    let host = StaticHost::of_the_page().await?;
    with_browser(async |driver| {
        let hands = Hands::open_alone(driver, &host.url()).await?;
        assert_eq!(hands.count(".empty [data-template]").await?, 2, "an empty canvas offers two templates");
        picture(&hands.driver, "empty").await?;
        hands.click("[data-menu=file]").await?;
        hands.click("[role=menuitem][data-action=hello-monolith]").await?;
        for (template, next) in [("hello-monolith", "hello-sync"), ("hello-sync", "hello-async")] {
            is_labelled(&hands, template).await?;
            plays(&hands).await?;
            picture(&hands.driver, &format!("lesson-{template}")).await?;
            hands.click(&format!("[data-next={next}]")).await?;
        }
        is_labelled(&hands, "hello-async").await?;
        hands.gone("[data-next]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
