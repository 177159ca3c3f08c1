use hopscope_scenario::quantity::Time;
use proptest::prelude::*;

use super::*;

const WORK: Work = Work::Constant { mean: Time(40_000_000) };

fn work() -> Step<Work> {
    Step::Work { work: WORK }
}

fn call(link: u16) -> Step<Work> {
    Step::Call { link }
}

fn parallel(branches: Vec<Vec<Step<Work>>>) -> Step<Work> {
    Step::Parallel { branches }
}

fn choose(branches: Vec<(u32, Vec<Step<Work>>)>) -> Step<Work> {
    Step::Choose { branches: branches.into_iter().map(|(weight, steps)| Choice { weight, steps }).collect() }
}

/// Drives a body; deeds end in the order in which they began.
struct Driver<'a> {
    body: Body<'a>,
    draws: Vec<f64>,
    /// Strands with a deed that has not ended.
    busy: Vec<Strand>,
}

impl<'a> Driver<'a> {
    fn start(steps: &'a [Step<Work>], draws: &[f64]) -> (Self, Vec<Action<'a>>) {
        let mut driver = Self { body: Body::new(steps), draws: draws.to_vec(), busy: Vec::new() };
        let mut actions = Vec::new();
        let draws = &mut driver.draws;
        driver.body.start(&mut || draws.remove(0), &mut actions);
        driver.note(&actions);
        (driver, actions)
    }

    fn note(&mut self, actions: &[Action<'_>]) {
        self.busy.extend(actions.iter().filter_map(|action| match action {
            Action::Begin(strand, _) => Some(*strand),
            Action::Effect(_) | Action::Reply(_) | Action::End { .. } => None,
        }));
    }

    fn finish(&mut self, nth: usize, outcome: Outcome) -> Vec<Action<'a>> {
        let strand = self.busy.remove(nth);
        let mut actions = Vec::new();
        let draws = &mut self.draws;
        self.body.next(strand, outcome, &mut || draws.remove(0), &mut actions);
        self.note(&actions);
        actions
    }
}

fn begins<'a>(actions: &[Action<'a>]) -> Vec<Deed<'a>> {
    let begins = actions.iter().filter_map(|action| match action {
        Action::Begin(_, deed) => Some(*deed),
        Action::Effect(_) | Action::Reply(_) | Action::End { .. } => None,
    });
    begins.collect()
}

