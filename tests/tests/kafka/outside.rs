//! Programs that are no part of a run, at its topics.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::{Kind, LinkIndex};
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::runs::{scenario, start_with};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::document;

/// A program reads a run's topic by its name and the address that the run tells, and puts a record there that the run's own
/// groups read.
#[tokio::test(flavor = "multi_thread")]
async fn another_program_reads_a_topic_and_puts_records_there() -> Result<()> {
    // It goes on until the program has gone: who leaves a group needs its broker.
    let settings = RunSettings { duration: None, ..RunSettings::default() };
    let started = start_with(scenario(&document(1_000_000, "200/s", 3))?, &Brokers::default(), settings).await?;
    let mut addresses = started.run.addresses().iter();
    let at = addresses.find(|(_, protocol, _)| *protocol == Protocol::Kafka).context("no topic's address")?;
    let Address::Socket(socket) = at.2 else { anyhow::bail!("no socket") };
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", socket.to_string());
    let producer: FutureProducer = config.create()?;
    let put = FutureRecord::to("activity").key("outside").payload("from another program");
    let put = producer.send(put, Duration::from_secs(5)).await.map_err(|(error, _)| error)?;
    config.set("group.id", "another").set("group.protocol", "consumer").set("auto.offset.reset", "earliest");
    let reader: StreamConsumer = config.create()?;
    reader.subscribe(&["activity"])?;
    let (mut ours, mut traced) = (false, 0);
    while !ours || traced < 200 {
        let record = tokio::time::timeout(Duration::from_secs(20), reader.recv()).await.context("no record")??;
        let headers = record.headers().into_iter().flat_map(|headers| headers.iter());
        let has_trace = headers.filter(|header| header.key == "traceparent").count() == 1;
        let outside = record.key() == Some(b"outside".as_slice());
        ensure!(outside != has_trace, "the run's own have a trace, and no other");
        ours |= outside;
        traced += u32::from(has_trace);
    }
    tokio::task::spawn_blocking(move || drop((reader, producer))).await?;
    started.run.stop();
    let run = started.finish().await?;
    run.holds_the_laws()?;
    for group in ["billing", "audit"] {
        let outside: Vec<_> =
            run.at(group, Kind::RECEIVED).into_iter().filter(|event| event.parent.is_none()).collect();
        ensure!(outside.len() == 1 && outside[0].link != LinkIndex::NONE, "{group}: {outside:?}");
        let fetched = run.at("activity", Kind::FETCHED);
        let same = |message| fetched.iter().find(|event| event.message == message).map(|event| event.a);
        ensure!(same(outside[0].message) == u64::try_from(put.offset).ok(), "{group} has another record");
    }
    Ok(())
}
