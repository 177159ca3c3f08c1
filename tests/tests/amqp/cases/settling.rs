//! Deliveries that end: acknowledged, refused, given back.

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{AMQPMethod, RecoverAsync};
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{consumer, queue};

cases! {
    one,
    several,
    all_by_zero,
    all_by_zero_where_there_is_none,
    zero_alone,
    unknown,
    twice,
    several_up_to_an_unknown,
    several_up_to_a_settled,
    of_another_channel,
    refused_for_good,
    refused_and_back,
    refused_several_and_back,
    refused_all_and_back,
    rejected_and_back,
    rejected_unknown,
    back_to_the_old_place,
    back_with_its_channel,
    back_with_its_connection,
    back_goes_to_another,
    recovered,
    recovered_without_requeue,
    recovered_without_a_word,
    tags_go_on_after_a_recovery,
    after_the_queue_is_gone,
}

/// Three copies out with channel 1, by tags 1 to 3.
async fn three_out(it: &It) -> Result<crate::peer::Peer> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    for _ in 0..3 {
        a.get("q").await?;
    }
    Ok(a)
}

/// Closes channel 1, so that what is out comes back, and takes it.
async fn rest(a: &mut crate::peer::Peer, ready: u32) -> Result<()> {
    a.close_channel().await?;
    a.turn_to(1).await?;
    a.until_ready("q", ready).await?;
    a.drain("q").await
}

async fn one(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(2, false).await?;
    rest(&mut a, 2).await
}

async fn several(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(2, true).await?;
    rest(&mut a, 1).await
}

async fn all_by_zero(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(0, true).await?;
    rest(&mut a, 0).await
}

async fn all_by_zero_where_there_is_none(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.ack(0, true).await?;
    a.settle_down().await
}

async fn zero_alone(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(0, false).await?;
    a.answer().await
}

async fn unknown(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(7, false).await?;
    a.answer().await
}

async fn twice(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(1, false).await?;
    a.ack(1, false).await?;
    a.answer().await
}

async fn several_up_to_an_unknown(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(7, true).await?;
    a.answer().await
}

async fn several_up_to_a_settled(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.ack(2, false).await?;
    a.ack(2, true).await?;
    a.answer().await
}

async fn of_another_channel(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.turn_to(2).await?;
    a.ack(1, false).await?;
    a.answer().await
}

async fn refused_for_good(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.nack(2, true, false).await?;
    rest(&mut a, 1).await
}

async fn refused_and_back(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.nack(2, false, true).await?;
    a.until_ready("q", 1).await?;
    a.get("q").await?;
    rest(&mut a, 3).await
}

async fn refused_several_and_back(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.nack(2, true, true).await?;
    a.until_ready("q", 2).await?;
    a.get("q").await?;
    a.get("q").await?;
    Ok(())
}

async fn refused_all_and_back(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.nack(0, true, true).await?;
    a.until_ready("q", 3).await?;
    a.drain("q").await
}

async fn rejected_and_back(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.reject(1, true).await?;
    a.reject(2, false).await?;
    rest(&mut a, 2).await
}

async fn rejected_unknown(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.reject(9, true).await?;
    a.answer().await
}

async fn back_to_the_old_place(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3", "4", "5"]).await?;
    for _ in 0..3 {
        a.get("q").await?;
    }
    a.nack(3, false, true).await?;
    a.nack(1, false, true).await?;
    a.until_ready("q", 4).await?;
    a.drain("q").await
}

async fn back_with_its_channel(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    rest(&mut a, 3).await
}

async fn back_with_its_connection(it: It) -> Result<()> {
    let a = three_out(&it).await?;
    let mut b = it.open('b').await?;
    a.vanish();
    b.until_ready("q", 3).await?;
    b.drain("q").await
}

async fn back_goes_to_another(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.deliveries(2).await?;
    b.consume(consumer("q", "d")).await?;
    a.close_channel().await?;
    b.deliveries(2).await?;
    Ok(())
}

async fn recovered(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.recover(true).await?;
    a.until_ready("q", 3).await?;
    a.drain("q").await
}

async fn recovered_without_requeue(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.recover(false).await?;
    a.answer().await
}

async fn recovered_without_a_word(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.send(1, AMQPClass::Basic(AMQPMethod::RecoverAsync(RecoverAsync { requeue: true }))).await?;
    a.until_ready("q", 3).await?;
    a.drain("q").await
}

async fn tags_go_on_after_a_recovery(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.deliveries(2).await?;
    a.recover(true).await?;
    a.deliveries(2).await?;
    Ok(())
}

async fn after_the_queue_is_gone(it: It) -> Result<()> {
    let mut a = three_out(&it).await?;
    a.delete_queue("q").await?;
    a.ack(1, false).await?;
    a.nack(2, false, true).await?;
    a.settle_down().await?;
    a.ack(1, false).await?;
    a.answer().await
}
