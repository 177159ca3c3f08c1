//! What a Clock frame holds: a sample of what surrounds a run.

use crate::bytes::{Malformed, Reader, put_varint, unzigzag, zigzag};

/// What was measured of a run's surroundings at one time. A value that could not be had is absent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// When, ns on the run's clock.
    pub time: i64,
    /// The values, each named by what it measures, in the order of their numbers. One that a reader does not know is kept.
    pub values: Vec<(Measure, i64)>,
}

impl Sample {
    /// The value of a measure, if it was taken.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<i64> {
        self.values.iter().find(|(found, _)| *found == measure).map(|(_, value)| *value)
    }
}

/// What a value of a [`Sample`] measures. Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Measure(pub u16);

impl Measure {
    /// How long the sample is about: the time since the one before, in ns. What follows is of that time, unless it says
    /// otherwise.
    pub const SPAN_NS: Self = Self(1);
    /// Share of the processors' time that the host of this virtual machine gave to others, in millionths.
    pub const CPU_STEAL_PPM: Self = Self(2);
    /// How long the threads of this process were ready to run and waited for a processor, all together, in ns.
    pub const RUN_DELAY_NS: Self = Self(3);
    /// How many turns on a processor they had: what the delays are of.
    pub const RUN_TURNS: Self = Self(4);
    /// How many waits the run's timer ended.
    pub const TIMER_WAITS: Self = Self(5);
    /// How late it ended them, in ns: the median.
    pub const TIMER_LATE_P50_NS: Self = Self(6);
    /// The same, the 99th percentile.
    pub const TIMER_LATE_P99_NS: Self = Self(7);
    /// The same, the worst.
    pub const TIMER_LATE_MAX_NS: Self = Self(8);
    /// Other runs of this process that were under way at the sample's time.
    pub const OTHER_RUNS: Self = Self(9);
    /// How many pieces of connections passed the networks that links have.
    pub const NETWORK_PASSED: Self = Self(10);
    /// How much later than the network wanted each passed, in ns: the median.
    pub const NETWORK_LATE_P50_NS: Self = Self(11);
    /// The same, the 99th percentile.
    pub const NETWORK_LATE_P99_NS: Self = Self(12);
    /// The same, the worst.
    pub const NETWORK_LATE_MAX_NS: Self = Self(13);
    /// Time of processors that this process and the nodes that are processes used, in ns.
    pub const CPU_NS: Self = Self(14);
    /// Of the nodes that are processes: how far the clock of that one is ahead which is farthest from this process's, in ns.
    pub const CLOCK_OFFSET_NS: Self = Self(15);
    /// By how much that may be wrong, either way.
    pub const CLOCK_UNCERTAINTY_NS: Self = Self(16);

    /// Its name in exports, if this build knows it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        MEASURES.iter().find(|(measure, _)| *measure == self).map(|(_, name)| *name)
    }
}

/// Every measure with its name, in the order of their numbers.
pub const MEASURES: [(Measure, &str); 16] = [
    (Measure::SPAN_NS, "span_ns"),
    (Measure::CPU_STEAL_PPM, "cpu_steal_ppm"),
    (Measure::RUN_DELAY_NS, "run_delay_ns"),
    (Measure::RUN_TURNS, "run_turns"),
    (Measure::TIMER_WAITS, "timer_waits"),
    (Measure::TIMER_LATE_P50_NS, "timer_late_p50_ns"),
    (Measure::TIMER_LATE_P99_NS, "timer_late_p99_ns"),
    (Measure::TIMER_LATE_MAX_NS, "timer_late_max_ns"),
    (Measure::OTHER_RUNS, "other_runs"),
    (Measure::NETWORK_PASSED, "network_passed"),
    (Measure::NETWORK_LATE_P50_NS, "network_late_p50_ns"),
    (Measure::NETWORK_LATE_P99_NS, "network_late_p99_ns"),
    (Measure::NETWORK_LATE_MAX_NS, "network_late_max_ns"),
    (Measure::CPU_NS, "cpu_ns"),
    (Measure::CLOCK_OFFSET_NS, "clock_offset_ns"),
    (Measure::CLOCK_UNCERTAINTY_NS, "clock_uncertainty_ns"),
];

pub(super) fn put_sample(out: &mut Vec<u8>, sample: &Sample) {
    put_varint(out, zigzag(sample.time.cast_unsigned()));
    put_varint(out, sample.values.len() as u64);
    for (measure, value) in &sample.values {
        put_varint(out, u64::from(measure.0));
        put_varint(out, zigzag(value.cast_unsigned()));
    }
}

pub(super) fn read_sample(reader: &mut Reader<'_>) -> Result<Sample, Malformed> {
    let time = unzigzag(reader.varint()?).cast_signed();
    let count: usize = reader.narrow()?;
    // Each takes two bytes or more: never room for more than the bytes that are left.
    let mut values: Vec<(Measure, i64)> = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let measure = Measure(reader.narrow()?);
        if values.last().is_some_and(|(before, _)| *before >= measure) {
            return Err(Malformed);
        }
        values.push((measure, unzigzag(reader.varint()?).cast_signed()));
    }
    Ok(Sample { time, values })
}
