//! Topics on a Kafka at an address that the operator allowed.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_scenario::plan::{Broker, Plan};
use hopscope_server::broker::{Allowed, BrokerError, Brokers};
use hopscope_tests::command::{Ended, Running};
use hopscope_tests::http::{Headers, request};
use hopscope_tests::recording::Recorded;
use hopscope_tests::runs::has_kafka;
use hopscope_tests::server::Server;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::guarded::{Door, Guarded, PASSWORD, USER};
use crate::{document, is_whole, ran};

/// The topics and groups at a broker that are a run's.
async fn left_at(config: ClientConfig) -> Result<Vec<String>> {
    tokio::task::spawn_blocking(move || {
        let client: BaseConsumer = config.create()?;
        let (metadata, groups) = (
            client.fetch_metadata(None, Duration::from_secs(20))?,
            client.fetch_group_list(None, Duration::from_secs(20))?,
        );
        let names =
            metadata.topics().iter().map(|topic| topic.name()).chain(groups.groups().iter().map(|group| group.name()));
        Ok(names.filter(|name| name.starts_with("hopscope.")).map(str::to_owned).collect())
    })
    .await?
}

fn at(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

/// A Kafka that someone else started takes a run's topics by its address, and keeps nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn topics_at_an_allowed_address_are_removed_at_the_end() -> Result<()> {
    if !has_kafka("topics at an address") {
        return Ok(());
    }
    let theirs = Brokers::default();
    let socket = theirs.kafka().reach().await?.socket;
    let ended = async {
        let address = format!("kafka://{socket}");
        let refused = Brokers::default().find_kafka(&Broker::of_topics(&address).context("no address")?).await;
        ensure!(matches!(refused, Err(BrokerError::NotAllowed(_))), "{refused:?}");
        let allowed: Allowed = address.parse()?;
        let brokers = Brokers::new(vec![allowed]);
        for client in ["", "group.protocol=classic"] {
            let run = ran(&document(500, "500/s", 3), &brokers.clone().with_client(client.parse()?), &address).await?;
            is_whole(&run, 500).with_context(|| format!("{client:?}"))?;
            let broker = run.plan.kafka.as_ref().context("no broker of topics")?;
            ensure!(broker.product() == "Kafka protocol" && broker.version().starts_with("cluster "), "{broker:?}");
            ensure!(broker.prefix().starts_with("hopscope.t"), "{broker:?}");
            let left = left_at(at(&socket.to_string())).await?;
            ensure!(left.is_empty(), "{left:?} are there still");
        }
        Ok(())
    };
    let ended = ended.await;
    theirs.stop().await;
    ended
}

/// The command on a scenario, with what the environment allows and a file of the operator's.
async fn command(arguments: &[&str], allowed: &str, client: &str) -> Result<(Ended, Vec<u8>)> {
    let folder = tempfile::tempdir()?;
    let (file, data, said) = (folder.path().join("s.json"), folder.path().join("runs"), folder.path().join("client"));
    std::fs::write(&file, document(200, "400/s", 3).to_string())?;
    std::fs::write(&said, client)?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.arg("run").arg(&file).arg("--data").arg(&data).args(["--duration", "20 s"]).args(arguments);
    command.env("HOPSCOPE_ALLOW_BROKER", allowed).env("HOPSCOPE_KAFKA_CLIENT", &said);
    let ended = Running::start_by(command)?.end().await?;
    let id = ended.stdout.strip_prefix("Run ").and_then(|rest| rest.split_once(':')).map(|(id, _)| id.to_owned());
    let bytes = id.map(|id| std::fs::read(data.join(format!("{id}.hop")))).transpose()?;
    Ok((ended, bytes.unwrap_or_default()))
}

