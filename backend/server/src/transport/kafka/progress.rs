//! How far a member has come in one partition: what it has taken and not committed, in the order of the offsets.

use std::collections::VecDeque;

/// Records that were taken and not committed; `T` is what is kept for each until then.
pub(super) struct Progress<T> {
    rows: VecDeque<Row<T>>,
}

struct Row<T> {
    offset: i64,
    done: bool,
    kept: T,
}

impl<T> Default for Progress<T> {
    fn default() -> Self {
        Self { rows: VecDeque::new() }
    }
}

impl<T> Progress<T> {
    /// A record was taken; offsets only grow.
    pub(super) fn take(&mut self, offset: i64, kept: T) {
        self.rows.push_back(Row { offset, done: false, kept });
    }

    /// The work on a record is done. One that is not here any more was given up.
    pub(super) fn done(&mut self, offset: i64) {
        if let Ok(row) = self.rows.binary_search_by_key(&offset, |row| row.offset)
            && let Some(row) = self.rows.get_mut(row)
        {
            row.done = true;
        }
    }

    /// The first record that is here, and the offset of the one to go on with behind the last.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((self.rows.front()?.offset, self.rows.back()?.offset + 1))
    }

    /// What may be committed: the records before the first whose work is not done, taken out; and the offset that a commit of
    /// them says, of the record to go on with. Nothing where the first is not done.
    pub(super) fn passed(&mut self) -> Option<(i64, Vec<T>)> {
        let count = self.rows.iter().take_while(|row| row.done).count();
        let next = self.rows.get(count.checked_sub(1)?)?.offset + 1;
        Some((next, self.rows.drain(..count).map(|row| row.kept).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_from_the_first_on_is_passed() {
        let mut progress = Progress::default();
        for offset in [3, 4, 7] {
            progress.take(offset, offset);
        }
        assert_eq!(progress.span(), Some((3, 8)));
        progress.done(4);
        assert_eq!(progress.passed(), None, "the first is at work");
        progress.done(3);
        assert_eq!(progress.passed(), Some((5, vec![3, 4])));
        assert_eq!(progress.passed(), None);
        progress.done(99);
        progress.done(7);
        assert_eq!(progress.passed(), Some((8, vec![7])));
        assert_eq!(progress.span(), None);
    }
}
