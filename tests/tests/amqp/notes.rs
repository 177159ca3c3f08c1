//! What was said, line by line, with what no two brokers can have alike masked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What precedes a text that a broker makes up.
const MADE_UP: [&str; 3] = ["amq.gen-", "amq.ctag-", "amq.rabbitmq.reply-to."];

/// The lines of one conversation, and what it declared. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    lines: Vec<String>,
    queues: BTreeSet<String>,
    exchanges: BTreeSet<String>,
}

impl Notes {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more line.
    pub(crate) fn say(&self, line: &str) {
        self.kept().lines.push(masked(line));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.kept().lines.clone()
    }

    /// To be deleted in the end.
    pub(crate) fn declared_queue(&self, name: &str) {
        self.kept().queues.insert(name.to_owned());
    }

    /// To be deleted in the end.
    pub(crate) fn declared_exchange(&self, name: &str) {
        self.kept().exchanges.insert(name.to_owned());
    }

    /// The queues and the exchanges that were declared.
    pub(crate) fn declared(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let kept = self.kept();
        (kept.queues.clone(), kept.exchanges.clone())
    }
}

/// The line with a star in place of each name that was made up and of each time of day.
fn masked(line: &str) -> String {
    let mut masked = line.to_owned();
    for prefix in MADE_UP {
        masked = star_after(&masked, prefix, |c| c.is_ascii_alphanumeric() || "-_.+/=".contains(c));
    }
    star_after(&masked, "Timestamp(", |c| c.is_ascii_digit())
}

fn star_after(line: &str, prefix: &str, belongs: impl Fn(char) -> bool) -> String {
    let mut parts = line.split(prefix);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(prefix);
        let rest = part.trim_start_matches(&belongs);
        if rest.len() < part.len() {
            out.push('*');
        }
        out.push_str(rest);
    }
    out
}
