//! The server's end of a child.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hopscope_record::frame::EndCount;
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clocks::Clocks;
use super::line::{Lines, Waiting, lines};
use super::{Answer, Ask, Birth, Down, LoadChange, Order, Reached, Up};
use crate::record::clock::monotonic_ns;
use crate::record::{Recorder, Seat};
use crate::run::effects::Effects;
use crate::run::ports::Homes;
use crate::run::unit::Step;
use crate::transport::{Account, Identity, TransportError};

/// How long a child may take to do what it is told.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

/// What the children of a run are made from.
pub(in crate::run) struct Nursery {
    program: PathBuf,
    plan: String,
    recorder: Recorder,
    /// The run's brokers, once they are there.
    homes: OnceLock<Homes>,
    clocks: Arc<Clocks>,
}

impl Nursery {
    /// Of a run whose plan this is; `recorder` stamps in its recording.
    ///
    /// # Errors
    /// When this program does not know where it is.
    pub(in crate::run) fn new(plan: Vec<u8>, recorder: Recorder) -> std::io::Result<Self> {
        let plan = String::from_utf8(plan).map_err(std::io::Error::other)?;
        Ok(Self { program: std::env::current_exe()?, plan, recorder, homes: OnceLock::new(), clocks: Arc::default() })
    }

    /// What they say of their clocks and processors.
    pub(in crate::run) fn clocks(&self) -> Arc<Clocks> {
        Arc::clone(&self.clocks)
    }

    /// Tells of the run's brokers, before any child connects.
    pub(in crate::run) fn at(&self, homes: Homes) {
        // They are told once.
        let _ = self.homes.set(homes);
    }

    /// Starts a child for a place; `effects` are those of its service.
    ///
    /// # Errors
    /// When the system gives no process or no memory to share.
    pub(in crate::run) fn start(
        self: &Arc<Self>,
        place: PlaceIndex,
        effects: Option<Arc<Effects>>,
    ) -> Result<Arc<Child>, TransportError> {
        let seat = self.recorder.seat().map_err(TransportError::Process)?.ok_or(TransportError::Sources)?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(TransportError::Process)?;
        let memory = seat.memory().try_clone().map_err(TransportError::Process)?;
        let process = Command::new(&self.program)
            .arg("node")
            .stdin(Stdio::from(OwnedFd::from(memory)))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            // What is typed at a terminal is for the server, which ends its children in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(TransportError::Process)?;
        ours.set_nonblocking(true).map_err(TransportError::Process)?;
        let stream = UnixStream::from_std(ours).map_err(TransportError::Process)?;
        let (send, sends) = lines();
        let (exit, exited) = watch::channel(false);
        let kill = CancellationToken::new();
        let shared = Arc::new(Shared {
            place,
            nursery: Arc::clone(self),
            effects,
            send,
            next: AtomicU64::new(0),
            pending: Mutex::new(Some(HashMap::new())),
            probes: Mutex::default(),
            used: AtomicU64::new(0),
            load_over: CancellationToken::new(),
            ending: AtomicBool::new(false),
            told: Mutex::default(),
        });
        let birth =
            Birth { key: self.recorder.run_key().0, first: seat.first().0, place: place.0, plan: self.plan.clone() };
        shared.send.say(&birth);
        let killed = kill.clone();
        tokio::spawn(attend(Arc::clone(&shared), process, stream, sends, seat, killed, exit));
        Ok(Arc::new(Child { shared, exited, kill: kill.clone(), _kill_on_drop: kill.drop_guard() }))
    }
}

/// A child. Dropping it kills it.
pub(in crate::run) struct Child {
    shared: Arc<Shared>,
    exited: watch::Receiver<bool>,
    kill: CancellationToken,
    _kill_on_drop: DropGuard,
}

/// Who waits for the answer of which number.
type Pending = HashMap<u64, oneshot::Sender<Result<Answer, String>>>;

struct Shared {
    place: PlaceIndex,
    nursery: Arc<Nursery>,
    effects: Option<Arc<Effects>>,
    send: Lines,
    next: AtomicU64,
    /// Who waits for answers; none once nobody gives them.
    pending: Mutex<Option<Pending>>,
    probes: Mutex<HashMap<u64, oneshot::Sender<(i64, u64)>>>,
    /// Time of processors that it has said to have used.
    used: AtomicU64,
    load_over: CancellationToken,
    /// Its end is the run's and no crash.
    ending: AtomicBool,
    /// What it last said of copies and of deliveries that it holds, by protocol.
    told: Mutex<BTreeMap<Protocol, (i64, i64)>>,
}

impl Child {
    /// Where it stamps.
    pub(in crate::run) fn place(&self) -> PlaceIndex {
        self.shared.place
    }

    /// Whether its process has ended.
    pub(in crate::run) fn is_gone(&self) -> bool {
        *self.exited.borrow()
    }

