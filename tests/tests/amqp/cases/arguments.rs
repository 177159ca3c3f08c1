//! What a queue may be declared with, and what makes two declarations differ.

use amq_protocol::types::AMQPValue;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{int, queue, queue_with, text};

cases! {
    message_ttl,
    expires,
    max_length,
    max_length_bytes,
    overflow,
    max_priority,
    dead_letter_exchange,
    dead_letter_key_without_exchange,
    single_active_consumer,
    queue_mode,
    unknown_ones_are_taken,
    classic_type,
    ttl_differs,
    ttl_of_another_width_is_the_same,
    max_length_differs,
    one_more_argument_differs,
    dead_letter_exchange_differs,
    unknown_ones_are_not_compared,
}

/// Declares a queue with each of these values of an argument, on a channel of its own each.
async fn each(it: &It, argument: &str, values: &[AMQPValue]) -> Result<()> {
    let mut a = it.open('a').await?;
    for (value, number) in values.iter().zip(2_u16..) {
        a.turn_to(number).await?;
        a.declare(queue_with(&format!("q{number}"), &[(argument, value.clone())])).await?;
    }
    Ok(())
}

async fn message_ttl(it: It) -> Result<()> {
    let values = [
        int(1000),
        int(0),
        int(-1),
        AMQPValue::ShortShortInt(5),
        AMQPValue::ShortInt(5),
        AMQPValue::LongLongInt(5),
        AMQPValue::LongLongInt(1 << 40),
        AMQPValue::Double(1.5),
        AMQPValue::Boolean(true),
        text("1000"),
        AMQPValue::Void,
    ];
    each(&it, "x-message-ttl", &values).await
}

async fn expires(it: It) -> Result<()> {
    let values = [int(60_000), int(0), int(-1), AMQPValue::LongLongInt(1 << 40), text("1000")];
    each(&it, "x-expires", &values).await
}

async fn max_length(it: It) -> Result<()> {
    each(&it, "x-max-length", &[int(3), int(0), int(-1), AMQPValue::LongLongInt(1 << 40), text("3")]).await
}

async fn max_length_bytes(it: It) -> Result<()> {
    each(&it, "x-max-length-bytes", &[int(3), int(0), int(-1), text("3")]).await
}

async fn overflow(it: It) -> Result<()> {
    let values = [text("drop-head"), text("reject-publish"), text("reject-publish-dlx"), text("drop-tail"), int(1)];
    each(&it, "x-overflow", &values).await
}

async fn max_priority(it: It) -> Result<()> {
    each(&it, "x-max-priority", &[int(10), int(0), int(255), int(256), int(-1), text("10")]).await
}

async fn dead_letter_exchange(it: It) -> Result<()> {
    each(&it, "x-dead-letter-exchange", &[text("absent"), text(""), int(1)]).await
}

async fn dead_letter_key_without_exchange(it: It) -> Result<()> {
    each(&it, "x-dead-letter-routing-key", &[text("k"), int(1)]).await
}

async fn single_active_consumer(it: It) -> Result<()> {
    let values = [AMQPValue::Boolean(true), AMQPValue::Boolean(false), text("true"), int(1)];
    each(&it, "x-single-active-consumer", &values).await
}

async fn queue_mode(it: It) -> Result<()> {
    each(&it, "x-queue-mode", &[text("default"), text("lazy"), text("eager"), int(1)]).await
}

async fn unknown_ones_are_taken(it: It) -> Result<()> {
    each(&it, "x-something", &[text("else"), int(1)]).await
}

async fn classic_type(it: It) -> Result<()> {
    each(&it, "x-queue-type", &[text("classic"), text("nonsense"), int(1)]).await
}

async fn ttl_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(1000))])).await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(2000))])).await?;
    Ok(())
}

async fn ttl_of_another_width_is_the_same(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(1000))])).await?;
    a.declare(queue_with("q", &[("x-message-ttl", AMQPValue::LongLongInt(1000))])).await?;
    Ok(())
}

async fn max_length_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(3))])).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn one_more_argument_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(queue_with("q", &[("x-max-priority", int(3))])).await?;
    Ok(())
}

async fn dead_letter_exchange_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("one"))])).await?;
    a.declare(queue_with("q", &[("x-dead-letter-exchange", text("other"))])).await?;
    Ok(())
}

async fn unknown_ones_are_not_compared(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-something", int(1))])).await?;
    a.declare(queue_with("q", &[("x-something", int(2))])).await?;
    Ok(())
}
