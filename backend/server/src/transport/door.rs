//! The door of a replica: what every transport does with a request that has arrived, so that it is stamped alike.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::FutureExt as _;
use hopscope_record::kind::Admission;
use hopscope_record::trace_context::{Arrival, Identity, TraceParent, arriving};
use hopscope_record::{Kind, LinkIndex, MessageId};

use super::{Answer, Body, BoxFuture, ReplyTo, Verdict};
use crate::record::Recorder;
use crate::tasks::Tasks;

/// What works on one call that was let in.
pub type Begin = Box<dyn FnOnce(Request) -> BoxFuture<'static, Answer> + Send>;

/// Works on requests: a replica, or a test's double.
pub trait Handler: Send + Sync + 'static {
    /// A call has arrived: gives what works on it, which keeps its place for it, or `None` to turn it away. Deliveries are
    /// bounded by their queue's prefetch and do not come this way.
    fn enter(self: Arc<Self>) -> Option<Begin> {
        Some(Box::new(move |request| self.handle(request)))
    }

    /// Starts with `request`. The future runs to its end even if the caller goes away, unless its tasks are ended; a panic
    /// in it becomes a failed answer.
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer>;
}

/// A request that has arrived and is stamped as received.
pub struct Request {
    /// Who it is.
    pub identity: Identity,
    /// What it carries.
    pub body: Body,
    /// Stamps at this replica, on the link that the request came over.
    pub recorder: Recorder,
    /// How its sender wants the reply, where it came through a queue and wants one.
    pub reply: Option<ReplyTo>,
}

/// Where requests enter a replica. Cloning is cheap.
#[derive(Clone)]
pub struct Door {
    shared: Arc<Shared>,
}

struct Shared {
    recorder: Recorder,
    links: Vec<LinkIndex>,
    handler: Arc<dyn Handler>,
    tasks: Tasks,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("links", &self.shared.links).finish_non_exhaustive()
    }
}

impl Door {
    /// The door of a replica: `recorder` stamps at its place, `links` are those that end there, `tasks` are its own.
    #[must_use]
    pub fn new(recorder: Recorder, links: Vec<LinkIndex>, handler: Arc<dyn Handler>, tasks: Tasks) -> Self {
        Self { shared: Arc::new(Shared { recorder, links, handler, tasks }) }
    }

    /// Lets a request in whose last byte has been read, with the identity that its headers claim. `say` gives the
    /// protocol's own status of an answer, and leaves in the answer what the protocol's reply carries.
    pub(super) fn admit_claimed(
        &self,
        traceparent: Option<TraceParent>,
        hs: Option<Identity>,
        body: Body,
        say: impl FnOnce(&mut Answer) -> u16 + Send + 'static,
    ) -> Admitted {
        let (identity, parent) = self.claimed(traceparent, hs);
        self.admit(identity, parent, body, say)
    }

    /// Lets in what nobody waits for the answer of, with the identity that its headers claim. It is worked on as a task of the
    /// replica's.
    pub(super) fn take_claimed(&self, traceparent: Option<TraceParent>, hs: Option<Identity>, body: Body) {
        let (identity, parent) = self.claimed(traceparent, hs);
        drop(self.let_in(identity, parent, body, |_| None));
    }

    /// Who a request is that claims to be this, and what caused it, where its message begins here.
    fn claimed(&self, traceparent: Option<TraceParent>, hs: Option<Identity>) -> (Identity, MessageId) {
        let (recorder, link) = (&self.shared.recorder, LinkIndex::NONE);
        let ends_here = |link| self.shared.links.contains(&link);
        match arriving(recorder.run_key(), traceparent, hs, ends_here) {
            Arrival::Itself(identity) => (identity, MessageId::NONE),
            Arrival::Child { trace, parent } => (Identity { trace, message: recorder.mint_message(), link }, parent),
            Arrival::Root => {
                let (trace, message) = recorder.mint_root();
                (Identity { trace, message, link }, MessageId::NONE)
            }
        }
    }

    /// Lets a request in that is what it says, unless it is turned away. `parent` is set where its message begins here; `say` is as above.
    pub(super) fn admit(
        &self,
        identity: Identity,
        parent: MessageId,
        body: Body,
        say: impl FnOnce(&mut Answer) -> u16 + Send + 'static,
    ) -> Admitted {
        self.let_in(identity, parent, body, |answer| Some(say(answer)))
    }

    /// As [`Door::admit`]; where `say` gives no status, nothing is replied.
    fn let_in(
        &self,
        identity: Identity,
        parent: MessageId,
        body: Body,
        say: impl FnOnce(&mut Answer) -> Option<u16> + Send + 'static,
    ) -> Admitted {
        let shared = &self.shared;
        let recorder = shared.recorder.at(shared.recorder.place(), identity.link);
        let Identity { trace, message, .. } = identity;
        let begin = Arc::clone(&shared.handler).enter();
        let admission = if begin.is_some() { Admission::Admitted } else { Admission::TurnedAway };
        recorder.record(Kind::RECEIVED, trace, message, parent, admission as u64, body.len() as u64);
        let tasks = shared.tasks.clone();
        let held = tasks.hold();
        let answer = async move {
            let _held = held;
            let request = Request { identity, body, recorder: recorder.clone(), reply: None };
            // The handler's own state is behind locks that recover; a panic loses this one answer.
            let work = AssertUnwindSafe(async {
                match begin {
                    Some(begin) => begin(request).await,
                    None => Answer { verdict: Verdict::Refused, body: Bytes::new() },
                }
            });
            let mut answer = match tasks.unless_ended(work.catch_unwind()).await {
                Some(Ok(answer)) => answer,
                Some(Err(_)) | None => Answer { verdict: Verdict::Failed, body: Bytes::new() },
            };
            if let Some(status) = say(&mut answer) {
                let bytes = answer.body.len() as u64;
                recorder.record(Kind::REPLIED, trace, message, MessageId::NONE, u64::from(status), bytes);
            }
            answer
        };
        Admitted { answer: Some(Box::pin(answer)), tasks: shared.tasks.clone() }
    }
}

/// The answer to come. It is stamped as replied when it resolves: hand its first byte over right then.
///
/// Dropped before (the caller has gone), what was begun goes on as a task of the replica.
#[must_use = "a request that was let in has to be worked on"]
pub struct Admitted {
    answer: Option<BoxFuture<'static, Answer>>,
    tasks: Tasks,
}

impl Future for Admitted {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        let answer = ready!(answer.as_mut().poll(context));
        self.answer = None;
        Poll::Ready(answer)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.tasks.spawn(async move { drop(answer.await) });
        }
    }
}
