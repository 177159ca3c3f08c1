//! The suites of Python's clients. Only their source distributions have the tests in them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use junit_parser::TestStatus;

use crate::{Results, Suite, succeed};

/// Files of ours that the suites need.
const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/outside/suites");

const REMEDY: &str = "install Python 3.11 or later with its venv (on Debian: apt install python3-venv)";

/// Seconds after which a test hangs.
const HANGS: u32 = 120;

/// What is known of a suite.
struct Known {
    /// Its client's name.
    name: &'static str,
    /// Where its tests lie.
    tests: &'static str,
    /// Which of them are run, as pytest's `-k` has it. Empty: all.
    only: &'static str,
    /// Files of ours, and where in it they go.
    files: &'static [(&'static str, &'static str)],
}

static KNOWN: [Known; 4] = [
    // The built-in broker has no TLS; two of these ask a host of the internet.
    Known { name: "amqp", tests: "t/integration/test_rmq.py", only: "not tls", files: &[] },
    Known { name: "kombu", tests: "t/integration/test_py_amqp.py", only: "", files: &[] },
    Known {
        name: "aiormq",
        tests: "tests",
        // Without TLS, and without two tests that fail on RabbitMQ too: the client closes its connection twice at once,
        // and which of the two is first hangs on how soon the broker answers.
        only: "(not amqps or urls_vhosts) and not ssl and not close_during_publish_drain \
               and not (closing_waiter_cancellation and connection-True)",
        files: &[("docker_client.py", "tests/docker_client.py"), ("conftest.py", "conftest.py")],
    },
    Known {
        name: "aio_pika",
        tests: "tests",
        // Without TLS, what stops the broker or kills it, and two that fail on RabbitMQ too, for the reason above.
        only: "not amqps and not stop_app and not kill and not broker_restart \
               and not leak_unclosed_channel and not create_channels_during_reconnect",
        files: &[("docker_client.py", "tests/docker_client.py")],
    },
];

/// A client's sources, and a Python that has what its tests use.
pub(crate) struct Client {
    known: &'static Known,
    version: String,
    folder: PathBuf,
    python: PathBuf,
}

/// Makes an environment with what the suites use, and unpacks them.
///
/// # Errors
/// When there is no such Python, or something cannot be had.
pub(crate) fn fetch(folder: &Path) -> Result<Vec<Client>> {
    let list = Path::new(OURS).join("requirements.txt");
    let versions = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder), REMEDY)?;
    let python = folder.join("bin/python");
    let mut install = pip(&python, "install");
    // The list is whole, and nothing is compiled here.
    succeed(install.args(["--no-deps", "--only-binary", ":all:", "--requirement"]).arg(list), REMEDY)?;
    KNOWN.iter().map(|known| Client::unpack(known, &versions, folder, &python)).collect()
}

fn pip(python: &Path, verb: &str) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", verb, "--quiet", "--disable-pip-version-check", "--no-input"]);
    command
}

impl Client {
    /// Fetches its sources, and puts files of ours where they belong.
    fn unpack(known: &'static Known, versions: &str, folder: &Path, python: &Path) -> Result<Self> {
        let name = known.name;
        let version = versions.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
        let version = version.with_context(|| format!("the list of packages gives {name} no version"))?.to_owned();
        let mut download = pip(python, "download");
        download.args(["--no-deps", "--no-binary", name, "--dest"]).arg(folder).arg(format!("{name}=={version}"));
        succeed(&mut download, REMEDY)?;
        let unpacked = folder.join(format!("{name}-{version}"));
        let archive = folder.join(format!("{name}-{version}.tar.gz"));
        succeed(Command::new(python).args(["-m", "tarfile", "-e"]).arg(archive).arg(folder), REMEDY)?;
        for (file, place) in known.files {
            let copied = std::fs::copy(Path::new(OURS).join(file), unpacked.join(place));
            copied.with_context(|| format!("cannot put {file} into {name}"))?;
        }
        Ok(Self { known, version, folder: unpacked, python: python.to_owned() })
    }
}

impl Suite for Client {
    fn title(&self) -> String {
        let Known { name, tests, only, .. } = self.known;
        let which = if only.is_empty() { "all".to_owned() } else { format!("those that are `{only}`") };
        format!("{name} {}, {tests}, {which}", self.version)
    }

    fn run(&self, broker: SocketAddr) -> Result<Results> {
        let report = self.folder.join(format!("{}.xml", broker.port()));
        let mut command = Command::new(&self.python);
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "log_cli=false"]);
        command.args([format!("--timeout={HANGS}"), format!("--junitxml={}", report.display())]);
        command.args(["-k", self.known.only, self.known.tests]).current_dir(&self.folder);
        // The first two are of py-amqp and kombu, the third of our files.
        command.env("RABBITMQ_HOST", broker.ip().to_string()).env("RABBITMQ_5672_TCP", broker.port().to_string());
        command.env("SUITES_BROKER", broker.to_string());
        let ended = command.stderr(Stdio::inherit()).output().context("cannot run pytest")?;
        let said = String::from_utf8_lossy(&ended.stdout);
        let xml = std::fs::read(&report).with_context(|| format!("the suite did not run: {said}"))?;
        let reported = junit_parser::from_reader(xml.as_slice()).context("cannot read what pytest reports")?;
        let cases = reported.suites.into_iter().flat_map(|suite| suite.cases);
        let results: Results = cases.map(|case| (case.name, outcome(&case.status).to_owned())).collect();
        ensure!(!results.is_empty(), "the suite did not run: {said}");
        Ok(results)
    }
}

fn outcome(status: &TestStatus) -> &'static str {
    match status {
        TestStatus::Success => "pass",
        TestStatus::Error(_) | TestStatus::Failure(_) => "fail",
        TestStatus::Skipped(_) => "skip",
    }
}
