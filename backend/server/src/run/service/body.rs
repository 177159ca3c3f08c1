//! A replica's way through the body of one request: what the machine of `hopscope_rules::body` says is done here.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hopscope_record::LinkIndex;
use hopscope_rules::body::{Action, Body, Deed, Outcome, Strand};
use hopscope_scenario::model::Work;
use tokio::sync::oneshot;

use super::{Held, Replica, Turn};
use crate::link::Call;
use crate::transport::{Request, Verdict};

impl Replica {
    /// Waits for its turn and goes through the body; gives how that ended. `tell` hears of the reply when it is due: where it
    /// is the last step, after the worker was freed.
    pub(super) async fn go_through(
        self: Arc<Self>,
        turn: Turn,
        request: Request,
        tell: oneshot::Sender<Outcome>,
    ) -> Outcome {
        let worker = match turn.await {
            Ok(worker) => worker,
            // The pool never drops one that waits: it lives as long as this replica, which is owned here.
            Err(_) => std::future::pending().await,
        };
        let held = Held::start(worker, &request);
        let mut tell = Some(tell);
        let mut reply = |outcome| {
            if let Some(tell) = tell.take() {
                // Who waits for it may be gone.
                let _ = tell.send(outcome);
            }
        };
        let mut chance = || self.choices.lock().unwrap_or_else(PoisonError::into_inner).draw();
        let (mut body, mut actions, mut running) = (Body::new(&self.body), Vec::new(), FuturesUnordered::new());
        body.start(&mut chance, &mut actions);
        loop {
            for action in actions.drain(..) {
                match action {
                    Action::Begin(strand, deed) => running.push(self.begin(strand, deed, &request)),
                    Action::Effect(effect) => {
                        self.effects.come(effect, &request.recorder, request.identity).await;
                    }
                    Action::Reply(outcome) => reply(outcome),
                    Action::End { outcome, reply: wanted } => {
                        held.finish(outcome);
                        if wanted {
                            reply(outcome);
                        }
                        return outcome;
                    }
                }
            }
            // A body that has not ended waits for something.
            let Some((strand, outcome)) = running.next().await else { return Outcome::Failed };
            body.next(strand, outcome, &mut chance, &mut actions);
        }
    }

    async fn begin(&self, strand: Strand, deed: Deed<'_>, request: &Request) -> (Strand, Outcome) {
        let outcome = match deed {
            Deed::Work(work) => self.pass(work).await,
            Deed::Call(link) | Deed::Publish(link) => self.call(LinkIndex(link), request).await,
        };
        (strand, outcome)
    }

    /// Stands for work: burns as much CPU time, or waits exactly as long. It fails as often as chance has it.
    async fn pass(&self, work: &Work) -> Outcome {
        let (length, outcome) = self.works.lock().unwrap_or_else(PoisonError::into_inner).draw(work);
        let length = Duration::from_nanos(length.0);
        match &self.cpu {
            _ if length.is_zero() => {}
            Some(cpu) => cpu.burn(length).await,
            None => self.timer.after(length).await,
        }
        outcome
    }

    /// Calls on with the body that came in, in as many attempts as the link's policy makes.
    async fn call(&self, link: LinkIndex, request: &Request) -> Outcome {
        let Some(link) = self.links().iter().find(|ours| ours.index() == link) else { return Outcome::Failed };
        let call = Call {
            trace: request.identity.trace,
            message: request.recorder.mint_message(),
            parent: request.identity.message,
        };
        match link.call(call, request.body.clone()).await {
            Ok(reply) if reply.verdict == Verdict::Good => Outcome::Good,
            _ => Outcome::Failed,
        }
    }
}
