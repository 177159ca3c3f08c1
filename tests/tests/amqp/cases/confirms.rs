//! Publisher confirms.

use amq_protocol::protocol::{AMQPClass, confirm};
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{int, message, queue, queue_with, text};

cases! {
    numbered_from_one,
    numbered_from_the_selection,
    selected_twice,
    selected_without_a_word,
    unroutable_is_confirmed,
    refused_by_a_full_queue,
    refused_by_one_of_two,
    of_each_channel_by_itself,
    of_a_large_message,
    none_after_the_channel_has_failed,
}

async fn numbered_from_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.confirm_select().await?;
    for _ in 0..5 {
        a.publish("", "q", "1").await?;
    }
    a.confirmed(5).await?;
    a.until_ready("q", 5).await?;
    a.left();
    Ok(())
}

async fn numbered_from_the_selection(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.publish("", "q", "1").await?;
    a.confirm_select().await?;
    a.publish("", "q", "2").await?;
    a.confirmed(1).await
}

async fn selected_twice(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.confirm_select().await?;
    a.publish("", "q", "1").await?;
    a.confirm_select().await?;
    a.publish("", "q", "2").await?;
    a.confirmed(2).await
}

async fn selected_without_a_word(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.send(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: true }))).await?;
    a.publish("", "absent", "1").await?;
    a.confirmed(1).await
}

async fn unroutable_is_confirmed(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.confirm_select().await?;
    a.publish("", "absent", "1").await?;
    a.publish_as(
        amq_protocol::protocol::basic::Publish { mandatory: true, ..message("", "absent") },
        Default::default(),
        "2",
    )
    .await?;
    a.returned(1).await?;
    a.confirmed(2).await
}

async fn refused_by_a_full_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(1)), ("x-overflow", text("reject-publish"))])).await?;
    a.confirm_select().await?;
    a.publish("", "q", "1").await?;
    a.confirmed(1).await?;
    a.publish("", "q", "2").await?;
    a.confirmed_from(2, 2).await?;
    a.drain("q").await?;
    a.publish("", "q", "3").await?;
    a.confirmed_from(3, 3).await?;
    a.drain("q").await
}

async fn refused_by_one_of_two(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(0)), ("x-overflow", text("reject-publish"))])).await?;
    a.declare(queue("p")).await?;
    a.bind("q", "amq.fanout", "").await?;
    a.bind("p", "amq.fanout", "").await?;
    a.confirm_select().await?;
    a.publish("amq.fanout", "", "1").await?;
    a.confirmed(1).await?;
    a.until_ready("p", 1).await?;
    a.drain("p").await?;
    a.drain("q").await
}

async fn of_each_channel_by_itself(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.confirm_select().await?;
    a.publish("", "absent", "1").await?;
    a.publish("", "absent", "2").await?;
    a.confirmed(2).await?;
    a.turn_to(2).await?;
    a.confirm_select().await?;
    a.publish("", "absent", "3").await?;
    a.confirmed(1).await
}

async fn of_a_large_message(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.confirm_select().await?;
    a.publish_large("q", 500_000).await?;
    a.confirmed(1).await?;
    a.get_large("q").await
}

async fn none_after_the_channel_has_failed(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.confirm_select().await?;
    a.publish("absent", "k", "1").await?;
    a.publish("", "absent", "2").await?;
    a.answer().await?;
    a.turn_to(1).await?;
    a.left();
    Ok(())
}
