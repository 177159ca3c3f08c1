use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use futures_util::StreamExt as _;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{FILE_HEADER_LEN, FrameType};
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_report::export::EXPORTS;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::Runs;
use super::live::MOST_LIVE;
use crate::broker::Brokers;
use crate::run::MOST_EVENTS;
use crate::store::Store;
use crate::store::tests::{MadeUp, end, record, stamp};
use crate::{Asset, Config, Page};

mod control;
mod refusals;
mod transfer;

struct NoPage;

impl Page for NoPage {
    fn asset(&self, _: &str) -> Option<Asset> {
        None
    }
}

/// A server with its folder; requests go to its router, WebSockets to its socket.
struct Server {
    app: Router,
    address: SocketAddr,
    store: Store,
    runs: Runs,
    closing: CancellationToken,
    _folder: tempfile::TempDir,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, closing) = (Store::open(folder.path()).unwrap(), CancellationToken::new());
        let runs = Runs::new(store.clone(), MOST_EVENTS, Brokers::default(), closing.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config::new(Arc::new(NoPage), store.clone());
        let app = crate::api::router(&config, runs.clone(), address);
        tokio::spawn(axum::serve(listener, app.clone()).into_future());
        Self { app, address, store, runs, closing, _folder: folder }
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<Body>) -> (StatusCode, Vec<u8>) {
        let request = Request::builder().method(method).uri(format!("/api{path}"));
        let request = request.header(header::HOST, self.address.to_string());
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let (status, bytes) = self.ask(method, path, body.to_string()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.json(Method::GET, path, &Value::Null).await
    }

    async fn follow(&self, id: &str, from: u32) -> Result<Socket, tungstenite::Error> {
        self.follow_by(id, &format!("from={from}")).await
    }

    async fn follow_by(&self, id: &str, query: &str) -> Result<Socket, tungstenite::Error> {
        let url = format!("ws://{}/api/runs/{id}/stream?{query}", self.address);
        Ok(tokio_tungstenite::connect_async(url).await?.0)
    }
}

fn request(duration: &str) -> Value {
    let scenario: Value = serde_json::from_str(include_str!("../../../../../scenarios/hello-sync.json")).unwrap();
    json!({"scenario": scenario, "seed": 7, "duration": duration})
}

