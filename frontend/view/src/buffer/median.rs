//! A median that is kept up with each value, exact to about 3 %.

/// Steps per doubling.
const STEPS: u32 = 16;

/// The running median of lengths of time: a histogram whose columns grow by 1/16 of each doubling.
#[derive(Clone, Default)]
pub struct Median {
    columns: Vec<u32>,
    count: u64,
}

impl Median {
    /// Takes a length in ns; less than 1 counts as 1.
    pub fn add(&mut self, ns: i64) {
        let column = column(ns.max(1).unsigned_abs());
        if self.columns.len() <= column {
            self.columns.resize(column + 1, 0);
        }
        if let Some(column) = self.columns.get_mut(column) {
            *column = column.saturating_add(1);
            self.count += 1;
        }
    }

    /// The middle value in ns; `None` before the first.
    #[must_use]
    pub fn value(&self) -> Option<i64> {
        let mut before = 0_u64;
        for (column, count) in self.columns.iter().enumerate() {
            before += u64::from(*count);
            if before * 2 >= self.count && before > 0 {
                return i64::try_from(middle(column)).ok();
            }
        }
        None
    }
}

fn column(ns: u64) -> usize {
    let doubling = ns.ilog2();
    let within = if doubling >= 4 { (ns >> (doubling - 4)) & 15 } else { (ns << (4 - doubling)) & 15 };
    (doubling * STEPS) as usize + within as usize
}

fn middle(column: usize) -> u64 {
    let (doubling, within) = (column as u32 / STEPS, column as u64 % u64::from(STEPS));
    let low = (1_u128 << doubling) * u128::from(16 + within) / 16;
    let high = (1_u128 << doubling) * u128::from(17 + within) / 16;
    u64::try_from(low.midpoint(high)).unwrap_or(u64::MAX)
}
