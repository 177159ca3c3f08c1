//! The calling end of a link at one place: makes the attempts of each call, and stamps them.
//!
//! It chooses the replica, stamps `Sent` before the transport has the first byte, and closes every attempt exactly once:
//! by its reply, by the reason why there is none, by its time limit, or, when the call is dropped, as cancelled. An attempt
//! that ran out of time is read on, so that a reply that comes later is told as late; one that had no connection by then is
//! given up, and is never sent. Whether there is another attempt, and when, [`hopscope_rules::policy`] decides.

mod attempt;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hopscope_record::{Kind, LinkIndex, MessageId, TraceId};
use hopscope_rules::balance;
use hopscope_rules::policy::{Attempts, Next, Outcome};
use hopscope_scenario::model::Retry;
use hopscope_scenario::quantity::Time;
use tokio::runtime::Handle;

use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::{
    Answers, Body, BoxFuture, CallError, Caller, Carried, Identity, Outgoing, Progress, Reply, Verdict,
};
use attempt::{Attempt, read_on};

/// The calling end of one link at one place. Dropping it ends what it still reads.
pub struct Link {
    recorder: Recorder,
    /// One per replica of the node called.
    callers: Vec<Arc<dyn Caller>>,
    policy: Policy,
    passage: Passage,
    timer: Timer,
    /// Attempts that ran out of time and whose reply may still come.
    late: Tasks,
    calls: AtomicU64,
    open: AtomicU64,
}

/// How long a link's caller waits, and what it does when it waited in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Longest wait for the reply to one attempt, from its `Sent`; none: for ever.
    pub timeout: Option<Time>,
    /// When to try again; none: never.
    pub retry: Option<Retry>,
}

/// What an attempt on a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    /// A call: it closes by its reply.
    Call,
    /// A message that nobody answers: it closes when the system has it.
    Send,
    /// A publish: it closes by the broker's confirm, or, if a reply is awaited, by that.
    Publish {
        /// Whether one is.
        awaits_reply: bool,
    },
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

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The transport brought none.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The caller waited no longer.
    #[error("no reply within {limit}")]
    TimedOut {
        /// The link's time limit.
        limit: Time,
    },
}

impl Link {
    /// The end whose place and link `recorder` stamps, with a caller per replica of the node called. What comes late is
    /// read by tasks of the runtime that this is called on.
    #[must_use]
    pub fn new(recorder: Recorder, callers: Vec<Arc<dyn Caller>>, policy: Policy, timer: Timer) -> Self {
        Self::over(Passage::Call, recorder, callers, policy, timer)
    }

    /// The end that sends what nobody answers; the rest is as in [`Link::new`].
    #[must_use]
    pub fn oneway(recorder: Recorder, callers: Vec<Arc<dyn Caller>>, policy: Policy, timer: Timer) -> Self {
        Self::over(Passage::Send, recorder, callers, policy, timer)
    }

    /// The end that publishes into a queue; the rest is as in [`Link::new`].
    #[must_use]
    pub fn publishing(
        recorder: Recorder,
        publisher: Arc<dyn Caller>,
        awaits_reply: bool,
        policy: Policy,
        timer: Timer,
    ) -> Self {
        Self::over(Passage::Publish { awaits_reply }, recorder, vec![publisher], policy, timer)
    }

    fn over(passage: Passage, recorder: Recorder, callers: Vec<Arc<dyn Caller>>, policy: Policy, timer: Timer) -> Self {
        let late = Tasks::new(Handle::current());
        Self { recorder, callers, policy, passage, timer, late, calls: AtomicU64::new(0), open: AtomicU64::new(0) }
    }

    /// Which link.
    #[must_use]
    pub fn index(&self) -> LinkIndex {
        self.recorder.link()
    }

