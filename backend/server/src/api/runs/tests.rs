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
        let config = Config::new(Arc::new(NoPage), folder.path());
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
    assert_eq!(endpoint["protocol"], "http1");
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
async fn frames_and_keyframes_are_fetched_by_their_numbers() {
    let server = Server::start().await;
    let mut run = MadeUp::begin(&server.store);
    let path = format!("/runs/{}", run.id());
    let (status, answer) = server.get(&format!("{path}/keyframe")).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::NOT_FOUND, Some("no-keyframe")));
    run.frames(80, 2_000).await;
    let (status, bytes) = server.ask(Method::GET, &format!("{path}/keyframe?at=70"), "").await;
    let key = numbers(&bytes);
    assert_eq!((status, key.len(), key[0].1), (StatusCode::OK, 1, FrameType::KEYFRAME));
    assert!((38..=70).contains(&key[0].0));
    let id = run.end().await;

    let (_, all) = server.ask(Method::GET, &format!("/runs/{id}/recording"), "").await;
    let (mut fetched, mut from, mut answers) = (Vec::new(), 0, 0);
    loop {
        let (status, bytes) = server.ask(Method::GET, &format!("{path}/frames?from={from}"), "").await;
        assert_eq!(status, StatusCode::OK);
        let Some((last, _)) = numbers(&bytes).last().copied() else { break };
        assert!(bytes.len() < 2 << 20, "an answer has its bound");
        (from, answers) = (last + 1, answers + 1);
        fetched.extend(bytes);
    }
    assert!(answers > 2 && fetched == all[FILE_HEADER_LEN..]);
    let (_, some) = server.ask(Method::GET, &format!("{path}/frames?from=5&to=8"), "").await;
    assert_eq!(numbers(&some).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [5, 6, 7]);
    for (query, status, code) in [
        ("from=5&to=5", 400, "bad-query"),
        ("to=5", 400, "bad-query"),
        ("from=1&at=2", 400, "bad-query"),
        ("from=9999", 416, "no-such-frame"),
    ] {
        let (answered, answer) = server.get(&format!("{path}/frames?{query}")).await;
        assert_eq!((answered.as_u16(), answer["code"].as_str()), (status, Some(code)), "{query}");
    }
    let (status, answer) = server.get(&format!("{path}/keyframe?to=1")).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (400, Some("bad-query")));
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
async fn a_long_export_comes_in_chunks() {
    let server = Server::start().await;
    let (id, recording) = record(&server.store);
    let path = format!("/runs/{id}/export?format=json");
    stamp(&recording, 30_000);
    assert_eq!(recording.finish(end()).await.failure, None);
    let (_, whole) = server.ask(Method::GET, &path, "").await;
    let events = serde_json::from_slice::<Value>(&whole).unwrap()["events"].as_array().unwrap().len();
    assert_eq!(events, 30_000);
    let request = Request::get(format!("/api{path}")).header(header::HOST, server.address.to_string());
    let response = server.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(first.len() < whole.len() / 4 && whole.starts_with(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_exported_in_every_format_imported_and_exported_again_as_the_same() {
    let server = Server::start().await;
    let (status, run) = server.json(Method::POST, "/runs", &request("100 ms")).await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    let id = run["id"].as_str().unwrap().to_owned();
    read_all(server.follow(&id, 0).await.unwrap()).await;
    server.runs.end().await;
    let export = async |id: &str, format: &str| {
        let (status, document) = server.ask(Method::GET, &format!("/runs/{id}/export?format={format}"), "").await;
        assert_eq!(status, StatusCode::OK);
        document
    };
    let document = export(&id, "json").await;
    let (status, answer) = server.ask(Method::POST, "/runs/import?name=from%20the%20lab", document.clone()).await;
    let imported: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, StatusCode::CREATED, "{imported}");
    assert_eq!((&imported["name"], &imported["imported_from"]), (&json!("from the lab"), &json!(id)));
    let copy = imported["id"].as_str().unwrap();
    let (_, run) = server.get(&format!("/runs/{id}")).await;
    assert_eq!((&imported["events"], &imported["state"]), (&run["events"], &json!("ended")));
    for format in EXPORTS {
        let (original, again) = (export(&id, format.id).await, export(copy, format.id).await);
        assert!(!original.is_empty() && original == again, "{}", format.id);
    }
    let listed = server.get("/runs").await.1;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_recording_is_not_imported_and_says_where_it_is_none() {
    let server = Server::start().await;
    let cases: [(&str, &[u8], u16, &str, &str); 5] = [
        ("", b"{\"format\": \"hopscope-scenario\", \"events\": []}", 422, "not-a-recording", "/format"),
        ("", b"{", 422, "not-json", ""),
        ("", b"\x89HOPS", 422, "not-json", ""),
        ("?name=%20", b"{", 422, "bad-run-name", "/name"),
        ("?nome=a", b"{", 400, "bad-query", "name"),
    ];
    for (query, body, status, code, path) in cases {
        let (answered, bytes) = server.ask(Method::POST, &format!("/runs/import{query}"), body.to_vec()).await;
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((answered.as_u16(), &answer["code"], &answer["path"]), (status, &json!(code), &json!(path)));
        assert!(
            !answer["message"].as_str().unwrap().contains('{') && !answer["remedy"].as_str().unwrap().contains('{')
        );
    }
    // Over the limit: told by its length, and while it comes.
    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_000])));
    for body in [Body::from(vec![b' '; 100_000]), Body::from_stream(chunks)] {
        let refused = super::import::take_in(&server.runs, None, body, 50_000).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(server.get("/runs").await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_yet_cannot_be_exported() {
    let server = Server::start().await;
    let plan = crate::store::tests::plan();
    let file = server.store.create(plan.name(), &plan.settings).unwrap();
    let (status, answer) = server.get(&format!("/runs/{}/export?format=json", file.id())).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("export-failed")));
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
async fn faults_of_a_request_are_all_listed_with_their_texts() {
    let server = Server::start().await;
    let mut request = request("0 s");
    request["scenario"]["nodes"][1]["workers"] = json!(0);
    let (status, answer) = server.json(Method::POST, "/runs", &request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let issues = answer["issues"].as_array().unwrap();
    assert_eq!(issues.len(), 2, "{answer}");
    let paths: Vec<_> = issues.iter().map(|issue| issue["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"/duration") && paths.contains(&"/scenario/nodes/1/workers"), "{paths:?}");
    for field in ["code", "path", "message", "remedy"] {
        assert_eq!(answer[field], issues[0][field]);
        assert!(answer[field].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(server.get("/runs").await.1, json!([]));
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_code_and_a_remedy() {
    let server = Server::start().await;
    let large = " ".repeat(super::super::BODY_LIMIT + 1);
    let unknown = "/runs/20010101-000000-0000";
    let cases: &[(Method, &str, &[u8], u16, &str)] = &[
        (Method::POST, "/runs", b"{", 422, "bad-json"),
        (Method::POST, "/runs", b"\xff", 400, "bad-body"),
        (Method::POST, "/runs", large.as_bytes(), 413, "body-too-large"),
        (Method::PUT, "/runs", b"", 405, "method-not-allowed"),
        (Method::GET, "/nothing", b"", 404, "unknown-route"),
        (Method::GET, unknown, b"", 404, "unknown-run"),
        (Method::DELETE, unknown, b"", 404, "unknown-run"),
        (Method::PATCH, unknown, b"{\"name\": \"a\"}", 404, "unknown-run"),
        (Method::PATCH, unknown, b"{\"nome\": \"a\"}", 400, "bad-body"),
        (Method::PATCH, unknown, b"{\"name\": \"\"}", 422, "bad-run-name"),
        (Method::POST, "/runs/20010101-000000-0000/stop", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/recording", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/export?format=json", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/export?format=xml", b"", 400, "bad-query"),
        (Method::GET, "/runs/20010101-000000-0000/export", b"", 400, "bad-query"),
        (Method::GET, "/runs/..%2f..%2fetc%2fpasswd/recording", b"", 404, "unknown-run"),
        (Method::DELETE, "/runs/..%2fx", b"", 404, "unknown-run"),
    ];
    for (method, path, body, status, code) in cases {
        let (answered, bytes) = server.ask(method.clone(), path, body.to_vec()).await;
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((answered.as_u16(), answer["code"].as_str()), (*status, Some(*code)), "{method} {path}: {answer}");
        for field in ["message", "remedy"] {
            let text = answer[field].as_str().unwrap();
            assert!(!text.is_empty() && !text.contains('{'), "{method} {path}: {text}");
        }
    }
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
