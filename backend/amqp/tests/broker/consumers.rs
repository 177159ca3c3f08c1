//! Who of several consumers takes.

use hopscope_amqp::AMQPValue;
use lapin::options::{BasicAckOptions, BasicQosOptions};
use lapin::types::FieldTable;

use crate::support::within;
use crate::support::{arguments, broker, next};

#[tokio::test]
async fn the_consumer_of_the_highest_priority_takes_while_it_has_credit() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    within(client.channel.basic_qos(2, BasicQosOptions::default())).await.unwrap();
    let of = |priority| arguments(&[("x-priority", priority)]);
    let mut low = client.consume_with("q", "low", of(AMQPValue::ShortShortInt(-3))).await.unwrap();
    let mut usual = client.consume("q", "usual").await;
    let mut high = client.consume_with("q", "high", of(AMQPValue::LongLongInt(1 << 40))).await.unwrap();
    for n in 0..5_u8 {
        client.publish("q", &[n]).await;
    }
    let mut got = vec![next(&mut high).await, next(&mut high).await];
    got.extend([next(&mut usual).await, next(&mut usual).await, next(&mut low).await]);
    assert_eq!(got.iter().map(|delivery| delivery.data[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // The low one has credit, and the high one again: it goes first.
    within(got[1].ack(BasicAckOptions::default())).await.unwrap();
    client.publish("q", &[5]).await;
    assert_eq!(next(&mut high).await.data[0], 5);
    running.memory.check("q");
}
