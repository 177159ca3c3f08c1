//! One attempt: opened once, closed once, and read on after its time limit.

use std::sync::atomic::Ordering;

use hopscope_record::kind::{LATE, Position};
use hopscope_record::{Kind, MessageId};
use hopscope_scenario::quantity::Time;

use super::{Call, Link, Passage};
use crate::record::Recorder;
use crate::transport::{BoxFuture, CallError, Reply, Verdict};

/// An open attempt. Dropped before it was closed, it is stamped as cancelled.
pub(super) struct Attempt<'a> {
    link: &'a Link,
    call: Call,
    sent: i64,
    closed: bool,
}

impl<'a> Attempt<'a> {
    /// Stamps that it is sent; do so right then.
    pub(super) fn open(link: &'a Link, call: Call, bytes: usize) -> Self {
        link.open.fetch_add(1, Ordering::AcqRel);
        let kind = if matches!(link.passage, Passage::Publish { .. }) { Kind::PUBLISHED } else { Kind::SENT };
        let sent = link.recorder.record(kind, call.trace, call.message, call.parent, 0, bytes as u64);
        Self { link, call, sent, closed: false }
    }

    /// When it was stamped as sent, in raw ns.
    pub(super) fn sent(&self) -> i64 {
        self.sent
    }

    /// Closes it by its reply, or by the reason why there is none.
    pub(super) fn close(mut self, result: &Result<Reply, CallError>) {
        match result {
            Ok(reply) => {
                let (kind, a, b) = closing(self.link.passage, reply);
                self.stamp(kind, a, b);
            }
            Err(error) => {
                let text = self.link.recorder.name(&error.to_string());
                self.stamp(Kind::FAILED, 0, text);
            }
        }
    }

    /// Closes it by its time limit.
    pub(super) fn time_out(mut self, limit: Time) {
        self.stamp(Kind::TIMED_OUT, limit.0, 0);
    }

    fn stamp(&mut self, kind: Kind, a: u64, b: u64) {
        self.closed = true;
        self.link.recorder.record(kind, self.call.trace, self.call.message, MessageId::NONE, a, b);
        self.link.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.closed {
            self.stamp(Kind::CANCELLED, 0, 0);
        }
    }
}

/// Reads on after the time limit. A reply is stamped as late; where none comes there is nothing more to tell.
pub(super) async fn read_on(
    recorder: Recorder,
    passage: Passage,
    call: Call,
    reply: BoxFuture<'static, Result<Reply, CallError>>,
) {
    if let Ok(reply) = reply.await {
        let (kind, a, b) = closing(passage, &reply);
        recorder.record(kind, call.trace, call.message, MessageId::NONE, a | LATE, b);
    }
}

/// The kind that a reply closes its attempt by, with its two values.
fn closing(passage: Passage, reply: &Reply) -> (Kind, u64, u64) {
    let (status, bytes) = (u64::from(reply.status), reply.body.len() as u64);
    match (passage, reply.verdict) {
        (Passage::Send, Verdict::Good) => (Kind::HANDED_OVER, 0, 0),
        (Passage::Publish { awaits_reply: false }, Verdict::Good) => {
            (Kind::CONFIRMED, 0, reply.position.map_or(0, Position::to_value))
        }
        // A status is a reply's; the broker's refusal has none.
        (Passage::Publish { .. }, Verdict::Refused) if reply.status == 0 => (Kind::CONFIRM_REFUSED, 0, 0),
        (_, Verdict::Good) => (Kind::COMPLETED, status, bytes),
        (_, Verdict::Refused) => (Kind::REFUSED, status, bytes),
        (_, Verdict::Failed) => (Kind::FAILED, status, 0),
    }
}
