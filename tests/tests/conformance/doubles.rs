//! Receivers that stall, fail and panic.

use std::sync::Arc;

use bytes::Bytes;
use hopscope_server::transport::{Answer, Begin, Body, BoxFuture, Handler, Identity, Request, Verdict};
use tokio::sync::{Barrier, Semaphore, mpsc};

/// Answers with what was sent.
pub(crate) struct Echo;

impl Handler for Echo {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move { Answer { verdict: Verdict::Good, body: request.body.bytes } })
    }
}

/// Answers with ten times what was sent.
pub(crate) struct Tenfold;

impl Handler for Tenfold {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move { Answer { verdict: Verdict::Good, body: Bytes::from(request.body.repeat(10)) } })
    }
}

/// Answers with what was sent, and tells who came.
pub(crate) struct Witness(pub(crate) mpsc::UnboundedSender<(Identity, Body)>);

impl Handler for Witness {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        // A case that is no longer interested has ended.
        let _ = self.0.send((request.identity, request.body.clone()));
        Echo.answer(request)
    }
}

impl Echo {
    fn answer(self, request: Request) -> BoxFuture<'static, Answer> {
        Arc::new(self).handle(request)
    }
}

/// Answers nobody before all have come.
pub(crate) struct Together(pub(crate) Barrier);

impl Handler for Together {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            self.0.wait().await;
            Answer { verdict: Verdict::Good, body: Bytes::from([b"reply to ", &request.body[..]].concat()) }
        })
    }
}

/// Tells that it has begun, and stalls until it is let go.
pub(crate) struct Stalls {
    /// One permit per request that has begun.
    pub(crate) begun: Semaphore,
    /// One permit per request that may go on.
    pub(crate) go: Semaphore,
    /// One permit per request that has come to its end.
    pub(crate) done: Semaphore,
}

impl Stalls {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { begun: Semaphore::new(0), go: Semaphore::new(0), done: Semaphore::new(0) })
    }

    /// Waits for one more of these permits.
    pub(crate) async fn one(permits: &Semaphore) -> anyhow::Result<()> {
        permits.acquire().await?.forget();
        Ok(())
    }
}

impl Handler for Stalls {
    fn handle(self: Arc<Self>, _: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            self.begun.add_permits(1);
            let went_on = Self::one(&self.go).await.is_ok();
            self.done.add_permits(1);
            Answer { verdict: if went_on { Verdict::Good } else { Verdict::Failed }, body: Bytes::new() }
        })
    }
}

/// Has room for one request at a time, which stalls in it until it is let go, and turns all others away.
pub(crate) struct OneRoom {
    room: Arc<Semaphore>,
    inside: Arc<Stalls>,
}

impl OneRoom {
    pub(crate) fn new(inside: Arc<Stalls>) -> Self {
        Self { room: Arc::new(Semaphore::new(1)), inside }
    }
}

impl Handler for OneRoom {
    fn enter(self: Arc<Self>) -> Option<Begin> {
        let place = Arc::clone(&self.room).try_acquire_owned().ok()?;
        Some(Box::new(move |request| {
            Box::pin(async move {
                let answer = self.handle(request).await;
                drop(place);
                answer
            })
        }))
    }

    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Arc::clone(&self.inside).handle(request)
    }
}

/// Stalls the first attempts of requests that say `stall` until it is let go, and answers all others at once.
pub(crate) struct StallsFirst(pub(crate) Arc<Stalls>);

impl Handler for StallsFirst {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        if &request.body[..] == b"stall" && request.identity.message.attempt() == 1 {
            Arc::clone(&self.0).handle(request)
        } else {
            Echo.answer(request)
        }
    }
}

/// Refuses first attempts, and answers all others with what was sent.
pub(crate) struct RefusesFirst;

impl Handler for RefusesFirst {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        let first = request.identity.message.attempt() == 1;
        Box::pin(async move {
            let verdict = if first { Verdict::Refused } else { Verdict::Good };
            Answer { verdict, body: request.body.bytes }
        })
    }
}

/// Says what the request's body says: `refused`, `failed`, or `panic` for no answer at all.
pub(crate) struct Obeys;

impl Handler for Obeys {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let verdict = match &request.body[..] {
                b"refused" => Verdict::Refused,
                b"failed" => Verdict::Failed,
                // Not `panic!`: the hook's report of an expected panic would only look like a fault in the output.
                b"panic" => std::panic::resume_unwind(Box::new("as told")),
                _ => Verdict::Good,
            };
            Answer { verdict, body: Bytes::from_static(b"said") }
        })
    }
}
