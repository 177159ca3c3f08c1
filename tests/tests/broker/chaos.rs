//! Methods in any order, as no client would send them: the broker lives, and its queues' accounts hold.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame};
use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, queue};
use hopscope_amqp::QueueOptions;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::socket::Raw;
use crate::support::{Heard, broker};

const QUEUES: [&str; 3] = ["a", "b", "c"];
const CONNECTIONS: u64 = 60;

fn name() -> impl Strategy<Value = String> {
    (0..QUEUES.len()).prop_map(|at| QUEUES[at].to_owned())
}

/// A delivery's number that may be out.
fn tag() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0), 1 => 1..4_u64]
}

fn basic_method() -> impl Strategy<Value = basic::AMQPMethod> {
    use basic::AMQPMethod as Method;
    prop_oneof![
        (0..4_u16, any::<bool>())
            .prop_map(|(prefetch_count, global)| Method::Qos(basic::Qos { prefetch_count, global })),
        (name(), any::<bool>()).prop_map(|(queue, no_ack)| {
            Method::Consume(basic::Consume { queue: queue.as_str().into(), no_ack, ..Default::default() })
        }),
        (name(), any::<bool>())
            .prop_map(|(queue, no_ack)| { Method::Get(basic::Get { queue: queue.as_str().into(), no_ack }) }),
        (0..6_u64, any::<bool>()).prop_map(|(delivery_tag, multiple)| {
            Method::Ack(basic::Ack { delivery_tag, multiple: multiple || delivery_tag == 0 })
        }),
        (tag(), any::<bool>(), any::<bool>()).prop_map(|(delivery_tag, multiple, requeue)| {
            Method::Nack(basic::Nack { delivery_tag, multiple: multiple || delivery_tag == 0, requeue })
        }),
        Just(Method::Recover(basic::Recover { requeue: true })),
        Just(Method::Qos(basic::Qos { prefetch_count: 3, global: false })),
    ]
}

/// What one step puts on the wire.
fn step() -> impl Strategy<Value = Vec<AMQPFrame>> {
    let one = |number: u16, method| vec![AMQPFrame::Method(number, method)];
    let number = prop_oneof![19 => Just(1_u16), 1 => Just(2_u16)];
    prop_oneof![
        12 => (name(), 0..3_usize).prop_map(|(queue, length)| {
            let publish = basic::Publish { routing_key: queue.as_str().into(), mandatory: true, ..Default::default() };
            let properties = Default::default();
            let header = AMQPContentHeader { class_id: 60, body_size: length as u64, properties };
            let mut frames = vec![
                AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))),
                AMQPFrame::Header(1, header),
            ];
            frames.extend((length > 0).then(|| AMQPFrame::Body(1, vec![0; length])));
            frames
        }),
        8 => (number.clone(), basic_method()).prop_map(move |(at, method)| one(at, AMQPClass::Basic(method))),
        3 => (number.clone(), name(), any::<bool>()).prop_map(move |(at, queue, auto_delete)| {
            let declare = queue::Declare { queue: queue.as_str().into(), auto_delete, ..Default::default() };
            one(at, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)))
        }),
        1 => name().prop_map(move |queue| {
            let delete = queue::Delete { queue: queue.as_str().into(), ..Default::default() };
            one(1, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)))
        }),
        1 => name().prop_map(move |queue| {
            let purge = queue::Purge { queue: queue.as_str().into(), ..Default::default() };
            one(1, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)))
        }),
        1 => number.clone().prop_map(move |at| one(at, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})))),
        1 => number.clone().prop_map(move |at| {
            one(at, AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close::default())))
        }),
        1 => number.prop_map(move |at| {
            one(at, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select::default())))
        }),
    ]
}

#[tokio::test]
async fn any_order_of_methods_leaves_the_accounts_whole() {
    let running = broker().await;
    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 1..40);
    for _ in 0..CONNECTIONS {
        for queue in QUEUES {
            // One that is there with other flags is as good.
            let _ = running.broker.declare_queue(queue, &QueueOptions::default());
        }
        let mut raw = Raw::open(&running).await;
        for frame in steps.new_tree(&mut runner).unwrap().current().into_iter().flatten() {
            // A misuse before this one may have ended the connection.
            if !raw.try_send(frame).await {
                break;
            }
        }
    }
    let closed = |all: &[Heard]| all.iter().filter(|heard| matches!(heard, Heard::Closed(_))).count() as u64;
    running.memory.until(|all| closed(all) == CONNECTIONS).await;
    let client = running.client().await;
    for queue in running.broker.queues() {
        assert_eq!((queue.unacked, queue.consumers), (0, 0), "{queue:?}");
        assert!(running.broker.delete_queue(&queue.name));
    }
    assert_eq!(running.broker.memory(), 0);
    let heard = running.memory.all();
    let steps = heard.iter().filter(|heard| matches!(heard, Heard::Step { .. })).count();
    assert!(steps > 300, "only {steps} steps");
    client.close().await;
}
