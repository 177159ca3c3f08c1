//! Texts that turn up during a run, such as an error's: interned to rows, which the Names frames carry.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hopscope_record::NameIndex;

/// Most texts that one run keeps; later ones count as none.
const MOST: usize = 4096;

/// Most bytes of one text; longer ones are cut.
const LONGEST: usize = 512;

/// The run's append-only list of strings.
#[derive(Default)]
pub(super) struct Names {
    inner: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    rows: HashMap<String, NameIndex>,
    /// Rows that no Names frame has carried yet, in order.
    fresh: Vec<String>,
}

impl Names {
    /// The text as an event's value: its row + 1, or 0 when the run keeps no more.
    pub(super) fn intern(&self, text: &str) -> u64 {
        let text = cut(text);
        let mut table = self.lock();
        if let Some(row) = table.rows.get(text) {
            return NameIndex::to_value(Some(*row));
        }
        let Some(row) = u32::try_from(table.rows.len()).ok().filter(|row| (*row as usize) < MOST) else { return 0 };
        table.rows.insert(text.to_owned(), NameIndex(row));
        table.fresh.push(text.to_owned());
        NameIndex::to_value(Some(NameIndex(row)))
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
