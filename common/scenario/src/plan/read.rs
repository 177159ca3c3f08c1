//! A body's steps as who goes through them reads them: with their works.

use super::{Choice, Step};
use crate::model::Work;

/// The steps with their works read.
pub(super) fn read(steps: &[Step]) -> Result<Vec<Step<Work>>, serde_json::Error> {
    let step = |step: &Step| {
        Ok(match step {
            Step::Work { work } => Step::Work { work: work.read()? },
            Step::Call { link } => Step::Call { link: *link },
            Step::Publish { link } => Step::Publish { link: *link },
            Step::Effect { effect } => Step::Effect { effect: *effect },
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