    /// Has it bind: anew, or where it was.
    ///
    /// # Errors
    /// What the child says, or that it is gone.
    pub(in crate::run) async fn bind(
        &self,
        again: Vec<(Protocol, SocketAddr)>,
    ) -> Result<Vec<(Protocol, SocketAddr)>, TransportError> {
        match self.ask(Order::Bind(again)).await? {
            Answer::Bound(addresses) => Ok(addresses),
            _ => Err(self.strange()),
        }
    }

    /// Has it connect.
    ///
    /// # Errors
    /// As [`Child::bind`].
    pub(in crate::run) async fn connect(&self, reached: Reached) -> Result<(), TransportError> {
        self.ask(Order::Connect(reached)).await.map(drop)
    }

    /// Tells it the run's zero.
    pub(in crate::run) async fn zero(&self, raw: i64) {
        self.try_ask(Order::Zero(raw)).await;
    }

    /// Has it offer its load from `zero` on.
    pub(in crate::run) async fn offer(&self, zero: i64) {
        self.try_ask(Order::Offer(zero)).await;
    }

    /// Resolves when its load has been offered, or it is gone.
    pub(in crate::run) async fn load_over(&self) {
        tokio::select! {
            () = self.shared.load_over.cancelled() => {}
            () = self.gone() => {}
        }
    }

    /// Ends its load; resolves when nothing more will be wanted.
    pub(in crate::run) async fn halt(&self) {
        self.try_ask(Order::Halt).await;
    }

    /// Does something to its load.
    pub(in crate::run) async fn change(&self, change: LoadChange) {
        self.try_ask(Order::Change(change)).await;
    }

    /// Has its workers take up nothing, or take up work again.
    pub(in crate::run) async fn pause(&self, pause: bool) {
        self.try_ask(if pause { Order::Pause } else { Order::Resume }).await;
    }

    /// Resolves when nothing of it is in flight, with how many tasks it had begun by then; `None` where it is gone.
    pub(in crate::run) async fn idle(&self) -> Option<u64> {
        match self.try_ask(Order::Idle).await? {
            Answer::Idle(begun) => Some(begun),
            _ => None,
        }
    }

    /// A step of its end; `false`: it does not do it.
    pub(in crate::run) async fn step(&self, step: Step) -> bool {
        self.try_ask(Order::Step(step)).await.is_some() || self.is_gone()
    }

    /// Ends its process, of which nothing is expected any more; resolves when it is gone.
    pub(in crate::run) async fn end(&self) {
        self.shared.ending.store(true, Ordering::Release);
        self.kill.cancel();
        self.gone().await;
    }

    /// Kills its process; resolves when it is gone, which is stamped.
    pub(in crate::run) async fn crash(&self) {
        self.kill.cancel();
        self.gone().await;
    }

    /// Resolves when its process has ended and that is stamped.
    pub(in crate::run) async fn gone(&self) {
        // An error is the end of who attends it.
        let _ = self.exited.clone().wait_for(|exited| *exited).await;
    }

    /// As [`Unit::count`](crate::run::unit::Unit::count).
    pub(in crate::run) async fn count(&self, offered: Time) -> Option<(Vec<(LinkIndex, u64)>, Option<EndCount>)> {
        let Answer::Counted(open, wanted) = self.try_ask(Order::Count(offered.0)).await? else { return None };
        let open = open.into_iter().map(|(link, count)| (LinkIndex(link), count)).collect();
        Some((open, wanted.map(|wanted| EndCount::wanted(self.place(), wanted))))
    }

