//! Texts that turn up during a run, such as an error's: interned to rows, which the Names frames carry.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hopscope_record::NameIndex;

/// Most texts that one run keeps, names of keys apart; later ones count as none.
const MOST: usize = 4096;

/// Most names of keys that one run keeps: as many as a scenario may have.
const MOST_KEYS: usize = 1 << 20;

/// Most bytes of one text; longer ones are cut.
pub(super) const LONGEST: usize = 512;

/// The run's append-only list of strings.
#[derive(Default)]
pub(super) struct Names {
    inner: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    rows: HashMap<String, NameIndex>,
    /// How many of the rows are names of keys.
    keys: usize,
    /// Rows that no Names frame has carried yet, in order.
    fresh: Vec<String>,
}

impl Names {
    /// The text as an event's value: its row + 1, or 0 when the run keeps no more.
    pub(super) fn intern(&self, text: &str) -> u64 {
        let mut table = self.lock();
        let full = table.rows.len() - table.keys >= MOST;
        table.intern(cut(text), full)
    }

    /// As [`Names::intern`]; tells of texts that are new before anybody has their rows.
    pub(super) fn intern_and(&self, text: &str, tell: impl FnOnce(&[String])) -> u64 {
        let mut table = self.lock();
        let full = table.rows.len() - table.keys >= MOST;
        let value = table.intern(cut(text), full);
        if !table.fresh.is_empty() {
            tell(&std::mem::take(&mut table.fresh));
        }
        value
    }

    /// The name of a key's number, likewise.
    pub(super) fn key(&self, number: u32) -> u64 {
        let mut table = self.lock();
        let (before, full) = (table.rows.len(), table.keys >= MOST_KEYS);
        let value = table.intern(&format!("k{number}"), full);
        table.keys += table.rows.len() - before;
        value
    }

    /// Takes the texts that are new since the last call, with the row of the first.
    pub(super) fn take_fresh(&self) -> (NameIndex, Vec<String>) {
        let mut table = self.lock();
        let fresh = std::mem::take(&mut table.fresh);
        let first = table.rows.len() - fresh.len();
        (NameIndex(u32::try_from(first).unwrap_or(u32::MAX)), fresh)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn intern(&mut self, text: &str, full: bool) -> u64 {
        if let Some(row) = self.rows.get(text) {
            return NameIndex::to_value(Some(*row));
        }
        let Some(row) = u32::try_from(self.rows.len()).ok().filter(|_| !full) else { return 0 };
        self.rows.insert(text.to_owned(), NameIndex(row));
        self.fresh.push(text.to_owned());
        NameIndex::to_value(Some(NameIndex(row)))
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.split_at(end).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_row_and_is_handed_over_once() {
        let names = Names::default();
        assert_eq!((names.intern("reset"), names.intern("refused"), names.intern("reset")), (1, 2, 1));
        assert_eq!(names.take_fresh(), (NameIndex(0), vec!["reset".to_owned(), "refused".to_owned()]));
        assert_eq!(names.intern("closed"), 3);
        assert_eq!(names.take_fresh(), (NameIndex(2), vec!["closed".to_owned()]));
        assert_eq!(names.take_fresh().1, Vec::<String>::new());
    }

    #[test]
    fn keys_have_names_beside_the_texts() {
        let names = Names::default();
        assert_eq!((names.key(17), names.intern("k17"), names.key(17), names.intern("reset")), (1, 1, 1, 2));
        assert_eq!(names.take_fresh().1, ["k17", "reset"]);
        for number in 1..=2 * MOST {
            assert_ne!(names.key(u32::try_from(number).unwrap()), 0);
        }
        assert_ne!(names.intern("a text still has room"), 0);
    }

    #[test]
    fn texts_are_bounded_in_length_and_number() {
        let names = Names::default();
        let long = "é".repeat(LONGEST);
        names.intern(&long);
        assert_eq!(names.take_fresh().1.first().map(String::len), Some(LONGEST));
        for number in 1..MOST {
            assert_ne!(names.intern(&number.to_string()), 0);
        }
        assert_eq!(names.intern("one too many"), 0);
        assert_eq!(names.intern("1"), 2);
    }
}
