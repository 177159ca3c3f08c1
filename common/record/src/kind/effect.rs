//! What an `Effect` tells: which one it was, and whether it was applied.

/// Marks an effect that was applied before under its key, and so was not applied again.
const REPEATED: u64 = 1 << 63;

/// Which effect came up, as the first value of `Effect` carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EffectMark {
    /// Its row among the plan's effects.
    pub effect: u32,
    /// Whether the store knew its key and left the account as it was.
    pub repeated: bool,
}

impl EffectMark {
    /// As an event carries it: the row in the lowest 32 bits, bit 63 where it was not applied.
    #[must_use]
    pub fn to_value(self) -> u64 {
        u64::from(self.effect) | if self.repeated { REPEATED } else { 0 }
    }

    /// What a value says; of bits that mean nothing here, nothing.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the row is the lowest 32 bits")]
    pub const fn from_value(value: u64) -> Self {
        Self { effect: value as u32, repeated: value & REPEATED != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back() {
        for mark in [0, 7, u32::MAX]
            .into_iter()
            .flat_map(|effect| [false, true].map(|repeated| EffectMark { effect, repeated }))
        {
            assert_eq!(EffectMark::from_value(mark.to_value()), mark);
        }
    }
}
