use hopscope_scenario::model::Content;
use hopscope_scenario::quantity::{Number, Size, Time};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CONTENTS: [Content; 3] = [Content::Json, Content::Text, Content::Binary];

fn payload(key: Option<Keys>) -> Payload {
    Payload {
        bytes: Size(64),
        content: Content::Json,
        key,
        value: Some(Values::Uniform { from: -2, to: 7 }),
        event_time: Some(EventTimes::Exponential { mean: Time(1_000_000) }),
        priority: None,
    }
}

/// A change here changes every seed's runs.
#[test]
fn what_a_seed_carries_is_this() {
    let mut drawn = Payloads::new(&payload(Some(Keys::Zipf { keys: 100, exponent: Number(1_100) })), 42, "n1");
    let found: Vec<_> = (0..4)
        .map(|n| drawn.draw(n, 50_000_000 * n))
        .map(|Carried { key, value, event_time_ns, .. }| (key.unwrap(), value.unwrap(), event_time_ns.unwrap()))
        .collect();
    assert_eq!(found, FIRST);
}

const FIRST: [(u32, i64, i64); 4] = [(43, 1, -985_567), (1, 4, 49_683_201), (1, 0, 99_993_108), (1, -1, 149_444_872)];

#[test]
fn what_is_not_asked_for_is_not_carried() {
    let plain = Payload { key: None, value: None, event_time: None, ..payload(None) };
    let carried = Payloads::new(&plain, 42, "n1").draw(7, 1);
    assert_eq!(carried, Carried { n: 7, key: None, value: None, event_time_ns: None });
}

/// How often each key is drawn among 100,000, as parts of one.
fn frequencies(keys: Keys, most: usize) -> Vec<f64> {
    let mut drawn = Payloads::new(&payload(Some(keys)), 42, "n1");
    let mut counts = vec![0_u32; most];
    for n in 0..100_000 {
        counts[drawn.draw(n, 0).key.unwrap() as usize - 1] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / 100_000.0).collect()
}

#[test]
fn zipfs_law_holds_for_every_exponent() {
    for thousandths in [10_u32, 500, 999, 1_000, 1_100, 2_000, 10_000] {
        let exponent = f64::from(thousandths) / 1_000.0;
        let weight = |key: usize| libm::pow(key as f64, -exponent);
        let sum: f64 = (1..=50).map(weight).sum();
        let found = frequencies(Keys::Zipf { keys: 50, exponent: Number(thousandths.into()) }, 50);
        for (found, key) in found.iter().zip(1..) {
            let wanted = weight(key) / sum;
            // Five standard errors of a count among 100,000; the seed is fixed.
            let tolerance = 5.0 * libm::sqrt(wanted / 100_000.0) + 1e-5;
            assert!((found - wanted).abs() < tolerance, "{thousandths}: key {key} {found} {wanted}");
        }
    }
}

#[test]
fn uniform_keys_and_values_are_even() {
    let found = frequencies(Keys::Uniform { keys: 50 }, 50);
    assert!(found.iter().all(|found| (found - 0.02).abs() < 0.0025), "{found:?}");
    let mut drawn = Payloads::new(&payload(None), 42, "n1");
    let mut counts = [0_u32; 10];
    for n in 0..100_000 {
        counts[usize::try_from(drawn.draw(n, 0).value.unwrap() + 2).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| count.abs_diff(10_000) < 500), "{counts:?}");
}

#[test]
fn an_event_happens_before_its_send_by_the_mean_lateness() {
    let mut drawn = Payloads::new(&payload(None), 42, "n1");
    let before: Vec<_> = (0..100_000).map(|n| 5_000 - drawn.draw(n, 5_000).event_time_ns.unwrap()).collect();
    let mean = before.iter().sum::<i64>() / 100_000;
    assert!(before.iter().all(|before| *before >= 0) && mean.abs_diff(1_000_000) < 20_000, "{mean}");
}

#[test]
fn ends_in_either_order_and_the_widest_are_drawn_from() {
    for (from, to) in [(7, 7), (9, -9), (i64::MIN, i64::MAX)] {
        let payload = Payload { value: Some(Values::Uniform { from, to }), ..payload(None) };
        let mut drawn = Payloads::new(&payload, 1, "n1");
        for n in 0..100 {
            let value = drawn.draw(n, 0).value.unwrap();
            assert!((from.min(to)..=from.max(to)).contains(&value));
        }
    }
}