const DONE: [Action<'static>; 1] = [Action::End { outcome: Outcome::Good, reply: true }];
const FAILED: [Action<'static>; 1] = [Action::End { outcome: Outcome::Failed, reply: true }];

#[test]
fn works_calls_in_order_and_replies_with_its_end() {
    let steps = [work(), call(0), Step::Publish { link: 1 }, Step::Reply];
    let (mut driver, first) = Driver::start(&steps, &[]);
    assert_eq!(begins(&first), [Deed::Work(&WORK)]);
    assert_eq!(begins(&driver.finish(0, Outcome::Good)), [Deed::Call(0)]);
    assert_eq!(begins(&driver.finish(0, Outcome::Good)), [Deed::Publish(1)]);
    assert_eq!(driver.finish(0, Outcome::Good), DONE);
}

#[test]
fn a_failed_step_fails_the_reply_and_ends_the_body() {
    let steps = [work(), call(0), call(1), Step::Reply];
    let (mut driver, _) = Driver::start(&steps, &[]);
    driver.finish(0, Outcome::Good);
    assert_eq!(driver.finish(0, Outcome::Failed), FAILED);
}

#[test]
fn steps_without_a_reply_reply_at_their_end() {
    assert_eq!(Driver::start(&[], &[]).1, DONE);
    let steps = [work()];
    assert_eq!(Driver::start(&steps, &[]).0.finish(0, Outcome::Good), DONE);
}

#[test]
fn what_follows_a_reply_is_done_after_it_and_cannot_fail_it() {
    let steps = [Step::Reply, call(0), call(1)];
    let (mut driver, first) = Driver::start(&steps, &[]);
    assert_eq!(first[0], Action::Reply(Outcome::Good));
    assert_eq!(begins(&first), [Deed::Call(0)]);
    assert_eq!(driver.finish(0, Outcome::Failed), [Action::End { outcome: Outcome::Failed, reply: false }]);
}

#[test]
fn effects_take_no_time_and_stand_where_they_were_written() {
    let effect = |effect| Step::Effect { effect };
    let steps = [effect(0), Step::Reply, effect(1), call(0), effect(2), effect(3)];
    let (mut driver, first) = Driver::start(&steps, &[]);
    assert_eq!(first[..3], [Action::Effect(0), Action::Reply(Outcome::Good), Action::Effect(1)]);
    assert_eq!(begins(&first), [Deed::Call(0)]);
    let end = |outcome| Action::End { outcome, reply: false };
    assert_eq!(driver.finish(0, Outcome::Good), [Action::Effect(2), Action::Effect(3), end(Outcome::Good)]);
    let (mut driver, _) = Driver::start(&steps, &[]);
    assert_eq!(driver.finish(0, Outcome::Failed), [end(Outcome::Failed)], "what follows a failed step is left out");
}

#[test]
fn branches_run_at_once_and_the_last_lets_the_body_go_on() {
    let steps = [parallel(vec![vec![call(0), call(1)], vec![call(2)], vec![]]), call(3), Step::Reply];
    let (mut driver, first) = Driver::start(&steps, &[]);
    assert_eq!(begins(&first), [Deed::Call(0), Deed::Call(2)]);
    assert_eq!(driver.finish(1, Outcome::Good), []);
    assert_eq!(begins(&driver.finish(0, Outcome::Good)), [Deed::Call(1)]);
    assert_eq!(begins(&driver.finish(0, Outcome::Good)), [Deed::Call(3)]);
    assert_eq!(driver.finish(0, Outcome::Good), DONE);
}

#[test]
fn a_failed_branch_lets_the_others_end_and_then_fails_the_step() {
    let steps = [parallel(vec![vec![call(0), call(1)], vec![call(2)]]), call(3), Step::Reply];
    let (mut driver, _) = Driver::start(&steps, &[]);
    assert_eq!(driver.finish(0, Outcome::Failed), []);
    assert_eq!(driver.finish(0, Outcome::Good), FAILED);
}

#[test]
fn branches_with_nothing_to_do_end_at_once() {
    let steps = [parallel(vec![vec![], vec![]]), parallel(vec![vec![call(0)], vec![]]), Step::Reply];
    let (mut driver, first) = Driver::start(&steps, &[]);
    assert_eq!(begins(&first), [Deed::Call(0)]);
    assert_eq!(driver.finish(0, Outcome::Good), DONE);
}

#[test]
fn chance_chooses_by_weight() {
    let steps = [choose(vec![(1, vec![call(0)]), (3, vec![call(1)])]), Step::Reply];
    let taken = |draw: f64| begins(&Driver::start(&steps, &[draw]).1)[0];
    assert_eq!(
        [taken(0.1), taken(0.249), taken(0.251), taken(0.999)].map(|deed| deed == Deed::Call(0)),
        [true, true, false, false]
    );
    let nothing = [choose(vec![(1, vec![]), (1, vec![call(0)])]), Step::Reply];
    assert_eq!(Driver::start(&nothing, &[0.2]).1, DONE);
}

#[test]
fn a_reply_that_ends_a_chosen_branch_is_the_last_step() {
    let steps = [choose(vec![(1, vec![Step::Reply]), (1, vec![Step::Reply, call(0)])])];
    assert_eq!(Driver::start(&steps, &[0.2]).1, DONE);
    let (mut driver, first) = Driver::start(&steps, &[0.7]);
    assert_eq!(first[0], Action::Reply(Outcome::Good));
    assert_eq!(driver.finish(0, Outcome::Good), [Action::End { outcome: Outcome::Good, reply: false }]);
}

/// Steps of any shape, with at most one reply on each way: in the body itself, or nowhere.
fn any_steps() -> impl Strategy<Value = Vec<Step<Work>>> {
    let leaf =
        prop_oneof![Just(work()), (0..9_u16).prop_map(call), (0..9_u32).prop_map(|effect| Step::Effect { effect })];
    let step = leaf.prop_recursive(3, 24, 4, |inner| {
        let branch = prop::collection::vec(inner, 0..3);
        prop_oneof![
            prop::collection::vec(branch.clone(), 2..4).prop_map(parallel),
            prop::collection::vec((1..5_u32, branch), 2..4).prop_map(choose),
        ]
    });
    (prop::collection::vec(step, 0..5), prop::option::of(0..6_usize)).prop_map(|(mut steps, reply)| {
        if let Some(at) = reply {
            steps.insert(at.min(steps.len()), Step::Reply);
        }
        steps
    })
}

proptest! {
    #[test]
    fn every_body_replies_once_and_ends_once_whatever_its_shape(
        steps in any_steps(),
        draws in prop::collection::vec(0.001..0.999_f64, 64),
        ends in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 256),
    ) {
        let (mut driver, mut actions) = Driver::start(&steps, &draws);
        let (mut replies, mut ended, mut failed) = (0, None, false);
        let mut ends = ends.into_iter();
        loop {
            for action in actions {
                prop_assert!(ended.is_none(), "something after the end");
                match action {
                    Action::Reply(_) => replies += 1,
                    Action::End { outcome, reply } => {
                        replies += usize::from(reply);
                        ended = Some(outcome);
                    }
                    Action::Begin(..) | Action::Effect(_) => {}
                }
            }
            if driver.busy.is_empty() {
                break;
            }
            let (nth, good) = ends.next().unwrap();
            failed |= !good;
            let outcome = if good { Outcome::Good } else { Outcome::Failed };
            actions = driver.finish(nth.index(driver.busy.len()), outcome);
        }
        prop_assert_eq!(replies, 1);
        prop_assert_eq!(ended, Some(if failed { Outcome::Failed } else { Outcome::Good }));
    }
}
