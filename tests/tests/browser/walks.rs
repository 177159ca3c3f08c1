//! The four uses of `docs/walks.md`, each walked as a new user would; `cargo xtask shots` keeps the pictures taken on the way.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::{Event, Kind};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::command::hopscope;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::hands::Hands;

/// Learning: the first visit, one trace, the three templates of the lesson.
#[tokio::test(flavor = "multi_thread")]
async fn learning() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open_first(driver, server.url()).await?;
        playing(&hands, "hello-async").await?;
        picture(&hands.driver, "walk-learning-1").await?;
        hands.click("[data-trace]").await?;
        hands.find("svg.sequence").await?;
        for _ in 0..4 {
            hands.press(Key::Right).await?;
        }
        hands.find(".events .current").await?;
        picture(&hands.driver, "walk-learning-2").await?;
        hands.click("[data-menu=file]").await?;
        hands.click("[role=menuitem][data-action=hello-monolith]").await?;
        playing(&hands, "hello-monolith").await?;
        hands.click("[data-next=hello-sync]").await?;
        playing(&hands, "hello-sync").await?;
        picture(&hands.driver, "walk-learning-3").await?;
        hands.click("[data-next=hello-async]").await?;
        playing(&hands, "hello-async").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Deciding: the same overload by a call and through a queue, and both compared.
#[tokio::test(flavor = "multi_thread")]
async fn deciding() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open_alone(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        playing(&hands, "hello-sync").await?;
        hands.click("[data-node=n1]").await?;
        hands.fill("load.rate", "30/s").await?;
        let call = run(&hands).await?;
        hands.click("[data-tab=latency]").await?;
        picture(&hands.driver, "walk-deciding-1").await?;
        hands.click("[data-link=l1] .chip").await?;
        hands.click("[data-action=convert]").await?;
        let queue = run(&hands).await?;
        hands.click("[data-tab=statement]").await?;
        picture(&hands.driver, "walk-deciding-2").await?;
        hands.click("[data-tab=compare]").await?;
        hands.choose("compare-with", &call).await?;
        hands.find(".compare tbody tr").await?;
        picture(&hands.driver, "walk-deciding-3").await?;
        disturbed(&hands, &server).await?;
        let data = server.data().to_string_lossy().into_owned();
        let told = hopscope(["compare", &call, &queue, "--data", &data]).await?;
        ensure!(told.code == 0 && told.stdout.contains("answered.p99"), "{told:?}");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// What a crash of the worker costs behind the queue: nothing is lost, and what it was at is worked on again.
async fn disturbed(hands: &Hands, server: &Server) -> Result<()> {
    // The first leaves the choice, the second the link.
    for _ in 0..2 {
        hands.press(Key::Escape).await?;
    }
    hands.click("[data-action=add-disturbance]").await?;
    hands.choose("disturbances.0.on", "shop").await?;
    hands.fill("disturbances.0.at", "500 ms").await?;
    hands.fill("disturbances.0.for", "500 ms").await?;
    let crashed = run(hands).await?;
    hands.click("[data-tab=verdict]").await?;
    hands.find(".verdict tbody tr:nth-child(2)").await?;
    assert_eq!(hands.text(".verdict tr:nth-child(2) [data-count=unanswered]").await?, "0");
    // What the worker had when it died is worked on again: one, but for the moment between two.
    let recorded = Recorded::read(&std::fs::read(server.data().join(format!("{crashed}.hop")))?, Framing::File)?;
    let again = worked_again(&recorded.events);
    ensure!(again <= 1, "{again} at once with one worker");
    assert_eq!(hands.text(".verdict tr:nth-child(2) [data-count=repeated]").await?, again.to_string());
    picture(&hands.driver, "walk-deciding-4").await
}

/// How often a message was begun that had been begun before.
fn worked_again(events: &[Event]) -> usize {
    let received = events.iter().filter(|event| event.kind == Kind::RECEIVED);
    let published: BTreeMap<_, _> = received.map(|event| (event.message, event.parent)).collect();
    let mut begun = BTreeSet::new();
    let started = events.iter().filter(|event| event.kind == Kind::STARTED);
    started.filter(|event| !begun.insert(published.get(&event.message).copied())).count()
}

/// In CI: a run that is judged without a browser, and opened by the address that its report ends with.
#[tokio::test(flavor = "multi_thread")]
async fn in_continuous_integration() -> Result<()> {
    let server = Server::start().await?;
    let folder = tempfile::tempdir()?;
    let mut scenario: Value = serde_json::from_str(include_str!("../../../scenarios/hello-sync.json"))?;
    scenario["checks"] = json!([{ "metric": "answered.p50", "op": "<", "value": "10 ms" }]);
    let file = folder.path().join("shop.json").to_string_lossy().into_owned();
    std::fs::write(&file, scenario.to_string())?;
    let (data, xml) = (server.data().to_string_lossy().into_owned(), format!("{file}.xml"));
    let ran = hopscope(["run", &file, "--duration", "2s", "--data", &data, "--junit", &xml]).await?;
    ensure!(ran.code == 1, "40 ms of work are not done in 10: {ran:?}");
    ensure!(std::fs::read_to_string(&xml)?.contains("<failure"), "the failure is not in the file");
    let address = ran.stdout.split_whitespace().find(|word| word.contains("#run=")).context("no address to open")?;
    let run = address.rsplit_once('#').context("no run in the address")?.1.trim_end_matches('.');
    with_browser(async |driver| {
        let hands = Hands::open_first(driver, &format!("{}/#{run}", server.url())).await?;
        hands.find("[data-action=export-json]").await?;
        hands.click("[data-tab=laws]").await?;
        picture(&hands.driver, "walk-ci-1").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Teaching: large and without panels, held by Space, stepped by the arrow keys.
#[tokio::test(flavor = "multi_thread")]
async fn teaching() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open_first(driver, server.url()).await?;
        playing(&hands, "hello-async").await?;
        hands.press("f").await?;
        hands.find(".shell.presenting").await?;
        hands.press(" ").await?;
        hands.find("[data-action=play]").await?;
        for _ in 0..3 {
            hands.press(Key::Right).await?;
        }
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        picture(&hands.driver, "walk-teaching-1").await?;
        hands.press(Key::Escape).await?;
        hands.gone(".shell.presenting").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Waits until the template's recording plays.
async fn playing(hands: &Hands, template: &str) -> Result<()> {
    hands.find(&format!("[data-recorded={template}]")).await?;
    hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
    Ok(())
}

/// Runs what is on the canvas for two seconds, to its end; gives the run's id.
async fn run(hands: &Hands) -> Result<String> {
    hands.fill("duration", "2 s").await?;
    hands.click("[data-action=run]").await?;
    hands.find("[data-action=stop]").await?;
    hands.find("[data-action=export-json]").await?;
    hands.shown_run().await
}
