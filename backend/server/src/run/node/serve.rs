//! The child's end: one replica or one client, which does what it is told over its channel and ends with it.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hopscope_record::{LinkIndex, PlaceIndex, RunKey, SourceId};
use hopscope_rules::tempo::Change;
use hopscope_scenario::plan::{Plan, PlanError};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::{Rate, Time};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::line::{self, lines};
use super::{Answer, Ask, Birth, BrokerSite, Down, LoadChange, Order, Reached, Up};
use crate::record::Recorder;
use crate::record::clock::monotonic_ns;
use crate::run::client::ClientNode;
use crate::run::effects::Effects;
use crate::run::generator::Generator;
use crate::run::ports::{Home, Ports};
use crate::run::service::ReplicaNode;
use crate::run::slice::{self, ClientSlice, ReplicaSlice};
use crate::run::slot::Slot;
use crate::run::surroundings::used_ns;
use crate::run::unit::{Step, Unit};
use crate::timer::Timer;
use crate::transport::messaging::BrokerAddress;
use crate::transport::{Account, Address, BoxFuture, TransportError};

/// How often copies are told of that have changed.
const COUNT_EVERY: Duration = Duration::from_millis(20);

/// Why a child cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// It was not started by a server.
    #[error("a node is started by the server of its run, which gives it what it needs: {0}")]
    Channel(#[source] std::io::Error),
    /// What the server said first is not to be read.
    #[error("the server said something else than what to be: {0}")]
    Birth(#[from] serde_json::Error),
    /// It gave no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The place is none of the plan's.
    #[error("the plan has no replica or client at place {0}")]
    Place(u32),
}

/// Is a node until the channel on standard output ends; the rings are in the memory on standard input.
///
/// # Errors
/// When a server did not start this.
pub fn serve() -> Result<(), NodeError> {
    // Should the channel be missed.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let memory = std::io::stdin().as_fd().try_clone_to_owned().map_err(NodeError::Channel)?;
    let channel = std::io::stdout().as_fd().try_clone_to_owned().map_err(NodeError::Channel)?;
    crate::open_files::raise();
    // A process for each replica is the parallelism.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(NodeError::Channel)?;
    let lived = runtime.block_on(async {
        let stream = std::os::unix::net::UnixStream::from(channel);
        stream.set_nonblocking(true).map_err(NodeError::Channel)?;
        // Nothing else is read, such as a terminal: nobody would ever write there.
        stream.peer_addr().map_err(NodeError::Channel)?;
        let stream = UnixStream::from_std(stream).map_err(NodeError::Channel)?;
        Box::pin(live(&File::from(memory), stream)).await
    });
    // A client of a Kafka that was killed waits for its answer, however long that is.
    runtime.shutdown_background();
    lived
}

async fn live(memory: &File, stream: UnixStream) -> Result<(), NodeError> {
    let (read, write) = stream.into_split();
    let mut heard = BufReader::new(read).lines();
    let first = heard.next_line().await.map_err(NodeError::Channel)?.unwrap_or_default();
    let Birth { key, first, place, plan } = serde_json::from_str(&first)?;
    let recorder = Recorder::in_child(memory, RunKey(key), SourceId(first)).map_err(NodeError::Channel)?;
    let recorder = recorder.at(PlaceIndex(place), LinkIndex::NONE);
    let plan = Plan::from_bytes(plan.as_bytes())?;
    let (send, sends) = lines();
    tokio::spawn(sends.write(write));
    let asker = Asker { send, next: Arc::default(), pending: Arc::default() };
    let timer = Timer::start().map_err(NodeError::Channel)?;
    let is = Being::of(&plan, PlaceIndex(place), &asker)?;
    let (orders, ordered) = mpsc::unbounded_channel();
    let node = Node { is, recorder, timer, asker: asker.clone(), unit: None, offering: None };
    tokio::spawn(node.obey(ordered));
    hear(heard, &asker, &orders).await;
    Ok(())
}

/// Hears what the server says until the channel ends.
async fn hear(mut lines: Lines<BufReader<OwnedReadHalf>>, asker: &Asker, orders: &mpsc::UnboundedSender<(u64, Order)>) {
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Down::Probe(number)) => asker.send.say(&Up::Probed(number, monotonic_ns(), used_ns())),
            Ok(Down::Told(number, told)) => {
                // Who asked may be gone.
                let _ = asker.pending().remove(&number).map(|waits| waits.send(told));
            }
            Ok(Down::Order(number, order)) => {
                if orders.send((number, order)).is_err() {
                    return;
                }
            }
            Err(error) => tracing::error!("the server says what cannot be read: {error}"),
        }
    }
}

