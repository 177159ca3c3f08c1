use std::borrow::Cow;

use super::*;

fn estimate(lengths: impl IntoIterator<Item = i64>, part: Part) -> Estimate {
    let mut latency = Latency::default();
    lengths.into_iter().for_each(|ns| latency.record(ns));
    Estimate::of(&Measured::Length(Cow::Owned(latency), part)).unwrap()
}

/// A generator good enough for coverage (G. Marsaglia, Xorshift RNGs, 2003), evenly in (0, 1).
fn draws() -> impl FnMut() -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 + f64::MIN_POSITIVE
    }
}

#[test]
fn a_percentiles_interval_has_the_true_one_as_often_as_it_says() {
    let mut draw = draws();
    // Exponential with a mean of 1 ms: the true percentile is -ln(1 - p) ms.
    for (part, p) in [(Part::P50, 0.5_f64), (Part::P90, 0.9), (Part::P99, 0.99)] {
        let truth = -(1.0 - p).ln() * 1e6;
        let hits = (0..1_000).filter(|_| {
            let found = estimate((0..2_000).map(|_| (-draw().ln() * 1e6) as i64), part);
            (found.low..=found.high).contains(&truth)
        });
        let hits = hits.count();
        assert!(hits >= 965, "{part:?}: {hits} of 1,000");
    }
}

#[test]
fn what_is_too_little_has_no_upper_end() {
    let few = estimate((1..=100).map(|ms| ms * 1_000_000), Part::P99);
    assert_eq!((few.high, few.low > 0.0), (f64::INFINITY, true));
    assert_eq!(estimate([5], Part::P50), Estimate { figure: 5.0, low: 0.0, high: f64::INFINITY });
}

#[test]
fn a_change_lies_between_the_quotients_of_the_ends() {
    let before = Estimate { figure: 100.0, low: 90.0, high: 110.0 };
    let after = Estimate { figure: 120.0, low: 115.5, high: 126.0 };
    let change = before.to(after);
    for (found, wanted) in [(change.by, 0.2), (change.from, 0.05), (change.to, 0.4)] {
        assert!((found - wanted).abs() < 1e-9, "{change:?}");
    }
    let none = Estimate { figure: 0.0, low: 0.0, high: 0.001 };
    assert_eq!(none.to(none).by, 0.0);
    assert_eq!((none.to(none).from, none.to(none).to), (-1.0, f64::INFINITY));
}

#[test]
fn a_limit_is_read_and_judged_by_both_ends() {
    let limit = Limit::parse("buyers->shop: answered.p99 > +10%").unwrap();
    assert_eq!(
        limit,
        Limit {
            on: Some("buyers->shop".to_owned()),
            metric: Metric::Answered(Part::P99),
            op: Comparison::Above,
            by: 0.1
        }
    );
    let change = |from, to| Change { by: 0.0, from, to };
    assert_eq!(limit.judge(change(0.11, 0.5)), Verdict::Failed);
    assert_eq!(limit.judge(change(-0.5, 0.1)), Verdict::Passed);
    assert_eq!(limit.judge(change(0.05, 0.15)), Verdict::Undecided);
    let limit = Limit::parse("throughput<=-5 %").unwrap();
    assert_eq!((limit.on.as_deref(), limit.op, limit.by), (None, Comparison::AtMost, -0.05));
    assert_eq!(limit.judge(change(-0.2, -0.05)), Verdict::Failed);
    for text in [
        "",
        "answered.p99",
        "answered.p99 > 10",
        "answered.max > +10%",
        "happiness > +1%",
        "late > +1%",
        "answered.p99 = +1%",
    ] {
        assert_eq!(Limit::parse(text), None, "{text}");
    }
}

#[test]
fn a_change_that_rounds_to_nothing_has_no_sign_of_its_own() {
    let change = |by| Change { by, from: -0.104, to: f64::INFINITY };
    assert_eq!(change(-0.000_1).words(), "+0.0 %");
    assert_eq!((change(0.25).words(), change(0.25).interval()), ("+25.0 %".to_owned(), "-10.4 % … ∞".to_owned()));
}