    /// Reads its clock: how far it is ahead of ours in ns, by how much that may be wrong either way, and the time of processors
    /// that it has used.
    pub(super) async fn probe(&self) -> Option<(i64, i64, u64)> {
        let (tell, told) = oneshot::channel();
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.shared.probes).insert(number, tell);
        let asked = monotonic_ns();
        self.shared.send.say(&Down::Probe(number));
        let (read, used) = tokio::select! {
            read = told => read.ok()?,
            () = self.gone() => return None,
        };
        let answered = monotonic_ns();
        // Cristian, "Probabilistic clock synchronization" (1989): the reading lies anywhere between the two of ours.
        let half = answered.saturating_sub(asked) / 2;
        Some((read.saturating_sub(asked.saturating_add(half)), half + 1, used))
    }

    /// Takes in what it says to have used of processors so far, in ns; gives how much of that is new.
    pub(super) fn uses(&self, used: u64) -> u64 {
        used.saturating_sub(self.shared.used.swap(used, Ordering::AcqRel))
    }

    /// Has it do something, and does not wait for ever: it may be stopped. When it is idle, only it can know.
    async fn try_ask(&self, order: Order) -> Option<Answer> {
        let longest = if matches!(order, Order::Idle) { Duration::MAX } else { LONGEST_ANSWER };
        let answer = tokio::time::timeout(longest, self.ask(order)).await;
        match answer.unwrap_or_else(|_| Err(TransportError::Apart("its process does not answer".to_owned()))) {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!("a node that is a process did not do what it was told: {error}");
                None
            }
        }
    }

    async fn ask(&self, order: Order) -> Result<Answer, TransportError> {
        let (tell, told) = oneshot::channel();
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        match lock(&self.shared.pending).as_mut() {
            Some(pending) => drop(pending.insert(number, tell)),
            None => return Err(TransportError::Apart("its process has ended".to_owned())),
        }
        self.shared.send.say(&Down::Order(number, order));
        match told.await {
            Ok(answer) => answer.map_err(TransportError::Apart),
            Err(_) => Err(TransportError::Apart("its process has ended".to_owned())),
        }
    }

    fn strange(&self) -> TransportError {
        TransportError::Apart("its process answers something else than it was asked".to_owned())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind is put and taken whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn account(&self, protocol: Protocol) -> Option<Account> {
        self.nursery.homes.get().and_then(|homes| homes.get(&protocol)?.account())
    }

    fn hear(self: &Arc<Self>, up: Up) {
        match up {
            Up::Answer(number, answer) => {
                let waits = lock(&self.pending).as_mut().and_then(|pending| pending.remove(&number));
                // Who asked may be gone.
                let _ = waits.map(|waits| waits.send(answer));
            }
            Up::Ask(number, ask) => self.answer(number, &ask),
            Up::LoadOver => self.load_over.cancel(),
            Up::Counted(protocol, copies, held) => {
                let (last_copies, last_held) = lock(&self.told).insert(protocol, (copies, held)).unwrap_or_default();
                let _ = self.account(protocol).map(|account| account.add(copies - last_copies, held - last_held));
            }
            Up::Probed(number, read, used) => {
                let _ = lock(&self.probes).remove(&number).map(|waits| waits.send((read, used)));
            }
        }
    }

    fn answer(self: &Arc<Self>, number: u64, ask: &Ask) {
        match *ask {
            Ask::Enter(protocol, link) => {
                let Some(home) = self.nursery.homes.get().and_then(|homes| homes.get(&protocol)) else {
                    return self.send.say(&Down::Told(number, Err(TransportError::NoBroker.to_string())));
                };
                let (entered, shared) = (home.enter(link.map(LinkIndex)), Arc::clone(self));
                tokio::spawn(async move {
                    let entered = entered.await.map(|source| source.map(|source| source.0));
                    shared.send.say(&Down::Told(number, entered.map_err(|error| error.to_string())));
                });
            }
            Ask::Effect { effect, link, trace, message } => {
                let recorder = self.nursery.recorder.at(self.place, LinkIndex(link));
                let identity = Identity { trace: TraceId(trace), message: MessageId(message), link: LinkIndex(link) };
                if let Some(effects) = &self.effects {
                    effects.apply(effect, &recorder, identity);
                }
                self.send.say(&Down::Told(number, Ok(None)));
            }
        }
    }
}

/// Carries the channel until its end, then waits for the process's.
async fn attend(
    shared: Arc<Shared>,
    mut process: tokio::process::Child,
    stream: UnixStream,
    sends: Waiting,
    seat: Seat,
    kill: CancellationToken,
    exit: watch::Sender<bool>,
) {
    let (read, write) = stream.into_split();
    let writing = async {
        sends.write(write).await;
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(up) => shared.hear(up),
                Err(error) => tracing::error!("a node that is a process says what cannot be read: {error}"),
            }
        }
    };
    tokio::pin!(writing, reading);
    let mut killed = false;
    loop {
        tokio::select! {
            // What it has said is heard, also of one that was killed.
            () = &mut reading => break,
            () = &mut writing => {}
            () = kill.cancelled(), if !killed => {
                killed = true;
                if let Err(error) = process.start_kill() {
                    tracing::debug!("a node that is a process cannot be killed: {error}");
                }
            }
        }
    }
    // Without its channel it is of no use.
    let _ = process.kill().await;
    // Nothing is written from here on: what is in its rings is all that there is.
    drop(seat);
    let ended = shared.ending.load(Ordering::Acquire);
    for (protocol, (_, held)) in lock(&shared.told).iter() {
        if let Some(account) = shared.account(*protocol) {
            account.add(0, -held);
        }
    }
    let accounts = shared.nursery.homes.get().into_iter().flatten().filter_map(|(_, home)| home.account());
    accounts.filter(|_| !ended).for_each(|account| account.lose_track());
    if !shared.ending.load(Ordering::Acquire) {
        let (none, recorder) = (MessageId::NONE, shared.nursery.recorder.at(shared.place, LinkIndex::NONE));
        recorder.record(Kind::PROCESS_EXITED, TraceId::NONE, none, none, 0, 0);
    }
    lock(&shared.pending).take();
    exit.send_replace(true);
}
