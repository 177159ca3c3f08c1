//! Channels: opened, closed, misused.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame};
use amq_protocol::protocol::{AMQPClass, access, basic, channel, connection};
use amq_protocol::types::ShortString;
use anyhow::Result;

use super::cases;
use crate::peer::It;
use crate::verbs::{message, queue};

cases! {
    opened_twice,
    closed_and_opened_again,
    used_before_it_is_open,
    used_after_it_was_closed,
    a_number_beyond_the_agreed_count,
    nothing_is_open_on_channel_0,
    closed_by_the_broker_leaves_the_others,
    after_the_close_nothing_is_done,
    header_without_a_publish,
    body_without_a_publish,
    body_before_its_header,
    method_within_a_content,
    more_body_than_announced,
    header_of_another_class,
    unknown_class,
    unknown_method,
    a_method_of_the_brokers,
    frame_end_missing,
    frame_of_an_unknown_type,
    frame_larger_than_agreed,
    heartbeat_is_taken,
    heartbeat_on_a_channel,
    method_cut_short,
    close_ok_without_a_close,
    access_is_granted,
    connection_closed_by_the_client,
    connection_closed_with_open_channels,
}

async fn opened_twice(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.say(AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await?;
    a.answer().await
}

async fn closed_and_opened_again(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.close_channel().await?;
    a.turn_to(1).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn used_before_it_is_open(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.on = 5;
    a.declare(queue("q")).await?;
    a.answer().await
}

async fn used_after_it_was_closed(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.close_channel().await?;
    a.declare(queue("q")).await?;
    a.answer().await
}

async fn a_number_beyond_the_agreed_count(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    // How many are open is what is limited, and not their numbers.
    a.ask(2048, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await?;
    Ok(())
}

async fn nothing_is_open_on_channel_0(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.on = 0;
    a.declare(queue("q")).await?;
    a.answer().await
}

async fn closed_by_the_broker_leaves_the_others(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.turn_to(2).await?;
    a.purge("absent").await?;
    a.on = 1;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn after_the_close_nothing_is_done(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    // All in one go: the last comes when the channel has failed already.
    a.publish("absent", "k", "1").await?;
    a.publish("", "q", "2").await?;
    a.answer().await?;
    a.turn_to(1).await?;
    a.get("q").await?;
    Ok(())
}

async fn header_without_a_publish(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let header = AMQPContentHeader { class_id: 60, body_size: 0, properties: Default::default() };
    a.frame(&AMQPFrame::Header(1, header)).await?;
    a.answer().await?;
    a.answer().await
}

async fn body_without_a_publish(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.frame(&AMQPFrame::Body(1, b"body".to_vec())).await?;
    a.answer().await?;
    a.answer().await
}

async fn body_before_its_header(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(message("", "q")))).await?;
    a.frame(&AMQPFrame::Body(1, b"body".to_vec())).await?;
    a.answer().await?;
    a.answer().await
}

async fn method_within_a_content(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(message("", "q")))).await?;
    a.declare(queue("q")).await?;
    a.answer().await
}

async fn more_body_than_announced(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.declare(queue("q")).await?;
    a.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(message("", "q")))).await?;
    let header = AMQPContentHeader { class_id: 60, body_size: 2, properties: Default::default() };
    a.frame(&AMQPFrame::Header(1, header)).await?;
    a.frame(&AMQPFrame::Body(1, b"much more".to_vec())).await?;
    // It never ends, and nobody says so.
    a.turn_to(2).await?;
    a.drain("q").await
}

async fn header_of_another_class(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(message("", "q")))).await?;
    // A content header by hand: class 10.
    a.bytes(&[2, 0, 1, 0, 0, 0, 14, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn unknown_class(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 77, 0, 10, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn unknown_method(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 99, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn a_method_of_the_brokers(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let tag: ShortString = "c".into();
    a.say(AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(basic::ConsumeOk { consumer_tag: tag }))).await?;
    a.answer().await
}

async fn frame_end_missing(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 10, 7]).await?;
    a.answer().await?;
    a.answer().await
}

async fn frame_of_an_unknown_type(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[9, 0, 1, 0, 0, 0, 4, 0, 60, 0, 10, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn frame_larger_than_agreed(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[3, 0, 1, 0, 16, 0, 0]).await?;
    a.answer().await?;
    a.answer().await
}

async fn heartbeat_is_taken(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[8, 0, 0, 0, 0, 0, 0, 206]).await?;
    a.declare(queue("q")).await?;
    Ok(())
}

async fn heartbeat_on_a_channel(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[8, 0, 1, 0, 0, 0, 0, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn method_cut_short(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.bytes(&[1, 0, 1, 0, 0, 0, 6, 0, 50, 0, 10, 0, 0, 206]).await?;
    a.answer().await?;
    a.answer().await
}

async fn close_ok_without_a_close(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    a.send(1, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))).await?;
    a.answer().await?;
    a.answer().await
}

async fn access_is_granted(it: It) -> Result<()> {
    let mut a = it.open('a').await?;
    let request = access::Request { realm: "/data".into(), active: true, read: true, ..access::Request::default() };
    a.say(AMQPClass::Access(access::AMQPMethod::Request(request))).await?;
    Ok(())
}

async fn connection_closed_by_the_client(it: It) -> Result<()> {
    let mut a = it.connect('a').await?;
    a.shake_hands(&Default::default()).await?;
    let close = connection::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
    a.ask(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))).await?;
    Ok(())
}

async fn connection_closed_with_open_channels(it: It) -> Result<()> {
    let (mut a, mut b) = (it.open('a').await?, it.open('b').await?);
    a.declare(queue("q")).await?;
    a.fill("q", &["1"]).await?;
    a.get("q").await?;
    let close = connection::Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 };
    a.ask(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))).await?;
    b.until_ready("q", 1).await?;
    b.drain("q").await
}
