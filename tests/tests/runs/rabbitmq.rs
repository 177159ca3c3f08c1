//! Runs on a real RabbitMQ: the laws by what is seen from outside, what is left behind, and addresses that were not allowed.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::kind::DepthReport;
use hopscope_record::{Event, Kind};
use hopscope_report::compare::Reading;
use hopscope_report::laws::Law::{self, Accepted, Conservation, OpenAtEnd, TakeLowers};
use hopscope_report::laws::LawReport;
use hopscope_scenario::plan::Plan;
use hopscope_server::broker::Local;
use hopscope_tests::command::Running;
use hopscope_tests::http::request;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;

/// The templates with queues.
const TEMPLATES: [(&str, &str); 5] = [
    ("hello-async", include_str!("../../../scenarios/hello-async.json")),
    ("bank", include_str!("../../../scenarios/bank.json")),
    ("shop", include_str!("../../../scenarios/shop.json")),
    ("social", include_str!("../../../scenarios/social.json")),
    ("sign-up", include_str!("../../../scenarios/sign-up.json")),
];

/// How long what was killed may take to be gone, and a run to end.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether RabbitMQ is there; tells if not.
fn installed(test: &str) -> bool {
    let installed = Local::default().is_installed();
    if !installed {
        // Straight to the output, which the harness does not capture.
        let line =
            format!("not applicable: {test}: RabbitMQ is not installed here; on Debian: apt install rabbitmq-server\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
    installed
}

/// A server that has a folder of its own for temporary files.
async fn serve(temporary: &Path, allowed: &str) -> Result<Server> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary).env("HOPSCOPE_ALLOW_BROKER", allowed);
    Server::start_by(command, tempfile::tempdir()?).await
}

async fn post(server: &Server, body: &Value) -> Result<(u16, Value)> {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, answer) = request("POST /api/runs", server.address()?, &headers, body.to_string().as_bytes()).await?;
    Ok((status, serde_json::from_slice(&answer)?))
}

