//! What surrounded a run, at its worst: of the samples that its recording has.

use hopscope_record::frame::{Measure, Sample};

use crate::figures;

/// What stands for what no sample tells.
const NOTHING: &str = "–";

/// The worst of each figure over the samples so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Surroundings {
    /// How many samples there were.
    pub samples: u64,
    /// Share of the processors' time that the host gave to others, in millionths.
    pub cpu_steal_ppm: Option<i64>,
    /// How long a thread waited for its turn on a processor, on average over the sample, in ns.
    pub run_delay_ns: Option<i64>,
    /// How late the timer was, 99th percentile, in ns.
    pub timer_late_p99_ns: Option<i64>,
    /// How late it was at most, in ns.
    pub timer_late_max_ns: Option<i64>,
    /// Other runs of the process.
    pub other_runs: Option<i64>,
    /// How much later than asked the networks of links let bytes through, the median, in ns.
    pub network_late_p50_ns: Option<i64>,
    /// The same, 99th percentile.
    pub network_late_p99_ns: Option<i64>,
    /// The same, at most.
    pub network_late_max_ns: Option<i64>,
    /// How far the clock of a node that is a process was ahead of the server's, the farthest, in ns.
    pub clock_offset_ns: Option<i64>,
    /// By how much that may be wrong, either way.
    pub clock_uncertainty_ns: Option<i64>,
}

impl Surroundings {
    /// Takes a sample in.
    pub fn push(&mut self, sample: &Sample) {
        self.samples += 1;
        let turns = sample.get(Measure::RUN_TURNS);
        let delay = sample.get(Measure::RUN_DELAY_NS);
        let a_turn = delay.zip(turns).and_then(|(delay, turns)| delay.checked_div(turns));
        // None is less than any.
        self.cpu_steal_ppm = self.cpu_steal_ppm.max(sample.get(Measure::CPU_STEAL_PPM));
        self.run_delay_ns = self.run_delay_ns.max(a_turn);
        self.timer_late_p99_ns = self.timer_late_p99_ns.max(sample.get(Measure::TIMER_LATE_P99_NS));
        self.timer_late_max_ns = self.timer_late_max_ns.max(sample.get(Measure::TIMER_LATE_MAX_NS));
        self.other_runs = self.other_runs.max(sample.get(Measure::OTHER_RUNS));
        self.network_late_p50_ns = self.network_late_p50_ns.max(sample.get(Measure::NETWORK_LATE_P50_NS));
        self.network_late_p99_ns = self.network_late_p99_ns.max(sample.get(Measure::NETWORK_LATE_P99_NS));
        self.network_late_max_ns = self.network_late_max_ns.max(sample.get(Measure::NETWORK_LATE_MAX_NS));
        let offset = sample.get(Measure::CLOCK_OFFSET_NS);
        if offset.map(i64::unsigned_abs) > self.clock_offset_ns.map(i64::unsigned_abs) {
            self.clock_offset_ns = offset;
            self.clock_uncertainty_ns = sample.get(Measure::CLOCK_UNCERTAINTY_NS);
        }
    }

    /// The figures as people read them: the arguments of the text `surroundings.worst`.
    #[must_use]
    pub fn words(&self) -> [(&'static str, String); 6] {
        let percent = |ppm: i64| format!("{}.{} %", ppm / 10_000, ppm / 1_000 % 10);
        [
            ("samples", figures::whole(self.samples)),
            ("steal", self.cpu_steal_ppm.map_or_else(|| NOTHING.to_owned(), percent)),
            ("delay", length(self.run_delay_ns)),
            ("p99", length(self.timer_late_p99_ns)),
            ("max", length(self.timer_late_max_ns)),
            ("others", self.other_runs.map_or_else(|| NOTHING.to_owned(), |runs| runs.to_string())),
        ]
    }

    /// How late the links' networks were, as people read it: the arguments of the text `surroundings.network`; `None` where
    /// nothing passed any.
    #[must_use]
    pub fn network_words(&self) -> Option<[(&'static str, String); 3]> {
        self.network_late_max_ns?;
        Some([
            ("p50", length(self.network_late_p50_ns)),
            ("p99", length(self.network_late_p99_ns)),
            ("max", length(self.network_late_max_ns)),
        ])
    }

    /// How far apart the clocks of processes were, as people read it: the arguments of the text `surroundings.clocks`; `None`
    /// where no node is a process.
    #[must_use]
    pub fn clock_words(&self) -> Option<[(&'static str, String); 2]> {
        let offset = self.clock_offset_ns?;
        let sign = if offset < 0 { "−" } else { "" };
        let apart = figures::duration(i64::try_from(offset.unsigned_abs()).unwrap_or(i64::MAX));
        Some([("offset", format!("{sign}{apart}")), ("uncertainty", length(self.clock_uncertainty_ns))])
    }
}

fn length(ns: Option<i64>) -> String {
    ns.map_or_else(|| NOTHING.to_owned(), figures::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_each_is_told() {
        let mut surroundings = Surroundings::default();
        assert!(surroundings.words()[1..].iter().all(|(_, word)| word == NOTHING));
        surroundings.push(&Sample { time: 0, values: vec![(Measure::OTHER_RUNS, 0)] });
        for (steal, delay, turns) in [(3_100, 9_000, 3), (41_999, 1_000, 1), (0, 0, 0)] {
            let values = vec![
                (Measure::CPU_STEAL_PPM, steal),
                (Measure::RUN_DELAY_NS, delay),
                (Measure::RUN_TURNS, turns),
                (Measure::TIMER_LATE_P99_NS, delay * 10),
                (Measure::OTHER_RUNS, turns),
            ];
            surroundings.push(&Sample { time: 1, values });
        }
        assert_eq!(surroundings.network_words(), None);
        for late in [4_000, 9_000] {
            let values = [Measure::NETWORK_LATE_P50_NS, Measure::NETWORK_LATE_P99_NS, Measure::NETWORK_LATE_MAX_NS];
            let values = values.into_iter().zip([late, late * 2, late * 3]).collect();
            surroundings.push(&Sample { time: 2, values });
        }
        let network = surroundings.network_words().unwrap().map(|(_, word)| word);
        assert_eq!(network, ["9.00 µs", "18.0 µs", "27.0 µs"]);
        assert_eq!(surroundings.clock_words(), None);
        for (offset, uncertainty) in [(800, 9_000), (-4_000, 20_000), (100, 1_000)] {
            let values = vec![(Measure::CLOCK_OFFSET_NS, offset), (Measure::CLOCK_UNCERTAINTY_NS, uncertainty)];
            surroundings.push(&Sample { time: 3, values });
        }
        let clocks = surroundings.clock_words().unwrap().map(|(_, word)| word);
        assert_eq!(clocks, ["−4.00 µs", "20.0 µs"], "the farthest, with its own uncertainty");
        let words = surroundings.words().map(|(_, word)| word);
        assert_eq!(words, ["9", "4.1 %", "3.00 µs", "90.0 µs", "–", "3"]);
    }
}
