//! Whose turn it is.

use super::*;

proptest! {
    #[test]
    fn consumers_with_credit_share_evenly(consumers in 1..6u32, rounds in 1..20u32) {
        let (mut queue, mut heard) = (Queue::new(Settings::default()), Heard::default());
        let settings = ConsumerSettings { prefetch: 0, automatic: false, priority: 0 };
        let ids: Vec<_> = (0..consumers).map(|_| queue.add_consumer(settings)).collect();
        with(&mut queue, &mut heard, 0..consumers * rounds);
        let mut got = BTreeMap::new();
        while let Some(id) = queue.next_consumer(|_| true) {
            queue.deliver(id, 0, &mut heard).unwrap();
            *got.entry(id).or_insert(0) += 1;
        }
        for id in ids {
            prop_assert_eq!(got.get(&id), Some(&rounds));
        }
    }
}

#[test]
fn a_newcomer_waits_for_the_others_turn() {
    let (mut queue, mut heard) = (Queue::new(Settings::default()), Heard::default());
    let settings = ConsumerSettings { prefetch: 1, automatic: false, priority: 0 };
    let first = queue.add_consumer(settings);
    let second = queue.add_consumer(settings);
    with(&mut queue, &mut heard, 0..3);
    assert_eq!(queue.next_consumer(|_| true), Some(first));
    queue.deliver(first, 0, &mut heard).unwrap();
    let third = queue.add_consumer(settings);
    assert_eq!(queue.next_consumer(|_| true), Some(second));
    assert_eq!(queue.deliver(first, 0, &mut heard), None, "no credit");
    queue.deliver(second, 0, &mut heard).unwrap();
    assert_eq!(queue.next_consumer(|_| true), Some(third));
    assert_eq!(queue.next_consumer(|id| id != third), None);
}

#[test]
fn the_highest_priority_with_credit_takes_and_equals_share_evenly() {
    let (mut queue, mut heard) = (Queue::new(Settings::default()), Heard::default());
    let with_priority = |priority, prefetch| ConsumerSettings { prefetch, automatic: false, priority };
    let [a, b, c] = [0, 0, 0].map(|priority| queue.add_consumer(with_priority(priority, 0)));
    let low = queue.add_consumer(with_priority(-1, 0));
    let high = queue.add_consumer(with_priority(7, 1));
    with(&mut queue, &mut heard, 0..20);
    let mut order = Vec::new();
    let mut take = |queue: &mut Queue<u32, u32>, may: &dyn Fn(ConsumerId) -> bool| {
        let id = queue.next_consumer(may).unwrap();
        let taken = queue.deliver(id, 0, &mut heard).unwrap();
        order.push(id);
        taken.copy
    };
    // Between two turns of its equals one of another priority takes each time: whose turn it is does not change by that.
    for _ in 0..3 {
        let copy = take(&mut queue, &|_| true);
        take(&mut queue, &|_| true);
        take(&mut queue, &|id| id == low);
        assert!(queue.ack(copy, &mut Heard::default()));
    }
    assert_eq!(order, [high, a, low, high, b, low, high, c, low]);
}

#[test]
fn only_the_single_active_consumer_takes_until_it_goes() {
    let settings = Settings { single_active_consumer: true, ..Settings::default() };
    let (mut queue, mut heard) = (Queue::new(settings), Heard::default());
    let with_priority = |priority| ConsumerSettings { prefetch: 2, automatic: false, priority };
    let [first, second, third] = [0, 0, 0].map(|priority| queue.add_consumer(with_priority(priority)));
    let copies = with(&mut queue, &mut heard, 0..10);
    assert_eq!(queue.deliver(second, 0, &mut heard), None, "it waits");
    for _ in 0..2 {
        assert_eq!(queue.next_consumer(|_| true), Some(first));
        queue.deliver(first, 0, &mut heard).unwrap();
    }
    assert_eq!(queue.next_consumer(|_| true), None, "the active one has no credit, the others no turn");
    let [high, higher] = [5, 5].map(|priority| queue.add_consumer(with_priority(priority)));
    assert!(queue.ack(copies[0], &mut heard));
    assert_eq!(queue.next_consumer(|_| true), Some(first), "who comes later waits, whatever its priority");
    assert_eq!(queue.next_consumer(|id| id != first), None);
    for (goes, follows) in [(first, Some(high)), (second, Some(high)), (high, Some(higher)), (higher, Some(third))] {
        assert!(queue.remove_consumer(goes));
        assert_eq!(queue.next_consumer(|_| true), follows);
    }
    assert!(queue.remove_consumer(third));
    assert_eq!(queue.next_consumer(|_| true), None);
    let last = queue.add_consumer(with_priority(-1));
    assert_eq!(queue.next_consumer(|_| true), Some(last));
}
