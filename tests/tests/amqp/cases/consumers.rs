//! Consumers: added, served in turn, limited by prefetch, taken away.

use amq_protocol::protocol::basic::{AMQPMethod, Cancel, Consume};
use amq_protocol::protocol::queue::{AMQPMethod as QueueMethod, Declare, Delete};
use amq_protocol::protocol::{AMQPClass, channel};
use amq_protocol::types::{AMQPValue, FieldTable};
use anyhow::{Context as _, Result};

use super::cases;
use crate::peer::It;
use crate::verbs::{consumer, queue, table};

cases! {
    gets_what_is_there,
    gets_what_comes,
    of_an_absent_queue,
    by_no_name,
    by_no_name_without_a_last_queue,
    a_tag_made_up_by_the_broker,
    a_tag_twice,
    a_tag_again_after_its_end,
    a_tag_on_two_channels,
    a_tag_of_200_bytes,
    without_a_word,
    cancel_without_a_word,
    cancel_of_an_unknown_tag,
    cancelled_keeps_what_it_has,
    exclusive_keeps_others_out,
    exclusive_beside_another,
    exclusive_ends_and_others_may,
    automatic_acknowledgement,
    automatic_is_not_limited,
    no_local_is_no_matter,
    prefetch_of_each_consumer,
    prefetch_of_the_channel,
    prefetch_raised,
    prefetch_later_is_for_consumers_to_come,
    prefetch_of_size: "amq-protocol, which reads the methods, passes the size over",
    take_turns,
    one_without_credit_is_passed_over,
    flow_off_and_on,
    cancelled_with_its_queue,
    cancelled_after_the_deletion_is_answered,
    cancelled_with_its_queue_without_notice,
    told_where_from,
    get_is_beside_prefetch,
    get_of_an_absent_queue,
    get_of_an_empty_queue,
    get_counts_what_is_left,
}

async fn gets_what_is_there(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.consume(consumer("q", "c")).await?;
    a.deliveries(3).await?;
    Ok(())
}

async fn gets_what_comes(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    b.publish("", "q", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn of_an_absent_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.consume(consumer("absent", "c")).await
}

async fn by_no_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("", "c")).await?;
    a.publish("", "q", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn by_no_name_without_a_last_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.consume(consumer("", "c")).await
}

async fn a_tag_made_up_by_the_broker(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "")).await?;
    a.consume(consumer("q", "")).await?;
    a.publish("", "q", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn a_tag_twice(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "c")).await?;
    a.answer().await
}

async fn a_tag_again_after_its_end(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.cancel("c").await?;
    a.consume(consumer("q", "c")).await
}

async fn a_tag_on_two_channels(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.turn_to(2).await?;
    a.consume(consumer("q", "c")).await
}

