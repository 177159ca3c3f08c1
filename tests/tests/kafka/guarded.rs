//! A Kafka of a test's own that asks who comes: SASL, over a plain connection.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_server::broker::KafkaLocal;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long it may take to start: 4 s on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Who may come, and what only they know.
pub(crate) const USER: &str = "hop";
pub(crate) const PASSWORD: &str = "se@cret:word";

/// It, which ends with its owner.
pub(crate) struct Guarded {
    /// Where it listens.
    pub(crate) port: u16,
    _node: Child,
    _folder: TempDir,
}

impl Guarded {
    /// Starts it and waits until it lets one in.
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let held = [0, 1].map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let [port, controller] = held.map(|held| held.and_then(|held| held.local_addr()).map(|at| at.port()));
        let (port, controller) = (port?, controller?);
        let file = folder.path().join("server.properties");
        std::fs::write(&file, properties(port, controller, &folder.path().join("data").to_string_lossy()))?;
        let format = java()?
            .args(["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"])
            .arg(&file)
            .output()
            .await?;
        ensure!(format.status.success(), "{}", String::from_utf8_lossy(&format.stderr));
        let mut node = java()?.arg("kafka.Kafka").arg(&file).spawn()?;
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            ensure!(node.try_wait()?.is_none() && began.elapsed() < PATIENCE, "Kafka with SASL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { port, _node: node, _folder: folder })
    }
}

/// Java with the classes of the installed Kafka.
fn java() -> Result<Command> {
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(folder()?.join("lib/*"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    Ok(java)
}

/// Where Kafka is installed.
fn folder() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = variable("HOPSCOPE_KAFKA") {
        return Ok(folder);
    }
    let cache = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let tools = variable("HOPSCOPE_TOOLS").or_else(|| Some(cache()?.join("hopscope/tools"))).context("no tools")?;
    Ok(tools.join(format!("kafka-{}", KafkaLocal::default().installed()?)))
}

fn properties(port: u16, controller: u16, data: &str) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=SASL_PLAINTEXT
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username=\"admin\" password=\"admin\" user_admin=\"admin\" user_{USER}=\"{PASSWORD}\";
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.cleaner.dedupe.buffer.size=8388608
"
    )
}