    /// Attempts that are open now. One that ran out of time is not, even while its reply may still come.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Acquire)
    }

    /// What reads the replies of attempts that ran out of time. Ended, it stamps nothing more.
    #[must_use]
    pub fn late(&self) -> &Tasks {
        &self.late
    }

    /// Makes a call: the attempt that `call` names, and those that the policy has follow it, each at the replica whose turn
    /// it is. Gives how the last one went. Dropping the future cancels the attempt under way, and makes no other.
    ///
    /// # Errors
    /// When no reply came. An error reply is a reply.
    pub async fn call(&self, call: Call, body: impl Into<Body>) -> Result<Reply, LinkError> {
        self.send(call, body.into(), None).await
    }

    /// Publishes the reply to a message from a queue; the rest is as in [`Link::call`].
    ///
    /// # Errors
    /// When the broker did not say that it has it.
    pub async fn answer(&self, call: Call, body: impl Into<Body>, answers: Answers) -> Result<Reply, LinkError> {
        self.send(call, body.into(), Some(answers)).await
    }

    async fn send(&self, call: Call, body: Body, answers: Option<Answers>) -> Result<Reply, LinkError> {
        let (mut attempts, mut call) = (Attempts::new(self.policy.retry), call);
        loop {
            let result = self.attempt(call, body.clone(), answers.clone()).await;
            match attempts.next(outcome(&result)) {
                Next::Done => return result,
                Next::Again { attempt, after } => {
                    let Call { trace, message, .. } = call;
                    let (next, none) = (u64::from(attempt), MessageId::NONE);
                    let decided = self.recorder.record(Kind::RETRIED, trace, message, none, after.0, next);
                    self.timer.until(decided.saturating_add_unsigned(after.0)).await;
                    call.message = message.with_attempt(attempt);
                }
            }
        }
    }

    /// Makes one attempt.
    async fn attempt(&self, call: Call, body: Body, answers: Option<Answers>) -> Result<Reply, LinkError> {
        let attempt = Attempt::open(self, call, body.len());
        let carried = Carried::default();
        let mut reply = self.hand_over(call, body, answers, carried.clone());
        let Some(limit) = self.policy.timeout else {
            let result = reply.await;
            attempt.close(&result);
            return Ok(result?);
        };
        let deadline = attempt.sent().saturating_add_unsigned(limit.0);
        tokio::select! {
            // A reply that is there is in time, however late both are looked at.
            biased;
            result = &mut reply => {
                attempt.close(&result);
                Ok(result?)
            }
            () = self.timer.until(deadline) => {
                attempt.time_out(limit);
                // One that still waits to be carried is never sent: nobody would wait for its reply.
                if carried.get() {
                    self.late.spawn(read_on(self.recorder.clone(), self.passage, call, reply));
                }
                Err(LinkError::TimedOut { limit })
            }
        }
    }

    /// Hands an attempt to the transport of the replica whose turn it is.
    fn hand_over(
        &self,
        call: Call,
        body: Body,
        answers: Option<Answers>,
        carried: Carried,
    ) -> BoxFuture<'static, Result<Reply, CallError>> {
        let turn = balance::turn(self.calls.fetch_add(1, Ordering::Relaxed), self.callers.len());
        match turn.and_then(|turn| self.callers.get(turn)) {
            Some(caller) => {
                let identity = Identity { trace: call.trace, message: call.message, link: self.index() };
                let publishes = matches!(self.passage, Passage::Publish { .. });
                let progress = publishes.then(|| Progress::new(self.recorder.clone(), call.trace, call.message));
                Arc::clone(caller).call(Outgoing { identity, body, answers, progress, carried })
            }
            None => Box::pin(std::future::ready(Err(CallError::Closed))),
        }
    }

    /// Resolves when what was handed over, and nobody answers, has been taken, as far as that can be known.
    pub async fn settle(&self) {
        for caller in &self.callers {
            caller.settle().await;
        }
    }

    /// Gives up what may still come late and ends the link's connections; resolves when nothing of them is left.
    pub async fn close(&self) {
        self.late.end().await;
        for caller in &self.callers {
            caller.close().await;
        }
    }
}

impl Link {
    /// As if the program had died: gives up what may still come late and resets the link's connections; resolves when
    /// nothing of them is left.
    pub async fn reset(&self) {
        self.late.end().await;
        for caller in &self.callers {
            caller.reset().await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.late.cancel();
    }
}

fn outcome(result: &Result<Reply, LinkError>) -> Outcome {
    match result {
        Ok(Reply { verdict: Verdict::Good, .. }) => Outcome::Good,
        Ok(Reply { verdict: Verdict::Refused, .. }) => Outcome::Refused,
        Ok(Reply { verdict: Verdict::Failed, .. }) | Err(LinkError::Call(_)) => Outcome::Failed,
        Err(LinkError::TimedOut { .. }) => Outcome::TimedOut,
    }
}
