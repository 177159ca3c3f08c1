//! What a sender learns of an attempt before it closes.

use hopscope_record::kind::AWAITS_REPLY;
use hopscope_record::{Kind, MessageId, TraceId};

use crate::record::Recorder;

/// Stamps what a transport is told of an attempt on its way. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Progress {
    recorder: Recorder,
    trace: TraceId,
    message: MessageId,
}

impl Progress {
    /// Of this attempt; `recorder` stamps at the sender's place, on its link.
    #[must_use]
    pub fn new(recorder: Recorder, trace: TraceId, message: MessageId) -> Self {
        Self { recorder, trace, message }
    }

    /// The broker has the message, and its reply is awaited now.
    pub(super) fn confirmed(&self) {
        self.record(Kind::CONFIRMED, AWAITS_REPLY);
    }

    /// The broker gave the message back, with this code.
    pub(super) fn returned(&self, code: u16) {
        self.record(Kind::RETURNED, u64::from(code));
    }

    fn record(&self, kind: Kind, a: u64) {
        self.recorder.record(kind, self.trace, self.message, MessageId::NONE, a, 0);
    }
}
