//! Where deliveries enter a consumer: what every transport of messages does with one that has arrived, so that it is
//! stamped alike.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use hopscope_record::kind::{Admission, Deaths};
use hopscope_record::trace_context::{Arrival, Identity, TraceParent, arriving};
use hopscope_record::{Kind, MessageId, TraceId};

use super::{Answer, Body, Handler, Request, Verdict};
use crate::record::Recorder;
use crate::tasks::Tasks;

/// How the sender of a message wants its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The queue that the reply is for.
    pub queue: String,
    /// What the reply has to name, so that the sender knows what it answers.
    pub correlation: String,
}

/// Where deliveries enter a replica over one link. Cloning is cheap.
#[derive(Clone)]
pub struct Intake {
    recorder: Recorder,
    handler: Arc<dyn Handler>,
    tasks: Tasks,
}

impl Intake {
    /// The intake of a replica: `recorder` stamps at its place, on the link that delivers; `tasks` are its own.
    #[must_use]
    pub fn new(recorder: Recorder, handler: Arc<dyn Handler>, tasks: Tasks) -> Self {
        Self { recorder, handler, tasks }
    }

    /// Stamps at the consumer's place, on its link.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What it works on.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Stamps what the broker says of a delivery that has just been let in: where it died, and whether it was handed out before.
    pub(super) fn told<'a>(
        &self,
        trace: TraceId,
        message: MessageId,
        deaths: impl Iterator<Item = (&'a str, Deaths)>,
        redelivered: bool,
    ) {
        let recorder = &self.recorder;
        for (queue, deaths) in deaths {
            let queue = recorder.name(queue);
            recorder.record(Kind::X_DEATH, trace, message, MessageId::NONE, queue, deaths.to_value());
        }
        if redelivered {
            recorder.record(Kind::REDELIVERED, trace, message, MessageId::NONE, 0, 0);
        }
    }

    /// Lets a delivery in whose last byte has been read. A delivery is a message of its own, `message`; what its headers
    /// claim is its parent. Gives its trace, and the answer, which is `None` when the replica was ended before there was one: it is not to be settled.
    pub(super) fn admit(
        &self,
        message: MessageId,
        traceparent: Option<TraceParent>,
        hs: Option<Identity>,
        body: Body,
        reply: Option<ReplyTo>,
    ) -> (TraceId, impl Future<Output = Option<Answer>> + Send + 'static) {
        let Self { recorder, handler, tasks } = self.clone();
        let (trace, parent) = parentage(&recorder, traceparent, hs);
        let (admitted, bytes) = (Admission::Admitted as u64, body.len() as u64);
        recorder.record(Kind::RECEIVED, trace, message, parent, admitted, bytes);
        let held = tasks.hold();
        let answer = async move {
            let _held = held;
            let identity = Identity { trace, message, link: recorder.link() };
            let request = Request { identity, body, recorder, reply };
            // The handler's own state is behind locks that recover; a panic loses this one answer.
            let work = AssertUnwindSafe(async { handler.handle(request).await }).catch_unwind();
            let failed = || Answer { verdict: Verdict::Failed, body: Bytes::new() };
            tasks.unless_ended(work).await.map(|answer| answer.unwrap_or_else(|_| failed()))
        };
        (trace, answer)
    }
}

/// The trace of a delivery, and the message that it delivers.
pub(super) fn parentage(
    recorder: &Recorder,
    traceparent: Option<TraceParent>,
    hs: Option<Identity>,
) -> (TraceId, MessageId) {
    match arriving(recorder.run_key(), traceparent, hs, |_| false) {
        Arrival::Itself(Identity { trace, message: parent, .. }) | Arrival::Child { trace, parent } => (trace, parent),
        Arrival::Root => (recorder.mint_root().0, MessageId::NONE),
    }
}
