//! What may not stay: by age, by length, by size, and queues that nobody uses.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::protocol::basic::Consume;
use anyhow::Result;

use super::cases;
use crate::peer::{It, Peer};
use crate::verbs::{consumer, int, queue, queue_with};

cases! {
    age_by_the_queue,
    age_by_the_message,
    age_by_the_nearer_of_both,
    age_of_nothing_and_nobody_there,
    age_of_nothing_and_a_consumer,
    age_behind_a_younger_one,
    age_of_what_is_out_does_not_count,
    length_drops_the_oldest,
    length_of_nothing,
    length_of_nothing_and_a_consumer,
    length_does_not_count_what_is_out,
    size_drops_the_oldest,
    size_of_bodies_alone,
    length_and_size_the_first_that_is_passed,
    full_with_what_comes_back,
    unused_goes,
    unused_is_used_by_a_consumer,
}

/// Lets so much time pass, in ms, as a queue of the broker's tells.
async fn pass(a: &mut Peer, ms: i32) -> Result<()> {
    a.declare(queue_with("clock", &[("x-message-ttl", int(ms))])).await?;
    a.fill("clock", &["tick"]).await?;
    a.until_ready("clock", 0).await
}

fn lasting(body: &str, expiration: &str) -> (String, BasicProperties) {
    (body.to_owned(), BasicProperties::default().with_expiration(expiration.into()))
}

async fn age_by_the_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(30))])).await?;
    a.fill("q", &["1", "2"]).await?;
    a.until_ready("q", 0).await?;
    a.get("q").await?;
    Ok(())
}

async fn age_by_the_message(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    let message = lasting("1", "30");
    a.fill_as("q", &[(&message.0, message.1)]).await?;
    a.until_ready("q", 0).await?;
    a.get("q").await?;
    Ok(())
}

async fn age_by_the_nearer_of_both(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(30))])).await?;
    let message = lasting("1", "600000");
    a.fill_as("q", &[(&message.0, message.1)]).await?;
    a.until_ready("q", 0).await
}

async fn age_of_nothing_and_nobody_there(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(0))])).await?;
    a.fill("q", &["1"]).await?;
    a.until_ready("q", 0).await?;
    a.get("q").await?;
    Ok(())
}

async fn age_of_nothing_and_a_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(0))])).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn age_behind_a_younger_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    let (long, short) = (lasting("long", "600000"), lasting("short", "1"));
    a.fill_as("q", &[(&long.0, long.1), (&short.0, short.1)]).await?;
    pass(&mut a, 50).await?;
    // What has had its time goes when it comes to the head, and is not left.
    a.get_as("q", true).await?;
    a.until_ready("q", 0).await
}

async fn age_of_what_is_out_does_not_count(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-message-ttl", int(30))])).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1"]).await?;
    let tags = a.deliveries(1).await?;
    pass(&mut a, 60).await?;
    a.ack(tags[0], false).await?;
    a.settle_down().await
}

async fn length_drops_the_oldest(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(2))])).await?;
    a.fill("q", &["1", "2", "3", "4"]).await?;
    a.until_ready("q", 2).await?;
    a.drain("q").await
}

async fn length_of_nothing(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(0))])).await?;
    a.fill("q", &["1"]).await?;
    a.until_ready("q", 0).await?;
    a.get("q").await?;
    Ok(())
}

async fn length_of_nothing_and_a_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(0))])).await?;
    a.consume(Consume { no_ack: true, ..consumer("q", "c") }).await?;
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn length_does_not_count_what_is_out(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(2))])).await?;
    a.fill("q", &["1", "2"]).await?;
    a.get("q").await?;
    a.get("q").await?;
    a.fill("q", &["3", "4"]).await?;
    a.until_ready("q", 2).await?;
    a.drain("q").await
}

async fn size_drops_the_oldest(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length-bytes", int(10))])).await?;
    a.fill("q", &["aaaa", "bbbb", "cccc"]).await?;
    a.until_ready("q", 2).await?;
    a.fill("q", &["dddddddddd"]).await?;
    a.until_ready("q", 1).await?;
    a.fill("q", &["eeeeeeeeeee"]).await?;
    a.until_ready("q", 0).await
}

async fn size_of_bodies_alone(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length-bytes", int(4))])).await?;
    let properties = BasicProperties::default().with_app_id("a long name of a program".into());
    a.fill_as("q", &[("aaaa", properties)]).await?;
    a.until_ready("q", 1).await?;
    a.drain("q").await
}

async fn length_and_size_the_first_that_is_passed(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(2)), ("x-max-length-bytes", int(100))])).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.until_ready("q", 2).await?;
    a.drain("q").await
}

async fn full_with_what_comes_back(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-max-length", int(2))])).await?;
    a.fill("q", &["1", "2"]).await?;
    let tag = a.get("q").await?;
    a.fill("q", &["3"]).await?;
    a.until_ready("q", 2).await?;
    a.nack(tag, false, true).await?;
    a.until_ready("q", 2).await?;
    a.drain("q").await
}

async fn unused_goes(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue_with("q", &[("x-expires", int(50))])).await?;
    a.fill("q", &["1"]).await?;
    // To ask would be to use it.
    pass(&mut a, 2000).await?;
    a.get("q").await?;
    Ok(())
}

async fn unused_is_used_by_a_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    // Long enough that the consumer is there before its end, whatever else the machine does.
    a.declare(queue_with("q", &[("x-expires", int(1500))])).await?;
    a.consume(consumer("q", "c")).await?;
    pass(&mut a, 3000).await?;
    a.fill("q", &["1"]).await?;
    a.deliveries(1).await?;
    Ok(())
}
