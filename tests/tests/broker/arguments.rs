//! Arguments that RabbitMQ refuses are refused with its words.

use hopscope_amqp::AMQPValue::{Boolean, Double, FieldArray, LongInt, LongLongInt, LongUInt, ShortShortUInt, Void};
use hopscope_amqp::{AMQPValue, FieldArray as Values};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use crate::support::{Running, arguments, broker, code, reply_text, text};

/// What a consume of queue `q` with this argument is told.
async fn consume(running: &Running, argument: &str, value: AMQPValue) -> String {
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let error = client.consume_with("q", "", arguments(&[(argument, value)])).await.err().unwrap();
    assert_eq!(code(&error), 406);
    reply_text(&error)
}

#[tokio::test]
async fn of_a_consumer() {
    let running = broker().await;
    for (argument, value, why) in [
        ("x-priority", text("high"), ": \"expected integer, got longstr\""),
        ("x-priority", Double(1.5), ": \"expected integer, got double\""),
        ("x-cancel-on-ha-failover", LongInt(1), ": {unacceptable_type,signedint}"),
        ("x-stream-offset", text("first"), " of queue type rabbit_classic_queue"),
    ] {
        let told = consume(&running, argument, value).await;
        assert_eq!(told, format!("PRECONDITION_FAILED - invalid arg '{argument}' for queue 'q' in vhost '/'{why}"));
    }
    let client = running.client().await;
    let ignored = [("x-cancel-on-ha-failover", Boolean(true)), ("x-unheard-of", Void)];
    client.consume_with("q", "", arguments(&ignored)).await.unwrap();
}

/// What a declaration of queue `q` with these options and arguments is told.
async fn declare(running: &Running, options: QueueDeclareOptions, table: FieldTable) -> (u16, String) {
    let error = running.client().await.declare_as("q", options, table).await.err().unwrap();
    (code(&error), reply_text(&error))
}

#[tokio::test]
async fn of_a_queue() {
    let running = broker().await;
    for (argument, value, why) in [
        ("x-expires", LongInt(0), ": {value_zero,0}"),
        ("x-expires", LongInt(-5), ": {value_negative,-5}"),
        ("x-expires", LongLongInt(315_360_000_001), ": {value_too_large,315360000001}"),
        ("x-expires", text("soon"), ": \"expected integer, got longstr\""),
        ("x-message-ttl", LongInt(-1), ": {value_negative,-1}"),
        ("x-message-ttl", LongLongInt(315_360_000_001), ": {value_too_large,315360000001}"),
        ("x-message-ttl", Boolean(true), ": \"expected integer, got bool\""),
        ("x-dead-letter-routing-key", LongInt(1), ": {unacceptable_type,signedint}"),
        ("x-dead-letter-routing-key", text("k"), ": routing_key_but_no_dlx_defined"),
        ("x-max-length", LongInt(-1), ": {value_negative,-1}"),
        ("x-max-length-bytes", Void, ": \"expected integer, got void\""),
        ("x-max-priority", LongInt(256), ": {max_value_exceeded,256}"),
        ("x-overflow", text("explode"), ": invalid_overflow"),
        ("x-overflow", ShortShortUInt(1), ": {unacceptable_type,unsignedbyte}"),
        ("x-queue-mode", text("eager"), ": \"unsupported queue mode 'eager'\""),
        ("x-queue-version", LongInt(3), ": \"unsupported queue version '3'\""),
        ("x-single-active-consumer", text("true"), ": {unacceptable_type,longstr}"),
        ("x-queue-type", Double(1.0), ": {unacceptable_type,double}"),
        ("x-queue-type", text("fast"), ": \"unsupported queue type 'fast'\""),
        ("x-queue-type", text("quorum"), ": \"Hopscope's built-in broker has classic queues only, not 'quorum'\""),
        ("x-queue-type", text("stream"), ": \"Hopscope's built-in broker has classic queues only, not 'stream'\""),
        ("x-delivery-limit", LongInt(3), " of queue type rabbit_classic_queue"),
        ("x-dead-letter-strategy", text("at-least-once"), " of queue type rabbit_classic_queue"),
        ("x-max-in-memory-length", LongInt(3), " of queue type rabbit_classic_queue"),
        ("x-max-age", text("1h"), " of queue type rabbit_classic_queue"),
    ] {
        let (code, told) = declare(&running, QueueDeclareOptions::default(), arguments(&[(argument, value)])).await;
        let expected = format!("PRECONDITION_FAILED - invalid arg '{argument}' for queue 'q' in vhost '/'{why}");
        assert_eq!((code, told), (406, expected));
    }
    let table = arguments(&[("x-dead-letter-exchange", LongInt(1))]);
    let (_, told) = declare(&running, QueueDeclareOptions::default(), table).await;
    let expected = "invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'";
    assert_eq!(told, format!("PRECONDITION_FAILED - {expected}"));
    assert_eq!(running.broker.queue("q"), None);
}

