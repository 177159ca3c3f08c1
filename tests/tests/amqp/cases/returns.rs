//! Messages that come back, and those that are refused at once.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::protocol::basic::Publish;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{exchange, exchange_with, message, queue, table, text};

cases! {
    mandatory_and_nowhere_to_go,
    mandatory_and_taken,
    mandatory_with_all_its_properties,
    mandatory_taken_by_an_alternate,
    immediate,
    to_an_absent_exchange,
    to_an_internal_exchange,
    of_another_user,
    of_the_user,
    expiration_that_is_no_number,
    expiration_negative,
    expiration_of_years,
    without_a_body,
}

fn mandatory(exchange: &str, key: &str) -> Publish {
    Publish { mandatory: true, ..message(exchange, key) }
}

async fn mandatory_and_nowhere_to_go(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.publish_as(mandatory("amq.direct", "nowhere"), BasicProperties::default(), "1").await?;
    a.returned(1).await
}

async fn mandatory_and_taken(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.confirm_select().await?;
    a.publish_as(mandatory("", "q"), BasicProperties::default(), "1").await?;
    a.confirmed(1).await?;
    a.left();
    Ok(())
}

async fn mandatory_with_all_its_properties(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let properties = BasicProperties::default()
        .with_content_type("text/plain".into())
        .with_content_encoding("utf-8".into())
        .with_headers(table(&[("a", text("b"))]))
        .with_delivery_mode(2)
        .with_priority(3)
        .with_correlation_id("c".into())
        .with_reply_to("r".into())
        .with_expiration("1000".into())
        .with_message_id("m".into())
        .with_timestamp(5)
        .with_type("t".into())
        .with_app_id("p".into());
    a.publish_as(mandatory("", "nowhere"), properties.clone(), "1").await?;
    a.returned(1).await?;
    a.declare(queue("q")).await?;
    a.fill_as("q", &[("2", properties)]).await?;
    a.drain("q").await
}

async fn mandatory_taken_by_an_alternate(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("amq.fanout"))])).await?;
    a.bind("q", "amq.fanout", "").await?;
    a.confirm_select().await?;
    a.publish_as(mandatory("x", "nowhere"), BasicProperties::default(), "1").await?;
    a.confirmed(1).await?;
    a.left();
    a.drain("q").await
}

async fn immediate(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let publish = Publish { immediate: true, ..message("", "q") };
    a.publish_as(publish, BasicProperties::default(), "1").await?;
    a.answer().await?;
    a.answer().await
}

async fn to_an_absent_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.publish("absent", "k", "1").await?;
    a.answer().await
}

async fn to_an_internal_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let declare = amq_protocol::protocol::exchange::Declare { internal: true, ..exchange("x", "fanout") };
    a.declare_exchange(declare).await?;
    a.publish("x", "k", "1").await?;
    a.answer().await
}

/// Publishes with such properties, to be refused.
async fn refused(it: It, properties: BasicProperties) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.publish_as(message("", "q"), properties, "1").await?;
    a.answer().await
}

async fn of_another_user(it: It) -> Result<()> {
    refused(it, BasicProperties::default().with_user_id("somebody".into())).await
}

async fn of_the_user(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill_as("q", &[("1", BasicProperties::default().with_user_id("guest".into()))]).await?;
    a.drain("q").await
}

async fn expiration_that_is_no_number(it: It) -> Result<()> {
    refused(it, BasicProperties::default().with_expiration("soon".into())).await
}

async fn expiration_negative(it: It) -> Result<()> {
    refused(it, BasicProperties::default().with_expiration("-1".into())).await
}

async fn expiration_of_years(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    // Longer than 32 bits of ms.
    a.fill_as("q", &[("1", BasicProperties::default().with_expiration("99999999999".into()))]).await?;
    a.drain("q").await
}

async fn without_a_body(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &[""]).await?;
    a.drain("q").await
}
