use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

mod consumers;

/// Keeps all it hears.
#[derive(Default)]
struct Heard {
    steps: Vec<(Transition, u32, Option<u32>)>,
    dead: Vec<(u32, Cause)>,
}

impl Sink<u32, u32> for Heard {
    fn transition(&mut self, transition: &Transition, item: &u32, delivery: Option<&u32>) {
        self.steps.push((*transition, *item, delivery.copied()));
    }

    fn dead_letter(&mut self, item: u32, cause: Cause) {
        self.dead.push((item, cause));
    }
}

impl Heard {
    fn count(&self, kind: TransitionKind) -> i64 {
        self.steps.iter().filter(|(step, ..)| step.kind == kind).count() as i64
    }

    fn kinds(&self) -> Vec<TransitionKind> {
        self.steps.iter().map(|(step, ..)| step.kind).collect()
    }
}

const PLAIN: Arrival = Arrival { bytes: 10, ttl: None, priority: 0, cause: Cause::Published };

fn with(queue: &mut Queue<u32, u32>, heard: &mut Heard, items: std::ops::Range<u32>) -> Vec<u64> {
    items.map(|item| queue.enqueue(item, PLAIN, 0, heard).unwrap()).collect()
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Enqueue { bytes: u64, ttl: Option<i64>, priority: u8 },
    Deliver { refuse: bool },
    Get { automatic: bool },
    Ack(usize),
    Reject(usize),
    Requeue(usize),
    Expire,
    Trim,
    Purge,
    Clear,
    AddConsumer(ConsumerSettings),
    RemoveConsumer(usize),
    Pass(i64),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (0..50u64, proptest::option::of(0..40i64), 0..4u8)
            .prop_map(|(bytes, ttl, priority)| Operation::Enqueue { bytes, ttl, priority }),
        8 => proptest::bool::weighted(0.1).prop_map(|refuse| Operation::Deliver { refuse }),
        1 => any::<bool>().prop_map(|automatic| Operation::Get { automatic }),
        3 => any::<usize>().prop_map(Operation::Ack),
        2 => any::<usize>().prop_map(Operation::Reject),
        3 => any::<usize>().prop_map(Operation::Requeue),
        2 => Just(Operation::Expire),
        2 => Just(Operation::Trim),
        1 => Just(Operation::Purge),
        1 => Just(Operation::Clear),
        2 => (0..4u32, any::<bool>(), -1..2i64).prop_map(|(prefetch, automatic, priority)| {
            Operation::AddConsumer(ConsumerSettings { prefetch, automatic, priority })
        }),
        1 => any::<usize>().prop_map(Operation::RemoveConsumer),
        2 => (0..20i64).prop_map(Operation::Pass),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let max = || proptest::option::weighted(0.4, 0..6u32);
    let max_priority = proptest::option::of(0..3u8);
    let max_bytes = proptest::option::weighted(0.2, 0..200u64);
    let single = proptest::bool::weighted(0.3);
    (max(), max_bytes, any::<bool>(), max(), any::<bool>(), max_priority, single).prop_map(
        |(max_length, max_bytes, reject, ttl, dead_letters, max_priority, single_active_consumer)| Settings {
            max_length,
            max_bytes,
            overflow: if reject { Overflow::RejectPublish } else { Overflow::DropHead },
            ttl: ttl.map(|ttl| i64::from(ttl) * 10),
            dead_letters,
            max_priority,
            single_active_consumer,
        },
    )
}

/// An item of the trial says which priority it has: its remainder by this.
const PRIORITIES: u32 = 4;

/// A queue with what the test knows of it beside it.
struct Trial {
    queue: Queue<u32, u32>,
    heard: Heard,
    /// Copy -> consumer of what is out.
    out: BTreeMap<u64, Option<ConsumerId>>,
    consumers: Vec<(ConsumerId, ConsumerSettings)>,
    /// The single active one.
    active: Option<ConsumerId>,
    now: i64,
    next: u32,
}

