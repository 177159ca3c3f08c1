//! A Kafka of a test's own that asks who comes: SASL, over a plain connection or over TLS.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
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

/// What lies between it and who comes, and how they tell who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Nothing: a password that each on the way can read.
    Open,
    /// TLS, with a certificate of its own, and a proof that the password is known (SCRAM-SHA-512).
    Tls,
}

impl Door {
    /// Kafka's name of the protocol.
    fn protocol(self) -> &'static str {
        match self {
            Self::Open => "SASL_PLAINTEXT",
            Self::Tls => "SASL_SSL",
        }
    }

    /// Kafka's name of the mechanism.
    fn mechanism(self) -> &'static str {
        match self {
            Self::Open => "PLAIN",
            Self::Tls => "SCRAM-SHA-512",
        }
    }
}

/// It, which ends with its owner.
pub(crate) struct Guarded {
    /// Where it listens.
    pub(crate) port: u16,
    _node: Child,
    folder: TempDir,
}

impl Guarded {
    /// Starts it and waits until it lets one in.
    pub(crate) async fn start(door: Door) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let held = [0, 1].map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let [port, controller] = held.map(|held| held.and_then(|held| held.local_addr()).map(|at| at.port()));
        let (port, controller) = (port?, controller?);
        let file = folder.path().join("server.properties");
        std::fs::write(&file, properties(door, port, controller, folder.path()))?;
        let mut format = java()?;
        format.args(["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"]).arg(&file);
        if door == Door::Tls {
            certificate(folder.path()).await?;
            for (name, password) in [("admin", "admin"), (USER, PASSWORD)] {
                format.args(["--add-scram", &format!("{}=[name={name},password={password}]", door.mechanism())]);
            }
        }
        let format = format.output().await?;
        ensure!(format.status.success(), "{}", String::from_utf8_lossy(&format.stderr));
        let mut node = java()?.arg("kafka.Kafka").arg(&file).spawn()?;
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            ensure!(node.try_wait()?.is_none() && began.elapsed() < PATIENCE, "Kafka with {door:?} does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { port, _node: node, folder })
    }

    /// The file of the certificate by which it is known, as PEM; there is one where it has TLS.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join(CERTIFICATE)
    }
}

/// The files of a key with its certificate, and of the certificate alone.
const KEY: &str = "key.p12";
const CERTIFICATE: &str = "certificate.pem";

/// Makes both, for 127.0.0.1, by the tool that comes with Java.
async fn certificate(folder: &Path) -> Result<()> {
    let (key, certificate) = (folder.join(KEY), folder.join(CERTIFICATE));
    let made = ["-genkeypair", "-keyalg", "EC", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "2"];
    let told = ["-exportcert", "-rfc", "-file"].map(OsStr::new).into_iter().chain([certificate.as_os_str()]);
    for what in [made.map(OsStr::new).to_vec(), told.collect()] {
        let store = ["-alias", "kafka", "-storetype", "PKCS12", "-storepass", "changeit", "-keystore"];
        let done = Command::new("keytool").args(what).args(store).arg(&key).output().await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
    Ok(())
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

fn properties(door: Door, port: u16, controller: u16, folder: &Path) -> String {
    let (protocol, mechanism, data) = (door.protocol(), door.mechanism(), folder.join("data"));
    let (listener, known) = (protocol.to_lowercase(), mechanism.to_lowercase());
    let login = match door {
        Door::Open => format!("plain.PlainLoginModule required user_admin=\"admin\" user_{USER}=\"{PASSWORD}\""),
        Door::Tls => "scram.ScramLoginModule required".to_owned(),
    };
    let key = match door {
        Door::Open => String::new(),
        // It calls itself, and has to know itself for that.
        Door::Tls => format!(
            "ssl.keystore.type=PKCS12\nssl.keystore.password=changeit\nssl.keystore.location={}\n\
             ssl.truststore.type=PEM\nssl.truststore.location={}\n",
            folder.join(KEY).display(),
            folder.join(CERTIFICATE).display()
        ),
    };
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name={protocol}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms={mechanism}
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.{listener}.{known}.sasl.jaas.config=org.apache.kafka.common.security.{login} \
username=\"admin\" password=\"admin\";
{key}log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.cleaner.dedupe.buffer.size=8388608
",
        data = data.display()
    )
}