#[tokio::test]
async fn a_classic_queue_takes_what_it_has_no_use_for() {
    let running = broker().await;
    let client = running.client().await;
    let table = arguments(&[
        ("x-queue-type", text("classic")),
        ("x-queue-mode", text("lazy")),
        ("x-queue-version", LongInt(2)),
        ("x-queue-master-locator", text("min-masters")),
        ("x-unheard-of", LongInt(1)),
    ]);
    client.declare("q", table).await;
    // What nobody knows is not compared; what is known is.
    let table = arguments(&[("x-queue-mode", text("lazy")), ("x-queue-version", LongUInt(2))]);
    let (_, told) = declare(&running, QueueDeclareOptions::default(), table).await;
    let locator = "received none but current is the value 'min-masters' of type 'longstr'";
    let expected = format!("inequivalent arg 'x-queue-master-locator' for queue 'q' in vhost '/': {locator}");
    assert_eq!(told, format!("PRECONDITION_FAILED - {expected}"));
}

#[tokio::test]
async fn two_declarations_are_the_same_or_the_first_difference_is_told() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", arguments(&[("x-message-ttl", LongInt(100)), ("x-overflow", text("drop-head"))])).await;
    let same =
        [("x-message-ttl", LongLongInt(100)), ("x-overflow", text("drop-head")), ("x-queue-type", text("classic"))];
    client.declare("q", arguments(&same)).await;
    let list = FieldArray(Values::from(vec![text("a"), LongInt(-1)]));
    for (ttl, overflow, argument, difference) in [
        (Some(LongInt(7)), "drop-head", "x-message-ttl", "received '7' but current is '100'"),
        (None, "drop-head", "x-message-ttl", "received none but current is the value '100' of type 'signedint'"),
        (Some(text("soon")), "drop-head", "x-message-ttl", "received 'soon' but current is '100'"),
        (Some(Void), "drop-head", "x-message-ttl", "received none but current is '100'"),
        (
            Some(list),
            "drop-head",
            "x-message-ttl",
            "received '[{longstr,<<\"a\">>},{signedint,-1}]' but current is '100'",
        ),
        (Some(LongInt(100)), "reject-publish", "x-overflow", "received 'reject-publish' but current is 'drop-head'"),
    ] {
        let mut table = arguments(&[("x-overflow", text(overflow))]);
        if let Some(ttl) = ttl {
            table.insert("x-message-ttl".into(), ttl);
        }
        let (code, told) = declare(&running, QueueDeclareOptions::default(), table).await;
        let expected = format!("inequivalent arg '{argument}' for queue 'q' in vhost '/': {difference}");
        assert_eq!((code, told), (406, format!("PRECONDITION_FAILED - {expected}")));
    }
}

#[tokio::test]
async fn a_queue_is_exclusive_to_a_connection_or_to_none() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let (code, told) = declare(&running, exclusive, FieldTable::default()).await;
    assert_eq!(code, 405);
    let expected = "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be";
    assert!(told.starts_with(expected), "{told}");
    // What goes with its connection is not durable, whatever is asked for.
    let both = QueueDeclareOptions { durable: true, ..exclusive };
    client.declare_as("own", both, FieldTable::default()).await.unwrap();
    client.declare_as("own", exclusive, FieldTable::default()).await.unwrap();
}

#[tokio::test]
async fn an_empty_or_reserved_name_is_nobodys() {
    let running = broker().await;
    let client = running.client().await;
    let generated = client.declare("", FieldTable::default()).await;
    let other = running.client().await;
    let error = other.declare_as(generated.name().as_str(), Default::default(), FieldTable::default()).await.err();
    assert_eq!(code(&error.unwrap()), 403, "it is there, but not for who chooses a name");
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let error = client.declare_as("", passive, FieldTable::default()).await.err().unwrap();
    assert_eq!(reply_text(&error), "NOT_FOUND - no queue '' in vhost '/'");
    let name = "amq.rabbitmq.reply-to.gone";
    let error = running.client().await.declare_as(name, Default::default(), FieldTable::default()).await.err().unwrap();
    assert_eq!(reply_text(&error), "NOT_FOUND - no queue 'amq.rabbitmq.reply-to.gone' in vhost '/'");
}
