//! Counts of what holds and what breaks each law.

use hopscope_scenario::catalogue::{Arg, Args, Key};

use super::{Breach, LAWS, Law, LawReport, MOST_BREACHES};

/// The accounts of all laws.
#[derive(Clone)]
pub(super) struct Book {
    /// In the order of [`LAWS`].
    reports: Vec<LawReport>,
}

impl Default for Book {
    fn default() -> Self {
        let empty = |law: &Law| LawReport {
            law: *law,
            held: 0,
            broken: 0,
            undecided: 0,
            breaches: Vec::new(),
            not_applicable: None,
        };
        Self { reports: LAWS.iter().map(empty).collect() }
    }
}

impl Book {
    pub(super) fn held(&mut self, law: Law, count: u64) {
        self.with(law, |report| report.held += count);
    }

    pub(super) fn undecided(&mut self, law: Law, count: u64) {
        self.with(law, |report| report.undecided += count);
    }

    pub(super) fn not_applicable(&mut self, law: Law, reason: Key) {
        self.with(law, |report| report.not_applicable = Some(reason));
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

    pub(super) fn reports(self) -> Vec<LawReport> {
        self.reports
    }

    fn with(&mut self, law: Law, change: impl FnOnce(&mut LawReport)) {
        // Every law has its row: Default made one for each.
        if let Some(report) = self.reports.iter_mut().find(|report| report.law == law) {
            change(report);
        }
    }
}

/// Arguments of a text.
pub(super) fn args<const N: usize>(args: [(&str, String); N]) -> Args {
    args.into_iter().map(|(name, value)| (name.to_owned(), Arg::from(value))).collect()
}