#[test]
fn every_content_says_the_same() {
    let carried = Carried { n: 12, key: Some(17), value: Some(-42), event_time_ns: Some(-5) };
    let said = body(Content::Json, 70, &carried);
    assert_eq!(said, br#"{"n":12,"key":"k17","value":-42,"event_time_ns":-5,"pad":".........."}"#);
    assert_eq!(body(Content::Text, 50, &carried), b"n=12 key=k17 value=-42 event_time_ns=-5 ..........");
    let binary = body(Content::Binary, 31, &carried);
    let rest = [&17_u32.to_le_bytes()[..], &(-42_i64).to_le_bytes(), &(-5_i64).to_le_bytes(), b".."].concat();
    assert_eq!(binary, [&[7_u8][..], &12_u64.to_le_bytes(), &rest].concat());
    assert_eq!(BINARY_BYTES + 2, binary.len());
}

#[test]
fn what_carries_nothing_is_filler_or_its_number() {
    let nothing = Carried { n: 3, key: None, value: None, event_time_ns: None };
    assert_eq!(body(Content::Binary, 4, &nothing), b"....");
    assert_eq!(body(Content::Binary, 0, &nothing), b"");
    assert_eq!(body(Content::Text, 0, &nothing), b"n=3");
    assert_eq!(body(Content::Json, 12, &nothing), br#"{"n":3     }"#);
}

fn any_carried() -> impl Strategy<Value = Carried> {
    let some = |n, key, value, event_time_ns| Carried { n, key, value, event_time_ns };
    (any::<u64>(), any::<Option<u32>>(), any::<Option<i64>>(), any::<Option<i64>>())
        .prop_map(move |(n, key, value, time)| some(n, key, value, time))
}

proptest! {
    #[test]
    fn a_body_is_as_long_as_asked_or_as_it_must(bytes in 0..400_usize, carried in any_carried()) {
        for content in CONTENTS {
            let least = body(content, 0, &carried).len();
            prop_assert_eq!(body(content, bytes, &carried).len(), bytes.max(least));
            prop_assert_eq!(length(content, bytes, &carried), bytes.max(least));
        }
        let mut read: Value = serde_json::from_slice(&body(Content::Json, bytes, &carried)).unwrap();
        read.as_object_mut().unwrap().remove("pad");
        let mut wanted = json!({"n": carried.n});
        if let Some(key) = carried.key {
            wanted["key"] = json!(format!("k{key}"));
        }
        if let Some(value) = carried.value {
            wanted["value"] = json!(value);
        }
        if let Some(time) = carried.event_time_ns {
            wanted["event_time_ns"] = json!(time);
        }
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn any_order_carries_the_same(order in prop::collection::vec(0..10_000_u64, 1..40), keys in 1..1_000_000_u32) {
        let payload = payload(Some(Keys::Zipf { keys, exponent: Number(1_200) }));
        let mut jumping = Payloads::new(&payload, 9, "n1");
        for n in order {
            let carried = jumping.draw(n, n);
            prop_assert_eq!(Payloads::new(&payload, 9, "n1").draw(n, n), carried);
            prop_assert!((1..=keys).contains(&carried.key.unwrap()));
        }
    }
}

#[test]
fn priorities_are_drawn_between_their_ends() {
    let drawn = |priority| {
        let mut payloads = Payloads::new(&Payload { priority, ..payload(None) }, 42, "n1");
        (0..1_000).map(|n| payloads.priority(n)).collect::<Vec<_>>()
    };
    assert!(drawn(None).iter().all(|priority| *priority == 0));
    assert!(drawn(Some(Priorities::Constant { priority: 7 })).iter().all(|priority| *priority == 7));
    let even = drawn(Some(Priorities::Uniform { from: 3, to: 1 }));
    for level in 1..=3 {
        // 333 in the mean, with a standard deviation of 15; the seed is fixed.
        let found = even.iter().filter(|priority| **priority == level).count();
        assert!((280..390).contains(&found), "{found} of {level}");
    }
    assert!(even.iter().all(|priority| (1..=3).contains(priority)));
}
