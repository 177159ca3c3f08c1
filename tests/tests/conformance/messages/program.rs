//! A program that is no part of the run, at the run's broker.

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use hopscope_server::broker::RunBroker;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

/// What a message says of itself.
pub(crate) type Headers = FieldTable;

async fn enter(broker: &RunBroker) -> Result<(Connection, Channel)> {
    let connection = Connection::connect(broker.address().with_password(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok((connection, channel))
}

async fn put(channel: &Channel, queue: &str, body: &[u8], headers: Option<Headers>) -> Result<()> {
    let properties =
        headers.map_or_else(BasicProperties::default, |headers| BasicProperties::default().with_headers(headers));
    let sent = channel.basic_publish("".into(), queue.into(), BasicPublishOptions::default(), body, properties);
    ensure!(sent.await?.await? == Confirmation::Ack(None), "the broker did not take the message");
    Ok(())
}

/// Publishes one message without headers.
pub(crate) async fn publish(broker: &RunBroker, queue: &str, body: &str) -> Result<()> {
    let (connection, channel) = enter(broker).await?;
    put(&channel, queue, body.as_bytes(), None).await?;
    Ok(connection.close(200, "done".into()).await?)
}

/// Takes one message from the first queue and publishes it to the second, with headers made from those that it had.
pub(crate) async fn forward(
    broker: &RunBroker,
    [from, to]: [&str; 2],
    change: impl FnOnce(Headers) -> Headers,
) -> Result<()> {
    let (connection, channel) = enter(broker).await?;
    let taken = channel.basic_get(from.into(), BasicGetOptions { no_ack: true }).await?.context("nothing there")?;
    let headers = taken.properties.headers().clone().context("no headers")?;
    ensure!(headers.inner().contains_key(TRACESTATE), "{headers:?}");
    put(&channel, to, &taken.data, Some(change(headers))).await?;
    Ok(connection.close(200, "done".into()).await?)
}

/// The same trace under another span, as a program that traces by itself writes it. It hands our `tracestate` on behind its
/// own, as the standard has it, or knows nothing of `tracestate`.
pub(crate) fn with_span(headers: &Headers, span: u64, keeps_state: bool) -> Headers {
    let mut own = FieldTable::default();
    for (name, value) in headers.inner() {
        let AMQPValue::LongString(text) = value else { continue };
        let text = String::from_utf8_lossy(text.as_bytes());
        let changed = match name.as_str() {
            TRACEPARENT => format!("{}{span:016x}-01", &text[..36]),
            TRACESTATE if keeps_state => format!("other=1,{text}"),
            _ => continue,
        };
        own.insert(name.clone(), AMQPValue::LongString(changed.into()));
    }
    own
}

/// Takes one message as a consumer under a tag that is none of ours, and acknowledges it.
pub(crate) async fn take(broker: &RunBroker, queue: &str) -> Result<Vec<u8>> {
    let (connection, channel) = enter(broker).await?;
    let consuming =
        channel.basic_consume(queue.into(), "stranger".into(), BasicConsumeOptions::default(), FieldTable::default());
    let delivery = consuming.await?.next().await.context("the consumer was cancelled")??;
    delivery.acker.ack(BasicAckOptions::default()).await?;
    connection.close(200, "done".into()).await?;
    Ok(delivery.data)
}

/// Asks for one message and acknowledges it.
pub(crate) async fn get(broker: &RunBroker, queue: &str) -> Result<Vec<u8>> {
    let (connection, channel) = enter(broker).await?;
    let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await?.context("nothing there")?;
    got.delivery.acker.ack(BasicAckOptions::default()).await?;
    connection.close(200, "done".into()).await?;
    Ok(got.delivery.data)
}
