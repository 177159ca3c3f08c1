//! Under which names and in which words an event's two values stand in exports.
//!
//! Read from the meaning that the kind's row gives them, never from the kind: a new kind needs nothing here.

use hopscope_record::kind::{
    AWAITS_REPLY, Admission, ControlAction, DisconnectReason, NotSentReason, Outcome, Phase, ValueMeaning,
};

/// A number and its word.
pub(crate) type Word = (u64, &'static str);

const PHASES: &[Word] = &[
    (Phase::Setup as u64, "setup"),
    (Phase::WarmUp as u64, "warm-up"),
    (Phase::Measured as u64, "measured"),
    (Phase::Drain as u64, "drain"),
    (Phase::End as u64, "end"),
];
const ADMISSIONS: &[Word] = &[
    (Admission::Admitted as u64, "admitted"),
    (Admission::TurnedAway as u64, "turned-away"),
    (Admission::Taken as u64, "taken"),
];
const OUTCOMES: &[Word] =
    &[(Outcome::Done as u64, "done"), (Outcome::Failed as u64, "failed"), (Outcome::Abandoned as u64, "abandoned")];
const NOT_SENT_REASONS: &[Word] =
    &[(NotSentReason::InFlightCap as u64, "in-flight-cap"), (NotSentReason::Stopped as u64, "stopped")];
const DISCONNECT_REASONS: &[Word] = &[
    (DisconnectReason::Closed as u64, "closed"),
    (DisconnectReason::ClosedByPeer as u64, "closed-by-peer"),
    (DisconnectReason::Broken as u64, "broken"),
];

const ACTIONS: &[Word] = &{
    let mut words = [(0, ""); ControlAction::ALL.len()];
    let mut row = 0;
    while row < words.len() {
        words[row] = (ControlAction::ALL[row].0 as u64, ControlAction::ALL[row].1);
        row += 1;
    }
    words
};

/// The field of L1, beside the one of L2.
pub(crate) const DEPTH_BEFORE: &str = "depth_before";

/// The field of why a queue took its step.
pub(crate) const CAUSE: &str = "cause";

/// The field of how many consumers take from a queue.
pub(crate) const CONSUMERS: &str = "consumers";

/// The field of the account that an effect is on, beside the effect's number; a reader may leave it out.
pub(crate) const ACCOUNT: &str = "account";

/// The mark of an effect that was not applied again.
pub(crate) const REPEATED: &str = "repeated";

/// The field of where in its partition a record is, beside the one of the partition.
pub(crate) const OFFSET: &str = "offset";

/// The field of how far a group has come, beside the one of where its log ends.
pub(crate) const COMMITTED: &str = "committed";

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// As a number that may be negative.
    Signed,
    /// As a number from 0.
    Unsigned,
    /// As the text of a row of names; 0 is left out.
    Name,
    /// As one of these words, and as its number where it has none.
    Word(&'static [Word]),
    /// As true where it is just this; left out where it is 0.
    Mark(u64),
    /// As two fields: `depth` and `consumers`.
    Report,
    /// As two fields: `deaths` and `cause`.
    Deaths,
    /// As three fields: `depth_before` (L1), `depth` (L2) and `cause`.
    Step,
    /// As three fields: `effect`, `account`, and `repeated` where it is so.
    Effect,
    /// As two fields: `partition` and `offset`; left out where it is 0.
    Position,
    /// As two fields: `log_end` and `committed`.
    Lag,
}

/// The field of a value with this meaning; `None` where the value is not used.
pub(crate) const fn field(meaning: ValueMeaning) -> Option<(&'static str, Form)> {
    Some(match meaning {
        ValueMeaning::None => return None,
        ValueMeaning::TimeNs => ("scheduled_ns", Form::Signed),
        ValueMeaning::DurationNs => ("duration_ns", Form::Unsigned),
        ValueMeaning::Status => ("status", Form::Unsigned),
        ValueMeaning::Bytes => ("bytes", Form::Unsigned),
        ValueMeaning::NameIndex => ("error", Form::Name),
        ValueMeaning::Phase => ("phase", Form::Word(PHASES)),
        ValueMeaning::Admission => ("admission", Form::Word(ADMISSIONS)),
        ValueMeaning::Outcome => ("outcome", Form::Word(OUTCOMES)),
        ValueMeaning::NotSentReason => ("reason", Form::Word(NOT_SENT_REASONS)),
        ValueMeaning::DisconnectReason => ("reason", Form::Word(DISCONNECT_REASONS)),
        ValueMeaning::NextAttempt => ("next_attempt", Form::Unsigned),
        ValueMeaning::Marks => ("awaits_reply", Form::Mark(AWAITS_REPLY)),
        ValueMeaning::Ordinal => ("ordinal", Form::Unsigned),
        ValueMeaning::QueueStep => ("depth", Form::Step),
        ValueMeaning::DepthReport => ("depth", Form::Report),
        ValueMeaning::ControlAction => ("action", Form::Word(ACTIONS)),
        ValueMeaning::ControlArgument => ("argument", Form::Unsigned),
        ValueMeaning::QueueName => ("from_queue", Form::Name),
        ValueMeaning::Deaths => ("deaths", Form::Deaths),
        ValueMeaning::Effect => ("effect", Form::Effect),
        ValueMeaning::Amount => ("amount", Form::Signed),
        ValueMeaning::Position => ("partition", Form::Position),
        ValueMeaning::Offset => (OFFSET, Form::Unsigned),
        ValueMeaning::Member => ("member", Form::Unsigned),
        ValueMeaning::Records => ("records", Form::Unsigned),
        ValueMeaning::LagReport => ("log_end", Form::Lag),
    })
}

/// Every field that a value with this meaning may fill, but for the value as it is.
pub(crate) fn field_names(meaning: ValueMeaning) -> Vec<&'static str> {
    match field(meaning) {
        None => Vec::new(),
        Some((name, Form::Step)) => vec![DEPTH_BEFORE, name, CAUSE],
        Some((name, Form::Report)) => vec![name, CONSUMERS],
        Some((name, Form::Deaths)) => vec![name, CAUSE],
        Some((name, Form::Effect)) => vec![name, ACCOUNT, REPEATED],
        Some((name, Form::Position)) => vec![name, OFFSET],
        Some((name, Form::Lag)) => vec![name, COMMITTED],
        Some((name, _)) => vec![name],
    }
}

/// The word of a number.
pub(crate) fn word(words: &[Word], value: u64) -> Option<&'static str> {
    words.iter().find(|(number, _)| *number == value).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hopscope_record::KINDS;

    #[test]
    fn the_two_values_of_a_kind_have_two_names() {
        for info in KINDS {
            let (a, b) = (field(info.a.meaning), field(info.b.meaning));
            assert!(a.is_none() || a.map(|(name, _)| name) != b.map(|(name, _)| name), "{}", info.name);
        }
    }

    #[test]
    fn words_differ() {
        for words in [PHASES, ADMISSIONS, OUTCOMES, NOT_SENT_REASONS, DISCONNECT_REASONS, ACTIONS] {
            for (at, (number, text)) in words.iter().enumerate() {
                assert_eq!(word(words, *number), Some(*text));
                assert!(words.iter().skip(at + 1).all(|(_, other)| other != text));
            }
            assert_eq!(word(words, 99), None);
        }
    }
}
