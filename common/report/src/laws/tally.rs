//! Counts of what holds and what breaks each law.

use hopscope_scenario::catalogue::{Arg, Args, Key};

use super::{Breach, LAWS, Law, LawReport, MOST_BREACHES};

/// The accounts of all laws.
#[derive(Clone)]
pub(super) struct Book {
    /// In the order of [`LAWS`], which is that of the variants.
    reports: Vec<LawReport>,
    /// Why part of a recording is free of a law.
    free: Vec<(Law, Key)>,
}

impl Default for Book {
    fn default() -> Self {
        Self { reports: LAWS.iter().map(|law| empty(*law)).collect(), free: Vec::new() }
    }
}

const fn empty(law: Law) -> LawReport {
    LawReport { law, held: 0, broken: 0, undecided: 0, breaches: Vec::new(), not_applicable: None }
}

impl Book {
    pub(super) fn held(&mut self, law: Law, count: u64) {
        self.with(law, |report| report.held += count);
    }

    pub(super) fn undecided(&mut self, law: Law, count: u64) {
        self.with(law, |report| report.undecided += count);
    }

    /// The law says nothing about the recording.
    pub(super) fn not_applicable(&mut self, law: Law, reason: Key) {
        self.with(law, |report| *report = LawReport { not_applicable: Some(reason), ..empty(law) });
    }

    /// The law says nothing about a part of the recording; if there is no other part, about all of it.
    pub(super) fn free(&mut self, law: Law, reason: Key) {
        self.free.push((law, reason));
    }

    /// Counts one that breaks the law; `breach` is made only if it is still told.
    pub(super) fn broken(&mut self, law: Law, breach: impl FnOnce() -> Breach) {
        self.broken_by(law, 1, breach);
    }

    /// Counts so many that break the law in one way.
    pub(super) fn broken_by(&mut self, law: Law, count: u64, breach: impl FnOnce() -> Breach) {
        self.with(law, |report| {
            report.broken += count;
            if count > 0 && report.breaches.len() < MOST_BREACHES {
                report.breaches.push(breach());
            }
        });
    }

    /// Counts so many more that break the law and are not told.
    pub(super) fn more_broken(&mut self, law: Law, count: u64) {
        self.with(law, |report| report.broken += count);
    }

    pub(super) fn reports(mut self) -> Vec<LawReport> {
        for (law, reason) in std::mem::take(&mut self.free) {
            self.with(law, |report| {
                if report.checked() == 0 && report.undecided == 0 {
                    report.not_applicable = Some(reason);
                }
            });
        }
        self.reports
    }

    fn with(&mut self, law: Law, change: impl FnOnce(&mut LawReport)) {
        // Every law has its row: Default made one for each.
        if let Some(report) = self.reports.get_mut(law as usize) {
            change(report);
        }
    }
}

/// Arguments of a text.
pub(super) fn args<const N: usize>(args: [(&str, String); N]) -> Args {
    let mut named = Args::new();
    named.extend(args.into_iter().map(|(name, value)| (name.to_owned(), Arg::from(value))));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_stands_in_its_row() {
        for (row, law) in LAWS.iter().enumerate() {
            assert_eq!(*law as usize, row);
        }
    }
}
