//! How long traces take: over the time of the run, and as a distribution.
//!
//! Percentiles are by rank (the least length that so large a share of all do not exceed), exact.

#[cfg(test)]
mod tests;

/// How long one trace took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// When it was wanted, in ns on the run's clock.
    pub began: i64,
    /// How long it took, in ns.
    pub took: i64,
}

/// Three percentiles of some lengths, in ns, and how many lengths those are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranks {
    /// Of how many.
    pub count: usize,
    /// The median.
    pub p50: i64,
    /// Nine in ten take no longer.
    pub p90: i64,
    /// Ninety-nine in a hundred take no longer.
    pub p99: i64,
}

/// What the charts show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Of all.
    pub all: Ranks,
    /// The longest, in ns.
    pub most: i64,
    /// The traces wanted in each of so many equal stretches of the run's time.
    pub stretches: Vec<Ranks>,
    /// How many took so long: bars of equal width between the shortest and the longest, on a logarithmic scale.
    pub bars: Vec<usize>,
    /// The shortest, in ns: where the first bar begins.
    pub least: i64,
}

impl Ranks {
    /// Of lengths in any order, which is another afterwards. Takes time in proportion to their number: a live run asks for it
    /// several times a second.
    fn of(lengths: &mut [i64]) -> Self {
        let count = lengths.len();
        let mut rank = |percent: usize| {
            let rank = (count * percent).div_ceil(100).saturating_sub(1);
            if rank < count { *lengths.select_nth_unstable(rank).1 } else { 0 }
        };
        Self { count, p50: rank(50), p90: rank(90), p99: rank(99) }
    }
}

impl Course {
    /// Of these traces; `extent` is the run's time from its first to its last instant, drawn in so many stretches, and the
    /// distribution in so many bars.
    #[must_use]
    pub fn of(lengths: impl Iterator<Item = Length>, extent: (i64, i64), stretches: usize, bars: usize) -> Self {
        let (from, to) = extent;
        let mut all = Vec::new();
        let mut parts = vec![Vec::new(); stretches];
        for Length { began, took } in lengths {
            let took = took.max(0);
            all.push(took);
            if let Some(part) = part_of(began, from, to, stretches).and_then(|part| parts.get_mut(part)) {
                part.push(took);
            }
        }
        let ranks = Ranks::of(&mut all);
        let (least, most) = (all.iter().copied().min().unwrap_or(0), all.iter().copied().max().unwrap_or(0));
        let mut counts = vec![0; bars];
        for took in &all {
            if let Some(bar) = bar_of(*took, least, most, bars).and_then(|bar| counts.get_mut(bar)) {
                *bar += 1;
            }
        }
        Self {
            all: ranks,
            most,
            stretches: parts.iter_mut().map(|part| Ranks::of(part)).collect(),
            bars: counts,
            least,
        }
    }

    /// Where a length stands among the bars, from 0 at the left end to 1 at the right one.
    #[must_use]
    pub fn position(&self, took: i64) -> f64 {
        scaled(took, self.least, self.most)
    }
}

/// The stretch that an instant is in; the last one has its end too.
fn part_of(at: i64, from: i64, to: i64, parts: usize) -> Option<usize> {
    let share = (at - from) as f64 / (to - from).max(1) as f64;
    (0.0..=1.0).contains(&share).then(|| ((share * parts as f64) as usize).min(parts.saturating_sub(1)))
}

fn bar_of(took: i64, least: i64, most: i64, bars: usize) -> Option<usize> {
    let last = bars.checked_sub(1)?;
    Some(((scaled(took, least, most) * bars as f64) as usize).min(last))
}

/// A length between two others on a logarithmic scale, 0 to 1; where all are alike, in the middle.
fn scaled(took: i64, least: i64, most: i64) -> f64 {
    let log = |ns: i64| (ns.max(1) as f64).ln();
    let whole = log(most) - log(least);
    if whole > 0.0 { ((log(took) - log(least)) / whole).clamp(0.0, 1.0) } else { 0.5 }
}