impl Trial {
    fn nth_out(&self, n: usize) -> Option<u64> {
        self.out.keys().nth(n % self.out.len().max(1)).copied()
    }

    fn held(&self, id: ConsumerId) -> usize {
        self.out.values().filter(|consumer| **consumer == Some(id)).count()
    }

    /// The highest priority of those that have credit.
    fn highest(&self) -> Option<i64> {
        let has_credit = |id, settings: &ConsumerSettings| {
            settings.automatic || settings.prefetch == 0 || self.held(id) < settings.prefetch as usize
        };
        self.consumers.iter().filter(|(id, settings)| has_credit(*id, settings)).map(|(_, it)| it.priority).max()
    }

    fn perform(&mut self, operation: Operation) {
        let highest = self.highest();
        let Self { queue, heard, out, consumers, active, now, next } = self;
        *next += 1;
        match operation {
            Operation::Enqueue { bytes, ttl, priority } => {
                let item = *next * PRIORITIES + u32::from(priority);
                let _ = queue.enqueue(item, Arrival { bytes, ttl, priority, cause: Cause::Published }, *now, heard);
            }
            Operation::Deliver { refuse } => {
                if let Some(id) = queue.next_consumer(|_| !refuse) {
                    let automatic = queue.is_automatic(id).unwrap();
                    let priority = consumers.iter().find(|(of, _)| *of == id).map(|(_, settings)| settings.priority);
                    if queue.settings().single_active_consumer {
                        assert_eq!(Some(id), *active);
                    } else {
                        assert_eq!(priority, highest, "nobody of a higher priority has credit");
                    }
                    let taken = queue.deliver(id, *next, heard).unwrap();
                    if !automatic {
                        out.insert(taken.copy, Some(id));
                    }
                }
            }
            Operation::Get { automatic } => {
                if let Some(taken) = queue.get(automatic, *next, heard)
                    && !automatic
                {
                    out.insert(taken.copy, None);
                }
            }
            Operation::Ack(n) | Operation::Reject(n) | Operation::Requeue(n) => {
                let Some(copy) = self.nth_out(n) else { return };
                self.out.remove(&copy);
                let settled = match operation {
                    Operation::Ack(_) => self.queue.ack(copy, &mut self.heard),
                    Operation::Reject(_) => self.queue.reject(copy, &mut self.heard),
                    _ => self.queue.requeue(copy, Cause::Nack, &mut self.heard),
                };
                assert!(settled);
                assert!(!self.queue.ack(copy, &mut self.heard), "settled once");
            }
            Operation::Expire => _ = queue.expire(*now, heard),
            Operation::Trim => _ = queue.trim(heard),
            Operation::Purge => _ = queue.purge(heard),
            Operation::Clear => {
                queue.clear(heard);
                out.clear();
            }
            Operation::AddConsumer(settings) => {
                let id = queue.add_consumer(settings);
                consumers.push((id, settings));
                active.get_or_insert(id);
            }
            Operation::RemoveConsumer(n) => {
                if !consumers.is_empty() {
                    let (id, ..) = consumers.remove(n % consumers.len());
                    assert!(queue.remove_consumer(id));
                    assert!(!queue.remove_consumer(id));
                    if *active == Some(id) {
                        *active =
                            consumers.iter().min_by_key(|(id, it)| (Reverse(it.priority), *id)).map(|(id, _)| *id);
                    }
                }
            }
            Operation::Pass(time) => *now += time,
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        use TransitionKind::*;
        let count = |kind| self.heard.count(kind);
        prop_assert_eq!(
            count(Enqueued) + count(Requeued),
            count(Delivered) + count(Expired) + count(Dropped) + count(Purged) + i64::from(self.queue.ready())
        );
        prop_assert_eq!(
            count(Delivered),
            count(Acked) + count(Nacked) + count(Requeued) + i64::from(self.queue.unacked())
        );
        prop_assert_eq!(self.out.len(), self.queue.unacked() as usize);
        for (id, settings) in &self.consumers {
            prop_assert!(settings.automatic || settings.prefetch == 0 || self.held(*id) <= settings.prefetch as usize);
        }
        Ok(())
    }
}

/// The ready copies as the transitions alone tell them: each takes the head, or returns to its place.
fn replay(heard: &Heard, settings: &Settings) -> Result<BTreeSet<(Reverse<u32>, u64)>, TestCaseError> {
    use TransitionKind::*;
    let (mut ready, mut length, mut redelivered) = (BTreeSet::new(), 0, BTreeSet::new());
    let highest = u32::from(settings.max_priority.unwrap_or(0));
    for (index, (step, item, _)) in heard.steps.iter().enumerate() {
        let rank = (Reverse((item % PRIORITIES).min(highest)), step.copy);
        prop_assert_eq!(step.ordinal, index as u64 + 1, "no gap");
        prop_assert_eq!(step.before, length, "before is the previous after");
        prop_assert_eq!(i64::from(step.after) - i64::from(step.before), i64::from(step.kind.step()));
        length = step.after;
        match step.kind {
            Enqueued => prop_assert!(step.copy == step.ordinal && ready.insert(rank)),
            Requeued => prop_assert!(redelivered.insert(step.ordinal) && ready.insert(rank)),
            Delivered | Expired | Dropped | Purged => {
                prop_assert_eq!(ready.pop_first(), Some(rank), "the oldest of the highest priority goes first");
            }
            Acked | Nacked | DeadLettered => prop_assert!(!ready.contains(&rank)),
        }
        let follows = heard.steps.get(index + 1).map(|(next, ..)| (next.kind, next.copy, next.cause));
        let buried = settings.dead_letters
            && (matches!(step.kind, Expired | Dropped) || step.kind == Nacked && step.cause == Cause::Rejected);
        prop_assert_eq!(buried, follows == Some((DeadLettered, step.copy, step.cause)));
        if step.kind == Delivered {
            let automatic = follows == Some((Acked, step.copy, Cause::Automatic));
            let unacked = heard.steps[index + 1..].iter().all(|(later, ..)| later.copy != step.copy);
            let settled = heard.steps[index + 1..].iter().find(|(later, ..)| later.copy == step.copy);
            prop_assert!(
                automatic || unacked || matches!(settled, Some((s, ..)) if matches!(s.kind, Acked | Nacked | Requeued))
            );
        }
    }
    Ok(ready)
}

proptest! {
    #[test]
    fn any_order_of_operations_keeps_the_account(
        settings in settings(),
        operations in proptest::collection::vec(operation(), 1..200),
    ) {
        let mut trial = Trial {
            queue: Queue::new(settings),
            heard: Heard::default(),
            out: BTreeMap::new(),
            consumers: Vec::new(),
            active: None,
            now: 0,
            next: 0,
        };
        for operation in operations {
            trial.perform(operation);
            trial.check()?;
        }
        let ready = replay(&trial.heard, &settings)?;
        prop_assert_eq!(ready.len(), trial.queue.ready() as usize);
        let told = trial.heard.count(TransitionKind::DeadLettered);
        prop_assert_eq!(told, trial.heard.dead.len() as i64);
    }
}

#[test]
fn a_requeued_copy_returns_to_its_old_place_marked() {
    let (mut queue, mut heard) = (Queue::new(Settings::default()), Heard::default());
    let copies = with(&mut queue, &mut heard, 0..4);
    for _ in 0..3 {
        queue.get(false, 0, &mut heard).unwrap();
    }
    assert!(queue.requeue(copies[2], Cause::Nack, &mut heard));
    assert!(queue.requeue(copies[0], Cause::ChannelLost, &mut heard));
    let order: Vec<_> =
        std::iter::from_fn(|| queue.get(true, 0, &mut heard)).map(|taken| (taken.item, taken.redelivered)).collect();
    assert_eq!(order, [(0, true), (2, true), (3, false)]);
}

#[test]
fn the_highest_priority_goes_first_and_back_to_its_own() {
    let settings = Settings { max_priority: Some(2), ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(settings), Heard::default());
    for (item, priority) in [(0, 0), (1, 2), (2, 1), (3, 9), (4, 1)] {
        queue.enqueue(item, Arrival { priority, ..PLAIN }, 0, &mut heard).unwrap();
    }
    let first = queue.get(false, 0, &mut heard).unwrap();
    let mut order = vec![first.item];
    let second = queue.get(true, 0, &mut heard).unwrap();
    order.push(second.item);
    assert!(queue.requeue(first.copy, Cause::Nack, &mut heard));
    order.extend(std::iter::from_fn(|| queue.get(true, 0, &mut heard)).map(|taken| taken.item));
    assert_eq!(order, [1, 3, 1, 2, 4, 0], "9 counts as 2, the highest that is told apart");
}

#[test]
fn a_full_queue_drops_its_head_or_refuses() {
    let limited = |overflow| Settings { max_length: Some(2), overflow, dead_letters: true, ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(limited(Overflow::DropHead)), Heard::default());
    with(&mut queue, &mut heard, 0..3);
    assert_eq!(queue.trim(&mut heard), 1);
    assert_eq!(heard.dead, [(0, Cause::MaxLength)]);
    use TransitionKind::{DeadLettered, Dropped, Enqueued};
    assert_eq!(heard.kinds(), [Enqueued, Enqueued, Enqueued, Dropped, DeadLettered]);

    let (mut queue, mut heard) = (Queue::new(limited(Overflow::RejectPublish)), Heard::default());
    with(&mut queue, &mut heard, 0..2);
    assert_eq!(queue.enqueue(2, PLAIN, 0, &mut heard), Err(2));
    assert_eq!((queue.trim(&mut heard), queue.ready(), heard.steps.len()), (0, 2, 2));
}

#[test]
fn bytes_limit_too() {
    let settings = Settings { max_bytes: Some(25), ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(settings), Heard::default());
    with(&mut queue, &mut heard, 0..3);
    assert_eq!((queue.trim(&mut heard), queue.ready()), (1, 2));
}

#[test]
fn the_nearer_limit_holds_and_is_named() {
    let settings = Settings { ttl: Some(100), ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(settings), Heard::default());
    for ttl in [Some(30), Some(500), None] {
        queue.enqueue(0, Arrival { ttl, ..PLAIN }, 10, &mut heard).unwrap();
    }
    assert_eq!(queue.next_expiry(), Some(40));
    assert_eq!(queue.expire(39, &mut heard), 0);
    assert_eq!(queue.expire(40, &mut heard), 1);
    assert_eq!(queue.expire(110, &mut heard), 2);
    let causes: Vec<_> = heard.steps.iter().skip(3).map(|(step, ..)| step.cause).collect();
    assert_eq!(causes, [Cause::MessageTtl, Cause::QueueTtl, Cause::QueueTtl]);
    assert_eq!(queue.next_expiry(), None);
}

#[test]
fn a_deleted_queue_settles_what_is_out_and_buries_nothing() {
    let settings = Settings { dead_letters: true, ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(settings), Heard::default());
    let copies = with(&mut queue, &mut heard, 0..2);
    queue.get(false, 7, &mut heard).unwrap();
    queue.clear(&mut heard);
    let told: Vec<_> =
        heard.steps.iter().skip(3).map(|(step, _, of)| (step.kind, step.copy, step.cause, *of)).collect();
    use TransitionKind::{Nacked, Purged};
    assert_eq!(
        told,
        [(Nacked, copies[0], Cause::Deleted, Some(7)), (Purged, copies[1], Cause::Deleted, None)],
        "the delivery that is out has an end"
    );
    assert!(heard.dead.is_empty() && !queue.ack(copies[0], &mut heard));
}
