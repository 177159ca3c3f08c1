//! One replica of a service: takes requests in, works on them by its workers, calls on, and answers.

mod body;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use hopscope_record::kind::Outcome as Ended;
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_rules::body::Outcome;
use hopscope_rules::draw::Draws;
use hopscope_rules::pool::{Arrival, Pool};
use hopscope_scenario::model::Work;
use hopscope_scenario::plan::Step;
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::{Share, Time};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::cpu::Cpu;
use super::effects::Effects;
use super::ends;
use super::ports::Ports;
use super::slice::{Callee, ReplicaSlice};
use super::standing::Taking;
use crate::link::{Call, Link};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::{
    self, Address, Answer, Answers, Begin, BoxFuture, Door, Endpoint, Handler, ReplyTo, Request, TransportError,
    Verdict,
};

/// A replica with its open ends. Dropping it ends it without waiting.
pub(super) struct ReplicaNode {
    slice: ReplicaSlice,
    recorder: Recorder,
    replica: Arc<Replica>,
    endpoints: Vec<(Protocol, Box<dyn Endpoint>)>,
    consumers: Vec<Taking>,
    replies: Arc<Replies>,
    tasks: Tasks,
}

/// The links that replies go out over, each with the queue that it leads to.
type Replies = OnceLock<Vec<(Arc<str>, Link)>>;

impl ReplicaNode {
    /// Binds the replica on every protocol that it is reached by: at fresh addresses, or where `again` says that it was before.
    /// Its work burns `cpu`, where that is given, and waits otherwise.
    ///
    /// # Errors
    /// When no address can be had, or not that one.
    pub(super) async fn bind(
        slice: ReplicaSlice,
        cpu: Option<Cpu>,
        recorder: Recorder,
        timer: Timer,
        again: Option<&Ports>,
    ) -> Result<Self, TransportError> {
        let tasks = Tasks::new(Handle::current());
        let replica = Arc::new(Replica {
            pool: Mutex::new(Pool::new(slice.workers, slice.room)),
            body: slice.body.clone(),
            links: OnceLock::new(),
            works: Mutex::new(Works {
                draws: slice.draws.clone(),
                failures: slice.failures.clone(),
                failure: slice.failure,
                drawn: 0,
            }),
            choices: Mutex::new(Choices { draws: slice.choices.clone(), drawn: 0 }),
            cpu,
            effects: Arc::clone(&slice.effects),
            timer,
            tasks: tasks.clone(),
        });
        let replies = OnceLock::new();
        let arriving: Vec<LinkIndex> = slice.arriving.iter().map(|(link, _)| *link).collect();
        let mut endpoints = Vec::new();
        for protocol in slice.protocols() {
            let handler = Arc::clone(&replica);
            let Some(transport) = transport::of(protocol) else { continue };
            let door = Door::new(recorder.clone(), arriving.clone(), handler, tasks.clone());
            let before = again.and_then(|ports| ports.replicas.get(&(slice.place, protocol)).cloned());
            let endpoint = match before {
                Some(address) => transport.bind_again(door, address).await?,
                None => transport.bind(door).await?,
            };
            endpoints.push((protocol, endpoint));
        }
        Ok(Self { slice, recorder, replica, endpoints, consumers: Vec::new(), replies: Arc::new(replies), tasks })
    }

    /// Where it stamps.
    pub(super) fn place(&self) -> PlaceIndex {
        self.slice.place
    }

