//! Queues: declared, found, deleted, purged.

use amq_protocol::protocol::queue::{Declare, Delete};
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{consumer, queue};

cases! {
    declared_twice_is_the_same,
    durable_differs,
    auto_delete_differs,
    exclusive_differs_to_its_owner,
    passive_finds_it,
    passive_of_an_absent_one,
    passive_does_not_compare,
    a_name_made_up_by_the_broker,
    no_name_and_passive_is_the_last_one,
    no_name_without_a_last_one,
    reserved_name,
    reserved_name_passive,
    exclusive_is_refused_to_others,
    exclusive_goes_with_its_connection,
    exclusive_delete_by_another,
    exclusive_consume_by_another,
    deleted_with_its_messages,
    delete_of_an_absent_one,
    delete_if_unused,
    delete_if_empty,
    delete_if_empty_counts_ready_only,
    purge_counts_ready_only,
    purge_of_an_absent_one,
    auto_delete_goes_with_its_last_consumer,
    auto_delete_stays_before_its_first_consumer,
    auto_delete_goes_with_its_connection,
    nowait_declares_without_a_word,
    nowait_fails_with_one,
    delete_of_the_last_one_by_no_name,
    long_name,
    counts_of_a_declaration,
}

async fn declared_twice_is_the_same(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { durable: true, ..queue("q") }).await?;
    a.declare(Declare { durable: true, ..queue("q") }).await?;
    Ok(())
}

async fn durable_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(Declare { durable: true, ..queue("q") }).await?;
    Ok(())
}

async fn auto_delete_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { auto_delete: true, ..queue("q") }).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn exclusive_differs_to_its_owner(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { exclusive: true, ..queue("q") }).await?;
    a.declare(queue("q")).await?;
    a.turn_to(1).await?;
    a.declare(queue("p")).await?;
    a.declare(Declare { exclusive: true, ..queue("p") }).await?;
    Ok(())
}

async fn passive_finds_it(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2"]).await?;
    a.until_ready("q", 2).await?;
    a.declare(Declare { passive: true, ..queue("q") }).await?;
    Ok(())
}

async fn passive_of_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { passive: true, ..queue("absent") }).await?;
    Ok(())
}

async fn passive_does_not_compare(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(Declare { passive: true, durable: true, auto_delete: true, ..queue("q") }).await?;
    Ok(())
}

async fn a_name_made_up_by_the_broker(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let name = a.declare(Declare { exclusive: true, ..queue("") }).await?;
    a.notes.say(&format!("it is {}", if name.starts_with("amq.gen-") { "made up" } else { &name }));
    a.declare(Declare { passive: true, ..queue(&name) }).await?;
    Ok(())
}

async fn no_name_and_passive_is_the_last_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(Declare { passive: true, ..queue("") }).await?;
    Ok(())
}

async fn no_name_without_a_last_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.purge("").await?;
    Ok(())
}

async fn reserved_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("amq.mine")).await?;
    Ok(())
}

async fn reserved_name_passive(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { passive: true, ..queue("amq.mine") }).await?;
    Ok(())
}

async fn exclusive_is_refused_to_others(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(Declare { exclusive: true, ..queue("q") }).await?;
    b.declare(Declare { exclusive: true, ..queue("q") }).await?;
    b.turn_to(1).await?;
    b.declare(queue("q")).await?;
    b.turn_to(1).await?;
    b.declare(Declare { passive: true, ..queue("q") }).await?;
    Ok(())
}

async fn exclusive_goes_with_its_connection(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(Declare { exclusive: true, ..queue("q") }).await?;
    a.vanish();
    // Until it has gone it is locked, which is another refusal.
    loop {
        let heard = b.ask_quietly(Declare { passive: true, ..queue("q") }).await?;
        if heard.contains("404") {
            break b.notes.say(&heard);
        }
        b.turn_to(1).await?;
    }
    Ok(())
}

async fn exclusive_delete_by_another(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(Declare { exclusive: true, ..queue("q") }).await?;
    b.delete_queue("q").await?;
    Ok(())
}

async fn exclusive_consume_by_another(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(Declare { exclusive: true, ..queue("q") }).await?;
    b.consume(consumer("q", "c")).await?;
    b.turn_to(1).await?;
    b.get("q").await?;
    b.turn_to(1).await?;
    b.bind("q", "amq.direct", "k").await?;
    b.turn_to(1).await?;
    b.purge("q").await?;
    Ok(())
}

async fn deleted_with_its_messages(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.delete_queue("q").await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn delete_of_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.delete_queue("absent").await
}

async fn delete_if_unused(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.consume(consumer("q", "c")).await?;
    b.delete_queue_if(Delete { if_unused: true, ..deletion("q") }).await?;
    a.cancel("c").await?;
    b.turn_to(1).await?;
    b.delete_queue_if(Delete { if_unused: true, ..deletion("q") }).await
}

async fn delete_if_empty(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.delete_queue_if(Delete { if_empty: true, ..deletion("q") }).await?;
    a.turn_to(1).await?;
    a.drain("q").await?;
    a.delete_queue_if(Delete { if_empty: true, ..deletion("q") }).await
}

async fn delete_if_empty_counts_ready_only(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.get("q").await?;
    a.delete_queue_if(Delete { if_empty: true, ..deletion("q") }).await
}

async fn purge_counts_ready_only(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    let tag = a.get("q").await?;
    a.purge("q").await?;
    a.nack(tag, false, true).await?;
    a.until_ready("q", 1).await
}

async fn purge_of_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.purge("absent").await
}

async fn auto_delete_goes_with_its_last_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { auto_delete: true, ..queue("q") }).await?;
    a.consume(consumer("q", "c")).await?;
    a.consume(consumer("q", "d")).await?;
    a.cancel("c").await?;
    a.declare(Declare { passive: true, ..queue("q") }).await?;
    a.cancel("d").await?;
    a.until_gone("q").await
}

async fn auto_delete_stays_before_its_first_consumer(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(Declare { auto_delete: true, ..queue("q") }).await?;
    a.fill("q", &["1"]).await?;
    a.drain("q").await?;
    a.declare(Declare { passive: true, ..queue("q") }).await?;
    Ok(())
}

async fn auto_delete_goes_with_its_connection(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(Declare { auto_delete: true, ..queue("q") }).await?;
    a.consume(consumer("q", "c")).await?;
    a.vanish();
    b.until_gone("q").await
}

async fn nowait_declares_without_a_word(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_nowait(queue("q")).await?;
    a.declare(Declare { passive: true, ..queue("q") }).await?;
    Ok(())
}

async fn nowait_fails_with_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_nowait(queue("amq.mine")).await?;
    a.answer().await
}

async fn delete_of_the_last_one_by_no_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.delete_queue("").await
}

async fn long_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue(&"n".repeat(255))).await?;
    Ok(())
}

async fn counts_of_a_declaration(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.qos(1, false).await?;
    a.consume(consumer("q", "c")).await?;
    a.fill("q", &["1", "2", "3"]).await?;
    a.deliveries(1).await?;
    a.until_ready("q", 2).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

fn deletion(name: &str) -> Delete {
    Delete { queue: name.into(), ..Delete::default() }
}
