//! Arguments that RabbitMQ refuses are refused with its words.

use hopscope_amqp::AMQPValue;
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
        ("x-priority", AMQPValue::Double(1.5), ": \"expected integer, got double\""),
        ("x-cancel-on-ha-failover", AMQPValue::LongInt(1), ": {unacceptable_type,signedint}"),
        ("x-stream-offset", text("first"), " of queue type rabbit_classic_queue"),
    ] {
        let told = consume(&running, argument, value).await;
        assert_eq!(told, format!("PRECONDITION_FAILED - invalid arg '{argument}' for queue 'q' in vhost '/'{why}"));
    }
    let client = running.client().await;
    let ignored = [("x-cancel-on-ha-failover", AMQPValue::Boolean(true)), ("x-unheard-of", AMQPValue::Void)];
    client.consume_with("q", "", arguments(&ignored)).await.unwrap();
}
