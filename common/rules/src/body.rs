//! What a service does for one request, step by step.

use hopscope_scenario::model::Work;
use hopscope_scenario::plan::Step;

/// How something ended: a step, a call, the whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Good,
    /// An error reply, no reply, no connection.
    Failed,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Work for as long as this draws, then [`Body::next`].
    Work(&'a Work),
    /// Call over the link of this number; when the call has ended, [`Body::next`] with how.
    Call(u16),
    /// Publish over the link of this number; when the broker has confirmed or refused, [`Body::next`] with how.
    Publish(u16),
    /// Reply to the caller. It is the body's end: the worker is free (its Finished is stamped) before the reply goes out.
    Reply(Outcome),
}

/// One request's way through a body. A failed call ends it: what would follow is left out and the reply is a failure.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    steps: &'a [Step],
    done: bool,
}

impl<'a> Body<'a> {
    /// At the start of these steps (a [`hopscope_scenario::plan::PlanService::body`]).
    #[must_use]
    pub fn new(steps: &'a [Step]) -> Self {
        Self { steps, done: false }
    }

    /// The first action.
    pub fn start(&mut self) -> Option<Action<'a>> {
        self.next(Outcome::Good)
    }

    /// The action after the previous one ended so; `None` once it has replied. Steps that run out without a reply count
    /// as a good one, so that a caller always gets an answer.
    pub fn next(&mut self, previous: Outcome) -> Option<Action<'a>> {
        if self.done {
            return None;
        }
        if previous == Outcome::Failed {
            return Some(self.reply(Outcome::Failed));
        }
        match self.steps.split_first() {
            Some((Step::Work { work }, rest)) => {
                self.steps = rest;
                Some(Action::Work(work))
            }
            Some((Step::Call { link }, rest)) => {
                self.steps = rest;
                Some(Action::Call(*link))
            }
            Some((Step::Publish { link }, rest)) => {
                self.steps = rest;
                Some(Action::Publish(*link))
            }
            Some((Step::Reply, _)) | None => Some(self.reply(Outcome::Good)),
        }
    }

    fn reply(&mut self, outcome: Outcome) -> Action<'a> {
        self.done = true;
        Action::Reply(outcome)
    }
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::quantity::Time;
    use proptest::prelude::*;

    use super::*;

    const WORK: Work = Work::Constant { mean: Time(40_000_000) };

    fn derived(links: u16) -> Vec<Step> {
        let mut steps = vec![Step::Work { work: WORK }];
        steps.extend((0..links).map(|link| Step::Call { link }));
        steps.push(Step::Reply);
        steps
    }

    #[test]
    fn works_calls_in_order_and_replies() {
        let steps = derived(2);
        let mut body = Body::new(&steps);
        assert_eq!(body.start(), Some(Action::Work(&WORK)));
        assert_eq!(body.next(Outcome::Good), Some(Action::Call(0)));
        assert_eq!(body.next(Outcome::Good), Some(Action::Call(1)));
        assert_eq!(body.next(Outcome::Good), Some(Action::Reply(Outcome::Good)));
        assert_eq!(body.next(Outcome::Good), None);
        assert_eq!(body.next(Outcome::Failed), None);
    }

    #[test]
    fn a_failed_call_fails_the_reply_and_ends_the_body() {
        let steps = derived(2);
        let mut body = Body::new(&steps);
        body.start();
        assert_eq!(body.next(Outcome::Good), Some(Action::Call(0)));
        assert_eq!(body.next(Outcome::Failed), Some(Action::Reply(Outcome::Failed)));
        assert_eq!(body.next(Outcome::Good), None);
    }

    proptest! {
        #[test]
        fn every_body_replies_exactly_once_and_as_its_steps_went(links in 0..20_u16, fails_at in 0..25_usize) {
            let steps = derived(links);
            let mut body = Body::new(&steps);
            let mut action = body.start();
            let (mut replies, mut taken) = (Vec::new(), 0);
            while let Some(current) = action {
                if let Action::Reply(outcome) = current {
                    replies.push(outcome);
                }
                let outcome = if taken == fails_at { Outcome::Failed } else { Outcome::Good };
                taken += 1;
                action = body.next(outcome);
            }
            let failed = fails_at <= usize::from(links);
            let expected = if failed { Outcome::Failed } else { Outcome::Good };
            prop_assert_eq!(replies, vec![expected]);
        }
    }
}
