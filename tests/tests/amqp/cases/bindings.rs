//! Bindings: of queues and of exchanges, made, taken back, and what goes with them.

use amq_protocol::protocol::exchange::Declare;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{exchange, int, queue, text};

cases! {
    bound_twice_gets_one_copy,
    bound_by_two_keys_gets_one_copy,
    bind_of_an_absent_queue,
    bind_to_an_absent_exchange,
    bind_to_the_default_exchange,
    unbind_of_what_is_not_bound,
    unbind_of_an_absent_queue,
    unbind_from_an_absent_exchange,
    unbind_from_the_default_exchange,
    unbind_with_other_arguments,
    bind_by_no_name,
    bind_by_no_name_without_a_last_queue,
    exchange_to_exchange,
    exchange_to_itself,
    exchanges_in_a_circle,
    one_copy_by_two_ways,
    exchange_to_an_absent_one,
    exchange_from_an_absent_one,
    exchange_from_the_default_one,
    exchange_to_the_default_one,
    exchange_unbind_of_what_is_not_bound,
    exchange_unbound_again,
    exchange_deleted_in_the_middle,
    auto_delete_of_a_source,
    auto_delete_of_a_destination_stays,
    if_unused_counts_what_it_leads_to,
}

async fn bound_twice_gets_one_copy(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "amq.direct", "k").await?;
    a.bind("q", "amq.direct", "k").await?;
    a.confirm_select().await?;
    a.publish("amq.direct", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn bound_by_two_keys_gets_one_copy(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "amq.topic", "a.*").await?;
    a.bind("q", "amq.topic", "*.b").await?;
    a.confirm_select().await?;
    a.publish("amq.topic", "a.b", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn bind_of_an_absent_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind("absent", "amq.direct", "k").await
}

async fn bind_to_an_absent_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "absent", "k").await
}

async fn bind_to_the_default_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "", "k").await
}

async fn unbind_of_what_is_not_bound(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.unbind("q", "amq.direct", "k").await
}

async fn unbind_of_an_absent_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.unbind("absent", "amq.direct", "k").await
}

async fn unbind_from_an_absent_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.unbind("q", "absent", "k").await
}

async fn unbind_from_the_default_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.unbind("q", "", "q").await
}

async fn unbind_with_other_arguments(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind_with("q", "amq.headers", "", &[("x-match", text("all")), ("a", int(1))]).await?;
    a.unbind_with("q", "amq.headers", "", &[("x-match", text("all")), ("a", int(2))]).await?;
    a.delete_queue("q").await
}

async fn bind_by_no_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("", "amq.direct", "").await?;
    a.confirm_select().await?;
    a.publish("amq.direct", "q", "by its name").await?;
    a.publish("amq.direct", "", "by none").await?;
    a.confirmed(2).await?;
    a.drain("q").await
}

async fn bind_by_no_name_without_a_last_queue(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind("", "amq.direct", "k").await
}

async fn exchange_to_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare_exchange(exchange("y", "topic")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "y", "a.#").await?;
    a.bind_exchange("y", "x", "a.b").await?;
    a.confirm_select().await?;
    a.publish("x", "a.b", "1").await?;
    a.publish("x", "a.c", "2").await?;
    a.confirmed(2).await?;
    a.drain("q").await
}

async fn exchange_to_itself(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "x", "").await?;
    a.bind_exchange("x", "x", "").await?;
    a.confirm_select().await?;
    a.publish("x", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn exchanges_in_a_circle(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for name in ["x", "y", "z"] {
        a.declare_exchange(exchange(name, "fanout")).await?;
    }
    a.declare(queue("q")).await?;
    a.bind_exchange("y", "x", "").await?;
    a.bind_exchange("z", "y", "").await?;
    a.bind_exchange("x", "z", "").await?;
    a.bind("q", "z", "").await?;
    a.confirm_select().await?;
    a.publish("x", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn one_copy_by_two_ways(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for name in ["x", "y", "z"] {
        a.declare_exchange(exchange(name, "fanout")).await?;
    }
    a.declare(queue("q")).await?;
    a.bind_exchange("y", "x", "").await?;
    a.bind_exchange("z", "x", "").await?;
    for name in ["x", "y", "z"] {
        a.bind("q", name, "").await?;
    }
    a.confirm_select().await?;
    a.publish("x", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn exchange_to_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind_exchange("absent", "amq.direct", "k").await
}

async fn exchange_from_an_absent_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind_exchange("amq.direct", "absent", "k").await?;
    a.turn_to(1).await?;
    a.bind_exchange("absent too", "absent", "k").await
}

async fn exchange_from_the_default_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind_exchange("amq.direct", "", "k").await
}

async fn exchange_to_the_default_one(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bind_exchange("", "amq.direct", "k").await
}

async fn exchange_unbind_of_what_is_not_bound(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.unbind_exchange("amq.direct", "amq.fanout", "k").await?;
    a.unbind_exchange("absent", "amq.fanout", "k").await?;
    a.unbind_exchange("amq.direct", "absent", "k").await
}

async fn exchange_unbound_again(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "direct")).await?;
    a.declare_exchange(exchange("y", "direct")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "y", "k").await?;
    a.bind_exchange("y", "x", "k").await?;
    a.unbind_exchange("y", "x", "k").await?;
    a.confirm_select().await?;
    a.publish("x", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn exchange_deleted_in_the_middle(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare_exchange(exchange("y", "fanout")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "y", "").await?;
    a.bind_exchange("y", "x", "").await?;
    a.delete_exchange("y").await?;
    a.declare_exchange(exchange("y", "fanout")).await?;
    a.bind("q", "y", "").await?;
    a.confirm_select().await?;
    a.publish("x", "k", "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await
}

async fn auto_delete_of_a_source(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("x", "fanout") }).await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("y", "fanout") }).await?;
    a.declare_exchange(exchange("z", "fanout")).await?;
    a.bind_exchange("y", "x", "").await?;
    a.bind_exchange("z", "y", "").await?;
    // y has led to z alone, and x to y alone.
    a.delete_exchange("z").await?;
    a.declare_exchange(Declare { passive: true, ..exchange("y", "fanout") }).await?;
    a.turn_to(1).await?;
    a.declare_exchange(Declare { passive: true, ..exchange("x", "fanout") }).await
}

async fn auto_delete_of_a_destination_stays(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare_exchange(Declare { auto_delete: true, ..exchange("y", "fanout") }).await?;
    a.bind_exchange("y", "x", "").await?;
    a.unbind_exchange("y", "x", "").await?;
    a.declare_exchange(Declare { passive: true, ..exchange("y", "fanout") }).await
}

async fn if_unused_counts_what_it_leads_to(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare_exchange(exchange("y", "fanout")).await?;
    a.bind_exchange("y", "x", "").await?;
    a.delete_exchange_if("y", true).await?;
    a.delete_exchange_if("x", true).await
}
