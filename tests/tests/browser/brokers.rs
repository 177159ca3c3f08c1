//! The brokers among the settings of runs: a Kafka is installed, started for a run, kept while that has it, and stopped.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::runs::has_kafka;
use hopscope_tests::server::Server;
use tokio::process::Command;

use crate::hands::Hands;

/// How long Kafka may take to be installed, started or stopped on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// The row of the Kafka that Hopscope starts, in a state.
fn kafka(state: &str) -> String {
    format!("[data-broker='kafka local'][data-broker-state={state}]")
}

/// A client whose records go into a topic that a service reads, as left in this browser before.
const LEFT: &str = r#"
    const topics = { format: "hopscope-scenario", version: 1, name: "Log", nodes: [
        { id: "n1", kind: "client", name: "shopper", x: 80, y: 160, load: { kind: "constant", rate: "50/s" } },
        { id: "n2", kind: "topic", name: "orders", x: 320, y: 160, partitions: 2 },
        { id: "n3", kind: "service", name: "billing", x: 560, y: 160, work: { distribution: "constant", mean: "1 ms" } }],
        links: [{ id: "l1", from: "n1", to: "n2", protocol: "kafka" }, { id: "l2", from: "n2", to: "n3", protocol: "kafka" }] };
    if (location.protocol === "http:") localStorage.setItem("hopscope.scenario", JSON.stringify(topics));
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_is_started_for_runs_and_stopped_when_none_has_it() -> Result<()> {
    if !has_kafka("a Kafka started from the page") {
        return Ok(());
    }
    let server = Server::start().await?;
    with_browser(async |driver| {
        let script = serde_json::json!({ "source": LEFT });
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", script).await?;
        let hands = Hands::open_first(driver, server.url()).await?;
        hands.click("[data-settings]").await?;
        let built_in = hands.text("[data-broker='kafka built-in']").await?;
        ensure!(built_in.contains("librdkafka mock") && built_in.contains("ready"), "{built_in}");
        let before = hands.text(&kafka("stopped")).await?;
        ensure!(before.contains("Kafka 4.") && before.contains("not started"), "{before}");
        hands.click(&format!("{} [data-broker-action=start]", kafka("stopped"))).await?;
        hands.find_within(&kafka("ready"), LIMIT).await?;
        let ready = hands.text(&kafka("ready")).await?;
        ensure!(["ready in ", "MB", "127.0.0.1:"].iter().all(|word| ready.contains(word)), "{ready}");
        picture(&hands.driver, "brokers-ready").await?;
        hands.choose("kafka", "local").await?;
        hands.click("[data-settings]").await?;
        hands.click("[name=until-stopped]").await?;
        hands.click("[data-action=run]").await?;
        // While a run has it, it is not stopped, and the panel says which run that is.
        hands.find_within("[data-lags]", LIMIT).await?;
        hands.click("[data-settings]").await?;
        hands.click(&format!("{} [data-broker-action=stop]", kafka("ready"))).await?;
        let refused = hands.text("#settings .note").await?;
        ensure!(refused.contains("Log"), "{refused}");
        hands.click("[data-settings]").await?;
        hands.click("[data-action=stop]").await?;
        hands.find_within("[data-action=export-json]", LIMIT).await?;
        hands.find(".chief[data-law=take-lowers][data-verdict=held]").await?;
        hands.click("[data-settings]").await?;
        hands.click(&format!("{} [data-broker-action=stop]", kafka("ready"))).await?;
        hands.find_within(&kafka("stopped"), LIMIT).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// A server whose Kafka is to be in a folder of this test's own.
async fn serve(folder: &Path) -> Result<Server> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("HOPSCOPE_KAFKA", folder);
    Server::start_by(command, tempfile::tempdir()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_that_is_not_there_is_installed_when_that_is_asked_for() -> Result<()> {
    // Where one is installed, what it takes to install one is there too.
    if !has_kafka("a Kafka installed from the page") {
        return Ok(());
    }
    let tools = tempfile::tempdir()?;
    let folder = tools.path().join("kafka");
    let server = serve(&folder).await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-settings]").await?;
        let missing = hands.text(&kafka("not-installed")).await?;
        ensure!(missing.contains("Install (43.0 MB)"), "its size is said first: {missing}");
        ensure!(!folder.exists(), "nothing is fetched before that is asked for");
        picture(&hands.driver, "brokers-missing").await?;
        hands.click(&format!("{} [data-broker-action=install]", kafka("not-installed"))).await?;
        hands.find_within(&kafka("installing"), LIMIT).await?;
        picture(&hands.driver, "brokers-installing").await?;
        hands.find_within(&kafka("stopped"), LIMIT).await?;
        ensure!(folder.join("lib").is_dir(), "it is where it was said to be");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
