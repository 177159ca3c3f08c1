//! Bindings between exchanges, and what goes with them.

use lapin::options::{
    ExchangeBindOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, ExchangeUnbindOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, ExchangeKind};

use crate::support::{Client, Running, arguments, broker, code, reply_text, text, within};

async fn exchange(client: &Client, name: &str, kind: ExchangeKind, auto_delete: bool) {
    let options = ExchangeDeclareOptions { auto_delete, ..ExchangeDeclareOptions::default() };
    within(client.channel.exchange_declare(name.into(), kind, options, FieldTable::default())).await.unwrap();
}

async fn try_bind(client: &Client, to: &str, from: &str, key: &str, table: FieldTable) -> lapin::Result<()> {
    let options = ExchangeBindOptions::default();
    within(client.channel.exchange_bind(to.into(), from.into(), key.into(), options, table)).await
}

async fn bind(client: &Client, to: &str, from: &str, key: &str) {
    try_bind(client, to, from, key, FieldTable::default()).await.unwrap();
}

async fn unbind(client: &Client, to: &str, from: &str, key: &str) -> lapin::Result<()> {
    let (options, table) = (ExchangeUnbindOptions::default(), FieldTable::default());
    within(client.channel.exchange_unbind(to.into(), from.into(), key.into(), options, table)).await
}

async fn try_bind_queue(client: &Client, queue: &str, from: &str, key: &str, table: FieldTable) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    within(client.channel.queue_bind(queue.into(), from.into(), key.into(), options, table)).await
}

async fn bind_queue(client: &Client, queue: &str, from: &str, key: &str) {
    try_bind_queue(client, queue, from, key, FieldTable::default()).await.unwrap();
}

/// Whether an exchange is there, as a channel of its own finds.
async fn is_there(client: &Client, name: &str) -> bool {
    let channel = within(client.connection.create_channel()).await.unwrap();
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let look = channel.exchange_declare(name.into(), ExchangeKind::Fanout, options, FieldTable::default());
    within(look).await.is_ok()
}

async fn publish(client: &Client, exchange: &str, key: &str) -> Confirmation {
    client.publish_as(exchange, key, b"x", BasicProperties::default(), false).await
}

#[tokio::test]
async fn exchanges_lead_to_exchanges_and_each_queue_gets_one_copy() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    exchange(&client, "first", ExchangeKind::Topic, false).await;
    exchange(&client, "second", ExchangeKind::Direct, false).await;
    exchange(&client, "third", ExchangeKind::Fanout, false).await;
    bind(&client, "second", "first", "a.#").await;
    bind(&client, "third", "second", "a.b").await;
    // Round and round, and one of them to itself.
    bind(&client, "first", "third", "").await;
    bind(&client, "third", "third", "").await;
    bind_queue(&client, "q", "third", "").await;
    bind_queue(&client, "q", "first", "a.*").await;
    publish(&client, "first", "a.b").await;
    assert_eq!(client.counts("q").await.0, 1);
    // The key is matched at each of them.
    publish(&client, "first", "a.c.d").await;
    assert_eq!(client.counts("q").await.0, 1);
    // From the middle, once around.
    publish(&client, "third", "a.c").await;
    assert_eq!(client.counts("q").await.0, 2);
    unbind(&client, "second", "first", "a.#").await.unwrap();
    unbind(&client, "third", "second", "a.b").await.unwrap();
    publish(&client, "second", "a.b").await;
    assert_eq!(client.counts("q").await.0, 2);
}

#[tokio::test]
async fn an_exchange_takes_its_bindings_with_it() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    exchange(&client, "source", ExchangeKind::Fanout, false).await;
    exchange(&client, "middle", ExchangeKind::Fanout, false).await;
    bind(&client, "middle", "source", "").await;
    bind_queue(&client, "q", "middle", "").await;
    let in_use = ExchangeDeleteOptions { if_unused: true, ..ExchangeDeleteOptions::default() };
    let other = within(client.connection.create_channel()).await.unwrap();
    let error = within(other.exchange_delete("middle".into(), in_use)).await.unwrap_err();
    assert_eq!(reply_text(&error), "PRECONDITION_FAILED - exchange 'middle' in vhost '/' in use");
    within(client.channel.exchange_delete("middle".into(), ExchangeDeleteOptions::default())).await.unwrap();
    // One of the same name has none of its bindings, and `source` is the source of none.
    exchange(&client, "middle", ExchangeKind::Fanout, false).await;
    publish(&client, "source", "").await;
    publish(&client, "middle", "").await;
    assert_eq!(client.counts("q").await.0, 0);
    within(client.channel.exchange_delete("source".into(), in_use)).await.unwrap();
}