fn has(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// A broker that asks who comes lets in who knows its password, from the environment or a file, tasks and processes alike; the
/// password is nowhere afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_asks_who_comes_is_told_by_the_operator() -> Result<()> {
    if !has_kafka("topics on a Kafka with SASL") {
        return Ok(());
    }
    let guarded = Guarded::start(Door::Open).await?;
    let (bare, shown) = (format!("127.0.0.1:{}", guarded.port), format!("kafka://{USER}@127.0.0.1:{}", guarded.port));
    let (whole, open) = (format!("kafka://{USER}:{PASSWORD}@{bare}"), format!("kafka://{bare}"));
    let file = format!(
        "security.protocol=sasl_plaintext\nsasl.mechanisms=PLAIN\nsasl.username={USER}\nsasl.password={PASSWORD}\n"
    );

    let (refused, _) = command(&["--kafka", &shown], "", "").await?;
    ensure!(
        refused.code == 64 && refused.stderr.contains("--kafka: ") && refused.stderr.contains("--allow-broker"),
        "{refused:?}"
    );
    let (wrong, _) = command(&["--kafka", &shown], &format!("kafka://{USER}:other@{bare}"), "").await?;
    ensure!(wrong.code != 0 && wrong.stderr.contains(&shown) && wrong.stderr.contains("password"), "{wrong:?}");
    ensure!(wrong.stderr.to_lowercase().contains("authentication"), "the reason is not told: {wrong:?}");
    ensure!(!wrong.stderr.contains("other@"), "{wrong:?}");
    let (unknown, _) = command(&["--kafka", &open], &open, "bootstrap.servers=elsewhere").await?;
    ensure!(unknown.code != 0 && unknown.stderr.contains("bootstrap.servers in line 1"), "{unknown:?}");

    for (kafka, allowed, client, placement) in [
        (&shown, &whole, "", "tasks"),
        (&open, &open, file.as_str(), "tasks"),
        (&open, &open, file.as_str(), "processes"),
    ] {
        let (ran, bytes) = command(&["--kafka", kafka, "--placement", placement], allowed, client).await?;
        ensure!(ran.code == 0 && ran.stdout.contains(&format!("at {kafka}")), "{ran:?}");
        ensure!(!ran.stdout.contains(PASSWORD) && !ran.stderr.contains(PASSWORD), "{ran:?}");
        ensure!(!bytes.is_empty() && !has(&bytes, PASSWORD), "the recording has the password");
        let recorded = Recorded::read(&bytes, Framing::File)?;
        let plan = Plan::from_bytes(&recorded.hello.context("no Hello")?.plan)?;
        ensure!(plan.settings.kafka.as_str() == kafka.as_str(), "{:?}", plan.settings.kafka);
    }
    let mut config = at(&bare);
    config.set("security.protocol", "sasl_plaintext").set("sasl.mechanisms", "PLAIN");
    config.set("sasl.username", USER).set("sasl.password", PASSWORD);
    let left = left_at(config).await?;
    ensure!(left.is_empty(), "{left:?} are there still");
    Ok(())
}

/// Over TLS likewise, with SCRAM: whose certificate it has, and whether that is the broker's, is looked at before who comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_behind_tls_is_known_by_its_certificate() -> Result<()> {
    if !has_kafka("topics on a Kafka with TLS") {
        return Ok(());
    }
    let guarded = Guarded::start(Door::Tls).await?;
    let (bare, certificate) = (format!("127.0.0.1:{}", guarded.port), guarded.certificate());
    let address = format!("kafka://{bare}");
    let who = format!("sasl.mechanisms=SCRAM-SHA-512\nsasl.username={USER}\nsasl.password={PASSWORD}\n");
    let tls = "security.protocol=sasl_ssl\n";
    let known = format!("ssl.ca.location={}\n", certificate.display());

    // That of nobody whom this machine knows.
    let (stranger, _) = command(&["--kafka", &address], &address, &format!("{tls}{who}")).await?;
    ensure!(stranger.code != 0 && stranger.stderr.contains("certificate"), "{stranger:?}");
    let wrong = format!("{tls}{known}sasl.mechanisms=SCRAM-SHA-512\nsasl.username={USER}\nsasl.password=other\n");
    let (wrong, _) = command(&["--kafka", &address], &address, &wrong).await?;
    ensure!(wrong.code != 0 && wrong.stderr.to_lowercase().contains("authentication"), "{wrong:?}");
    ensure!(!wrong.stderr.contains(PASSWORD), "{wrong:?}");

    let file = format!("{tls}{known}{who}");
    for placement in ["tasks", "processes"] {
        let (ran, bytes) = command(&["--kafka", &address, "--placement", placement], &address, &file).await?;
        ensure!(ran.code == 0 && ran.stdout.contains(&format!("at {address}")), "{ran:?}");
        ensure!(!bytes.is_empty() && !has(&bytes, PASSWORD), "the recording has the password");
        ensure!(!has(&bytes, &certificate.to_string_lossy()), "the recording has the operator's path");
    }
    let mut config = at(&bare);
    for line in file.lines() {
        let (name, value) = line.split_once('=').context("no property")?;
        config.set(name, value);
    }
    let left = left_at(config).await?;
    ensure!(left.is_empty(), "{left:?} are there still");
    Ok(())
}

/// What is not allowed or no address is an Issue that names the setting, and no password of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_topics_that_was_not_allowed_is_an_issue() -> Result<()> {
    let server = Server::start().await?;
    let address = server.url().strip_prefix("http://").context("no address")?.trim_end_matches('/').parse()?;
    let headers: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    for (kafka, code) in
        [("kafka://me:secret@other.lab", "broker-not-allowed"), ("amqp://me:secret@lab", "unknown-choice")]
    {
        let body = json!({"scenario": document(1, "1/s", 1), "kafka": kafka}).to_string();
        let (status, answer) = request("POST /api/runs", address, &headers, body.as_bytes()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        ensure!(
            (status, answer["code"].as_str(), answer["path"].as_str()) == (422, Some(code), Some("/kafka")),
            "{answer}"
        );
        ensure!(!answer.to_string().contains("secret"), "{answer}");
    }
    Ok(())
}