    /// Where it is reached.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (Protocol, Address)> {
        self.endpoints.iter().map(|(protocol, endpoint)| (*protocol, endpoint.address()))
    }

    /// Connects the links that the replica calls over, and then begins to take from its queues; `later`: what does not answer
    /// yet is connected when it is called, or does.
    ///
    /// # Errors
    /// When what it calls or takes from does not answer, and that may not be.
    pub(super) async fn connect(&mut self, ports: &Ports, later: bool) -> Result<(), TransportError> {
        let mut links = Vec::with_capacity(self.slice.calling.len());
        for calling in &self.slice.calling {
            links.push(ends::connect(calling, ports, &self.recorder, &self.replica.timer, later).await?);
        }
        // Connecting happens once; a second set of links would be closed by its drop.
        let _ = self.replica.links.set(links);
        let mut replies = Vec::with_capacity(self.slice.replying.len());
        for replying in &self.slice.replying {
            let link = ends::connect(replying, ports, &self.recorder, &self.replica.timer, later).await?;
            if let Callee::Queue { queue, .. } = &replying.to {
                replies.push((Arc::clone(queue), link));
            }
        }
        let _ = self.replies.set(replies);
        for taking in &self.slice.taking {
            let taker = Taker { replica: Arc::clone(&self.replica), replies: Arc::clone(&self.replies) };
            let make = ends::take(taking, ports, &self.recorder, Arc::new(taker), self.tasks.clone())?;
            self.consumers.push(Taking::start(make, self.replica.timer.clone(), later).await?);
        }
        Ok(())
    }

    /// The links that it calls and publishes over; none before it is connected.
    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        let replies = self.replies.get().into_iter().flatten().map(|(_, link)| link);
        self.replica.links().iter().chain(replies)
    }

    /// What it works on.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Ends the connections that it calls over; resolves when nothing of them is left.
    pub(super) async fn close_links(&self) {
        for link in self.links() {
            link.close().await;
        }
    }

    /// Gives its ports back, and to the queues what it has not settled; resolves when nothing of them is left.
    pub(super) async fn close_ports(&self) {
        for consumer in &self.consumers {
            consumer.close().await;
        }
        for (_, endpoint) in &self.endpoints {
            endpoint.close().await;
        }
    }

    /// From now on workers take up nothing; what they are at they go on with.
    pub(super) fn pause(&self) {
        self.replica.pool().pause();
    }

    /// Workers take up work again.
    pub(super) fn resume(&self) {
        let taken = self.replica.pool().resume();
        for waiter in taken {
            self.replica.hand(waiter);
        }
    }

    /// Ends as if its program had died; resolves when nothing of it is left. The way in and out goes first: what is given up
    /// then must not look to anybody like a reply, nor to a queue like a settlement.
    pub(super) async fn crash(&self) {
        for (_, endpoint) in &self.endpoints {
            endpoint.reset().await;
        }
        for consumer in &self.consumers {
            consumer.reset().await;
        }
        self.tasks.end().await;
        for link in self.links() {
            link.reset().await;
        }
        let none = MessageId::NONE;
        self.recorder.record(Kind::PROCESS_EXITED, TraceId::NONE, none, none, 0, 0);
    }
}

impl Drop for ReplicaNode {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// Who waits is told that a worker is theirs, ...
type Waiter = oneshot::Sender<Worker>;
/// ... and hears it here.
type Turn = oneshot::Receiver<Worker>;
/// The workers, and who waits for one.
type Waiting = Pool<Waiter>;

/// What works on requests.
struct Replica {
    pool: Mutex<Waiting>,
    body: Vec<Step<Work>>,
    links: OnceLock<Vec<Link>>,
    works: Mutex<Works>,
    choices: Mutex<Choices>,
    cpu: Option<Cpu>,
    effects: Arc<Effects>,
    timer: Timer,
    /// Those of its node.
    tasks: Tasks,
}

/// What chance decides in the body, one after the other.
struct Choices {
    draws: Draws,
    drawn: u64,
}

impl Choices {
    fn draw(&mut self) -> f64 {
        let n = self.drawn;
        self.drawn += 1;
        self.draws.unit(n)
    }
}

/// How long works take and how they end, one after the other.
struct Works {
    draws: Draws,
    failures: Draws,
    failure: Share,
    drawn: u64,
}

impl Works {
    fn draw(&mut self, work: &Work) -> (Time, Outcome) {
        let n = self.drawn;
        self.drawn += 1;
        let failed = self.failures.happens(n, self.failure);
        (self.draws.work(n, work), if failed { Outcome::Failed } else { Outcome::Good })
    }
}

impl Handler for Replica {
    fn enter(self: Arc<Self>) -> Option<Begin> {
        let turn = self.line_up(Pool::arrive)?;
        Some(Box::new(move |request| Box::pin(self.respond(turn, request))))
    }

    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        match Arc::clone(&self).enter() {
            Some(begin) => begin(request),
            None => Box::pin(std::future::ready(Answer { verdict: Verdict::Refused, body: Bytes::new() })),
        }
    }
}

fn answer(outcome: Outcome) -> Answer {
    let verdict = if outcome == Outcome::Good { Verdict::Good } else { Verdict::Failed };
    Answer { verdict, body: Bytes::new() }
}

/// What works on deliveries: the replica, which also publishes the reply where one is wanted. The delivery is settled when
/// the body has ended and the broker has the reply.
struct Taker {
    replica: Arc<Replica>,
    replies: Arc<Replies>,
}

