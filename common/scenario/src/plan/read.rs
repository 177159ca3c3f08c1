//! A body's steps as a plan has them written, and as who goes through them reads them.

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

    #[test]
    fn a_step_has_what_its_kind_has_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Step>(text);
        assert_eq!(read(r#"{"step": "call", "link": 3}"#).unwrap(), Step::Call { link: 3 });
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