/// Runs a scenario to its end on a server; gives what its recording holds.
async fn run(server: &Server, scenario: &Value, broker: &str) -> Result<Recorded> {
    let body = json!({"scenario": scenario, "duration": "1 s", "broker": broker});
    let (status, started) = post(server, &body).await?;
    ensure!(status == 201, "{status}: {started}");
    let id = started["id"].as_str().context("no id")?;
    let since = Instant::now();
    loop {
        let (_, body) = request(&format!("GET /api/runs/{id}"), server.address()?, &Vec::new(), b"").await?;
        let view: Value = serde_json::from_slice(&body)?;
        if view["state"] == "ended" {
            break;
        }
        ensure!(since.elapsed() < LIMIT, "it does not end: {view}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Recorded::read(&std::fs::read(server.data().join(format!("{id}.hop")))?, Framing::File)
}

fn red(reports: &[LawReport]) -> Vec<Law> {
    reports.iter().filter(|report| report.broken > 0).map(|report| report.law).collect()
}

fn label(recorded: &Recorded) -> Result<(String, String)> {
    let hello = recorded.hello.as_ref().context("no Hello")?;
    let broker = Plan::from_bytes(&hello.plan)?.broker.context("no broker")?;
    Ok((broker.product().to_owned(), broker.prefix().to_owned()))
}

/// A client that publishes ten messages into a queue that nobody takes from.
fn parked() -> Value {
    json!({
        "format": "hopscope-scenario", "version": 1, "name": "parked",
        "nodes": [
            {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "100/s", "count": 10}},
            {"id": "n2", "kind": "queue", "name": "orders"},
        ],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"}],
    })
}

/// Every effect of a template is applied once by each trace that wants it, and every transfer is conserved.
fn as_declared(recorded: &Recorded) -> Result<()> {
    let mut reading = Reading::new(Framing::File);
    reading.push(&recorded.file()?)?;
    let (plan, stats) = reading.figures().context("no Hello")?;
    let found = stats.effects_report();
    ensure!(found.effects.len() == plan.effects.len(), "{found:?}");
    for effect in &found.effects {
        ensure!((effect.never.count, effect.open, effect.more.count) == (0, 0, 0), "{effect:?}");
        ensure!(effect.once.count > 0, "{effect:?}");
    }
    for transfer in &found.transfers {
        ensure!(transfer.is_conserved() && transfer.traces > 0, "{transfer:?}");
    }
    Ok(())
}

/// Every event of a kind.
fn of(recorded: &Recorded, kind: Kind) -> Vec<usize> {
    (0..recorded.events.len()).filter(|at| recorded.events[*at].kind == kind).collect()
}

fn ready(event: &Event) -> u32 {
    DepthReport::from_value(event.a).ready
}

#[tokio::test(flavor = "multi_thread")]
async fn the_templates_hold_the_laws_on_a_rabbitmq_and_what_is_altered_does_not() -> Result<()> {
    if !installed("the laws on a real RabbitMQ") {
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let server = serve(temporary.path(), "").await?;
    let mut hello = None;
    for (name, template) in TEMPLATES {
        let recorded = run(&server, &serde_json::from_str(template)?, "local").await.context(name)?;
        let reports = recorded.judged()?;
        for report in &reports {
            ensure!((report.broken, report.undecided) == (0, 0), "{name}: {report:?}");
        }
        let takes = reports.iter().find(|report| report.law == TakeLowers).context("no such law")?;
        ensure!(takes.held > 0 && takes.not_applicable.is_none(), "{name}: {takes:?}");
        ensure!(label(&recorded)?.0 == "RabbitMQ", "{name}");
        ensure!(of(&recorded, Kind::ENQUEUED).is_empty(), "{name}: a broker that is not ours stamps nothing");
        let built_in = run(&server, &serde_json::from_str(template)?, "built-in").await.context(name)?;
        for (recorded, broker) in [(&recorded, "local"), (&built_in, "built-in")] {
            as_declared(recorded).with_context(|| format!("{name}, {broker}"))?;
        }
        hello.get_or_insert(recorded);
    }
    altered(&hello.context("no recording")?)?;
    drained(&run(&server, &parked(), "local").await?)?;
    server.end().await?;
    ensure!(std::fs::read_dir(temporary.path())?.count() == 0, "something is left in the folder of temporary files");
    Ok(())
}

/// What a run's own stamps contradict.
fn altered(recorded: &Recorded) -> Result<()> {
    let reports = of(recorded, Kind::DEPTH_REPORTED);
    let turns = |alter: &dyn Fn(&mut Recorded)| -> Result<Vec<Law>> {
        let mut altered = recorded.clone();
        alter(&mut altered);
        Ok(red(&altered.judged()?))
    };
    let more = |altered: &mut Recorded| altered.events[reports[reports.len() / 2]].a += 1_000;
    assert_eq!(turns(&more)?, [TakeLowers], "an answer beyond what was published");
    let rest = |altered: &mut Recorded| altered.events[reports[reports.len() - 1]].a += 1;
    assert_eq!(turns(&rest)?, [TakeLowers], "one too many at rest");
    let acked = of(recorded, Kind::ACKED)[3];
    let lost = |altered: &mut Recorded| {
        altered.events.remove(acked);
    };
    assert_eq!(turns(&lost)?, [TakeLowers, Conservation, OpenAtEnd, Accepted], "a settling removed");
    Ok(())
}

/// What is left at the end is taken out one by one.
fn drained(recorded: &Recorded) -> Result<()> {
    let taken: Vec<_> = recorded.events.iter().filter(|event| event.kind == Kind::DEPTH_REPORTED).collect();
    let taken: Vec<_> = taken.into_iter().filter(|event| !event.parent.is_none()).collect();
    assert_eq!(taken.iter().map(|event| ready(event)).collect::<Vec<_>>(), (0..10).rev().collect::<Vec<_>>());
    let published = of(recorded, Kind::PUBLISHED);
    assert_eq!(taken[0].parent, recorded.events[published[0]].message, "the first put is the first taken out");
    assert_eq!(red(&recorded.judged()?), []);
    let mut altered = recorded.clone();
    let at = of(recorded, Kind::DEPTH_REPORTED).into_iter().find(|at| !recorded.events[*at].parent.is_none());
    altered.events[at.context("nothing was taken out")?].a -= 1;
    assert_eq!(red(&altered.judged()?), [TakeLowers], "a take that lowers by two");
    Ok(())
}

/// The processes that have their home in this folder.
fn processes(temporary: &Path) -> Vec<String> {
    let home = format!("HOME={}", temporary.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let named = processes.filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
    let ours = named.filter(|process| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(home.as_bytes()))
    });
    ours.map(|process| std::fs::read_to_string(process.path().join("comm")).unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_rabbitmq_whose_hopscope_was_killed() -> Result<()> {
    if !installed("what is left after a kill") {
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let folders = || std::fs::read_dir(temporary.path()).map(Iterator::count);
    let hello: Value = serde_json::from_str(TEMPLATES[0].1)?;
    let server = serve(temporary.path(), "").await?;
    run(&server, &hello, "local").await?;
    let before = processes(temporary.path());
    ensure!(before.iter().any(|name| name.starts_with("beam")) && before.iter().any(|name| name.starts_with("epmd")));
    ensure!(folders()? == 1);
    // What nothing can catch.
    drop(server.kill().await?);
    let since = Instant::now();
    while !processes(temporary.path()).is_empty() {
        ensure!(since.elapsed() < Duration::from_secs(10), "still there: {:?}", processes(temporary.path()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Its folder goes when the next one makes its own, and that one with its server.
    let server = serve(temporary.path(), "").await?;
    run(&server, &hello, "local").await?;
    ensure!(folders()? == 1, "the folder of the one that was killed is still there");
    used_from_elsewhere(&server, &hello).await?;
    server.end().await?;
    ensure!(processes(temporary.path()).is_empty() && folders()? == 0);
    Ok(())
}

/// Uses one server's RabbitMQ as any broker at an address: only where that is allowed, and without a word of its password.
async fn used_from_elsewhere(server: &Server, hello: &Value) -> Result<()> {
    let (_, started) = post(server, &json!({"scenario": hello, "duration": null, "broker": "local"})).await?;
    let address = started["endpoints"].as_array().context("no endpoints")?.iter();
    let address = address.filter(|at| at["protocol"] == "amqp").find_map(|at| at["address"].as_str());
    let address = address.context("its queues have no address")?;
    let (shown, whole) = (format!("amqp://guest@{address}"), format!("amqp://guest:guest@{address}"));
    let folder = tempfile::tempdir()?;
    let (file, data) = (folder.path().join("scenario.json"), folder.path().join("runs"));
    std::fs::write(&file, hello.to_string())?;
    let command = |allowed: &str| -> Result<Command> {
        let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
        command.arg("run").arg(&file).arg("--data").arg(&data).args(["--duration", "1 s", "--broker", &shown]);
        command.env("HOPSCOPE_ALLOW_BROKER", allowed);
        Ok(command)
    };
    let refused = Running::start_by(command("")?)?.end().await?;
    ensure!(refused.code == 64 && refused.stderr.contains("--allow-broker"), "{refused:?}");
    let ran = Running::start_by(command(&whole)?)?.end().await?;
    ensure!(ran.code == 0, "{ran:?}");
    ensure!(ran.stdout.contains("RabbitMQ") && ran.stdout.contains(&format!("at {shown}")), "{}", ran.stdout);
    ensure!(!ran.stdout.contains("guest:guest") && !ran.stderr.contains("guest:guest"), "{ran:?}");
    let id = ran.stdout.strip_prefix("Run ").and_then(|rest| rest.split_once(':')).context("no id")?.0;
    let bytes = std::fs::read(data.join(format!("{id}.hop")))?;
    ensure!(!bytes.windows(11).any(|window| window == b"guest:guest"), "the recording has the password");
    let prefix = label(&Recorded::read(&bytes, Framing::File)?)?.1;
    ensure!(prefix.contains(id), "{prefix}");
    // Its queues went with it, and those of the other run are still there.
    let connection = lapin::Connection::connect(&whole, lapin::ConnectionProperties::default()).await?;
    let passive = || lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    let channel = connection.create_channel().await?;
    let other = format!("hopscope.{}.orders", started["id"].as_str().context("no id")?);
    channel
        .queue_declare(other.as_str().into(), passive(), Default::default())
        .await
        .context("the other run's queue")?;
    let gone = channel.queue_declare(format!("{prefix}orders").as_str().into(), passive(), Default::default()).await;
    ensure!(gone.is_err(), "the queue of a run that is over is still there");
    Ok(())
}

#[tokio::test]
async fn an_address_that_was_not_allowed_is_an_issue_that_names_the_flag() -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let server = serve(temporary.path(), "amqp://me:secret@broker.lab/orders").await?;
    let (_, about) = request("GET /api/about", server.address()?, &Vec::new(), b"").await?;
    let about: Value = serde_json::from_slice(&about)?;
    let brokers = about["brokers"].as_array().context("no brokers")?;
    ensure!(brokers.contains(&json!("built-in")) && brokers.contains(&json!("amqp://me@broker.lab/orders")), "{about}");
    for (broker, code) in [("amqp://me:secret@other.lab", "broker-not-allowed"), ("kafka", "unknown-choice")] {
        let (status, answer) = post(&server, &json!({"scenario": parked(), "broker": broker})).await?;
        ensure!((status, answer["code"].as_str()) == (422, Some(code)), "{status}: {answer}");
        ensure!(answer["path"] == "/broker" && !answer.to_string().contains("secret"), "{answer}");
        ensure!(code != "broker-not-allowed" || answer["remedy"].to_string().contains("--allow-broker"), "{answer}");
    }
    server.end().await.map(drop)
}
