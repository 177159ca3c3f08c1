//! Priorities: of messages in a queue, of consumers at one, and the single active consumer.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::protocol::basic::Consume;
use amq_protocol::types::AMQPValue;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{consumer, consumer_with, int, queue, queue_with, text};

cases! {
    messages_highest_first,
    messages_above_the_highest_count_as_it,
    messages_without_priorities_are_in_order,
    messages_come_back_to_their_place,
    consumers_highest_first,
    consumers_without_credit_leave_it_to_the_next,
    consumers_of_one_priority_take_turns,
    consumers_below_none,
    consumers_priority_of_another_type,
    single_active_takes_all,
    single_active_is_followed_by_the_next,
    single_active_keeps_its_place_beside_a_higher_priority,
    single_active_without_credit_lets_nobody,
    single_active_and_exclusive,
    single_active_lost_with_its_channel,
}

fn of_priority(body: &str, priority: u8) -> (&str, BasicProperties) {
    (body, BasicProperties::default().with_priority(priority))
}

async fn messages_highest_first(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-priority", int(5))])).await?;
    let messages = [
        of_priority("1", 1),
        of_priority("5", 5),
        of_priority("3", 3),
        of_priority("1b", 1),
        ("0", Default::default()),
    ];
    a.fill_as("q", &messages).await?;
    a.drain("q").await
}

async fn messages_above_the_highest_count_as_it(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-priority", int(2))])).await?;
    a.fill_as("q", &[of_priority("2", 2), of_priority("9", 9), of_priority("200", 200), of_priority("1", 1)]).await?;
    a.drain("q").await
}

async fn messages_without_priorities_are_in_order(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill_as("q", &[of_priority("1", 1), of_priority("9", 9), of_priority("5", 5)]).await?;
    a.drain("q").await
}

async fn messages_come_back_to_their_place(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-priority", int(5))])).await?;
    a.fill_as("q", &[of_priority("1", 1), of_priority("5", 5), of_priority("3", 3)]).await?;
    for _ in 0..3 {
        a.get("q").await?;
    }
    a.nack(3, true, true).await?;
    a.until_ready("q", 3).await?;
    a.drain("q").await
}

async fn consumers_highest_first(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "low")).await?;
    a.consume(consumer_with("q", "high", &[("x-priority", int(10))])).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.deliveries(3).await?;
    Ok(())
}

async fn consumers_without_credit_leave_it_to_the_next(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, false).await?;
    a.consume(consumer_with("q", "first", &[("x-priority", int(10))])).await?;
    a.consume(consumer_with("q", "second", &[("x-priority", int(5))])).await?;
    a.consume(consumer("q", "third")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.deliveries(2).await?;
    a.ack(1, false).await?;
    a.fill("q", &["3"]).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn consumers_of_one_priority_take_turns(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer_with("q", "c", &[("x-priority", int(1))])).await?;
    a.consume(consumer_with("q", "d", &[("x-priority", int(1))])).await?;
    a.consume(consumer("q", "e")).await?;
    a.fill("q", &["1", "2", "3", "4"]).await?;
    a.deliveries(4).await?;
    Ok(())
}

async fn consumers_below_none(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer_with("q", "below", &[("x-priority", int(-1))])).await?;
    a.consume(consumer("q", "plain")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.deliveries(2).await?;
    Ok(())
}

async fn consumers_priority_of_another_type(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer_with("q", "c", &[("x-priority", text("high"))])).await?;
    a.turn_to(2).await?;
    a.consume(consumer_with("q", "c", &[("x-priority", AMQPValue::Boolean(true))])).await
}

const SINGLE: (&str, AMQPValue) = ("x-single-active-consumer", AMQPValue::Boolean(true));

async fn single_active_takes_all(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.deliveries(3).await?;
    Ok(())
}

async fn single_active_is_followed_by_the_next(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    for tag in ["c", "d", "e"] {
        a.consume(consumer("q", tag)).await?;
    }
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    a.cancel("c").await?;
    a.fill("q", &["2"]).await?;
    a.deliveries(1).await?;
    a.cancel("e").await?;
    a.fill("q", &["3"]).await?;
    a.deliveries(1).await?;
    a.cancel("d").await?;
    a.fill("q", &["4"]).await?;
    a.until_ready("q", 1).await
}

async fn single_active_keeps_its_place_beside_a_higher_priority(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.consume(consumer_with("q", "high", &[("x-priority", int(10))])).await?;
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    a.cancel("c").await?;
    a.fill("q", &["2"]).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn single_active_without_credit_lets_nobody(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    a.qos(1, false).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.deliveries(1).await?;
    a.until_ready("q", 1).await?;
    a.ack(1, false).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn single_active_and_exclusive(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    a.consume(Consume { exclusive: true, ..consumer("q", "c") }).await
}

async fn single_active_lost_with_its_channel(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[SINGLE])).await?;
    a.consume(consumer("q", "c")).await?;
    a.turn_to(2).await?;
    a.consume(consumer("q", "d")).await?;
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    a.on = 1;
    a.close_channel().await?;
    a.deliveries(1).await?;
    Ok(())
}
