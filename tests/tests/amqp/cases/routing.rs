//! Which queues a message reaches.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::{AMQPValue, FieldTable};
use anyhow::Result;

use super::cases;
use crate::peer::{It, Peer};
use crate::verbs::{exchange, exchange_with, int, message, queue, table, text};

cases! {
    default_exchange_by_name,
    direct_by_key,
    fanout_by_nothing,
    topic_patterns,
    topic_edges,
    headers_all,
    headers_any,
    headers_without_mode,
    headers_of_numbers,
    headers_with_x,
    headers_mode_unknown,
    alternate_takes_what_goes_nowhere,
    alternate_of_an_alternate,
    alternate_in_a_circle,
    alternate_that_is_absent,
    alternate_in_the_middle,
    several_queues_each_a_copy,
    carbon_copies,
    blind_carbon_copies,
    carbon_copies_of_another_type,
    to_a_deleted_exchange,
    empty_key,
    key_of_255_bytes,
}

/// Publishes to an exchange by each key, the key as body, and waits until all have gone where they go.
async fn by_keys(a: &mut Peer, exchange: &str, keys: &[&str]) -> Result<()> {
    a.confirm_select().await?;
    for key in keys {
        a.publish(exchange, key, key).await?;
    }
    a.confirmed(keys.len() as u64).await
}

async fn default_exchange_by_name(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(queue("p")).await?;
    by_keys(&mut a, "", &["q", "p", "q", "absent"]).await?;
    a.drain("q").await?;
    a.drain("p").await
}

async fn direct_by_key(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "amq.direct", "one").await?;
    a.bind("q", "amq.direct", "").await?;
    by_keys(&mut a, "amq.direct", &["one", "two", "", "*", "#"]).await?;
    a.drain("q").await
}

async fn fanout_by_nothing(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare(queue("q")).await?;
    a.bind("q", "x", "one").await?;
    by_keys(&mut a, "x", &["one", "two", ""]).await?;
    a.drain("q").await
}

async fn topic_patterns(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let patterns = ["#", "*", "a.*", "*.b", "a.#", "#.b", "a.*.c", "a.#.c", "*.*", "#.#", "a.b"];
    let keys = ["", "a", "b", "a.b", "a.c", "a.b.c", "a.c.c", "b.b", "a.b.b.c", "a..c", "a.", ".b", "a.*"];
    for pattern in patterns {
        a.declare(queue(pattern)).await?;
        a.bind(pattern, "amq.topic", pattern).await?;
    }
    by_keys(&mut a, "amq.topic", &keys).await?;
    for pattern in patterns {
        a.drain(pattern).await?;
    }
    Ok(())
}

async fn topic_edges(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let patterns = ["", ".", "..", "*.", ".*", "#.", "a.#.#.b", "#.a.#", "**", "a*", "#a"];
    let keys = ["", ".", "..", "a", "b.a", "a.b", "a.a.b", "a.x.y.b", "aa", "a*", "#a", "**", "x.a.y"];
    for pattern in patterns {
        a.declare(queue(&format!("q{pattern}"))).await?;
        a.bind(&format!("q{pattern}"), "amq.topic", pattern).await?;
    }
    by_keys(&mut a, "amq.topic", &keys).await?;
    for pattern in patterns {
        a.drain(&format!("q{pattern}")).await?;
    }
    Ok(())
}

/// Binds a queue to the headers exchange and publishes one message with each of these headers, their number as body.
async fn by_headers(it: &It, arguments: &[(&str, AMQPValue)], headers: &[FieldTable]) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind_with("q", "amq.headers", "", arguments).await?;
    a.confirm_select().await?;
    for (headers, number) in headers.iter().zip(0..) {
        let properties = BasicProperties::default().with_headers(headers.clone());
        a.publish_as(message("amq.headers", ""), properties, &format!("{number}")).await?;
    }
    a.confirmed(headers.len() as u64).await?;
    a.drain("q").await
}

fn some_headers() -> Vec<FieldTable> {
    vec![
        table(&[]),
        table(&[("a", int(1))]),
        table(&[("b", text("two"))]),
        table(&[("a", int(1)), ("b", text("two"))]),
        table(&[("a", int(1)), ("b", text("two")), ("c", int(3))]),
        table(&[("a", int(2)), ("b", text("two"))]),
        table(&[("a", text("1")), ("b", text("two"))]),
    ]
}

async fn headers_all(it: It) -> Result<()> {
    by_headers(&it, &[("x-match", text("all")), ("a", int(1)), ("b", text("two"))], &some_headers()).await
}

async fn headers_any(it: It) -> Result<()> {
    by_headers(&it, &[("x-match", text("any")), ("a", int(1)), ("b", text("two"))], &some_headers()).await
}

async fn headers_without_mode(it: It) -> Result<()> {
    by_headers(&it, &[("a", int(1)), ("b", text("two"))], &some_headers()).await
}

async fn headers_of_numbers(it: It) -> Result<()> {
    let values = [
        int(1),
        AMQPValue::ShortShortInt(1),
        AMQPValue::ShortInt(1),
        AMQPValue::LongLongInt(1),
        AMQPValue::Double(1.0),
        AMQPValue::Boolean(true),
        AMQPValue::Void,
        text("1"),
    ];
    let headers: Vec<_> = values.into_iter().map(|value| table(&[("a", value)])).collect();
    by_headers(&it, &[("x-match", text("all")), ("a", int(1))], &headers).await
}

