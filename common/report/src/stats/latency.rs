//! A distribution of lengths of time.

use hdrhistogram::Histogram;

/// Digits that a percentile is exact to: 3, that is to 0.1 %.
const DIGITS: u8 = 3;

/// Lengths of time in ns: how many, and their percentiles to three digits (a histogram of the HDR kind: G. Tene,
/// HdrHistogram). Takes no memory until the first one.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    histogram: Option<Histogram<u64>>,
    least: u64,
    most: u64,
}

impl Latency {
    /// Takes one. A negative one, of a recording whose clocks are wrong, counts as 0.
    pub fn record(&mut self, ns: i64) {
        let ns = u64::try_from(ns).unwrap_or(0);
        let first = self.count() == 0;
        if self.histogram.is_none() {
            // Fails only for more digits than five.
            self.histogram = Histogram::new(DIGITS).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            // It grows by itself as far as any i64 needs.
            let _ = histogram.record(ns);
        }
        self.least = if first { ns } else { self.least.min(ns) };
        self.most = self.most.max(ns);
    }

    /// Takes all that another has.
    pub(super) fn add(&mut self, other: &Self) {
        let Some(theirs) = &other.histogram else { return };
        match &mut self.histogram {
            // Fails only where one cannot grow, and both can.
            Some(ours) => {
                let _ = ours.add(theirs);
            }
            None => self.histogram = Some(theirs.clone()),
        }
        self.least = if self.count() == other.count() { other.least } else { self.least.min(other.least) };
        self.most = self.most.max(other.most);
    }

    /// How many there are: the denominator of every figure here.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// The least length that a share of at least `percent` of them do not exceed, in ns; `None` without any.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<u64> {
        let histogram = self.histogram.as_ref()?;
        // The histogram answers with the upper end of a step.
        Some(histogram.value_at_percentile(percent).clamp(self.least, self.most))
    }

    /// The shortest, exactly, in ns.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.least)
    }

    /// The longest, exactly, in ns.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_three_digits() {
        let mut latency = Latency::default();
        assert_eq!((latency.count(), latency.percentile(50.0), latency.min(), latency.max()), (0, None, None, None));
        for ms in (1..=1_000).rev() {
            latency.record(ms * 1_000_000);
        }
        for (percent, ms) in [(50.0, 500.0), (90.0, 900.0), (99.0, 990.0)] {
            let found = latency.percentile(percent).unwrap() as f64 / 1e6;
            assert!((found / ms - 1.0).abs() < 0.002, "p{percent}: {found}");
        }
        let ends = (latency.count(), latency.min(), latency.percentile(100.0), latency.max());
        assert_eq!(ends, (1_000, Some(1_000_000), Some(1_000_000_000), Some(1_000_000_000)));
    }

    #[test]
    fn any_length_counts() {
        let mut latency = Latency::default();
        for ns in [-1, 0, 1, i64::MAX] {
            latency.record(ns);
        }
        assert_eq!((latency.count(), latency.min(), latency.max()), (4, Some(0), Some(i64::MAX.unsigned_abs())));
    }

    #[test]
    fn sums_have_all_of_both() {
        let (mut one, mut other) = (Latency::default(), Latency::default());
        one.record(10);
        other.record(5);
        other.record(3_000_000_000);
        let mut sum = Latency::default();
        sum.add(&one);
        sum.add(&other);
        sum.add(&Latency::default());
        assert_eq!((sum.count(), sum.min(), sum.max()), (3, Some(5), Some(3_000_000_000)));
        assert_eq!(sum.percentile(50.0), Some(10));
    }
}
