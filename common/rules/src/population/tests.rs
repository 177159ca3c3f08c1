use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::draw::Purpose;

const HOUR: Time = Time(3_600_000_000_000);

fn population(users: u32, think: Work, count: Option<u64>, duration: Time) -> Population {
    Population::new(&Closed { users, think, count }, duration, Draws::new(42, "n1", Purpose::Think))
}

fn exponential() -> Work {
    Work::Exponential { mean: Time(1_000_000) }
}

#[test]
fn a_user_thinks_before_each_request_and_has_one_in_flight() {
    let mut users = population(1, Work::Constant { mean: Time(10) }, None, HOUR);
    assert_eq!((users.next_at(), users.want(9)), (Some(10), None));
    assert_eq!(users.want(12), Some(Wish { n: 0, user: 0, at_ns: 10 }));
    assert_eq!((users.next_at(), users.want(1_000)), (None, None));
    users.ended(0, 100);
    assert_eq!(users.want(110), Some(Wish { n: 1, user: 0, at_ns: 110 }));
}

#[test]
fn who_is_due_longest_comes_first() {
    let mut users = population(20, exponential(), None, HOUR);
    let wishes: Vec<_> = std::iter::from_fn(|| users.want(u64::MAX)).collect();
    assert_eq!(wishes.len(), 20);
    assert!(wishes.is_sorted_by_key(|wish| wish.at_ns));
    assert!(wishes.iter().zip(0..).all(|(wish, n)| wish.n == n));
}

#[test]
fn a_count_ends_the_load_and_so_does_its_time() {
    let mut users = population(5, exponential(), Some(3), HOUR);
    assert_eq!(std::iter::from_fn(|| users.want(u64::MAX)).count(), 3);
    assert!(users.is_over());
    users.ended(0, 0);
    assert_eq!((users.next_at(), users.want(u64::MAX)), (None, None));
    let mut users = population(2, Work::Constant { mean: Time(10) }, None, Time(25));
    assert_eq!(std::iter::from_fn(|| users.want(24)).count(), 2);
    users.ended(0, 14);
    users.ended(1, 15);
    users.ended(7, 0);
    assert_eq!(users.want(u64::MAX), Some(Wish { n: 2, user: 0, at_ns: 24 }));
    assert_eq!(users.want(u64::MAX), None, "the end itself is outside");
    assert!(!users.is_over());
}

/// A change here changes every seed's runs.
#[test]
fn a_seed_has_always_the_same_thinks() {
    let mut users = population(3, exponential(), None, HOUR);
    let mut first: Vec<_> = std::iter::from_fn(|| users.want(u64::MAX)).map(|wish| (wish.user, wish.at_ns)).collect();
    first.sort_unstable();
    assert_eq!(first, GOLDEN);
}

const GOLDEN: [(u32, u64); 3] = [(0, 375_618), (1, 310_354), (2, 965_789)];

proptest! {
    /// Whoever's request takes however long: the thinks of a user are the same, and nobody has two requests in flight.
    #[test]
    fn the_thinks_of_a_user_are_the_same_in_any_order(picks in prop::collection::vec((any::<prop::sample::Index>(), 0..5_000_000_u64), 1..100), more in 0..3_u32) {
        let mut users = population(4 + more, exponential(), None, HOUR);
        let mut alone: Vec<_> = (0..4 + more).map(|_| Vec::new()).collect();
        let mut flying = BTreeMap::new();
        let mut thought = vec![0; alone.len()];
        for (pick, length) in picks {
            while let Some(wish) = users.want(u64::MAX) {
                let began: u64 = thought[wish.user as usize];
                alone[wish.user as usize].push(wish.at_ns - began);
                prop_assert!(flying.insert(wish.user, wish.at_ns).is_none());
            }
            let user = *pick.get(&flying.keys().copied().collect::<Vec<_>>());
            let now = flying.remove(&user).unwrap() + length;
            thought[user as usize] = now;
            users.ended(user, now);
        }
        let mut draws = Draws::new(42, "n1", Purpose::Think);
        for (user, thinks) in alone.iter().enumerate() {
            for (think, k) in thinks.iter().zip(0_u64..) {
                prop_assert_eq!(*think, draws.work(((user as u64) << 32) | k, &exponential()).0);
            }
        }
    }
}
