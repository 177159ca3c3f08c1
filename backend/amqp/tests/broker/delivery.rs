//! Publish, confirm, consume, settle.

use futures_util::StreamExt as _;
use hopscope_amqp::Routing;
use hopscope_amqp::TransitionKind::{Acked, Delivered, Enqueued};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation};

use crate::support::{Heard, broker, within};

#[tokio::test]
async fn a_message_is_published_confirmed_delivered_and_acked() {
    let running = broker().await;
    let (connection, channel) = running.channel().await;
    let declared = channel.queue_declare("q".into(), QueueDeclareOptions::default(), FieldTable::default());
    assert_eq!(within(declared).await.unwrap().message_count(), 0);
    within(channel.confirm_select(ConfirmSelectOptions::default())).await.unwrap();
    let publish = channel.basic_publish(
        "".into(),
        "q".into(),
        BasicPublishOptions::default(),
        b"body",
        BasicProperties::default().with_message_id("m1".into()),
    );
    let confirm = within(within(publish).await.unwrap()).await.unwrap();
    assert!(matches!(confirm, Confirmation::Ack(None)), "{confirm:?}");
    assert_eq!(running.broker.queue("q").unwrap().ready, 1);

    let consume =
        channel.basic_consume("q".into(), "hs.7".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = within(consume).await.unwrap();
    let delivery = within(consumer.next()).await.unwrap().unwrap();
    assert_eq!(delivery.data, b"body");
    assert_eq!(delivery.properties.message_id().as_ref().unwrap().as_str(), "m1");
    assert!(!delivery.redelivered);
    assert_eq!(delivery.routing_key.as_str(), "q");
    within(delivery.ack(BasicAckOptions::default())).await.unwrap();
    within(connection.close(200, "done".into())).await.unwrap();

    let memory = running.stop().await;
    assert_eq!(memory.kinds("q"), [Enqueued, Delivered, Acked]);
    memory.check("q");
    let identities: Vec<_> = memory
        .all()
        .into_iter()
        .filter_map(|heard| match heard {
            Heard::Step { delivery, mark: 1, .. } => Some(delivery),
            _ => None,
        })
        .collect();
    let delivery = Some((1, 1, "hs.7".to_owned(), 1));
    assert_eq!(identities, [None, delivery.clone(), delivery]);
    assert!(memory.all().contains(&Heard::Routed(1, Routing::Routed(1))));
}
