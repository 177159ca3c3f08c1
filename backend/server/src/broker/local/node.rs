//! The processes of a private RabbitMQ: Erlang's port mapper and the broker's node, children of one thread that lives as
//! long as they do.
//!
//! Both are killed by the system when that thread ends, however it ends: nothing outlives a Hopscope that was killed.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::installation::Installation;

/// How long the port mapper may take to listen.
const MAPPER: Duration = Duration::from_secs(10);

/// How long the node has for its own way to stop.
const STOP: Duration = Duration::from_secs(10);

/// A running node. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Node {
    home: Home,
    shared: Arc<Shared>,
    ended: CancellationToken,
}

/// Where a node lives: its folder, with its data, and its ports. A node that is started on one that another left is the same
/// node again.
#[derive(Clone, Debug)]
pub(super) struct Home {
    folder: Arc<Folder>,
    ports: Ports,
}

impl Home {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no folder, or no port.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { folder: Arc::new(Folder::new()?), ports: Ports::free()? })
    }
}

/// What its thread and its owner know of it.
#[derive(Debug, Default)]
struct Shared {
    /// The node's process, while it is surely that.
    process: Mutex<Option<Pid>>,
    /// How it ended, once it has.
    status: Mutex<Option<ExitStatus>>,
}

/// The loopback ports that it takes.
#[derive(Clone, Copy, Debug)]
struct Ports {
    amqp: u16,
    distribution: u16,
    mapper: u16,
}

impl Node {
    /// Starts its processes; they are not ready by then.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(super) async fn start(installation: Installation, home: Home) -> io::Result<Self> {
        let (folder, ports) = (Arc::clone(&home.folder), home.ports);
        let (shared, ended) = (Arc::<Shared>::default(), CancellationToken::new());
        let (tell, told) = oneshot::channel();
        let (owned, state, at_end) = (folder, Arc::clone(&shared), ended.clone().drop_guard());
        std::thread::Builder::new().name("rabbitmq".to_owned()).spawn(move || {
            // Dropped in this order, last to first: who hears of the end finds nothing left.
            let (_at_end, owned) = (at_end, owned);
            let began = Children::start(&installation, owned.path(), ports);
            let began = began.inspect(|children| {
                *lock(&state.process) = Pid::from_raw(children.node.id().cast_signed());
            });
            let (children, told) = match began {
                Ok(children) => (Some(children), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Who asked may have gone; the node then is killed below.
            let wanted = tell.send(told).is_ok();
            if let Some(mut children) = children {
                if !wanted {
                    kill(&state);
                }
                children.wait(&state);
            }
        })?;
        let gone = |_| io::Error::other("the thread that was to start it has gone");
        told.await.map_err(gone)??;
        Ok(Self { home, shared, ended })
    }

    /// The loopback port that it will listen on.
    pub(super) fn port(&self) -> u16 {
        self.home.ports.amqp
    }

    /// Where it lives.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Where it keeps everything.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.home.folder.path()
    }

    /// Cancelled when its processes are no more.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// How it ended and what it said last, for people.
    pub(super) fn last_words(&self) -> String {
        let said = std::fs::read(self.home.folder.path().join(OUTPUT)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
        let status = lock(&self.shared.status).map_or_else(String::new, |status| format!("{status}: "));
        format!("{status}{}", lines.into_iter().rev().collect::<Vec<_>>().join(" / "))
    }

    /// Has it stop in its own way, and kills it if that takes too long; resolves when it is gone.
    pub(super) async fn stop(self) {
        signal(&self.shared, Signal::TERM);
        if tokio::time::timeout(STOP, self.ended.cancelled()).await.is_err() {
            kill(&self.shared);
            self.ended.cancelled().await;
        }
    }
}

impl Node {
    /// Kills it as nothing can catch; resolves when it is gone, and gives where it lived.
    pub(super) async fn kill(self) -> Home {
        kill(&self.shared);
        self.ended.cancelled().await;
        self.home.clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        kill(&self.shared);
    }
}

/// What the node says, in its folder.
const OUTPUT: &str = "output";

struct Children {
    mapper: Child,
    node: Child,
}

impl Children {
    /// Starts both as children of this thread.
    fn start(installation: &Installation, folder: &Path, ports: Ports) -> io::Result<Self> {
        let absent = || io::Error::new(io::ErrorKind::NotFound, "Erlang's port mapper epmd is not there");
        let home = folder.join("home");
        std::fs::create_dir_all(&home)?;
        let mut mapper = Command::new(installation.port_mapper().ok_or_else(absent)?);
        mapper.env_clear().env("HOME", &home).args(["-address", "127.0.0.1", "-port", &ports.mapper.to_string()]);
        let mut mapper = spawn(mapper.stdout(Stdio::null()).stderr(Stdio::null()))?;
        let node = listens(ports.mapper, &mut mapper).and_then(|()| {
            let output = File::create(folder.join(OUTPUT))?;
            let mut node = Command::new(installation.server());
            configure(&mut node, installation, folder, ports);
            spawn(node.stdout(output.try_clone()?).stderr(output))
        });
        match node {
            Ok(node) => Ok(Self { mapper, node }),
            Err(error) => {
                end(&mut mapper);
                Err(error)
            }
        }
    }