#[tokio::test]
async fn exchanges_that_were_to_go_go_in_a_row() {
    let running = broker().await;
    let client = running.client().await;
    let names: Vec<String> = (0..4).map(|n| format!("x{n}")).collect();
    for name in &names {
        exchange(&client, name, ExchangeKind::Fanout, true).await;
    }
    for pair in names.windows(2) {
        bind(&client, &pair[1], &pair[0], "").await;
    }
    client.declare("q", FieldTable::default()).await;
    bind_queue(&client, "q", "x3", "").await;
    // A destination that goes is no reason: `x1` is still the source of a binding.
    exchange(&client, "kept", ExchangeKind::Fanout, false).await;
    bind(&client, "kept", "x1", "").await;
    within(client.channel.queue_delete("q".into(), QueueDeleteOptions::default())).await.unwrap();
    for (name, expected) in [("x3", false), ("x2", false), ("x1", true), ("x0", true)] {
        assert_eq!(is_there(&client, name).await, expected, "{name}");
    }
    unbind(&client, "kept", "x1", "").await.unwrap();
    assert!(!is_there(&client, "x1").await && !is_there(&client, "x0").await && is_there(&client, "kept").await);
    // An explicit delete leaves its destinations.
    exchange(&client, "y0", ExchangeKind::Fanout, true).await;
    exchange(&client, "y1", ExchangeKind::Fanout, true).await;
    bind(&client, "y1", "y0", "").await;
    within(client.channel.exchange_delete("y0".into(), ExchangeDeleteOptions::default())).await.unwrap();
    assert!(is_there(&client, "y1").await);
}

async fn fails(running: &Running, expected: (u16, &str), misuse: impl AsyncFnOnce(&Client) -> lapin::Result<()>) {
    let client = running.client().await;
    let error = misuse(&client).await.unwrap_err();
    assert_eq!((code(&error), reply_text(&error).as_str()), expected);
}

#[tokio::test]
async fn bindings_that_cannot_be_are_refused_as_rabbitmq_refuses_them() {
    let running = broker().await;
    let none = FieldTable::default;
    let default = (403, "ACCESS_REFUSED - operation not permitted on the default exchange");
    fails(&running, default, async |it| try_bind(it, "", "amq.fanout", "", none()).await).await;
    fails(&running, default, async |it| try_bind(it, "amq.fanout", "", "", none()).await).await;
    fails(&running, default, async |it| unbind(it, "none", "", "").await).await;
    let missing = |name: &str| format!("NOT_FOUND - no exchange '{name}' in vhost '/'");
    fails(&running, (404, &missing("none")), async |it| try_bind(it, "none", "amq.fanout", "", none()).await).await;
    fails(&running, (404, &missing("none")), async |it| try_bind(it, "amq.fanout", "none", "", none()).await).await;
    fails(&running, (404, &missing("from")), async |it| try_bind(it, "to", "from", "", none()).await).await;
    fails(&running, (404, &missing("from")), async |it| try_bind_queue(it, "to", "from", "", none()).await).await;
    let queue = "NOT_FOUND - no queue 'to' in vhost '/'";
    fails(&running, (404, queue), async |it| try_bind_queue(it, "to", "amq.fanout", "", none()).await).await;
    let strange = "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or \
                   any-with-x";
    let table = arguments(&[("x-match", text("some"))]);
    fails(&running, (406, strange), async |it| try_bind(it, "amq.fanout", "amq.headers", "", table.clone()).await)
        .await;
    fails(&running, (406, strange), async |it| {
        it.declare("q", none()).await;
        try_bind_queue(it, "q", "amq.match", "", table.clone()).await
    })
    .await;
    // Nothing to take back is no misuse; nor is a strange argument where nobody looks at it.
    let client = running.client().await;
    for (to, from) in [("none", "amq.fanout"), ("amq.fanout", "none"), ("amq.fanout", "amq.direct")] {
        unbind(&client, to, from, "").await.unwrap();
    }
    try_bind(&client, "amq.fanout", "amq.topic", "", table).await.unwrap();
}

#[tokio::test]
async fn another_connections_queue_is_told_of_where_it_is_bound() {
    let running = broker().await;
    let owner = running.client().await;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    owner.declare_as("own", options, FieldTable::default()).await.unwrap();
    bind_queue(&owner, "own", "amq.fanout", "").await;
    let other = running.client().await;
    let unbind = async |key: &str| {
        let unbind = other.channel.queue_unbind("own".into(), "amq.fanout".into(), key.into(), FieldTable::default());
        within(unbind).await
    };
    unbind("otherwise").await.unwrap();
    assert_eq!(code(&unbind("").await.unwrap_err()), 405);
}