/// What asks the server. Clones ask the same.
#[derive(Clone, Debug)]
pub(in crate::run) struct Asker {
    send: line::Lines,
    next: Arc<AtomicU64>,
    pending: Arc<Mutex<Pending>>,
}

type Pending = HashMap<u64, oneshot::Sender<Result<Option<u16>, String>>>;

impl Asker {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        // What is behind is put and taken whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and resolves with what is told.
    pub(in crate::run) async fn ask(&self, ask: Ask) -> Result<Option<u16>, TransportError> {
        let (tell, told) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.pending().insert(number, tell);
        self.send.say(&Up::Ask(number, ask));
        match told.await {
            Ok(told) => told.map_err(TransportError::Apart),
            Err(_) => Err(TransportError::Apart("the server is gone".to_owned())),
        }
    }
}

/// A broker of the run as a child reaches it.
struct Away {
    protocol: Protocol,
    asker: Asker,
    address: BrokerAddress,
    account: Option<Account>,
}

impl Home for Away {
    fn address(&self) -> BrokerAddress {
        self.address.clone()
    }

    fn account(&self) -> Option<Account> {
        self.account.clone()
    }

    fn enter(&self, link: Option<LinkIndex>) -> BoxFuture<'static, Result<Option<SourceId>, TransportError>> {
        let (protocol, asker) = (self.protocol, self.asker.clone());
        Box::pin(async move { Ok(asker.ask(Ask::Enter(protocol, link.map(|link| link.0))).await?.map(SourceId)) })
    }
}

/// What this process is.
enum Being {
    Replica(Box<ReplicaSlice>),
    Client(Box<ClientSlice>),
}

impl Being {
    fn of(plan: &Plan, place: PlaceIndex, asker: &Asker) -> Result<Self, NodeError> {
        if let Some(mut slice) = slice::replicas(plan)?.into_iter().find(|slice| slice.place == place) {
            slice.effects = Arc::new(Effects::away(asker.clone()));
            return Ok(Self::Replica(Box::new(slice)));
        }
        let client = slice::clients(plan)?.into_iter().find(|slice| slice.place == place);
        client.map(|slice| Self::Client(Box::new(slice))).ok_or(NodeError::Place(place.0))
    }
}

struct Node {
    is: Being,
    recorder: Recorder,
    timer: Timer,
    asker: Asker,
    unit: Option<Unit>,
    /// What ends its load, and what that ends.
    offering: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
}

impl Node {
    /// Does what is ordered, one after the other. What it waits for within an order, such as an answer, comes beside it.
    async fn obey(mut self, mut ordered: mpsc::UnboundedReceiver<(u64, Order)>) {
        let mut bound = None;
        while let Some((number, order)) = ordered.recv().await {
            if let Order::Idle = order {
                tokio::spawn(idle(self.unit.clone(), self.asker.clone(), number));
                continue;
            }
            let answer = self.obey_one(order, &mut bound).await;
            self.asker.send.say(&Up::Answer(number, answer.map_err(|error| error.to_string())));
        }
    }

    async fn obey_one(&mut self, order: Order, bound: &mut Option<ReplicaNode>) -> Result<Answer, TransportError> {
        match order {
            Order::Bind(again) => {
                let (node, addresses) = self.bind(&again).await?;
                *bound = Some(node);
                return Ok(Answer::Bound(addresses));
            }
            Order::Connect(reached) => self.connect(reached, bound.take()).await?,
            Order::Zero(raw) => drop(self.recorder.clock().set_zero(raw)),
            Order::Offer(zero) => self.offer(zero)?,
            Order::Halt => {
                if let Some((halt, ended)) = self.offering.take() {
                    halt.cancel();
                    // An error is its panic, which has been reported.
                    let _ = ended.await;
                }
            }
            Order::Change(change) => self.change(change),
            Order::Pause | Order::Resume => {
                if let Some(Unit::Replica(replica)) = &self.unit {
                    if matches!(order, Order::Pause) { replica.pause() } else { replica.resume() }
                }
            }
            Order::Step(step) => self.step(step).await,
            Order::Count(offered) => return Ok(self.count(Time(offered)).await),
            Order::Idle => {}
        }
        Ok(Answer::Done)
    }

    async fn bind(
        &self,
        again: &[(Protocol, std::net::SocketAddr)],
    ) -> Result<(ReplicaNode, Vec<(Protocol, std::net::SocketAddr)>), TransportError> {
        let Being::Replica(slice) = &self.is else {
            return Err(TransportError::Apart("a client has no port".to_owned()));
        };
        let cpu = Slot::cpu(slice).map_err(TransportError::Bind)?;
        let mut before = Ports::default();
        let known = again.iter().map(|(protocol, at)| ((slice.place, *protocol), Address::Socket(*at)));
        before.replicas.extend(known);
        let (recorder, timer) = (self.recorder.clone(), self.timer.clone());
        let node = ReplicaNode::bind((**slice).clone(), cpu, recorder, timer, Some(&before)).await?;
        let socket = |(protocol, address)| match address {
            Address::Socket(socket) => Some((protocol, socket)),
            Address::InProcess(_) => None,
        };
        let addresses = node.addresses().filter_map(socket).collect();
        Ok((node, addresses))
    }

