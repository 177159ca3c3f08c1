//! Every template on the built-in brokers, and on a RabbitMQ and a Kafka: the laws hold on both, and the two runs beside each other
//! differ in their brokers alone, which are named.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_report::compare::{Reading, document};
use hopscope_report::laws::Law;
use hopscope_scenario::plan::{Broker, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_tests::runs::{Finished, has_kafka, has_rabbitmq, scenario, start_with};
use serde_json::Value;

/// How long each run offers load.
const DURATION: Time = Time(2_000_000_000);

fn templates() -> Result<Vec<(String, Value)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut templates = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().context("a file without a name")?.to_string_lossy().into_owned();
            templates.push((name, serde_json::from_str(&std::fs::read_to_string(&path)?)?));
        }
    }
    templates.sort_by(|(one, _), (other, _)| one.cmp(other));
    ensure!(templates.len() >= 8, "the templates are not where they were");
    Ok(templates)
}

async fn ran(template: &Value, brokers: &Brokers, broker: &str) -> Result<Finished> {
    let (queues, topics) = (Broker::parse(broker)?, Broker::of_topics(broker).context("no such broker")?);
    let settings = RunSettings { broker: queues, kafka: topics, duration: Some(DURATION), ..RunSettings::default() };
    let run = start_with(scenario(template)?, brokers, settings).await?.finish().await?;
    run.holds_the_laws()?;
    Ok(run)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_templates_differ_in_their_broker_alone() -> Result<()> {
    // Both are asked, so that both are told of.
    if [has_rabbitmq("the templates on a real RabbitMQ"), has_kafka("the templates on a real Kafka")] != [true, true] {
        return Ok(());
    }
    let brokers = Brokers::default();
    let shown = async {
        for (name, template) in templates()? {
            let built_in = ran(&template, &brokers, "built-in").await.with_context(|| format!("{name}, built-in"))?;
            let local = ran(&template, &brokers, "local").await.with_context(|| format!("{name}, local"))?;
            let lines = beside(&built_in, &local).with_context(|| name.clone())?;
            std::io::stdout().write_all(format!("{name}\n{lines}").as_bytes())?;
        }
        Ok(())
    };
    let shown = shown.await;
    brokers.stop().await;
    shown
}

/// What stands in the table of both.
fn beside(built_in: &Finished, local: &Finished) -> Result<String> {
    let mut readings = [Reading::new(Framing::Stream), Reading::new(Framing::Stream)];
    for (reading, run) in readings.iter_mut().zip([built_in, local]) {
        reading.push(&run.bytes)?;
    }
    let [before, after] = readings.each_ref().map(|reading| reading.figures().context("no frames"));
    let document = document(before?, after?);
    let differences = document["differences"].as_array().context("no differences")?;
    let (queues, topics) = (!built_in.plan.queues.is_empty(), !built_in.plan.topics.is_empty());
    ensure!(differences.len() == if topics { 2 } else { 1 }, "{differences:?}");
    for (field, product, used) in [("broker", "RabbitMQ", queues), ("kafka", "Kafka", topics)] {
        let Some(difference) = differences.iter().find(|difference| difference["field"] == field) else {
            ensure!(field == "kafka" && !topics, "{field} is not told of: {differences:?}");
            continue;
        };
        let [before, after] = ["before", "after"].map(|side| difference[side].as_str().unwrap_or_default());
        ensure!(before.starts_with("built-in") && after.starts_with("local"), "{difference}");
        ensure!(after.contains(product) == used, "{difference}");
    }
    let takes = |run: &Finished| run.laws.iter().find(|report| report.law == Law::TakeLowers).map(|report| report.held);
    ensure!(!queues || (takes(built_in) > Some(0) && takes(local) > Some(0)), "no step was checked");
    let figures = document["figures"].as_array().context("no figures")?;
    let told = figures
        .iter()
        .filter(|row| ["throughput", "answered.p50", "confirmed.p50"].contains(&row["metric"].as_str().unwrap_or("")));
    let line = |row: &Value| {
        let word = |name: &str| row[name].as_str().unwrap_or("all").to_owned();
        format!("  {} {}: {} | {}\n", word("on"), word("metric"), word("before_words"), word("after_words"))
    };
    let lines: String = told.map(line).collect();
    ensure!(!lines.is_empty(), "nothing stands beside each other");
    Ok(lines)
}
