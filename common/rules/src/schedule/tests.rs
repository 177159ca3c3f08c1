use hopscope_scenario::model::OpenLoad;
use hopscope_scenario::quantity::Rate;
use proptest::prelude::*;

use super::*;
use crate::draw::Purpose;

fn schedule(load: &Load, duration: Time) -> Schedule {
    Schedule::new(load, duration, Draws::new(42, "n1", Purpose::Arrivals))
}

fn poisson(rate: &str, count: Option<u64>) -> Load {
    Load::Poisson(OpenLoad { rate: rate.parse().unwrap(), in_flight: 1, count })
}

/// The golden schedule: a change here changes every seed's runs.
#[test]
fn a_seed_has_always_the_same_arrivals() {
    let times: Vec<_> = schedule(&poisson("1000/s", Some(5)), Time(1_000_000_000)).map(|i| i.at_ns).collect();
    assert_eq!(times, GOLDEN);
}

const GOLDEN: [u64; 5] = [890_551, 923_733, 1_731_647, 5_763_148, 6_101_340];

#[test]
fn poisson_arrivals_come_at_their_rate_and_as_scattered_as_they_should() {
    let minute = Time(60_000_000_000);
    let sends: Vec<_> = schedule(&poisson("1000/s", None), minute).collect();
    // 60,000 in the mean, with a standard deviation of 245; the seed is fixed.
    assert!((59_000..61_000).contains(&sends.len()), "{}", sends.len());
    let mut counts = vec![0_i64; 6_000];
    for send in &sends {
        counts[usize::try_from(send.at_ns / 10_000_000).unwrap()] += 1;
    }
    // Counts in windows of 10 ms have their mean as variance (Kingman, "Poisson Processes", 1993, section 2.1).
    let variance: i64 = counts.iter().map(|count| (count - 10) * (count - 10)).sum::<i64>() / 6_000;
    assert!((9..=11).contains(&variance), "{variance}");
}

fn constant(rate: &str, count: Option<u64>) -> Load {
    Load::Constant(OpenLoad { rate: rate.parse().unwrap(), in_flight: 1, count })
}

#[test]
fn twenty_a_second_is_one_every_fifty_milliseconds() {
    let times: Vec<_> = schedule(&constant("20/s", None), Time(200_000_000)).map(|i| i.at_ns).collect();
    assert_eq!(times, [0, 50_000_000, 100_000_000, 150_000_000], "the end itself is outside");
}

#[test]
fn a_third_of_a_second_does_not_drift() {
    let hour = Time(3_600_000_000_000);
    let sends: Vec<_> = schedule(&constant("3/s", None), hour).collect();
    assert_eq!(sends.len(), 10_800);
    assert_eq!(sends[1], Intended { n: 1, at_ns: 333_333_333 });
    assert_eq!(sends[3].at_ns, 1_000_000_000);
    assert_eq!(sends[10_797].at_ns, 3_599_000_000_000);
}

#[test]
fn a_count_ends_the_load_before_its_time() {
    let mut sends = schedule(&constant("1000/s", Some(3)), Time(1_000_000_000));
    assert_eq!(sends.by_ref().count(), 3);
    assert_eq!(sends.next(), None);
}

#[test]
fn chunks_join_into_the_same_schedule() {
    let load = constant("7/s", Some(100));
    let whole: Vec<_> = schedule(&load, Time(60_000_000_000)).collect();
    let mut sends = schedule(&load, Time(60_000_000_000));
    let mut chunks = Vec::new();
    while sends.fill(16, &mut chunks) == 16 {}
    assert_eq!(chunks, whole);
    assert_eq!(sends.fill(16, &mut chunks), 0);
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
        let load = Load::Constant(OpenLoad { rate: Rate(rate), in_flight: 1, count: None });
        let mut sends = schedule(&load, Time(u64::MAX));
        sends.next = skip;
        let mut last = None;
        for intended in sends.take(50) {
            // floor(n * 10^15 / rate) = at, stated by multiplication.
            let (at, n, rate) = (u128::from(intended.at_ns), u128::from(intended.n), u128::from(rate));
            prop_assert!(at * rate <= n * NS_TIMES_RATE_UNITS && n * NS_TIMES_RATE_UNITS < (at + 1) * rate);
            prop_assert!(last.is_none_or(|last| last <= intended.at_ns));
            last = Some(intended.at_ns);
        }
    }

    #[test]
    fn any_load_and_duration_end_in_bounds(
        rate: u64, duration in 0..10_000_000_u64, count in 0..2_000_u64, even: bool,
    ) {
        let open = OpenLoad { rate: Rate(rate), in_flight: 1, count: Some(count) };
        let load = if even { Load::Constant(open) } else { Load::Poisson(open) };
        let sends: Vec<_> = schedule(&load, Time(duration)).collect();
        prop_assert!(sends.len() as u64 <= count);
        prop_assert!(sends.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
        prop_assert!(sends.iter().all(|intended| intended.at_ns < duration));
    }
}
