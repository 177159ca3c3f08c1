//! The Issues found so far.

use crate::issue::Issue;

/// Most Issues of one document: a hostile document of millions of faults must not cost a hundred times its size.
pub const MAX_ISSUES: usize = 1_000;

/// A list that stops growing at [`MAX_ISSUES`].
#[derive(Debug, Default)]
pub(super) struct Issues(Vec<Issue>);

impl Issues {
    pub(super) fn push(&mut self, issue: Issue) {
        if self.0.len() < MAX_ISSUES {
            self.0.push(issue);
        } else if issue.is_error() && !self.0.iter().any(Issue::is_error) {
            // A list full of warnings must still say that the document cannot run.
            self.0.pop();
            self.0.push(issue);
        }
    }

    pub(super) fn into_vec(self) -> Vec<Issue> {
        self.0
    }
}
