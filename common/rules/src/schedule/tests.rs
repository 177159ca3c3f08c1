use hopscope_scenario::quantity::Rate;
use proptest::prelude::*;

use super::*;

fn constant(rate: &str, count: Option<u64>) -> Load {
    Load::Constant(ConstantLoad { rate: rate.parse().unwrap(), in_flight: 1, count })
}

#[test]
fn twenty_a_second_is_one_every_fifty_milliseconds() {
    let times: Vec<_> = Schedule::new(&constant("20/s", None), Time(200_000_000)).map(|i| i.at_ns).collect();
    assert_eq!(times, [0, 50_000_000, 100_000_000, 150_000_000], "the end itself is outside");
}

#[test]
fn a_third_of_a_second_does_not_drift() {
    let hour = Time(3_600_000_000_000);
    let sends: Vec<_> = Schedule::new(&constant("3/s", None), hour).collect();
    assert_eq!(sends.len(), 10_800);
    assert_eq!(sends[1], Intended { n: 1, at_ns: 333_333_333 });
    assert_eq!(sends[3].at_ns, 1_000_000_000);
    assert_eq!(sends[10_797].at_ns, 3_599_000_000_000);
}

#[test]
fn a_count_ends_the_load_before_its_time() {
    let mut schedule = Schedule::new(&constant("1000/s", Some(3)), Time(1_000_000_000));
    assert_eq!(schedule.by_ref().count(), 3);
    assert_eq!(schedule.next(), None);
}

#[test]
fn chunks_join_into_the_same_schedule() {
    let load = constant("7/s", Some(100));
    let whole: Vec<_> = Schedule::new(&load, Time(60_000_000_000)).collect();
    let mut schedule = Schedule::new(&load, Time(60_000_000_000));
    let mut chunks = Vec::new();
    while schedule.fill(16, &mut chunks) == 16 {}
    assert_eq!(chunks, whole);
    assert_eq!(schedule.fill(16, &mut chunks), 0);
}

#[test]
fn the_cap_holds_and_frees() {
    let mut flight = InFlight::new(2);
    assert_eq!(
        [flight.begin(), flight.begin(), flight.begin()],
        [Admission::Send, Admission::Send, Admission::NotSent]
    );
    assert_eq!(flight.now(), 2);
    flight.end();
    assert_eq!(flight.begin(), Admission::Send);
    for _ in 0..5 {
        flight.end();
    }
    assert_eq!(flight.now(), 0);
}

proptest! {
    #[test]
    fn times_never_fall_and_are_exact(rate in 1..=100_000_000_000_u64, skip in 0..1_000_000_u64) {
        let load = Load::Constant(ConstantLoad { rate: Rate(rate), in_flight: 1, count: None });
        let mut schedule = Schedule::new(&load, Time(u64::MAX));
        schedule.next = skip;
        let mut last = None;
        for intended in schedule.take(50) {
            // floor(n * 10^15 / rate) = at, stated by multiplication.
            let (at, n, rate) = (u128::from(intended.at_ns), u128::from(intended.n), u128::from(rate));
            prop_assert!(at * rate <= n * NS_TIMES_RATE_UNITS && n * NS_TIMES_RATE_UNITS < (at + 1) * rate);
            prop_assert!(last.is_none_or(|last| last <= intended.at_ns));
            last = Some(intended.at_ns);
        }
    }

    #[test]
    fn any_load_and_duration_end_in_bounds(rate: u64, duration in 0..10_000_000_u64, count in 0..2_000_u64) {
        let load = Load::Constant(ConstantLoad { rate: Rate(rate), in_flight: 1, count: Some(count) });
        let sends: Vec<_> = Schedule::new(&load, Time(duration)).collect();
        prop_assert!(sends.len() as u64 <= count);
        prop_assert!(sends.iter().all(|intended| intended.at_ns < duration));
    }
}
