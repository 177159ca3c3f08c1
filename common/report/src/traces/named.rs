//! Counts of traces that name what they count.

use hopscope_record::TraceId;

/// So many traces, and the first of them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Named {
    /// How many.
    pub count: u64,
    /// The first, as many as are told.
    pub traces: Vec<TraceId>,
}

impl Named {
    /// Counts one more; the first `most` are named.
    pub(crate) fn add(&mut self, trace: TraceId, most: usize) {
        self.count += 1;
        if self.traces.len() < most {
            self.traces.push(trace);
        }
    }
}
