//! From the first byte to an open connection.

use amq_protocol::protocol::{AMQPClass, channel, connection};
use amq_protocol::types::{AMQPValue, FieldTable};
use anyhow::{Context as _, Result, bail};

use super::cases;
use crate::peer::{It, PROTOCOL, Peer, open, start_ok, tune_ok};
use crate::verbs::table;

cases! {
    what_is_offered,
    another_protocol,
    another_version,
    wrong_password,
    wrong_password_told,
    unknown_user_told,
    response_that_is_none,
    amqplain,
    amqplain_wrong_password,
    unknown_mechanism,
    unknown_virtual_host,
    frame_max_below_the_least,
    frame_max_above_what_is_offered,
    channel_max_above_what_is_offered,
    fewer_channels,
    smaller_frames,
    no_limits,
    channel_before_open,
    method_before_its_time,
    opened_twice,
}

/// A connection that has read the start.
async fn started(it: &It) -> Result<Peer> {
    let mut a = it.connect('a').await?;
    a.bytes(PROTOCOL).await?;
    a.quietly().await?;
    Ok(a)
}

/// One that has read the tune.
async fn tuned(it: &It) -> Result<Peer> {
    let mut a = started(it).await?;
    a.send(0, start_ok(FieldTable::default(), "PLAIN", b"\0guest\0guest")).await?;
    a.quietly().await?;
    Ok(a)
}

/// What a client says that it understands.
fn told() -> FieldTable {
    let capabilities = table(&[("authentication_failure_close", AMQPValue::Boolean(true))]);
    table(&[("capabilities", AMQPValue::FieldTable(capabilities))])
}

async fn what_is_offered(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    a.bytes(PROTOCOL).await?;
    let heard = a.quietly().await?.context("no start")?;
    let AMQPClass::Connection(connection::AMQPMethod::Start(start)) = heard.method else { bail!("{}", heard.line()) };
    // Who they are they may tell each in their own words.
    let capabilities = start.server_properties.inner().get("capabilities").cloned();
    let mechanisms = String::from_utf8_lossy(start.mechanisms.as_bytes()).into_owned();
    let mut mechanisms: Vec<_> = mechanisms.split(' ').collect();
    mechanisms.sort_unstable();
    a.notes.say(&format!("{}.{} {mechanisms:?} {:?}", start.version_major, start.version_minor, start.locales));
    a.notes.say(&format!("{capabilities:?}"));
    a.send(0, start_ok(FieldTable::default(), "PLAIN", b"\0guest\0guest")).await?;
    let heard = a.quietly().await?.context("no tune")?;
    let AMQPClass::Connection(connection::AMQPMethod::Tune(tune)) = heard.method else { bail!("{}", heard.line()) };
    a.notes.say(&format!("{} channels, frames of {}", tune.channel_max, tune.frame_max));
    Ok(())
}

async fn another_protocol(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    a.bytes(b"GET / HTTP/1.1\r\n\r\n").await?;
    a.rest().await
}

async fn another_version(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    // 0-9 in its own words is near enough.
    a.bytes(b"AMQP\x01\x01\x00\x09").await?;
    let heard = a.quietly().await?.context("no start")?;
    let is_start = matches!(heard.method, AMQPClass::Connection(connection::AMQPMethod::Start(_)));
    a.notes.say(&format!("start: {is_start}"));
    Ok(())
}

async fn wrong_password(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.send(0, start_ok(FieldTable::default(), "PLAIN", b"\0guest\0wrong")).await?;
    a.answer().await
}

async fn wrong_password_told(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, start_ok(told(), "PLAIN", b"\0guest\0wrong")).await?;
    a.answer().await
}

async fn unknown_user_told(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, start_ok(told(), "PLAIN", b"\0somebody\0guest")).await?;
    a.answer().await
}

async fn response_that_is_none(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, start_ok(told(), "PLAIN", b"guest")).await?;
    a.answer().await
}

/// The response of AMQPLAIN: a table without its length.
fn plain_table(password: &str) -> Vec<u8> {
    let mut response = Vec::new();
    for (name, value) in [("LOGIN", "guest"), ("PASSWORD", password)] {
        response.push(u8::try_from(name.len()).unwrap_or(0));
        response.extend_from_slice(name.as_bytes());
        response.push(b'S');
        response.extend_from_slice(&u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
        response.extend_from_slice(value.as_bytes());
    }
    response
}

async fn amqplain(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.send(0, start_ok(told(), "AMQPLAIN", &plain_table("guest"))).await?;
    let heard = a.quietly().await?.context("no tune")?;
    let is_tune = matches!(heard.method, AMQPClass::Connection(connection::AMQPMethod::Tune(_)));
    a.notes.say(&format!("tune: {is_tune}"));
    Ok(())
}

async fn amqplain_wrong_password(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, start_ok(told(), "AMQPLAIN", &plain_table("wrong"))).await?;
    a.answer().await
}

async fn unknown_mechanism(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, start_ok(told(), "MAGIC", b"guest")).await?;
    a.answer().await
}

async fn unknown_virtual_host(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.send(0, tune_ok(2047, 131_072, 0)).await?;
    a.ask(0, open("nowhere")).await?;
    a.answer().await
}

async fn frame_max_below_the_least(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.ask(0, tune_ok(2047, 100, 0)).await?;
    a.answer().await
}

async fn frame_max_above_what_is_offered(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.ask(0, tune_ok(2047, 1 << 20, 0)).await?;
    a.answer().await
}

async fn channel_max_above_what_is_offered(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.ask(0, tune_ok(4000, 131_072, 0)).await?;
    a.answer().await
}

async fn fewer_channels(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.send(0, tune_ok(2, 131_072, 0)).await?;
    a.ask(0, open("/")).await?;
    for number in [2, 1, 3] {
        a.ask(number, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await?;
    }
    a.answer().await
}

async fn no_limits(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    // A client that wants no limit wants more than is offered.
    a.ask(0, tune_ok(0, 0, 0)).await?;
    a.answer().await
}

async fn channel_before_open(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.send(0, tune_ok(2047, 131_072, 0)).await?;
    a.ask(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await?;
    a.answer().await
}

async fn method_before_its_time(it: It) -> Result<()> {
    let mut a = started(&it).await?;
    a.ask(0, open("/")).await?;
    a.answer().await
}

async fn opened_twice(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.ask(0, open("/")).await?;
    a.answer().await
}

async fn smaller_frames(it: It) -> Result<()> {
    let mut a = tuned(&it).await?;
    a.send(0, tune_ok(2047, 4096, 0)).await?;
    a.ask(0, open("/")).await?;
    a.turn_to(1).await?;
    // A payload one byte longer than what was agreed for a whole frame: clients count those differently.
    a.bytes(&[3, 0, 1, 0, 0, 16, 1]).await?;
    a.answer().await?;
    a.answer().await
}
