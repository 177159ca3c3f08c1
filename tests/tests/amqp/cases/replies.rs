//! Direct reply-to.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::protocol::basic::{Consume, Publish};
use amq_protocol::protocol::queue::Declare;
use anyhow::{Context as _, Result};

use super::cases;
use crate::peer::It;
use crate::verbs::{consumer, message, queue};

const ADDRESS: &str = "amq.rabbitmq.reply-to";

cases! {
    there_and_back,
    needs_no_acknowledgement,
    once_for_each_channel,
    needs_a_consumer,
    reply_to_nobody,
    reply_to_nobody_mandatory,
    declared_passively,
    cancelled,
}

fn taking() -> Consume {
    Consume { no_ack: true, ..consumer(ADDRESS, "r") }
}

fn asking() -> BasicProperties {
    BasicProperties::default().with_reply_to(ADDRESS.into()).with_correlation_id("7".into())
}

async fn there_and_back(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    b.declare(queue("q")).await?;
    a.consume(taking()).await?;
    a.publish_as(message("", "q"), asking(), "ping").await?;
    b.until_ready("q", 1).await?;
    let address = b.take_properties("q").await?.reply_to().clone().context("no address")?;
    b.publish_as(message("", address.as_str()), BasicProperties::default().with_correlation_id("7".into()), "pong")
        .await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn needs_no_acknowledgement(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.consume(consumer(ADDRESS, "r")).await
}

async fn once_for_each_channel(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.consume(taking()).await?;
    a.consume(Consume { consumer_tag: "other".into(), ..taking() }).await
}

async fn needs_a_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.publish_as(message("", "q"), asking(), "ping").await?;
    a.answer().await
}

async fn reply_to_nobody(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.confirm_select().await?;
    a.publish("", &format!("{ADDRESS}.nobody"), "pong").await?;
    a.confirmed(1).await
}

async fn reply_to_nobody_mandatory(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let publish = Publish { mandatory: true, ..message("", &format!("{ADDRESS}.nobody")) };
    a.publish_as(publish, BasicProperties::default(), "pong").await?;
    a.returned(1).await
}

async fn declared_passively(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { passive: true, ..queue(ADDRESS) }).await?;
    a.consume(taking()).await?;
    a.declare(Declare { passive: true, ..queue(ADDRESS) }).await?;
    Ok(())
}

async fn cancelled(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(taking()).await?;
    a.cancel("r").await?;
    a.publish_as(message("", "q"), asking(), "ping").await?;
    a.answer().await
}
