//! Time is given here; what the broker's clock does meanwhile, seconds, is nothing to ten hours.

use std::sync::Arc;
use std::time::Duration;

use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, queue};
use amq_protocol::types::{AMQPValue, FieldTable};

use super::*;
use crate::config::Config;
use crate::memory::Memory;
use crate::observer::{ConnectionId, ConnectionInfo};
use crate::outbox::Outbox;
use crate::state::Content;
use crate::virtual_host::Common;
use crate::wire::short;

const HOUR_MS: i64 = 3_600_000;
const CLIENT: ConnectionId = ConnectionId(1);

/// A broker with a client and its queue `q`, which may be unused for ten hours.
fn state() -> State<()> {
    let config = Arc::new(Config::default());
    let (memory, common) = (Memory::new(config.memory_max), Arc::new(Common::new(1)));
    let mut state = State::new("/", Arc::new(()), Arc::clone(&config), memory, Arc::clone(&common));
    let outbox = Arc::new(Outbox::new(config.frame_max));
    let info = ConnectionInfo { id: CLIENT, peer: ([127, 0, 0, 1], 1).into(), name: "test", user: "guest", vhost: "/" };
    state.connect(&info, common.seat().unwrap(), &outbox, true);
    assert!(state.open_channel(CLIENT, 1));
    declare(&mut state, false, false);
    state
}

fn act(state: &mut State<()>, method: &AMQPClass) {
    state.dispatch(CLIENT, 1, method).unwrap();
}

fn declare(state: &mut State<()>, passive: bool, nowait: bool) {
    let mut arguments = FieldTable::default();
    arguments.insert(short("x-expires"), AMQPValue::LongLongInt(10 * HOUR_MS));
    let declare = queue::Declare { queue: short("q"), passive, nowait, arguments, ..queue::Declare::default() };
    act(state, &AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
}

fn consume(state: &mut State<()>, tag: &str) {
    let consume = basic::Consume { queue: short("q"), consumer_tag: short(tag), ..basic::Consume::default() };
    act(state, &AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
}

fn cancel(state: &mut State<()>, tag: &str) {
    let cancel = basic::Cancel { consumer_tag: short(tag), nowait: false };
    act(state, &AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
}

/// Lets so many hours pass, and expire what may; whether the queue is still there.
fn after(state: &mut State<()>, hours: u64) -> bool {
    state.began = state.began.checked_sub(Duration::from_secs(hours * 3600)).unwrap();
    state.expire();
    state.queue_status("q").is_some()
}

#[test]
fn a_queue_is_there_as_long_as_it_may_be_unused() {
    let mut state = state();
    assert!(after(&mut state, 9));
    assert!(!after(&mut state, 1));
    assert_eq!(state.expire(), None, "nothing is left to wait for");
}

#[test]
fn who_asks_for_it_lets_its_time_begin_anew() {
    let asks: [fn(&mut State<()>); 3] = [
        |state| {
            let get = basic::Get { queue: short("q"), no_ack: false };
            act(state, &AMQPClass::Basic(basic::AMQPMethod::Get(get)));
        },
        |state| declare(state, false, false),
        |state| declare(state, true, false),
    ];
    for ask in asks {
        let mut state = state();
        assert!(after(&mut state, 9));
        ask(&mut state);
        assert!(after(&mut state, 9));
        assert!(!after(&mut state, 1));
    }
    // Where no answer is wanted, RabbitMQ does not ask the queue.
    let mut state = state();
    assert!(after(&mut state, 9));
    declare(&mut state, false, true);
    assert!(!after(&mut state, 1));
}

#[test]
fn a_consumer_holds_it_and_the_last_that_leaves_lets_its_time_begin() {
    let mut state = state();
    for tag in ["a", "b"] {
        consume(&mut state, tag);
    }
    assert!(after(&mut state, 20));
    cancel(&mut state, "a");
    assert!(after(&mut state, 20));
    cancel(&mut state, "b");
    assert!(after(&mut state, 9));
    consume(&mut state, "c");
    assert!(after(&mut state, 9));
    state.close_channel(CLIENT, 1);
    assert!(after(&mut state, 9));
    assert!(!after(&mut state, 1));
}

#[test]
fn the_time_of_its_head_is_kept_beside_its_own() {
    let mut state = state();
    let publish = basic::Publish { routing_key: short("q"), ..basic::Publish::default() };
    let properties = BasicProperties::default().with_expiration(short("7200000"));
    let raw = crate::wire::properties(&properties);
    let content = Content { raw, properties: Some(properties), size: 0, body: bytes::Bytes::new() };
    state.publish(CLIENT, 1, publish, content).unwrap();
    assert!(after(&mut state, 1));
    assert_eq!(state.queue_status("q").map(|status| status.ready), Some(1));
    assert!(after(&mut state, 1));
    assert_eq!(state.queue_status("q").map(|status| status.ready), Some(0), "the nearer of the two");
    assert!(after(&mut state, 7));
    assert!(!after(&mut state, 1));
}