/// Everything that a stream sends, and the code that it is closed with. Each message must be whole frames.
async fn read_all(mut socket: Socket) -> (Vec<u8>, u16) {
    let mut bytes = Vec::new();
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(message) => {
                let mut decoder = Decoder::new(Framing::Stream);
                decoder.push(&message);
                while decoder.next_frame().unwrap().is_some() {}
                assert!(!decoder.is_mid_frame(), "a message ends in the middle of a frame");
                bytes.extend_from_slice(&message);
            }
            Message::Close(frame) => return (bytes, frame.unwrap().code.into()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_listed_renamed_fetched_and_deleted() {
    let server = Server::start().await;
    let (status, run) = server.json(Method::POST, "/runs", &request("1 s")).await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    let id = run["id"].as_str().unwrap();
    let path = format!("/runs/{id}");
    assert!(["setup", "running"].contains(&run["state"].as_str().unwrap()), "{run}");
    let endpoint = &run["endpoints"][0];
    assert_eq!((&endpoint["node"], &endpoint["instance"]), (&json!("n2"), &json!("replica 1")), "{run}");
    assert_eq!((&endpoint["protocol"], &endpoint["name"]), (&json!("http1"), &Value::Null));
    let address: SocketAddr = endpoint["address"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback() && TcpStream::connect(address).await.is_ok(), "{address} does not answer");
    let (status, answer) = server.json(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("run-recording")));

    let (streamed, code) = read_all(server.follow(id, 0).await.unwrap()).await;
    assert_eq!(code, 1000);
    // The stream ends with the file; the run is ended once that is noted.
    server.runs.end().await;
    let (_, run) = server.get(&path).await;
    assert_eq!((run["state"].as_str(), run["reason"].as_str()), (Some("ended"), Some("load-done")), "{run}");
    assert_eq!((run["lost"].as_u64(), run["seed"].as_u64(), run["duration"].as_str()), (Some(0), Some(7), Some("1 s")));
    assert!(run["events"].as_u64().unwrap() > 20 * 5, "{run}");
    assert_eq!(run["endpoints"], json!([]));

    let (status, file) = server.ask(Method::GET, &format!("{path}/recording"), "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(&file[FILE_HEADER_LEN..], streamed);
    let (status, export) = server.get(&format!("{path}/export?format=json")).await;
    assert_eq!((status, export["format"].as_str()), (StatusCode::OK, Some("hopscope-recording")));
    assert_eq!(export["events"].as_array().map(|events| events.len() as u64), run["events"].as_u64());

    let (last, _) = read_all(server.follow(id, run["frames"].as_u64().unwrap() as u32 - 1).await.unwrap()).await;
    assert!(!last.is_empty() && last.len() < streamed.len() && streamed.ends_with(&last));

    let (status, renamed) = server.json(Method::PATCH, &path, &json!({"name": "mine"})).await;
    assert_eq!((status, renamed["name"].as_str()), (StatusCode::OK, Some("mine")));
    assert_eq!(server.get("/runs").await.1, json!([renamed]));
    assert_eq!(server.ask(Method::DELETE, &path, "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/runs").await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_runs_are_live_and_stopped_ones_make_room() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for _ in 0..MOST_LIVE {
        let (status, run) = server.json(Method::POST, "/runs", &request("1 h")).await;
        assert_eq!(status, StatusCode::CREATED, "{run}");
        ids.push(run["id"].as_str().unwrap().to_owned());
    }
    let (status, answer) = server.json(Method::POST, "/runs", &request("1 s")).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("too-many-runs")));
    for id in &ids {
        let (status, _) = server.json(Method::POST, &format!("/runs/{id}/stop"), &Value::Null).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    server.runs.end().await;
    let (_, listed) = server.get("/runs").await;
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), MOST_LIVE, "a refused run leaves nothing");
    assert!(listed.iter().all(|run| run["state"] == "ended" && run["reason"] == "stopped"), "{listed:?}");
    let (status, again) = server.json(Method::POST, &format!("/runs/{}/stop", ids[0]), &Value::Null).await;
    assert_eq!((status, again["state"].as_str()), (StatusCode::ACCEPTED, Some("ended")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_holds_nothing_up_and_then_gets_every_frame() {
    let server = Server::start().await;
    let (id, recording) = record(&server.store);
    let stalled = server.follow(id.as_str(), 0).await.unwrap();
    let reading = tokio::spawn(read_all(server.follow(id.as_str(), 0).await.unwrap()));
    let mut progress = server.store.progress(&id).unwrap();
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    // Much more than the sockets' buffers hold; the numbers are chosen so that they cannot be packed.
    let mut noise = 1_u64;
    while progress.borrow_and_update().bytes < 24 << 20 {
        for _ in 0..20_000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            recorder.record(Kind(999), TraceId(noise), MessageId(noise ^ 7), MessageId(!noise), noise << 9, noise);
        }
        progress.changed().await.unwrap();
    }
    assert_eq!(recording.finish(end()).await.failure, None);
    let (prompt, code) = reading.await.unwrap();
    assert_eq!(code, 1000);
    let (late, code) = read_all(stalled).await;
    assert_eq!(code, 1000);
    let (_, file) = server.ask(Method::GET, &format!("/runs/{id}/recording"), "").await;
    assert!(file[FILE_HEADER_LEN..] == prompt && prompt == late, "every reader gets the file's bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_clearly_why_it_cannot_be_had() {
    let server = Server::start().await;
    let (id, recording) = record(&server.store);
    recording.finish(end()).await;
    let path = format!("/runs/{id}/stream");
    let (status, answer) = server.get(&path).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::UPGRADE_REQUIRED, Some("not-a-websocket")));
    for query in ["from=-1", "from=x", "since=3", "from=4294967296", "mode=tail"] {
        let (status, answer) = server.get(&format!("{path}?{query}")).await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::BAD_REQUEST, Some("bad-query")), "{query}");
    }
    let Err(tungstenite::Error::Http(response)) = server.follow("20010101-000000-0000", 0).await else {
        panic!("it was accepted")
    };
    assert_eq!(response.status(), 404);
    // A browser can read the close of a stream, and nothing of a refused upgrade.
    let frames = server.store.get(&id).unwrap().frames;
    let closed = server.follow(id.as_str(), frames + 1).await.unwrap().next().await.unwrap().unwrap();
    let Message::Close(Some(close)) = closed else { panic!("{closed:?}") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4001, frames.to_string().as_str()));
}