    async fn connect(&mut self, reached: Reached, bound: Option<ReplicaNode>) -> Result<(), TransportError> {
        let later = reached.later;
        let homes = reached.brokers.iter().map(|site| (site.protocol, self.home(site))).collect();
        let ports = Ports::of_child(&reached, homes);
        self.unit = Some(match (&self.is, bound) {
            (Being::Client(slice), _) => {
                let client = ClientNode::connect((**slice).clone(), self.recorder.clone(), &ports, &self.timer);
                Unit::Client(client.await?)
            }
            (Being::Replica(_), Some(mut node)) => {
                node.connect(&ports, later).await?;
                Unit::Replica(Arc::new(node))
            }
            (Being::Replica(_), None) => return Err(TransportError::Apart("it is not bound".to_owned())),
        });
        Ok(())
    }

    fn home(&self, site: &BrokerSite) -> Arc<dyn Home> {
        let account = site.counts.then(Account::default);
        if let Some(account) = account.clone() {
            tokio::spawn(tell_copies(site.protocol, account, self.asker.clone()));
        }
        let address = BrokerAddress::new(site.uri.clone(), site.shown.clone());
        Arc::new(Away { protocol: site.protocol, asker: self.asker.clone(), address, account })
    }

    fn offer(&mut self, zero: i64) -> Result<(), TransportError> {
        let Some(Unit::Client(client)) = &self.unit else { return Ok(()) };
        let mut generator = Generator::start(vec![Arc::clone(client)], self.timer.clone());
        let (halt, asker) = (CancellationToken::new(), self.asker.clone());
        let halted = halt.clone();
        match &mut generator {
            Ok(generator) => generator.begin(zero),
            Err(_) => return generator.map(drop).map_err(TransportError::Process),
        }
        let offering = async move {
            let Ok(mut generator) = generator else { return };
            tokio::select! {
                () = generator.ended() => {
                    asker.send.say(&Up::LoadOver);
                    halted.cancelled().await;
                }
                () = halted.cancelled() => {}
            }
            generator.end().await;
        };
        self.offering = Some((halt, tokio::spawn(offering)));
        Ok(())
    }

    fn change(&self, change: LoadChange) {
        let Some(Unit::Client(client)) = &self.unit else { return };
        let zero = self.recorder.clock().zero().unwrap_or_default();
        let change = match change {
            LoadChange::Pause => Change::Pause,
            LoadChange::Resume => Change::Resume,
            LoadChange::Rate(rate) => Change::Rate(rate.map(Rate)),
        };
        client.pace().change(|| u64::try_from(monotonic_ns().saturating_sub(zero)).unwrap_or(0), change);
    }

    async fn step(&self, step: Step) {
        if let Some(unit) = &self.unit {
            unit.step(step).await;
        }
    }

    async fn count(&self, offered: Time) -> Answer {
        let counted = match &self.unit {
            Some(unit) => unit.count(offered).await,
            None => None,
        };
        let (open, wanted) = counted.unwrap_or_default();
        let open = open.into_iter().map(|(link, count)| (link.0, count)).collect();
        Answer::Counted(open, wanted.map(|wanted| wanted.count))
    }
}

/// Answers when nothing of it is in flight.
async fn idle(unit: Option<Unit>, asker: Asker, number: u64) {
    let mut begun = 0;
    if let Some(unit) = &unit {
        let tasks = unit.tasks();
        loop {
            unit.settle().await;
            while tasks.iter().any(|tasks| tasks.count() > 0) {
                for tasks in &tasks {
                    tasks.idle().await;
                }
            }
            // What was begun meanwhile may have handed something over again.
            let before = std::mem::replace(&mut begun, tasks.iter().map(|tasks| tasks.begun()).sum());
            if begun == before {
                break;
            }
        }
    }
    asker.send.say(&Up::Answer(number, Ok(Answer::Idle(begun))));
}

/// Tells the server of copies as their count changes.
async fn tell_copies(protocol: Protocol, account: Account, asker: Asker) {
    let mut ticks = tokio::time::interval(COUNT_EVERY);
    let mut told = (0, 0);
    loop {
        ticks.tick().await;
        let now = (account.copies(), account.deliveries());
        if now != told {
            told = now;
            asker.send.say(&Up::Counted(protocol, now.0, now.1));
        }
    }
}
