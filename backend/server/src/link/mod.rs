//! The calling end of a link at one place: makes one attempt per call and stamps it.
//!
//! It chooses the replica, stamps `Sent` before the transport has the first byte, and closes every attempt exactly once:
//! by its reply, by the reason why there is none, or, when the call is dropped, as cancelled.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hopscope_record::{Kind, LinkIndex, MessageId, TraceId};
use hopscope_rules::balance;

use crate::record::Recorder;
use crate::transport::{CallError, Caller, Identity, Outgoing, Reply, Verdict};

/// The calling end of one link at one place.
pub struct Link {
    recorder: Recorder,
    /// One per replica of the node called.
    callers: Vec<Box<dyn Caller>>,
    calls: AtomicU64,
    open: AtomicU64,
}

/// Who calls, and because of what.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The trace.
    pub trace: TraceId,
    /// The message, in the attempt to be made.
    pub message: MessageId,
    /// The message that caused it, or none.
    pub parent: MessageId,
}

impl Link {
    /// The end whose place and link `recorder` stamps, with a caller per replica of the node called.
    #[must_use]
    pub fn new(recorder: Recorder, callers: Vec<Box<dyn Caller>>) -> Self {
        Self { recorder, callers, calls: AtomicU64::new(0), open: AtomicU64::new(0) }
    }

    /// Which link.
    #[must_use]
    pub fn index(&self) -> LinkIndex {
        self.recorder.link()
    }

    /// Attempts that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Acquire)
    }

    /// Makes one attempt at the replica whose turn it is. Dropping the future cancels it.
    ///
    /// # Errors
    /// When no reply came. An error reply is a reply.
    pub async fn call(&self, call: Call, body: Bytes) -> Result<Reply, CallError> {
        let turn = balance::turn(self.calls.fetch_add(1, Ordering::Relaxed), self.callers.len());
        let attempt = Attempt::open(self, call, body.len());
        let result = match turn.and_then(|turn| self.callers.get(turn)) {
            Some(caller) => {
                let identity = Identity { trace: call.trace, message: call.message, link: self.index() };
                caller.call(Outgoing { identity, body }).await
            }
            None => Err(CallError::Closed),
        };
        attempt.close(&result);
        result
    }

    /// Ends the link's connections; resolves when nothing of them is left.
    pub async fn close(&self) {
        for caller in &self.callers {
            caller.close().await;
        }
    }
}

/// An open attempt.
struct Attempt<'a> {
    link: &'a Link,
    call: Call,
    closed: bool,
}

impl<'a> Attempt<'a> {
    fn open(link: &'a Link, call: Call, bytes: usize) -> Self {
        link.open.fetch_add(1, Ordering::AcqRel);
        link.recorder.record(Kind::SENT, call.trace, call.message, call.parent, 0, bytes as u64);
        Self { link, call, closed: false }
    }

    fn close(mut self, result: &Result<Reply, CallError>) {
        match result {
            Ok(Reply { verdict, status, body }) => {
                let (kind, b) = match verdict {
                    Verdict::Good => (Kind::COMPLETED, body.len() as u64),
                    Verdict::Refused => (Kind::REFUSED, body.len() as u64),
                    Verdict::Failed => (Kind::FAILED, 0),
                };
                self.stamp(kind, u64::from(*status), b);
            }
            Err(error) => {
                let text = self.link.recorder.name(&error.to_string());
                self.stamp(Kind::FAILED, 0, text);
            }
        }
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