/// The frames of some bytes: number and type.
fn numbers(bytes: &[u8]) -> Vec<(u32, FrameType)> {
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(bytes);
    let mut numbers = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        numbers.push((frame.header.number, frame.header.frame_type));
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reader_that_wants_the_head_is_taken_there() {
    let server = Server::start().await;
    let mut run = MadeUp::begin(&server.store);
    run.frames(100, 1_000).await;
    let id = run.end().await;
    let (all, _) = read_all(server.follow(id.as_str(), 0).await.unwrap()).await;
    let (head, code) = read_all(server.follow_by(id.as_str(), "mode=head").await.unwrap()).await;
    assert_eq!(code, 1000);
    let read = numbers(&head);
    let key = read.iter().position(|(_, frame_type)| *frame_type == FrameType::KEYFRAME).unwrap();
    assert_eq!(read[0], (0, FrameType::HELLO));
    assert!(read[1..key].iter().all(|(_, frame_type)| *frame_type == FrameType::NAMES));
    assert_eq!(
        key,
        1 + numbers(&all[..all.len() - 1])
            .iter()
            .filter(|(number, frame_type)| { *frame_type == FrameType::NAMES && *number <= read[key].0 })
            .count()
    );
    let rest: Vec<u32> = read[key + 1..].iter().map(|(number, _)| *number).collect();
    assert_eq!(rest, (read[key].0 + 1..=101).collect::<Vec<_>>());
    assert!(all.ends_with(&head[head.len() - 100..]));
    // One that is not far behind misses nothing.
    let near = format!("mode=head&from={}", 101 - 5);
    let (near, _) = read_all(server.follow_by(id.as_str(), &near).await.unwrap()).await;
    assert_eq!(numbers(&near).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_and_wants_the_head_gets_a_keyframe_and_fills_its_hole() {
    let server = Server::start().await;
    let mut run = MadeUp::begin(&server.store);
    let id = run.id().clone();
    run.frames(2, 10).await;
    let mut socket = server.follow_by(id.as_str(), "mode=head").await.unwrap();
    let first = socket.next().await.unwrap().unwrap().into_data();
    assert_eq!(numbers(&first)[0], (0, FrameType::HELLO));
    // Much more than the sockets' buffers hold, while nothing is read.
    run.frames(160, 8_000).await;
    run.end().await;
    let frames = server.store.get(&id).unwrap().frames;
    let (rest, code) = read_all(socket).await;
    assert_eq!(code, 1000);
    let read = [&first[..], &rest].concat();
    let keys = numbers(&read).iter().filter(|(_, frame_type)| *frame_type == FrameType::KEYFRAME).count();
    assert!(keys > 0, "it read all of it");
    let (_, file) = server.ask(Method::GET, &format!("/runs/{id}/recording"), "").await;
    let mut there: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut take = |bytes: &[u8]| {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame().unwrap() {
            if frame.header.frame_type != FrameType::KEYFRAME {
                there.insert(frame.header.number, frame.bytes.to_vec());
            }
        }
        (0..frames).find(|number| !there.contains_key(number))
    };
    let mut hole = take(&read);
    assert!(hole.is_some());
    while let Some(from) = hole {
        hole = take(&server.ask(Method::GET, &format!("/runs/{id}/frames?from={from}"), "").await.1);
    }
    let filled: Vec<u8> = there.into_values().flatten().collect();
    assert!(filled == file[FILE_HEADER_LEN..], "after its ranges it has what everyone has");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_server_closes() {
    let server = Server::start().await;
    let (id, recording) = record(&server.store);
    stamp(&recording, 1);
    let mut socket = server.follow(id.as_str(), 0).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_binary());
    server.closing.cancel();
    assert_eq!(read_all(socket).await.1, 1001);
}

#[tokio::test]
async fn the_interface_is_described() {
    let server = Server::start().await;
    let (status, description) = server.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let paths: Vec<_> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/api/about",
        "/api/runs",
        "/api/runs/import",
        "/api/runs/{id}",
        "/api/runs/{id}/compare",
        "/api/runs/{id}/control",
        "/api/runs/{id}/export",
        "/api/runs/{id}/frames",
        "/api/runs/{id}/keyframe",
        "/api/runs/{id}/recording",
        "/api/runs/{id}/stop",
        "/api/runs/{id}/stream",
        "/api/runs/{id}/verdict",
    ];
    assert!(expected.iter().all(|path| paths.contains(path)), "{paths:?}");
    assert!(description["components"]["schemas"]["RunView"]["properties"]["state"].is_object());
}
