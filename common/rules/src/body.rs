//! What a service does for one request, step by step: one strand of steps, and more while branches run at once.

use hopscope_scenario::model::Work;
use hopscope_scenario::plan::{Choice, Step};

#[cfg(test)]
mod tests;

/// How something ended: a step, a call, the whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Good,
    /// An error reply, no reply, no connection.
    Failed,
}

impl Outcome {
    /// How both together ended: well, if both did.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// Work for as long as this draws.
    Work(&'a Work),
    /// Call over the link of this number, and wait for the end of the call.
    Call(u16),
    /// Publish over the link of this number, and wait until the broker has confirmed or refused.
    Publish(u16),
}

/// A line of steps of which one is done after the other; number 0 is the body's own, the others are branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strand(usize);

/// What to do now. Actions that come together are done in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Begin this; when it has ended, [`Body::next`] with the strand and how.
    Begin(Strand, Deed<'a>),
    /// Change an account, as the plan's effect of this number says.
    Effect(u32),
    /// Reply to the caller, and go on: the worker stays.
    Reply(Outcome),
    /// The body has ended and its worker is free, stamped so before what follows. Where there was no reply before, the
    /// caller gets this one now.
    End {
        /// How the body went.
        outcome: Outcome,
        /// Whether the caller still waits for its reply, which says the same.
        reply: bool,
    },
}

/// One request's way through a body. A failed step ends its strand: what would follow is left out. Branches that run at
/// once all come to their end, and fail together if one of them did. A body that fails before its reply replies with a
/// failure. Every way replies exactly once, and ends exactly once.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    strands: Vec<Line<'a>>,
    replied: bool,
    ended: bool,
}

/// What is left of a strand.
#[derive(Clone, Debug)]
struct Line<'a> {
    /// The steps left, those of the innermost branch last.
    rest: Vec<&'a [Step<Work>]>,
    /// The strand that it is a branch of.
    parent: Option<Strand>,
    /// Branches of its own that have not ended.
    open: usize,
    /// How it and the branches that it waits for have gone.
    outcome: Outcome,
}

impl<'a> Line<'a> {
    fn new(steps: &'a [Step<Work>], parent: Option<Strand>) -> Self {
        Self { rest: vec![steps], parent, open: 0, outcome: Outcome::Good }
    }

    /// The next step; it is then done with.
    fn take(&mut self) -> Option<&'a Step<Work>> {
        while let Some(steps) = self.rest.pop() {
            if let Some((step, rest)) = steps.split_first() {
                self.rest.push(rest);
                return Some(step);
            }
        }
        None
    }

    fn is_done(&self) -> bool {
        self.rest.iter().all(|steps| steps.is_empty())
    }
}

/// Where a body's chances come from: each call gives the next draw, evenly distributed in the open interval from 0 to 1.
pub type Chance<'c> = &'c mut dyn FnMut() -> f64;

impl<'a> Body<'a> {
    /// At the start of these steps (a [`hopscope_scenario::plan::PlanService::steps()`]).
    #[must_use]
    pub fn new(steps: &'a [Step<Work>]) -> Self {
        Self { strands: vec![Line::new(steps, None)], replied: false, ended: false }
    }

    /// Appends the first actions.
    pub fn start(&mut self, chance: Chance<'_>, actions: &mut Vec<Action<'a>>) {
        self.advance(Strand(0), chance, actions);
    }

    /// Appends the actions that follow a strand's deed that ended so; none once the body has ended, nor while branches are
    /// waited for.
    pub fn next(&mut self, strand: Strand, deed: Outcome, chance: Chance<'_>, actions: &mut Vec<Action<'a>>) {
        if self.ended {
            return;
        }
        match deed {
            Outcome::Good => self.advance(strand, chance, actions),
            Outcome::Failed => self.end(strand, Outcome::Failed, chance, actions),
        }
    }

    /// Goes on in a strand until it has something to do, or to wait for, or is at its end.
    fn advance(&mut self, strand: Strand, chance: Chance<'_>, actions: &mut Vec<Action<'a>>) {
        loop {
            let Some(line) = self.strands.get_mut(strand.0) else { return };
            let deed = match line.take() {
                None => return self.end(strand, Outcome::Good, chance, actions),
                Some(Step::Work { work }) => Deed::Work(work),
                Some(Step::Call { link }) => Deed::Call(*link),
                Some(Step::Publish { link }) => Deed::Publish(*link),
                Some(Step::Effect { effect }) => {
                    actions.push(Action::Effect(*effect));
                    continue;
                }
                Some(Step::Choose { branches }) => {
                    line.rest.extend(chosen(branches, chance()));
                    continue;
                }
                Some(Step::Parallel { branches }) if branches.is_empty() => continue,
                Some(Step::Parallel { branches }) => return self.fork(strand, branches, chance, actions),
                Some(Step::Reply) => {
                    // The last step frees the worker first, by the body's end.
                    let last = line.parent.is_none() && line.is_done();
                    if !last && !self.replied {
                        self.replied = true;
                        actions.push(Action::Reply(Outcome::Good));
                    }
                    continue;
                }
            };
            return actions.push(Action::Begin(strand, deed));
        }
    }

    fn fork(
        &mut self,
        parent: Strand,
        branches: &'a [Vec<Step<Work>>],
        chance: Chance<'_>,
        actions: &mut Vec<Action<'a>>,
    ) {
        if let Some(line) = self.strands.get_mut(parent.0) {
            line.open = branches.len();
            line.outcome = Outcome::Good;
        }
        let first = self.strands.len();
        self.strands.extend(branches.iter().map(|steps| Line::new(steps, Some(parent))));
        for branch in 0..branches.len() {
            self.advance(Strand(first + branch), chance, actions);
        }
    }

    /// A strand has come to its end: the body's own ends the body; the last branch lets who waits for it go on.
    fn end(&mut self, strand: Strand, outcome: Outcome, chance: Chance<'_>, actions: &mut Vec<Action<'a>>) {
        let Some(line) = self.strands.get_mut(strand.0) else { return };
        line.rest.clear();
        let Some(parent) = line.parent else {
            self.ended = true;
            return actions.push(Action::End { outcome, reply: !self.replied });
        };
        let Some(waiting) = self.strands.get_mut(parent.0) else { return };
        waiting.outcome = waiting.outcome.and(outcome);
        waiting.open = waiting.open.saturating_sub(1);
        if waiting.open == 0 {
            match waiting.outcome {
                Outcome::Good => self.advance(parent, chance, actions),
                Outcome::Failed => self.end(parent, Outcome::Failed, chance, actions),
            }
        }
    }
}

/// The branch that a draw chooses: each as often as its weight says.
fn chosen(branches: &[Choice<Work>], draw: f64) -> Option<&[Step<Work>]> {
    let total: u64 = branches.iter().map(|branch| u64::from(branch.weight)).sum();
    #[expect(clippy::cast_precision_loss, reason = "weights stay far below 2^53")]
    let mut left = draw * total as f64;
    for branch in branches {
        left -= f64::from(branch.weight);
        if left < 0.0 {
            return Some(&branch.steps);
        }
    }
    branches.last().map(|branch| branch.steps.as_slice())
}