async fn headers_with_x(it: It) -> Result<()> {
    let headers =
        [table(&[]), table(&[("x-a", int(1))]), table(&[("a", int(1))]), table(&[("a", int(1)), ("x-a", int(1))])];
    by_headers(&it, &[("x-match", text("all")), ("x-a", int(1)), ("a", int(1))], &headers).await?;
    let mut a = it.open('b').await?;
    for mode in ["all-with-x", "any-with-x"] {
        a.declare(queue(mode)).await?;
        a.bind_with(mode, "amq.match", "", &[("x-match", text(mode)), ("x-a", int(1)), ("a", int(1))]).await?;
    }
    a.confirm_select().await?;
    for (headers, number) in headers.iter().zip(0..) {
        let properties = BasicProperties::default().with_headers(headers.clone());
        a.publish_as(message("amq.match", ""), properties, &format!("{number}")).await?;
    }
    a.confirmed(headers.len() as u64).await?;
    a.drain("all-with-x").await?;
    a.drain("any-with-x").await
}

async fn headers_mode_unknown(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind_with("q", "amq.headers", "", &[("x-match", text("some")), ("a", int(1))]).await?;
    a.turn_to(2).await?;
    a.bind_with("q", "amq.headers", "", &[("x-match", int(1)), ("a", int(1))]).await
}

async fn alternate_takes_what_goes_nowhere(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("other", "fanout")).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("other"))])).await?;
    a.declare(queue("q")).await?;
    a.declare(queue("rest")).await?;
    a.bind("q", "x", "k").await?;
    a.bind("rest", "other", "").await?;
    by_keys(&mut a, "x", &["k", "j"]).await?;
    a.drain("q").await?;
    a.drain("rest").await
}

async fn alternate_of_an_alternate(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("z", "fanout")).await?;
    a.declare_exchange(exchange_with("y", "direct", &[("alternate-exchange", text("z"))])).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("y"))])).await?;
    a.declare(queue("rest")).await?;
    a.bind("rest", "z", "").await?;
    by_keys(&mut a, "x", &["k"]).await?;
    a.drain("rest").await
}

async fn alternate_in_a_circle(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange_with("y", "direct", &[("alternate-exchange", text("x"))])).await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("y"))])).await?;
    by_keys(&mut a, "x", &["k"]).await
}

async fn alternate_that_is_absent(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange_with("x", "direct", &[("alternate-exchange", text("absent"))])).await?;
    by_keys(&mut a, "x", &["k"]).await
}

async fn alternate_in_the_middle(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("rest", "fanout")).await?;
    a.declare_exchange(exchange_with("y", "direct", &[("alternate-exchange", text("rest"))])).await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.declare(queue("q")).await?;
    a.declare(queue("r")).await?;
    a.bind("q", "x", "").await?;
    a.bind("r", "rest", "").await?;
    a.bind_exchange("y", "x", "").await?;
    by_keys(&mut a, "x", &["k"]).await?;
    a.drain("q").await?;
    a.drain("r").await
}

async fn several_queues_each_a_copy(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for name in ["q", "p", "o"] {
        a.declare(queue(name)).await?;
        a.bind(name, "amq.fanout", "").await?;
    }
    by_keys(&mut a, "amq.fanout", &["k"]).await?;
    for name in ["q", "p", "o"] {
        a.drain(name).await?;
    }
    Ok(())
}

fn copies(header: &str, keys: &[&str]) -> BasicProperties {
    let keys: Vec<_> = keys.iter().map(|key| text(key)).collect();
    BasicProperties::default().with_headers(table(&[(header, AMQPValue::FieldArray(keys.into()))]))
}

async fn carbon_copies(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    for name in ["q", "p", "o"] {
        a.declare(queue(name)).await?;
    }
    a.confirm_select().await?;
    a.publish_as(message("", "q"), copies("CC", &["p", "q", "absent"]), "1").await?;
    a.confirmed(1).await?;
    for name in ["q", "p", "o"] {
        a.drain(name).await?;
    }
    Ok(())
}

async fn blind_carbon_copies(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.declare(queue("p")).await?;
    a.confirm_select().await?;
    a.publish_as(message("", "q"), copies("BCC", &["p"]), "1").await?;
    a.confirmed(1).await?;
    a.drain("q").await?;
    a.drain("p").await
}

async fn carbon_copies_of_another_type(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    let properties = BasicProperties::default().with_headers(table(&[("CC", text("q"))]));
    a.publish_as(message("", "q"), properties, "1").await?;
    a.answer().await
}

async fn to_a_deleted_exchange(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare_exchange(exchange("x", "fanout")).await?;
    a.delete_exchange("x").await?;
    a.publish("x", "k", "1").await?;
    a.answer().await
}

async fn empty_key(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.bind("q", "amq.direct", "").await?;
    by_keys(&mut a, "amq.direct", &[""]).await?;
    a.drain("q").await
}

async fn key_of_255_bytes(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let key = "k".repeat(255);
    a.declare(queue("q")).await?;
    a.bind("q", "amq.direct", &key).await?;
    by_keys(&mut a, "amq.direct", &[&key]).await?;
    a.drain("q").await
}
