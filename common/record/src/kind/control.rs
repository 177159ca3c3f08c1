//! What was done to a run while it ran, as the first value of `Control`.

/// One thing that can be done to a node or a link of a run, or to its broker. Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u64)]
pub enum ControlAction {
    /// A node takes up no new work; what it has begun goes on.
    Pause = 1,
    /// A paused node goes on.
    Resume = 2,
    /// A node's tasks are aborted and its sockets reset.
    Crash = 3,
    /// A crashed node is started again.
    Start = 4,
    /// A client's load gets another rate, or, with the argument 0, the one that the scenario has.
    Rate = 5,
    /// A link's connections are reset, and new ones too.
    Cut = 6,
    /// A link is again as the scenario has it.
    Mend = 7,
    /// A link's round trip takes longer.
    Delay = 8,
    /// A link lets through so many bytes in a second, each way.
    Throttle = 9,
    /// The broker that Hopscope started was killed.
    BrokerKilled = 10,
    /// That broker was started again.
    BrokerStarted = 11,
}

impl ControlAction {
    /// Every action, in the order of the numbers, each with the word that exports and scenarios have for it.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Pause, "pause"),
        (Self::Resume, "resume"),
        (Self::Crash, "crash"),
        (Self::Start, "start"),
        (Self::Rate, "rate"),
        (Self::Cut, "cut"),
        (Self::Mend, "mend"),
        (Self::Delay, "delay"),
        (Self::Throttle, "throttle"),
        (Self::BrokerKilled, "broker-killed"),
        (Self::BrokerStarted, "broker-started"),
    ];

    /// The action of a value, or `None` where this build does not know it.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL.iter().map(|(action, _)| *action).find(|action| *action as u64 == value)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| word)
    }

    /// The action of this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(action, _)| *action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_number_and_by_its_word() {
        for (number, (action, word)) in (1..).zip(ControlAction::ALL) {
            assert_eq!(ControlAction::from_value(number), Some(action));
            assert_eq!(ControlAction::find(word), Some(action));
            assert_eq!(action.word(), word);
        }
        assert_eq!(ControlAction::from_value(0), None);
        assert_eq!(ControlAction::from_value(12), None);
    }
}