impl Handler for Taker {
    fn handle(self: Arc<Self>, mut request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let (identity, recorder, wanted) = (request.identity, request.recorder.clone(), request.reply.take());
            let (tell, told) = oneshot::channel();
            // A delivery needs no place of the room, and so is never turned away.
            let Some(turn) = self.replica.line_up(Pool::arrive_outside) else { return answer(Outcome::Failed) };
            let body = Arc::clone(&self.replica).go_through(turn, request, tell);
            let reply = async {
                let outcome = told.await.unwrap_or(Outcome::Failed);
                self.reply(wanted?, outcome, identity, &recorder).await.map(|arrived| (outcome, arrived))
            };
            let (outcome, replied) = tokio::join!(body, reply);
            // A failure that its sender was told of is settled; one that nobody heard of is not.
            answer(match replied {
                Some((_, false)) => Outcome::Failed,
                Some((Outcome::Failed, true)) => Outcome::Good,
                Some((Outcome::Good, true)) | None => outcome,
            })
        })
    }
}

impl Taker {
    /// Publishes a reply, and tells whether the broker has it; `None` where no link leads to who wants it.
    async fn reply(
        &self,
        wanted: ReplyTo,
        outcome: Outcome,
        delivery: transport::Identity,
        recorder: &Recorder,
    ) -> Option<bool> {
        let ReplyTo { queue, correlation } = wanted;
        let mut links = self.replies.get().into_iter().flatten();
        let (_, link) = links.find(|(name, _)| **name == *queue)?;
        let call = Call { trace: delivery.trace, message: recorder.mint_message(), parent: delivery.message };
        let answer = answer(outcome);
        let answers = Answers { correlation, verdict: answer.verdict };
        Some(link.answer(call, answer.body, answers).await.is_ok_and(|reply| reply.verdict == Verdict::Good))
    }
}

impl Replica {
    fn pool(&self) -> MutexGuard<'_, Waiting> {
        // The pool's steps are whole: nothing that holds the lock leaves it half changed.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> &[Link] {
        self.links.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Lines up for a worker, by the pool's way to arrive; `None` where that finds no room.
    fn line_up(self: &Arc<Self>, arrive: fn(&mut Waiting, Waiter) -> Arrival<Waiter>) -> Option<Turn> {
        let (ours, turn) = oneshot::channel();
        let arrival = arrive(&mut self.pool(), ours);
        match arrival {
            // The other half is right here and open.
            Arrival::Start(ours) => drop(ours.send(Worker { replica: Some(Arc::clone(self)) })),
            Arrival::Waits => {}
            Arrival::Full(_) => return None,
        }
        Some(turn)
    }

    /// Goes through the body when it is its turn, and gives the reply when it is due; what follows the reply is the replica's
    /// alone.
    async fn respond(self: Arc<Self>, turn: Turn, request: Request) -> Answer {
        let (tell, mut told) = oneshot::channel();
        let tasks = self.tasks.clone();
        let mut body = Box::pin(self.go_through(turn, request, tell));
        let outcome = tokio::select! {
            biased;
            outcome = &mut told => outcome.unwrap_or(Outcome::Failed),
            _ = &mut body => return answer(told.try_recv().unwrap_or(Outcome::Failed)),
        };
        tasks.spawn(async move {
            body.await;
        });
        answer(outcome)
    }

    /// Hands a worker that has become free to who waited longest, past those who have gone.
    fn free(self: &Arc<Self>) {
        loop {
            let next = self.pool().finish();
            let Some(next) = next else { return };
            match next.send(Worker { replica: Some(Arc::clone(self)) }) {
                Ok(()) => return,
                Err(mut worker) => worker.replica = None,
            }
        }
    }

    /// Hands a worker that is taken for it to who waits; to the next, where that one has gone.
    fn hand(self: &Arc<Self>, waiter: Waiter) {
        if let Err(mut worker) = waiter.send(Worker { replica: Some(Arc::clone(self)) }) {
            worker.replica = None;
            self.free();
        }
    }
}

/// A worker, held. Dropping it frees it.
struct Worker {
    replica: Option<Arc<Replica>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(replica) = self.replica.take() {
            replica.free();
        }
    }
}

/// A request that a worker is held for; stamped as started when made and as finished before the worker is freed.
struct Held {
    recorder: Recorder,
    request: transport::Identity,
    ended: Ended,
    /// Dropped after `drop` below has stamped.
    _worker: Worker,
}

impl Held {
    fn start(worker: Worker, request: &Request) -> Self {
        let (recorder, identity) = (request.recorder.clone(), request.identity);
        recorder.record(Kind::STARTED, identity.trace, identity.message, MessageId::NONE, 0, 0);
        Self { recorder, request: identity, ended: Ended::Abandoned, _worker: worker }
    }

    fn finish(mut self, outcome: Outcome) {
        self.ended = if outcome == Outcome::Good { Ended::Done } else { Ended::Failed };
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (trace, message) = (self.request.trace, self.request.message);
        self.recorder.record(Kind::FINISHED, trace, message, MessageId::NONE, self.ended as u64, 0);
    }
}
