//! What the steps of a body come to, all ways through them considered.

use super::Step;

/// The replies on the ways through a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replies {
    /// Most replies that one way has. Branches that run at once count as often as they reply, all together.
    pub most: usize,
    /// Whether on no way anything follows a reply.
    pub last: bool,
}

impl Replies {
    /// Of these steps.
    #[must_use]
    pub fn of<W>(steps: &[Step<W>]) -> Self {
        let nothing = Self { most: 0, last: true };
        steps.iter().fold(nothing, |before, step| {
            // Whatever comes after one that replies follows a reply.
            let follows = before.most > 0;
            let step = match step {
                Step::Work { .. } | Step::Call { .. } | Step::Publish { .. } | Step::Effect { .. } => nothing,
                Step::Reply => Self { most: 1, last: true },
                Step::Choose { branches } => {
                    branches.iter().map(|branch| Self::of(&branch.steps)).fold(nothing, |most, branch| Self {
                        most: most.most.max(branch.most),
                        last: most.last && branch.last,
                    })
                }
                // While one branch has replied, another may still run.
                Step::Parallel { branches } => {
                    branches.iter().map(|branch| Self::of(branch)).fold(nothing, |sum, branch| Self {
                        most: sum.most.saturating_add(branch.most),
                        last: sum.last && branch.most == 0,
                    })
                }
            };
            Self { most: before.most.saturating_add(step.most), last: before.last && step.last && !follows }
        })
    }
}

/// The numbers of all links that steps name, those of all branches included.
#[must_use]
pub fn links_of<W>(steps: &[Step<W>]) -> Vec<u16> {
    let mut links = Vec::new();
    collect(steps, &mut links);
    links
}

fn collect<W>(steps: &[Step<W>], links: &mut Vec<u16>) {
    for step in steps {
        match step {
            Step::Call { link } | Step::Publish { link } => links.push(*link),
            Step::Parallel { branches } => branches.iter().for_each(|branch| collect(branch, links)),
            Step::Choose { branches } => branches.iter().for_each(|branch| collect(&branch.steps, links)),
            Step::Work { .. } | Step::Effect { .. } | Step::Reply => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Choice;
    use super::*;

    fn call(link: u16) -> Step {
        Step::Call { link }
    }

    fn choose(branches: Vec<Vec<Step>>) -> Step {
        Step::Choose { branches: branches.into_iter().map(|steps| Choice { weight: 1, steps }).collect() }
    }

    fn replies(steps: &[Step]) -> (usize, bool) {
        let Replies { most, last } = Replies::of(steps);
        (most, last)
    }

    #[test]
    fn every_way_counts() {
        assert_eq!(replies(&[]), (0, true));
        assert_eq!(replies(&[call(0), Step::Reply]), (1, true));
        assert_eq!(replies(&[Step::Reply, call(0)]), (1, false));
        assert_eq!(replies(&[Step::Reply, Step::Reply]), (2, false));
        let either = choose(vec![vec![Step::Reply], vec![call(0), Step::Reply]]);
        assert_eq!(replies(std::slice::from_ref(&either)), (1, true));
        assert_eq!(replies(&[either.clone(), call(1)]), (1, false));
        assert_eq!(replies(&[either, Step::Reply]), (2, false));
        assert_eq!(replies(&[choose(vec![vec![Step::Reply, call(0)], vec![]])]), (1, false));
        let both = Step::Parallel { branches: vec![vec![Step::Reply], vec![Step::Reply]] };
        assert_eq!(replies(&[both]), (2, false));
        let beside = Step::Parallel { branches: vec![vec![call(0)], vec![call(1)]] };
        assert_eq!(replies(&[beside, Step::Reply]), (1, true));
    }

    #[test]
    fn links_of_all_branches_are_named() {
        let steps = [
            call(3),
            choose(vec![vec![call(1)], vec![Step::Publish { link: 7 }]]),
            Step::Parallel { branches: vec![vec![call(2)], vec![]] },
        ];
        assert_eq!(links_of(&steps), [3, 1, 7, 2]);
    }
}
