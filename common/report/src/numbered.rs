//! Values by a number, gone through in the order of the numbers.
//!
//! What a `BTreeMap` of them would do. Its code is compiled once for each type of value, and a judge keeps many types by
//! the number of a message: here one map of numbers serves all, and values stay where they are put, which also spares
//! moving large ones. Numbers are found many times for each event, and gone through a few times a second at most: so they are
//! hashed, and sorted where somebody goes through them.

#[allow(clippy::disallowed_types, reason = "its order is never seen: who goes through it sorts")]
type Hashed = std::collections::HashMap<u64, u32, foldhash::fast::RandomState>;

/// Rows by number, for what is looked up and never gone through.
pub type Index = Hashed;

/// Values by number. As many slots stay as there were values at once.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<V> {
    /// Which slot has the value of a number.
    slots: Index,
    values: Vec<Option<V>>,
    unused: Vec<u32>,
}

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Self { slots: Index::default(), values: Vec::new(), unused: Vec::new() }
    }
}

impl<V> Numbered<V> {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The least number.
    pub(crate) fn first(&self) -> Option<u64> {
        self.slots.keys().min().copied()
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        // Most of these are empty most of the time.
        !self.is_empty() && self.slots.contains_key(&number)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&V> {
        if self.is_empty() {
            return None;
        }
        self.values[*self.slots.get(&number)? as usize].as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut V> {
        self.values[*self.slots.get(&number)? as usize].as_mut()
    }

    pub(crate) fn get_or_insert_with(&mut self, number: u64, make: impl FnOnce() -> V) -> &mut V {
        let slot = match self.slots.get(&number) {
            Some(slot) => *slot,
            None => self.take_slot(number),
        };
        self.values[slot as usize].get_or_insert_with(make)
    }

    /// Puts a value where none is; gives it back if there is one already.
    pub(crate) fn insert(&mut self, number: u64, value: V) -> Option<V> {
        if self.contains(number) {
            return Some(value);
        }
        let slot = self.take_slot(number);
        self.values[slot as usize] = Some(value);
        None
    }

    /// Puts a value, whatever was there.
    pub(crate) fn set(&mut self, number: u64, value: V) {
        let slot = match self.slots.get(&number) {
            Some(slot) => *slot,
            None => self.take_slot(number),
        };
        self.values[slot as usize] = Some(value);
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<V> {
        if self.is_empty() {
            return None;
        }
        let slot = self.slots.remove(&number)?;
        self.unused.push(slot);
        self.values[slot as usize].take()
    }

    /// The numbers in their order, each with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        let mut slots: Vec<(u64, u32)> = self.slots.iter().map(|(number, slot)| (*number, *slot)).collect();
        slots.sort_unstable();
        slots.into_iter().filter_map(|(number, slot)| Some((number, self.values[slot as usize].as_ref()?)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The values, in the order of their slots.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().flatten()
    }

    fn take_slot(&mut self, number: u64) -> u32 {
        let slot = self.unused.pop().unwrap_or_else(|| {
            self.values.push(None);
            // So many values never fit into memory.
            u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots.insert(number, slot);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_order_of_their_numbers_and_slots_are_used_again() {
        let mut numbered = Numbered::default();
        for number in [5, 1, 9, 3] {
            assert_eq!(numbered.insert(number, number * 10), None);
        }
        assert_eq!(numbered.insert(9, 0), Some(0), "a value stays");
        assert_eq!(numbered.remove(1), Some(10));
        assert_eq!(numbered.remove(1), None);
        *numbered.get_or_insert_with(7, || 70) += 1;
        *numbered.get_or_insert_with(7, || 0) += 1;
        assert_eq!(numbered.iter().collect::<Vec<_>>(), [(3, &30), (5, &50), (7, &72), (9, &90)]);
        assert_eq!((numbered.first(), numbered.len(), numbered.values.len()), (Some(3), 4, 4));
    }
}
