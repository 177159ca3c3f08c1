//! Programs of Apache's Thrift, in Python and in Go, call what a node of ours is, and are called as one is: framed by THeader, by a
//! frame and by nothing, in the binary and in the compact protocol.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::EndReason;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_server::link::{Call, Link, Policy};
use hopscope_server::record::{EndInfo, Memory, Recording, RecordingOptions, new_run_key};
use hopscope_server::tasks::Tasks;
use hopscope_server::timer::Timer;
use hopscope_server::transport::{
    Address, Answer, BoxFuture, Door, Handler, Identity, Options, Request, Thrift, Transport as _, Verdict,
};
use hopscope_tests::recording::Recorded;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;

const FRAMINGS: [&str; 3] = ["header", "framed", "buffered"];
const ENCODINGS: [&str; 2] = ["binary", "compact"];

const CALLER: PlaceIndex = PlaceIndex(0);
const RECEIVER: PlaceIndex = PlaceIndex(1);
const LINK: LinkIndex = LinkIndex(0);

/// What each program sends: the bytes of its messages, the fourth of which nobody answers.
const SENT: [u64; 5] = [0, 10, 100_000, 6, 4];
const ONEWAY: usize = 3;

/// Thrift's number of UNKNOWN_METHOD.
const UNKNOWN_METHOD: i32 = 1;

struct Echo;

impl Handler for Echo {
    fn handle(self: Arc<Self>, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move { Answer { verdict: Verdict::Good, body: request.body.bytes } })
    }
}

fn options(framing: &str, encoding: &str, mode: &str) -> Options {
    let fields = [("framing", framing), ("encoding", encoding), ("mode", mode)];
    Options::of(&fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
}

fn record() -> Result<(Recording, Memory)> {
    let memory = Memory::default();
    let (key, sink) = (new_run_key()?, Box::new(memory.clone()));
    let recording = Recording::start(RecordingOptions { run: "outside".into(), key, plan: Vec::new(), sink })?;
    recording.set_zero(recording.recorder(CALLER, LINK).now());
    Ok((recording, memory))
}

async fn recorded(recording: Recording, memory: &Memory) -> Result<Vec<Event>> {
    let end = EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() };
    let summary = recording.finish(end).await;
    ensure!(summary.lost == 0 && summary.failure.is_none(), "{summary:?}");
    Ok(Recorded::read(&memory.bytes(), Framing::Stream)?.events)
}

/// One of the programs.
#[derive(Clone, Copy)]
enum Language {
    Python,
    Go,
}

impl Language {
    fn command(self) -> Result<Command> {
        Ok(match self {
            Self::Python => {
                let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_PYTHON")?);
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/outside/thrift/python/peer.py"));
                command
            }
            Self::Go => Command::new(hopscope_tests::variable("HOPSCOPE_GO_PEER")?),
        })
    }
}

async fn calls_us(language: Language) -> Result<()> {
    for framing in FRAMINGS {
        for encoding in ENCODINGS {
            called(language, framing, encoding).await.with_context(|| format!("{framing} {encoding}"))?;
        }
    }
    Ok(())
}

async fn called(language: Language, framing: &str, encoding: &str) -> Result<()> {
    let (recording, memory) = record()?;
    let tasks = Tasks::new(Handle::current());
    let recorder = recording.recorder(RECEIVER, LinkIndex::NONE);
    let endpoint = Thrift.bind(Door::new(recorder.clone(), vec![LINK], Arc::new(Echo), tasks.clone())).await?;
    let Address::Socket(address) = endpoint.address() else { anyhow::bail!("no socket") };
    let (trace, parent) = recorder.mint_root();
    let traceparent = Identity { trace, message: parent, link: LINK }.traceparent(recorder.run_key());
    let mut command = language.command()?;
    command.args(["call", &address.to_string(), framing, encoding]).arg(String::from_utf8(traceparent.to_vec())?);
    let ended = command.kill_on_drop(true).output().await?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let told: Value = serde_json::from_slice(&ended.stdout)?;
    let answered: Vec<u64> = SENT.iter().enumerate().filter(|(at, _)| *at != ONEWAY).map(|(_, bytes)| *bytes).collect();
    assert_eq!(told, json!({"bodies": answered, "no_such_method": UNKNOWN_METHOD}));
    tasks.idle().await;
    endpoint.close().await;
    drop((endpoint, recorder));
    let events = recorded(recording, &memory).await?;
    let received: Vec<&Event> = events.iter().filter(|event| event.kind == Kind::RECEIVED).collect();
    assert_eq!(received.iter().map(|event| event.b).collect::<Vec<_>>(), SENT);
    for (at, received) in received.iter().enumerate() {
        assert_eq!((received.trace, received.parent), (trace, parent), "it joins the trace that it was told of");
        let replies = events.iter().filter(|event| event.kind == Kind::REPLIED && event.message == received.message);
        assert_eq!(replies.count(), usize::from(at != ONEWAY), "message {at}");
    }
    Ok(())
}

