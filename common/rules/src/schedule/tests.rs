use hopscope_scenario::model::{Arrivals, Bursts, Closed, OpenLoad, Ramp, Work};
use hopscope_scenario::quantity::Rate;
use proptest::prelude::*;

use super::course::NS_TIMES_RATE_UNITS;
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

fn times(load: &Load, duration: Time) -> Vec<u64> {
    schedule(load, duration).map(|intended| intended.at_ns).collect()
}

const SECOND: u64 = 1_000_000_000;

fn bursts(rate: &str, on: &str, off: &str, arrivals: Arrivals) -> Load {
    let [on, off] = [on, off].map(|time| time.parse().unwrap());
    Load::Bursts(Bursts { rate: rate.parse().unwrap(), on, off, arrivals, in_flight: 1, count: None })
}

fn ramp(from: &str, to: &str, over: &str, arrivals: Arrivals) -> Load {
    let [from, to] = [from, to].map(|rate| rate.parse().unwrap());
    Load::Ramp(Ramp { from, to, over: over.parse().unwrap(), arrivals, in_flight: 1, count: None })
}

#[test]
fn even_bursts_are_a_constant_load_with_pauses() {
    let load = bursts("4/s", "500 ms", "2 s", Arrivals::Even);
    let ms: Vec<_> = times(&load, Time(6 * SECOND)).iter().map(|at| at / 1_000_000).collect();
    assert_eq!(ms, [0, 250, 2_500, 2_750, 5_000, 5_250]);
}

#[test]
fn a_burst_begins_where_its_rate_has_it_and_not_anew() {
    let load = bursts("3/s", "500 ms", "500 ms", Arrivals::Even);
    let ms: Vec<_> = times(&load, Time(3 * SECOND)).iter().map(|at| at / 1_000_000).collect();
    assert_eq!(ms, [0, 333, 1_166, 2_000, 2_333]);
}

/// The golden schedules of loads whose rate changes: a change here changes every seed's runs.
#[test]
fn a_seed_has_always_the_same_bursts_and_ramps() {
    let first = |load: &Load| times(load, Time(60 * SECOND)).into_iter().take(5).collect::<Vec<_>>();
    assert_eq!(first(&bursts("1000/s", "2 ms", "10 ms", Arrivals::Poisson)), BURSTS);
    assert_eq!(first(&ramp("0/s", "1000/s", "1 s", Arrivals::Poisson)), RAMP);
}

const BURSTS: [u64; 5] = [890_551, 923_733, 1_731_647, 25_763_148, 36_101_340];
const RAMP: [u64; 5] = [42_203_110, 42_982_163, 58_849_753, 107_360_581, 110_465_734];

#[test]
fn an_even_ramp_wants_each_when_the_rate_has_added_up_to_it() {
    // r(t) = 8 t per second for 2 s, which adds up to 4 t², 16 over the ramp; then 16/s.
    let load = ramp("0/s", "16/s", "2 s", Arrivals::Even);
    let found = times(&load, Time(2_200_000_000));
    assert_eq!(found.len(), 20);
    for (at, n) in found.iter().zip(0_u32..) {
        let n = f64::from(n);
        let expected = if n < 16.0 { libm::sqrt(n / 4.0) } else { 2.0 + (n - 16.0) / 16.0 };
        #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
        let off = *at as f64 - expected * 1e9;
        assert!((-1.5..=0.5).contains(&off), "{n} at {at}, {off} ns off");
    }
}

#[test]
fn a_ramp_between_equal_rates_is_constant() {
    let found = times(&ramp("50/s", "50/s", "1 s", Arrivals::Even), Time(2 * SECOND));
    let expected = times(&constant("50/s", None), Time(2 * SECOND));
    assert_eq!(found.len(), 100);
    assert!(found.iter().zip(&expected).all(|(found, expected)| found.abs_diff(*expected) <= 1), "{found:?}");
}

#[test]
fn a_ramp_downwards_grows_thinner() {
    let found = times(&ramp("1000/s", "0.001/s", "10 s", Arrivals::Poisson), Time(10 * SECOND));
    // 5,000 in the mean, three quarters in the first half, with standard deviations of 71 and 31; the seed is fixed.
    assert!((4_650..5_350).contains(&found.len()), "{}", found.len());
    let early = found.iter().filter(|at| **at < 5 * SECOND).count() * 1_000 / found.len();
    assert!((720..780).contains(&early), "{early}");
}

#[test]
fn the_mean_rate_is_what_is_wanted_over_the_time() {
    let per_s =
        |load: &Load, seconds: u64| mean_rate(load, Time(0), Time(seconds * SECOND)).map(|rate| rate.to_string());
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(per_s(&constant("20/s", None), 3), said("20/s"));
    let load = bursts("100/s", "1 s", "3 s", Arrivals::Poisson);
    assert_eq!([per_s(&load, 1), per_s(&load, 4), per_s(&load, 8)], [said("100/s"), said("25/s"), said("25/s")]);
    let load = ramp("0/s", "100/s", "10 s", Arrivals::Even);
    assert_eq!([per_s(&load, 5), per_s(&load, 10), per_s(&load, 20)], [said("25/s"), said("50/s"), said("75/s")]);
    let between =
        |from: u64, to: u64| mean_rate(&load, Time(from * SECOND), Time(to * SECOND)).map(|rate| rate.to_string());
    assert_eq!([between(5, 10), between(10, 20)], [said("75/s"), said("100/s")]);
    assert_eq!([between(0, 0), between(5, 4)], [None, None]);
}

#[test]
fn a_closed_load_has_no_schedule() {
    let closed = Load::Closed(Closed { users: 3, think: Work::Constant { mean: Time(1) }, count: None });
    assert!(times(&closed, Time(SECOND)).is_empty());
    assert_eq!(mean_rate(&closed, Time(0), Time(SECOND)), None);
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
        rate: u64, other: u64, duration in 0..10_000_000_u64, count in 0..2_000_u64, even: bool, kind in 0..3_u8,
        on: u64, off: u64,
    ) {
        let arrivals = if even { Arrivals::Even } else { Arrivals::Poisson };
        let (rate, count, in_flight) = (Rate(rate), Some(count), 1);
        let load = match kind {
            0 if even => Load::Constant(OpenLoad { rate, in_flight, count }),
            0 => Load::Poisson(OpenLoad { rate, in_flight, count }),
            1 => Load::Bursts(Bursts { rate, on: Time(on), off: Time(off), arrivals, in_flight, count }),
            _ => Load::Ramp(Ramp { from: rate, to: Rate(other), over: Time(on), arrivals, in_flight, count }),
        };
        let count = count.unwrap_or_default();
        let sends: Vec<_> = schedule(&load, Time(duration)).collect();
        prop_assert!(sends.len() as u64 <= count);
        prop_assert!(sends.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
        prop_assert!(sends.iter().all(|intended| intended.at_ns < duration));
    }
}