async fn a_tag_of_200_bytes(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", &"t".repeat(200))).await?;
    a.publish("", "q", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn without_a_word(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.publish("", "q", "1").await?;
    a.send(1, AMQPClass::Basic(AMQPMethod::Consume(Consume { nowait: true, ..consumer("q", "c") }))).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn cancel_without_a_word(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    let cancel = Cancel { consumer_tag: "c".into(), nowait: true };
    a.send(1, AMQPClass::Basic(AMQPMethod::Cancel(cancel))).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn cancel_of_an_unknown_tag(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.cancel("nobody").await
}

async fn cancelled_keeps_what_it_has(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.publish("", "q", "1").await?;
    let tags = a.deliveries(1).await?;
    a.cancel("c").await?;
    a.declare(Declare { passive: true, ..queue("q") }).await?;
    a.nack(tags[0], false, true).await?;
    a.until_ready("q", 1).await
}

async fn exclusive_keeps_others_out(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(Consume { exclusive: true, ..consumer("q", "c") }).await?;
    b.consume(consumer("q", "d")).await?;
    b.turn_to(1).await?;
    b.get("q").await.map(|_| ())
}

async fn exclusive_beside_another(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    b.consume(Consume { exclusive: true, ..consumer("q", "d") }).await
}

async fn exclusive_ends_and_others_may(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(Consume { exclusive: true, ..consumer("q", "c") }).await?;
    a.cancel("c").await?;
    b.consume(consumer("q", "d")).await
}

async fn automatic_acknowledgement(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(Consume { no_ack: true, ..consumer("q", "c") }).await?;
    a.fill("q", &["1", "2"]).await?;
    let tags = a.deliveries(2).await?;
    // There is nothing to be settled.
    a.ack(tags[0], false).await?;
    a.answer().await
}

async fn automatic_is_not_limited(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, false).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.consume(Consume { no_ack: true, ..consumer("q", "c") }).await?;
    a.deliveries(3).await?;
    Ok(())
}

async fn no_local_is_no_matter(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(Consume { no_local: true, ..consumer("q", "c") }).await?;
    a.publish("", "q", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn prefetch_of_each_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(2, false).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.fill("q", &["1", "2", "3", "4", "5"]).await?;
    let tags = a.deliveries(4).await?;
    a.until_ready("q", 1).await?;
    a.ack(tags[0], false).await?;
    a.deliveries(1).await?;
    a.left();
    Ok(())
}

async fn prefetch_of_the_channel(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(queue("p")).await?;
    a.qos(2, true).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("p", "d")).await?;
    a.fill("q", &["1", "2"]).await?;
    let tags = a.deliveries(2).await?;
    a.fill("p", &["3"]).await?;
    a.until_ready("p", 1).await?;
    a.ack(tags[1], true).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn prefetch_raised(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, true).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.deliveries(1).await?;
    a.until_ready("q", 2).await?;
    a.qos(2, true).await?;
    a.deliveries(1).await?;
    a.until_ready("q", 1).await?;
    a.qos(0, true).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn prefetch_later_is_for_consumers_to_come(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, false).await?;
    a.consume(consumer("q", "c")).await?;
    a.qos(0, false).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.deliveries(1).await?;
    a.until_ready("q", 2).await?;
    a.consume(consumer("q", "d")).await?;
    a.deliveries(2).await?;
    Ok(())
}

async fn prefetch_of_size(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    // basic.qos by hand: the size is a field that clients leave at 0.
    a.bytes(&[1, 0, 1, 0, 0, 0, 11, 0, 60, 0, 10, 0, 0, 0, 9, 0, 1, 0, 206]).await?;
    a.answer().await
}

async fn take_turns(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    for tag in ["c", "d", "e"] {
        a.consume(consumer("q", tag)).await?;
    }
    a.fill("q", &["1", "2", "3", "4", "5", "6"]).await?;
    a.deliveries(6).await?;
    Ok(())
}

async fn one_without_credit_is_passed_over(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, false).await?;
    a.consume(consumer("q", "c")).await?;
    a.qos(0, false).await?;
    a.consume(consumer("q", "d")).await?;
    a.fill("q", &["1", "2", "3", "4"]).await?;
    a.deliveries(4).await?;
    Ok(())
}

async fn flow_off_and_on(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.say(AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active: true }))).await?;
    a.say(AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active: false }))).await?;
    Ok(())
}

/// What a client says that it understands.
fn capabilities() -> FieldTable {
    table(&[("consumer_cancel_notify", AMQPValue::Boolean(true))])
}

async fn cancelled_with_its_queue(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    a.shake_hands(&capabilities()).await?;
    a.turn_to(1).await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.delete_queue("q").await?;
    a.cancelled(2).await
}

/// On one channel the answer comes first; a client may raise what it is told before it.
async fn cancelled_after_the_deletion_is_answered(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    a.shake_hands(&capabilities()).await?;
    a.turn_to(1).await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    let delete = Delete { queue: "q".into(), ..Delete::default() };
    a.send(1, AMQPClass::Queue(QueueMethod::Delete(delete))).await?;
    for _ in 0..2 {
        // Neither is put aside: what matters is which comes first.
        let heard = a.quietly().await?.context("the socket is closed")?;
        a.notes.say(&heard.line());
    }
    Ok(())
}

async fn cancelled_with_its_queue_without_notice(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    b.delete_queue("q").await?;
    a.settle_down().await?;
    a.left();
    Ok(())
}

async fn told_where_from(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "amq.topic", "#").await?;
    a.consume(consumer("q", "c")).await?;
    a.publish("amq.topic", "a.b.c", "1").await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn get_is_beside_prefetch(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, true).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.get("q").await?;
    a.get("q").await?;
    a.consume(consumer("q", "c")).await?;
    a.deliveries(1).await?;
    Ok(())
}

async fn get_of_an_absent_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.get("absent").await.map(|_| ())
}

async fn get_of_an_empty_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.get("q").await.map(|_| ())
}

async fn get_counts_what_is_left(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.get("q").await?;
    a.get_as("q", true).await?;
    a.drain("q").await
}
