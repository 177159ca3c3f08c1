//! What a caller does about an attempt that has ended.

use hopscope_scenario::model::Retry;
use hopscope_scenario::quantity::Time;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By a good reply.
    Good,
    /// By a reply that says: not now.
    Refused,
    /// By an error reply, or for want of a connection.
    Failed,
    /// By the caller's time limit.
    TimedOut,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: how this attempt ended is how the message did.
    Done,
    /// Another attempt.
    Again {
        /// Its number, from 2.
        attempt: u8,
        /// How long to wait before it, from the end of the last one.
        after: Time,
    },
}

/// The attempts of one message.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    retry: Option<Retry>,
    /// The number of the attempt under way, from 1.
    current: u8,
}

impl Attempts {
    /// With the first attempt under way. Without a policy it is the only one.
    #[must_use]
    pub fn new(retry: Option<Retry>) -> Self {
        Self { retry, current: 1 }
    }

    /// What follows the attempt under way, which ended so.
    pub fn next(&mut self, outcome: Outcome) -> Next {
        let Some(Retry::FixedDelay { attempts, delay }) = self.retry else { return Next::Done };
        if outcome == Outcome::Good || self.current >= attempts {
            return Next::Done;
        }
        // Below `attempts`, so it cannot overflow.
        self.current += 1;
        Next::Again { attempt: self.current, after: delay }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BAD: [Outcome; 3] = [Outcome::Refused, Outcome::Failed, Outcome::TimedOut];
    const DELAY: Time = Time(100_000_000);

    fn fixed(attempts: u8) -> Attempts {
        Attempts::new(Some(Retry::FixedDelay { attempts, delay: DELAY }))
    }

    #[test]
    fn without_a_policy_there_is_one_attempt() {
        for outcome in [Outcome::Good, Outcome::Refused, Outcome::Failed, Outcome::TimedOut] {
            assert_eq!(Attempts::new(None).next(outcome), Next::Done);
        }
    }

    #[test]
    fn whatever_is_not_good_is_tried_again_until_the_tries_are_used_up() {
        let mut attempts = fixed(3);
        assert_eq!(attempts.next(Outcome::TimedOut), Next::Again { attempt: 2, after: DELAY });
        assert_eq!(attempts.next(Outcome::Refused), Next::Again { attempt: 3, after: DELAY });
        assert_eq!(attempts.next(Outcome::Failed), Next::Done);
        assert_eq!(attempts.next(Outcome::Failed), Next::Done);
    }

    #[test]
    fn a_good_reply_ends_it() {
        let mut attempts = fixed(255);
        assert_eq!(attempts.next(Outcome::Failed), Next::Again { attempt: 2, after: DELAY });
        assert_eq!(attempts.next(Outcome::Good), Next::Done);
    }

    proptest! {
        #[test]
        fn attempts_are_numbered_without_gap_up_to_the_last(most in any::<u8>(), outcomes in prop::collection::vec(prop::sample::select(&BAD[..]), 260)) {
            let mut attempts = fixed(most);
            let mut made = 1;
            for outcome in outcomes {
                match attempts.next(outcome) {
                    Next::Again { attempt, .. } => {
                        prop_assert_eq!(u32::from(attempt), made + 1);
                        made += 1;
                    }
                    Next::Done => break,
                }
            }
            prop_assert_eq!(made, u32::from(most.max(1)));
        }
    }
}
