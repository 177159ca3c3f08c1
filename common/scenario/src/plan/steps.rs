//! What the steps of a body come to, all ways through them considered.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Choice, Described, Step};
use crate::model::Work;

/// A step as it is written: its kind, and of the others those that its kind has. A tagged enum would do the same by a copy of
/// everything, in code that a page has to bring.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    step: Kind,
    work: Option<Value>,
    link: Option<u16>,
    branches: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Work,
    Call,
    Publish,
    Parallel,
    Choose,
    Reply,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { step, work, link, branches } = Written::deserialize(deserializer)?;
        Ok(match (step, work, link, branches) {
            (Kind::Work, Some(work), None, None) => Self::Work { work: Described::new(work) },
            (Kind::Call, None, Some(link), None) => Self::Call { link },
            (Kind::Publish, None, Some(link), None) => Self::Publish { link },
            (Kind::Parallel, None, None, Some(branches)) => Self::Parallel { branches: from(branches)? },
            (Kind::Choose, None, None, Some(branches)) => Self::Choose { branches: from(branches)? },
            (Kind::Reply, None, None, None) => Self::Reply,
            _ => return Err(D::Error::custom("a step has other fields than its kind")),
        })
    }
}

fn from<T: for<'de> Deserialize<'de>, E: serde::de::Error>(value: Value) -> Result<T, E> {
    T::deserialize(value).map_err(E::custom)
}

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
                Step::Work { .. } | Step::Call { .. } | Step::Publish { .. } => nothing,
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
            Step::Work { .. } | Step::Reply => {}
        }
    }
}

/// The steps with their works read.
pub(super) fn read(steps: &[Step]) -> Result<Vec<Step<Work>>, serde_json::Error> {
    let step = |step: &Step| {
        Ok(match step {
            Step::Work { work } => Step::Work { work: work.read()? },
            Step::Call { link } => Step::Call { link: *link },
            Step::Publish { link } => Step::Publish { link: *link },
            Step::Parallel { branches } => {
                Step::Parallel { branches: branches.iter().map(|branch| read(branch)).collect::<Result<_, _>>()? }
            }
            Step::Choose { branches } => {
                let choice = |choice: &Choice| Ok(Choice { weight: choice.weight, steps: read(&choice.steps)? });
                Step::Choose { branches: branches.iter().map(choice).collect::<Result<_, serde_json::Error>>()? }
            }
            Step::Reply => Step::Reply,
        })
    };
    steps.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_step_has_what_its_kind_has_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Step>(text);
        assert_eq!(read(r#"{"step": "call", "link": 3}"#).unwrap(), call(3));
        let choose = r#"{"step": "choose", "branches": [{"weight": 1, "steps": [{"step": "reply"}]}]}"#;
        assert_eq!(
            serde_json::to_string(&read(choose).unwrap()).unwrap(),
            choose.replace(": ", ":").replace(", ", ",")
        );
        let wrong = [
            r#"{"step": "call"}"#,
            r#"{"step": "call", "link": 70000}"#,
            r#"{"step": "call", "link": 3, "branches": []}"#,
            r#"{"step": "reply", "link": 3}"#,
            r#"{"step": "parallel", "branches": [{"weight": 1, "steps": []}]}"#,
            r#"{"step": "choose", "branches": [[]]}"#,
            r#"{"step": "work"}"#,
            r#"{"step": "rest"}"#,
            r#"{"step": "reply", "twice": true}"#,
            r#"{"link": 3}"#,
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
