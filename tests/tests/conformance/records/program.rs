//! A program that is no part of the run, at the run's broker of topics.

use std::time::Duration;

use anyhow::{Context as _, Result};
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};

/// How long its client may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Publishes one record.
pub(crate) async fn publish(at: &str, topic: &str, body: &[u8], headers: Option<OwnedHeaders>) -> Result<()> {
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", at).create()?;
    let record = FutureRecord::<[u8], [u8]>::to(topic).payload(body);
    let record = match headers {
        Some(headers) => record.headers(headers),
        None => record,
    };
    producer.send(record, PATIENCE).await.map_err(|(error, _)| error)?;
    tokio::task::spawn_blocking(move || drop(producer)).await?;
    Ok(())
}

/// Reads the first record as a group of its own.
pub(crate) async fn read(at: &str, topic: &str) -> Result<OwnedMessage> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", at)
        .set("group.id", "stranger")
        .set("group.protocol", "consumer")
        .set("auto.offset.reset", "earliest");
    let reader: StreamConsumer = config.create()?;
    reader.subscribe(&[topic])?;
    let record = tokio::time::timeout(PATIENCE, reader.recv()).await.context("nothing there")??.detach();
    tokio::task::spawn_blocking(move || drop(reader)).await?;
    Ok(record)
}

/// What a header says.
pub(crate) fn header(record: &OwnedMessage, name: &str) -> Option<String> {
    let value = record.headers()?.iter().find(|header| header.key == name)?.value?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The headers of a record that a program publishes again: as they were, or under a span of its own, with or without what we had in
/// `tracestate`.
pub(crate) fn again(record: &OwnedMessage, span: Option<u64>, state: bool) -> Result<OwnedHeaders> {
    let mut traceparent = header(record, TRACEPARENT).context("no traceparent")?;
    if let Some(span) = span {
        let mut parts: Vec<_> = traceparent.split('-').map(str::to_owned).collect();
        *parts.get_mut(2).context("no span")? = format!("{span:016x}");
        traceparent = parts.join("-");
    }
    let headers = OwnedHeaders::new().insert(Header { key: TRACEPARENT, value: Some(&traceparent) });
    let tracestate = header(record, TRACESTATE).context("no tracestate")?;
    Ok(if state { headers.insert(Header { key: TRACESTATE, value: Some(&tracestate) }) } else { headers })
}
