//! The processes of a private RabbitMQ: Erlang's port mapper and the broker's node.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::installation::Installation;
use crate::broker::private::{self, Children, LOOK, end, free_ports, spawn};

/// How long the port mapper may take to listen.
const MAPPER: Duration = Duration::from_secs(10);

/// What its folders and its thread are called.
pub(super) const KIND: &str = "rabbitmq";

/// A running node. Dropping it kills it.
pub(super) type Node = private::Node<Ports>;

/// Where a node lives.
pub(super) type Home = private::Home<Ports>;

/// The loopback ports that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// Where it listens for clients.
    pub(super) amqp: u16,
    distribution: u16,
    mapper: u16,
}

impl Ports {
    /// Three that are free now.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn free() -> io::Result<Self> {
        let [amqp, distribution, mapper] = free_ports()?;
        Ok(Self { amqp, distribution, mapper })
    }
}

/// Starts both processes as children of this thread.
///
/// # Errors
/// When one cannot be started.
pub(super) fn begin(installation: &Installation, home: &Home) -> io::Result<Children> {
    let absent = || io::Error::new(io::ErrorKind::NotFound, "Erlang's port mapper epmd is not there");
    let (folder, ports) = (home.folder(), home.ports());
    let user = folder.join("home");
    std::fs::create_dir_all(&user)?;
    let mut mapper = Command::new(installation.port_mapper().ok_or_else(absent)?);
    mapper.env_clear().env("HOME", &user).args(["-address", "127.0.0.1", "-port", &ports.mapper.to_string()]);
    let mut mapper = spawn(mapper.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let node = listens(ports.mapper, &mut mapper).and_then(|()| {
        let mut node = Command::new(installation.server());
        configure(&mut node, installation, folder, ports);
        home.spawn(&mut node)
    });
    match node {
        Ok(node) => Ok(Children { node, beside: vec![mapper] }),
        Err(error) => {
            end(&mut mapper);
            Err(error)
        }
    }
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
