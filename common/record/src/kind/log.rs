//! What topics' events carry: where a record is, and how far a group has come.

/// Where a record is in its topic. In 64 bits: the offset in the lower 48, the partition + 1 in the upper 16, so that 0 is
/// nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Which partition, from 0.
    pub partition: u16,
    /// Its offset there, from 0.
    pub offset: u64,
}

const OFFSET_BITS: u32 = 48;

impl Position {
    /// Greatest offset that can be told; a greater one is told as this.
    pub const MAX_OFFSET: u64 = (1 << OFFSET_BITS) - 1;

    /// The 64 bits.
    #[must_use]
    pub const fn to_value(self) -> u64 {
        let offset = if self.offset > Self::MAX_OFFSET { Self::MAX_OFFSET } else { self.offset };
        offset | (self.partition as u64 + 1) << OFFSET_BITS
    }

    /// What 64 bits say; `None` where they say that it is not known, or more than was ever written.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        let partition = (value >> OFFSET_BITS).checked_sub(1)?;
        Some(Self { partition: u16::try_from(partition).ok()?, offset: value & Self::MAX_OFFSET })
    }
}

/// What a broker answers when it is asked how far a group has come in a partition. In 64 bits: the offset that the next record
/// will have in the lower half, the one that the group has committed in the upper one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LagReport {
    /// The log's end: the offset of the next record.
    pub end: u32,
    /// The offset that the group has committed: of the record that it goes on with; 0 where it has committed none.
    pub committed: u32,
}

impl LagReport {
    /// The 64 bits.
    #[must_use]
    pub const fn to_value(self) -> u64 {
        self.end as u64 | ((self.committed as u64) << u32::BITS)
    }

    /// What 64 bits say.
    #[must_use]
    pub const fn from_value(value: u64) -> Self {
        Self { end: value as u32, committed: (value >> u32::BITS) as u32 }
    }

    /// Records that the group has yet to commit.
    #[must_use]
    pub const fn lag(self) -> u32 {
        self.end.saturating_sub(self.committed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_comes_back(partition in 0..u16::MAX, offset in 0..=Position::MAX_OFFSET) {
            let position = Position { partition, offset };
            prop_assert_eq!(Position::from_value(position.to_value()), Some(position));
        }

        #[test]
        fn a_report_comes_back(value: u64) {
            prop_assert_eq!(LagReport::from_value(value).to_value(), value);
        }
    }

    #[test]
    fn nothing_is_nowhere() {
        assert_eq!(Position::from_value(0), None);
        assert_eq!(LagReport { end: 3, committed: 5 }.lag(), 0);
    }
}
