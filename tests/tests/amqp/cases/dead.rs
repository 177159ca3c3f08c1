//! Dead letters: why, where to, and what they tell of their way.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::AMQPValue;
use anyhow::Result;

use super::cases;
use crate::peer::{It, Peer};
use crate::verbs::{exchange, int, queue, queue_with, table, text};

cases! {
    rejected,
    rejected_by_reject,
    expired,
    expired_by_its_own_time,
    dropped,
    refused_and_sent_on,
    refused_and_not_sent_on,
    under_another_key,
    through_an_exchange,
    to_an_absent_exchange,
    twice_through_the_same_queue,
    through_two_queues,
    round_and_round,
    rejected_round,
    keeps_its_headers,
    purged_is_not_dead,
    deleted_is_not_dead,
}

/// `q`, whose dead letters go to `dead`.
async fn with_dead(it: &It, more: &[(&str, AMQPValue)]) -> Result<Peer> {
    let mut a = it.open('a').await?;
    a.declare(queue("dead")).await?;
    let own = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("dead"))];
    let arguments: Vec<_> = own.iter().chain(more).cloned().collect();
    a.declare(queue_with("q", &arguments)).await?;
    Ok(a)
}

async fn rejected(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.nack(tag, false, false).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn rejected_by_reject(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn expired(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[("x-message-ttl", int(10))]).await?;
    a.fill("q", &["1"]).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn expired_by_its_own_time(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.fill_as("q", &[("1", BasicProperties::default().with_expiration("10".into()))]).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn dropped(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[("x-max-length", int(1))]).await?;
    a.fill("q", &["1", "2"]).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await?;
    a.drain("q").await
}

async fn refused_and_sent_on(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[("x-max-length", int(1)), ("x-overflow", text("reject-publish-dlx"))]).await?;
    a.confirm_select().await?;
    a.publish("", "q", "1").await?;
    a.publish("", "q", "2").await?;
    a.confirmed(2).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn refused_and_not_sent_on(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[("x-max-length", int(1)), ("x-overflow", text("reject-publish"))]).await?;
    a.confirm_select().await?;
    a.publish("", "q", "1").await?;
    a.publish("", "q", "2").await?;
    a.confirmed(2).await?;
    a.drain("dead").await
}

async fn under_another_key(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("dead")).await?;
    a.bind("dead", "amq.direct", "q").await?;
    // Without a key of its own it keeps the one that it came by.
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("amq.direct"))])).await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn through_an_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare(queue("dead")).await?;
    a.declare(queue("dead too")).await?;
    a.bind("dead", "x", "").await?;
    a.bind("dead too", "x", "").await?;
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("x"))])).await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.until_ready("dead", 1).await?;
    a.until_ready("dead too", 1).await?;
    a.drain("dead").await
}

async fn to_an_absent_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("absent"))])).await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.settle_down().await?;
    a.until_ready("q", 0).await
}

async fn twice_through_the_same_queue(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.declare(queue_with("back", &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("q"))]))
        .await?;
    a.fill("q", &["1"]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.until_ready("dead", 1).await?;
    // By hand back into q, with all that it tells.
    let headers = a.take_headers("dead").await?;
    a.fill_as("q", &[("1", BasicProperties::default().with_headers(headers))]).await?;
    let tag = a.get("q").await?;
    a.reject(tag, false).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn through_two_queues(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("dead")).await?;
    let to_dead = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("dead"))];
    a.declare(queue_with("second", &[to_dead[0].clone(), to_dead[1].clone(), ("x-message-ttl", int(5))])).await?;
    let to_second = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("second"))];
    a.declare(queue_with("first", &[to_second[0].clone(), to_second[1].clone(), ("x-message-ttl", int(5))])).await?;
    a.fill("first", &["1"]).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn round_and_round(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    // It expires into itself: a circle without anyone who rejects is left once.
    a.declare(queue_with(
        "q",
        &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("q")), ("x-message-ttl", int(10))],
    ))
    .await?;
    a.fill("q", &["1"]).await?;
    a.until_ready("q", 0).await?;
    a.drain("q").await
}

async fn rejected_round(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text("q"))]))
        .await?;
    a.fill("q", &["1"]).await?;
    for _ in 0..3 {
        let tag = a.get("q").await?;
        a.reject(tag, false).await?;
        a.until_ready("q", 1).await?;
    }
    a.drain("q").await
}

async fn keeps_its_headers(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[("x-message-ttl", int(5))]).await?;
    let properties = BasicProperties::default()
        .with_headers(table(&[("a", int(1))]))
        .with_expiration("600000".into())
        .with_priority(3)
        .with_message_id("m".into());
    a.fill_as("q", &[("1", properties)]).await?;
    a.until_ready("dead", 1).await?;
    a.drain("dead").await
}

async fn purged_is_not_dead(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.fill("q", &["1"]).await?;
    a.purge("q").await?;
    a.drain("dead").await
}

async fn deleted_is_not_dead(it: It) -> Result<()> {
    let mut a = with_dead(&it, &[]).await?;
    a.fill("q", &["1"]).await?;
    a.delete_queue("q").await?;
    a.drain("dead").await
}
