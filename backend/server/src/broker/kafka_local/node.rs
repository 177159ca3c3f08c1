//! The process of a private Kafka: one Java that is broker and controller.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::installation::Installation;
use super::java::Java;
use crate::broker::private::{self, Children, free_ports};

/// What its folders and its thread are called.
pub(super) const KIND: &str = "kafka";

/// What it says when it serves.
pub(super) const STARTED: &str = "Kafka Server started";

/// The configuration of every node, but for its ports and its folder.
const PROPERTIES: &str = include_str!("server.properties");

/// Where a node has the first records of its metadata, in the folder of its data.
const CHECKPOINT: &str = "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";

/// A small heap, the collector that costs the least beside it, the compiler that is soon done; nothing outside the node's folder.
const OPTIONS: [&str; 9] = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    // It says that it has started.
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
];

/// A running node. Dropping it kills it.
pub(super) type Node = private::Node<Ports>;

/// Where a node lives.
pub(super) type Home = private::Home<Ports>;

/// The loopback ports that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// Where it listens for clients.
    pub(super) broker: u16,
    controller: u16,
}

impl Ports {
    /// Two that are free now.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn free() -> io::Result<Self> {
        let [broker, controller] = free_ports()?;
        Ok(Self { broker, controller })
    }
}

/// Where a node has its classes from.
#[derive(Clone, Debug)]
pub(super) enum Classes {
    /// From the archive of them, if there is one for this Java: half of what a start costs is saved.
    Archived,
    /// From the jars; when it ends it writes the archive there.
    Jars(PathBuf),
}

/// Starts the process as a child of this thread, in a folder that is made ready for it.
///
/// # Errors
/// When it cannot be started.
pub(super) fn begin(installation: &Installation, java: &Java, classes: &Classes, home: &Home) -> io::Result<Children> {
    let folder = home.folder();
    let configuration = folder.join("server.properties");
    std::fs::create_dir_all(folder.join("tmp"))?;
    std::fs::write(&configuration, properties(home.ports(), &data(home)))?;
    // One that was killed has it all.
    if !data(home).join("meta.properties").exists() {
        lay_out(installation, java, home, &configuration)?;
    }
    let mut node = program(installation, java, folder);
    match classes {
        Classes::Archived => {
            let archive = installation.archive(java);
            if archive.exists() {
                node.arg(option("-XX:SharedArchiveFile=", &archive));
            }
        }
        Classes::Jars(archive) => {
            node.arg(option("-XX:ArchiveClassesAtExit=", archive));
        }
    }
    node.arg("kafka.Kafka").arg(&configuration);
    Ok(Children { node: home.spawn(&mut node)?, beside: Vec::new() })
}

/// The first records of the metadata of the node that lives there.
pub(super) fn checkpoint(home: &Home) -> PathBuf {
    data(home).join(CHECKPOINT)
}

/// Makes the folder of data what Kafka's own tool makes of it: by its hand with what the tool made once, where that is there,
/// which saves two seconds.
fn lay_out(installation: &Installation, java: &Java, home: &Home, configuration: &Path) -> io::Result<()> {
    let cluster = cluster()?;
    let made = installation.checkpoint();
    if made.exists() {
        let (data, checkpoint) = (data(home), checkpoint(home));
        std::fs::create_dir_all(checkpoint.parent().unwrap_or(&data))?;
        std::fs::copy(made, checkpoint)?;
        return std::fs::write(data.join("meta.properties"), format!("version=1\nnode.id=1\ncluster.id={cluster}\n"));
    }
    let mut tool = program(installation, java, home.folder());
    tool.args(["kafka.tools.StorageTool", "format", "-t", &cluster, "-c"]).arg(configuration);
    let status = home.spawn(&mut tool)?.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("its folder could not be made ready ({status}: {})", home.last_words())))
    }
}

/// Java with Kafka's classes, which leaves nothing outside `folder`.
fn program(installation: &Installation, java: &Java, folder: &Path) -> Command {
    let mut program = java.command();
    program
        .current_dir(installation.root())
        .env("HOME", folder)
        .args(OPTIONS)
        .arg(option("-Djava.io.tmpdir=", &folder.join("tmp")))
        .arg(option("-XX:ErrorFile=", &folder.join("crash")))
        .args(["-cp", &installation.class_path()]);
    program
}

fn data(home: &Home) -> PathBuf {
    home.folder().join("data")
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}

/// The configuration of a node with these ports, whose data lies there.
fn properties(ports: Ports, data: &Path) -> String {
    PROPERTIES
        .replace("${broker}", &ports.broker.to_string())
        .replace("${controller}", &ports.controller.to_string())
        .replace("${data}", &data.to_string_lossy().replace('\\', "\\\\"))
}

/// A name for a cluster that no other has, as Kafka writes them.
fn cluster() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    // It then begins with a letter, which nobody takes for an option.
    bytes[0] &= 0x3f;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_its_ports_and_its_folder() {
        let text = properties(Ports { broker: 1_001, controller: 1_002 }, Path::new("/tmp/a\\b"));
        let lines: Vec<_> = text.lines().collect();
        for line in [
            "listeners=PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002",
            "advertised.listeners=PLAINTEXT://127.0.0.1:1001",
            "controller.quorum.voters=1@127.0.0.1:1002",
            "log.dirs=/tmp/a\\\\b",
            "broker.session.timeout.ms=6000",
        ] {
            assert!(lines.contains(&line), "{line}");
        }
        assert!(!text.contains('$'));
    }

    #[test]
    fn a_cluster_has_a_name_of_its_own() {
        let (first, second) = (cluster().unwrap(), cluster().unwrap());
        assert_eq!(first.len(), 22);
        assert!(first.starts_with(|c: char| c.is_ascii_uppercase()), "{first}");
        assert_ne!(first, second);
    }
}
