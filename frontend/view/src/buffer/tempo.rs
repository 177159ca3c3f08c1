//! Tempos: when messages were on links, when they were only held, and when nothing was under way.
//!
//! The player goes slowly where something travels, faster where messages are held, and skips what is idle.

use super::journeys::Change;

/// What was going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tempo {
    /// No attempt was open.
    Idle,
    /// Attempts were open, all of them waiting or being worked on.
    Held,
    /// At least one request or reply was on a link.
    Flying,
}

/// A stretch of one tempo. Times are ns on the run's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// What was going on.
    pub tempo: Tempo,
    /// Its beginning; `i64::MIN` for the first one.
    pub from: i64,
    /// Its end; `i64::MAX` for the last one.
    pub to: i64,
}

/// The tempos of a run.
#[derive(Default)]
pub struct Tempos {
    open: i64,
    flying: i64,
    /// From when on which tempo; before the first all is idle.
    changes: Vec<(i64, Tempo)>,
}

impl Tempos {
    pub(super) fn apply(&mut self, time: i64, change: Change) {
        self.open += i64::from(change.open);
        self.flying += i64::from(change.flying);
        let tempo = if self.flying > 0 {
            Tempo::Flying
        } else if self.open > 0 {
            Tempo::Held
        } else {
            Tempo::Idle
        };
        if self.changes.last().map_or(Tempo::Idle, |(_, last)| *last) == tempo {
            return;
        }
        // A tempo of no length was none.
        if self.changes.last().is_some_and(|(last, _)| *last >= time) {
            self.changes.pop();
            if self.changes.last().map_or(Tempo::Idle, |(_, last)| *last) == tempo {
                return;
            }
        }
        self.changes.push((time, tempo));
    }

    /// The span that `time` is in; at a boundary the later one.
    #[must_use]
    pub fn at(&self, time: i64) -> Span {
        let next = self.changes.partition_point(|(from, _)| *from <= time);
        let (from, tempo) = match next.checked_sub(1).and_then(|index| self.changes.get(index)) {
            Some(&(from, tempo)) => (from, tempo),
            None => (i64::MIN, Tempo::Idle),
        };
        Span { tempo, from, to: self.changes.get(next).map_or(i64::MAX, |(to, _)| *to) }
    }

    #[cfg(test)]
    pub(crate) fn changes(&self) -> &[(i64, Tempo)] {
        &self.changes
    }

    #[cfg(test)]
    pub(crate) fn of(changes: &[(i64, Tempo)]) -> Self {
        Self { open: 0, flying: 0, changes: changes.to_vec() }
    }
}
