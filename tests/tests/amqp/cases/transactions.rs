//! Transactions.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::protocol::basic::Publish;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{message, queue};

cases! {
    publishes_at_commit,
    publishes_nothing_at_rollback,
    acknowledges_at_commit,
    acknowledges_nothing_at_rollback,
    refuses_at_commit,
    settled_in_a_transaction_is_settled_to_it,
    returned_at_commit,
    selected_twice,
    committed_without_selection,
    rolled_back_without_selection,
    after_confirms,
    before_confirms,
    closed_before_commit,
    absent_exchange_at_once,
    several_commits,
}

async fn publishes_at_commit(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.tx_select().await?;
    a.publish("", "q", "1").await?;
    a.publish("", "q", "2").await?;
    a.settle_down().await?;
    b.get("q").await?;
    a.tx_commit().await?;
    b.drain("q").await
}

async fn publishes_nothing_at_rollback(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.tx_select().await?;
    a.publish("", "q", "1").await?;
    a.tx_rollback().await?;
    a.publish("", "q", "2").await?;
    a.tx_commit().await?;
    a.drain("q").await
}

async fn acknowledges_at_commit(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.tx_select().await?;
    let tag = a.get("q").await?;
    a.ack(tag, false).await?;
    a.tx_commit().await?;
    a.close_channel().await?;
    b.until_ready("q", 1).await?;
    b.drain("q").await
}

async fn acknowledges_nothing_at_rollback(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.tx_select().await?;
    let tag = a.get("q").await?;
    a.ack(tag, false).await?;
    a.tx_rollback().await?;
    // It is out again, and may be settled.
    a.ack(tag, false).await?;
    a.tx_rollback().await?;
    a.close_channel().await?;
    b.until_ready("q", 1).await?;
    b.drain("q").await
}

async fn refuses_at_commit(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.tx_select().await?;
    let (first, second) = (a.get("q").await?, a.get("q").await?);
    a.nack(first, false, true).await?;
    a.reject(second, false).await?;
    a.settle_down().await?;
    a.until_ready("q", 0).await?;
    a.tx_commit().await?;
    a.until_ready("q", 1).await
}

async fn settled_in_a_transaction_is_settled_to_it(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.tx_select().await?;
    let tag = a.get("q").await?;
    a.ack(tag, false).await?;
    a.ack(tag, false).await?;
    a.answer().await
}

async fn returned_at_commit(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.tx_select().await?;
    let publish = Publish { mandatory: true, ..message("", "absent") };
    a.publish_as(publish, BasicProperties::default(), "1").await?;
    a.tx_commit().await?;
    a.returned(1).await
}

async fn selected_twice(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.tx_select().await?;
    a.publish("", "q", "1").await?;
    a.tx_select().await?;
    a.tx_commit().await?;
    a.drain("q").await
}

async fn committed_without_selection(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.tx_commit().await
}

async fn rolled_back_without_selection(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.tx_rollback().await
}

async fn after_confirms(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.confirm_select().await?;
    a.tx_select().await
}

async fn before_confirms(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.tx_select().await?;
    a.confirm_select().await
}

async fn closed_before_commit(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.tx_select().await?;
    let tag = a.get("q").await?;
    a.publish("", "q", "2").await?;
    a.ack(tag, false).await?;
    a.close_channel().await?;
    b.until_ready("q", 1).await?;
    b.drain("q").await
}

async fn absent_exchange_at_once(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.tx_select().await?;
    a.publish("absent", "k", "1").await?;
    a.answer().await
}

async fn several_commits(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.tx_select().await?;
    a.tx_commit().await?;
    for body in ["1", "2"] {
        a.publish("", "q", body).await?;
        a.tx_commit().await?;
    }
    a.drain("q").await
}