/// A program that answers.
struct Peer {
    child: Child,
    said: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    address: Address,
}

impl Peer {
    async fn start(language: Language, framing: &str, encoding: &str) -> Result<Self> {
        let mut command = language.command()?;
        command.args(["serve", framing, encoding]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let port: u16 = said.next_line().await?.context("it ended without a port")?.parse()?;
        Ok(Self { child, said, address: Address::Socket(([127, 0, 0, 1], port).into()) })
    }

    /// What it was told last.
    async fn told(&mut self) -> Result<Value> {
        Ok(serde_json::from_str(&self.said.next_line().await?.context("it ended")?)?)
    }

    /// It ends with its standard input.
    async fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        ensure!(self.child.wait().await?.success(), "it ended badly");
        Ok(())
    }
}

async fn is_called(language: Language) -> Result<()> {
    for framing in FRAMINGS {
        for encoding in ENCODINGS {
            calls(language, framing, encoding).await.with_context(|| format!("{framing} {encoding}"))?;
        }
    }
    Ok(())
}

async fn calls(language: Language, framing: &str, encoding: &str) -> Result<()> {
    let (recording, memory) = record()?;
    let recorder = recording.recorder(CALLER, LINK);
    let mut peer = Peer::start(language, framing, encoding).await?;
    let timer = Timer::start()?;
    let root = || {
        let (trace, message): (TraceId, MessageId) = recorder.mint_root();
        Call { trace, message, parent: MessageId::NONE }
    };
    // Without THeader the message itself says who it is.
    let identity = |call: Call| {
        let Call { trace, message, .. } = call;
        let text = Identity { trace, message, link: LINK }.traceparent(recorder.run_key()).to_vec();
        (framing != "header").then(|| String::from_utf8_lossy(&text).into_owned())
    };
    let end = Thrift.connect(peer.address.clone(), &options(framing, encoding, "call"), recorder.clone()).await?;
    let link = Link::new(recorder.clone(), vec![end], Policy::default(), timer.clone());
    let large = vec![b'x'; 100_000];
    let cases: [(&[u8], Verdict, u16); 6] = [
        (b"", Verdict::Good, 0),
        (&large, Verdict::Good, 0),
        (b"refused", Verdict::Refused, 1),
        (b"failed", Verdict::Failed, 2),
        // INTERNAL_ERROR.
        (b"broken", Verdict::Failed, 1_006),
        (b"again", Verdict::Good, 0),
    ];
    for (body, verdict, status) in cases {
        let call = root();
        let reply = link.call(call, Bytes::copy_from_slice(body)).await?;
        assert_eq!((reply.verdict, reply.status), (verdict, status), "{}", body.len());
        assert!(verdict != Verdict::Good || reply.body == body);
        let told = json!({"method": "call", "bytes": body.len(), "traceparent": identity(call)});
        assert_eq!(peer.told().await?, told);
    }
    link.close().await;
    let end = Thrift.connect(peer.address.clone(), &options(framing, encoding, "oneway"), recorder.clone()).await?;
    let oneway = Link::oneway(recorder.clone(), vec![end], Policy::default(), timer);
    let call = root();
    oneway.call(call, Bytes::from_static(b"oneway")).await?;
    assert_eq!(peer.told().await?, json!({"method": "send", "bytes": 6, "traceparent": identity(call)}));
    oneway.close().await;
    peer.end().await?;
    drop((link, oneway, recorder));
    let closed: Vec<Kind> = recorded(recording, &memory).await?.iter().map(|event| event.kind).collect();
    let count = |kind: Kind| closed.iter().filter(|other| **other == kind).count();
    let kinds = [Kind::SENT, Kind::COMPLETED, Kind::REFUSED, Kind::FAILED, Kind::HANDED_OVER];
    assert_eq!(kinds.map(count), [7, 3, 1, 2, 1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn python_calls_us_over_thrift() -> Result<()> {
    calls_us(Language::Python).await
}

#[tokio::test(flavor = "multi_thread")]
async fn python_is_called_over_thrift() -> Result<()> {
    is_called(Language::Python).await
}

#[tokio::test(flavor = "multi_thread")]
async fn go_calls_us_over_thrift() -> Result<()> {
    if crate::example::has_go("a Go program calls us over Thrift") { calls_us(Language::Go).await } else { Ok(()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn go_is_called_over_thrift() -> Result<()> {
    if crate::example::has_go("a Go program is called over Thrift") { is_called(Language::Go).await } else { Ok(()) }
}
