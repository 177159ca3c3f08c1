//! Exchanges: declared, found, deleted.

use amq_protocol::protocol::exchange::Declare;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{exchange, exchange_with, int, queue, text};

cases! {
    declared_twice_is_the_same,
    type_differs,
    durable_differs,
    auto_delete_differs,
    internal_differs,
    unknown_type,
    passive_finds_it,
    passive_of_an_absent_one,
    passive_does_not_compare,
    predeclared_ones,
    predeclared_one_again,
    reserved_name,
    the_default_one_cannot_be_declared,
    the_default_one_cannot_be_deleted,
    the_default_one_cannot_be_found,
    predeclared_ones_cannot_be_deleted,
    delete_of_an_absent_one,
    delete_if_unused,
    auto_delete_goes_with_its_last_binding,
    auto_delete_goes_with_its_queue,
    alternate_differs,
    alternate_of_another_type,
    unknown_arguments_are_taken,
}

async fn declared_twice_is_the_same(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for kind in ["direct", "fanout", "topic", "headers"] {
        a.declare_exchange(exchange(kind, kind)).await?;
        a.declare_exchange(exchange(kind, kind)).await?;
    }
    Ok(())
}

async fn type_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare_exchange(exchange("x", "topic")).await
}

async fn durable_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare_exchange(Declare { durable: true, ..exchange("x", "direct") }).await
}

async fn auto_delete_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("x", "direct") }).await?;
    a.declare_exchange(exchange("x", "direct")).await
}

async fn internal_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare_exchange(Declare { internal: true, ..exchange("x", "direct") }).await
}

async fn unknown_type(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "nonsense")).await?;
    a.answer().await
}

async fn passive_finds_it(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "topic")).await?;
    a.declare_exchange(Declare { passive: true, ..exchange("x", "topic") }).await
}

async fn passive_of_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { passive: true, ..exchange("absent", "topic") }).await
}

async fn passive_does_not_compare(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "topic")).await?;
    a.declare_exchange(Declare { passive: true, durable: true, ..exchange("x", "fanout") }).await
}

async fn predeclared_ones(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for name in ["amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"] {
        a.declare_exchange(Declare { passive: true, ..exchange(name, "direct") }).await?;
    }
    Ok(())
}

async fn predeclared_one_again(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { durable: true, ..exchange("amq.topic", "topic") }).await?;
    a.declare_exchange(exchange("amq.topic", "topic")).await
}

async fn reserved_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("amq.mine", "direct")).await
}

async fn the_default_one_cannot_be_declared(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("", "direct")).await
}

async fn the_default_one_cannot_be_deleted(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.delete_exchange("").await
}

async fn the_default_one_cannot_be_found(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { passive: true, ..exchange("", "direct") }).await
}

async fn predeclared_ones_cannot_be_deleted(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.delete_exchange("amq.topic").await
}

async fn delete_of_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.delete_exchange("absent").await
}

async fn delete_if_unused(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "x", "k").await?;
    a.delete_exchange_if("x", true).await?;
    a.turn_to(1).await?;
    a.unbind("q", "x", "k").await?;
    a.delete_exchange_if("x", true).await
}

async fn auto_delete_goes_with_its_last_binding(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("x", "direct") }).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "x", "k").await?;
    a.bind("q", "x", "j").await?;
    a.unbind("q", "x", "k").await?;
    a.declare_exchange(Declare { passive: true, ..exchange("x", "direct") }).await?;
    a.unbind("q", "x", "j").await?;
    a.declare_exchange(Declare { passive: true, ..exchange("x", "direct") }).await
}

async fn auto_delete_goes_with_its_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("x", "direct") }).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "x", "k").await?;
    a.delete_queue("q").await?;
    a.declare_exchange(Declare { passive: true, ..exchange("x", "direct") }).await
}

async fn alternate_differs(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("one"))])).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("one"))])).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("other"))])).await?;
    a.turn_to(1).await?;
    a.declare_exchange(exchange("x", "direct")).await
}

async fn alternate_of_another_type(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", int(1))])).await?;
    a.turn_to(2).await?;
    a.declare_exchange(exchange_with("y", "direct", &[("alternate-exchange", text(""))])).await
}

async fn unknown_arguments_are_taken(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange_with("x", "direct", &[("x-something", int(1))])).await?;
    a.declare_exchange(exchange("x", "direct")).await
}