    /// Waits for the node's end, and ends the port mapper then.
    fn wait(&mut self, shared: &Shared) {
        loop {
            {
                // Looked at under the lock: nobody signals a process that was waited for.
                let mut process = lock(&shared.process);
                if let Ok(Some(status)) = self.node.try_wait() {
                    *process = None;
                    *lock(&shared.status) = Some(status);
                    break;
                }
            }
            std::thread::sleep(LOOK);
        }
        end(&mut self.mapper);
    }
}

/// How often the thread looks whether the node has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Kills a child that has nothing to lose, and waits for its end.
fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// What makes the node a private one: nothing of it is anywhere but in its folder, and it listens on loopback alone.
fn configure(node: &mut Command, installation: &Installation, folder: &Path, ports: Ports) {
    let place = |name: &str| folder.join(name);
    node.env_clear()
        .env("PATH", installation.path())
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", place("home"))
        // The script then becomes the node, and its process is the one that was started.
        .env("RUNNING_UNDER_SYSTEMD", "1")
        .env("RABBITMQ_NODENAME", "hopscope@localhost")
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", ports.mapper.to_string())
        .env("RABBITMQ_LOGS", "-")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            // Without a port mapper of its own, which would outlive it. On loopback the system tells when a peer has gone: no
            // heartbeats, whose task at a client would outlive its connection by half a minute.
            "+S 2:2 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} -rabbit heartbeat 0",
        );
    for (variable, name) in [
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced"),
        ("RABBITMQ_CONF_ENV_FILE", "environment"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
        ("RABBITMQ_SCHEMA_DIR", "schema"),
        ("RABBITMQ_FEATURE_FLAGS_FILE", "features"),
    ] {
        node.env(variable, place(name));
    }
}

/// Starts a child that the system kills when the thread that calls this ends.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let command = command.stdin(Stdio::null());
    #[cfg(target_os = "linux")]
    {
        let parent = rustix::process::getpid();
        let with_parent = move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have gone before that was said.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        };
        #[expect(unsafe_code, reason = "said between fork and exec, by two system calls and nothing else")]
        // SAFETY: the closure makes system calls that are safe after a fork; it takes no lock and allocates nothing.
        unsafe {
            command.pre_exec(with_parent);
        }
    }
    command.spawn()
}

/// Waits until the port mapper accepts connections.
fn listens(port: u16, mapper: &mut Child) -> io::Result<()> {
    let until = Instant::now() + MAPPER;
    loop {
        let tried = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        match tried {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > until || mapper.try_wait()?.is_some() => return Err(error),
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

impl Ports {
    /// Three that are free now.
    fn free() -> io::Result<Self> {
        let listener = || TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let held = [listener()?, listener()?, listener()?];
        let [amqp, distribution, mapper] = held.each_ref().map(|held| held.local_addr().map(|at| at.port()));
        Ok(Self { amqp: amqp?, distribution: distribution?, mapper: mapper? })
    }
}

fn kill(shared: &Shared) {
    signal(shared, Signal::KILL);
}

fn signal(shared: &Shared, signal: Signal) {
    if let Some(process) = *lock(&shared.process) {
        // One that has ended is what is wanted.
        let _ = kill_process(process, signal);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A value that cannot be left half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
