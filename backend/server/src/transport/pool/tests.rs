//! Calls to a receiver whose backlog is full: a connection to it is asked for, and nothing answers.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use bytes::Bytes;
use hopscope_record::trace_context::parse_tracestate;
use hopscope_record::{LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::quantity::Time;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::*;
use crate::link::{Call, Link, LinkError, Policy};
use crate::record::{Memory, Recording, RecordingOptions, new_run_key};
use crate::timer::Timer;
use crate::transport::http1::Requests;
use crate::transport::{Address, Body, Caller, Carried, Http1, Identity, Options, Outgoing, Transport as _};

/// A receiver that has taken one connection and takes no other.
struct Deaf {
    address: SocketAddr,
    connection: TcpStream,
    _listener: tokio::net::TcpListener,
    _filler: TcpStream,
}

impl Deaf {
    /// The receiver, and a caller that has its one connection.
    async fn start(recorder: &Recorder) -> (Self, Arc<dyn Caller>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        // Room for one connection that is not taken yet.
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let caller = Http1.connect(Address::Socket(address), &Options::default(), recorder.clone()).await.unwrap();
        let (connection, _) = listener.accept().await.unwrap();
        let filler = TcpStream::connect(address).await.unwrap();
        (Self { address, connection, _listener: listener, _filler: filler }, caller)
    }

    /// Reads the next request, and says which message it is.
    async fn request(&mut self) -> MessageId {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.connection.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let state = head.lines().find_map(|line| line.strip_prefix("tracestate: ")).unwrap();
        parse_tracestate(state.as_bytes()).unwrap().message
    }

    async fn reply(&mut self) {
        self.connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    }

    /// How many connections to it are asked for and not answered.
    fn asked(&self) -> usize {
        let to = format!("0100007F:{:04X}", self.address.port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let columns = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        // Remote address and state; 02 is SYN_SENT. While sockets of others come and go the table may name one twice.
        let asked = columns.filter(|columns| columns.get(2..4) == Some(&[to.as_str(), "02"][..]));
        asked.map(|columns| columns[1].to_owned()).collect::<BTreeSet<_>>().len()
    }
}

fn record() -> (Recording, Recorder) {
    let (key, sink) = (new_run_key().unwrap(), Box::new(Memory::default()));
    let recording = Recording::start(RecordingOptions { run: "r".into(), key, plan: Vec::new(), sink }).unwrap();
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    (recording, recorder)
}

fn outgoing(recorder: &Recorder) -> Outgoing {
    let (trace, message) = recorder.mint_root();
    let identity = Identity { trace, message, link: recorder.link() };
    Outgoing { identity, body: Body::default(), answers: None, progress: None, carried: Carried::default() }
}

#[tokio::test]
async fn calls_that_wait_for_new_connections_take_one_that_is_given_back() {
    let (_recording, recorder) = record();
    let (mut receiver, caller) = Deaf::start(&recorder).await;
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(Arc::clone(&caller).call(outgoing(&recorder)))).collect();
    while receiver.asked() < OPENING {
        tokio::task::yield_now().await;
    }
    for call in 0..calls.len() {
        receiver.request().await;
        // However many wait, no more are asked for at once: a burst must not be what fills a receiver's backlog.
        if call.is_multiple_of(25) {
            assert_eq!(receiver.asked(), OPENING);
        }
        receiver.reply().await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
    caller.close().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_turn_to_the_next() {
    let (_recording, recorder) = record();
    let (mut receiver, caller) = Deaf::start(&recorder).await;
    let first = tokio::spawn(Arc::clone(&caller).call(outgoing(&recorder)));
    receiver.request().await;
    let mut given_up = Arc::clone(&caller).call(outgoing(&recorder));
    assert!(futures_util::poll!(&mut given_up).is_pending());
    let waits = outgoing(&recorder);
    let message = waits.identity.message;
    let mut next = Arc::clone(&caller).call(waits);
    assert!(futures_util::poll!(&mut next).is_pending());
    // The connection comes back while both wait, goes to the first of them, and that one is given up.
    receiver.reply().await;
    first.await.unwrap().unwrap();
    drop(given_up);
    let next = tokio::spawn(next);
    assert_eq!(receiver.request().await, message);
    receiver.reply().await;
    assert_eq!(next.await.unwrap().unwrap().status, 200);
    caller.close().await;
}

#[tokio::test]
async fn closing_tells_the_calls_that_wait() {
    let (_recording, recorder) = record();
    let (mut receiver, caller) = Deaf::start(&recorder).await;
    let calls: Vec<_> = (0..40).map(|_| tokio::spawn(Arc::clone(&caller).call(outgoing(&recorder)))).collect();
    receiver.request().await;
    while receiver.asked() < OPENING {
        tokio::task::yield_now().await;
    }
    caller.close().await;
    for call in calls {
        assert!(call.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn an_attempt_whose_time_is_over_before_it_has_a_connection_is_never_sent() {
    let (_recording, recorder) = record();
    let (mut receiver, caller) = Deaf::start(&recorder).await;
    let policy = Policy { timeout: Some(Time(5_000_000)), retry: None };
    let link = Link::new(recorder.clone(), vec![Arc::clone(&caller)], policy, Timer::start().unwrap());
    let call = || {
        let (trace, message): (TraceId, MessageId) = recorder.mint_root();
        Call { trace, message, parent: MessageId::NONE }
    };
    // It holds the one connection, and is read on after its time.
    let held = call();
    assert!(matches!(link.call(held, Body::default()).await, Err(LinkError::TimedOut { .. })));
    assert_eq!(receiver.request().await, held.message);
    assert_eq!(link.late().count(), 1);
    // It waits for another until its time is over, and is given up: nobody waits for it any more.
    assert!(matches!(link.call(call(), Body::default()).await, Err(LinkError::TimedOut { .. })));
    assert_eq!(link.late().count(), 1);
    receiver.reply().await;
    link.late().idle().await;
    // What comes next on the connection is the next call.
    let next = call();
    let _ = link.call(next, Body::default()).await;
    assert_eq!(receiver.request().await, next.message);
    link.close().await;
}

/// Whoever carried a connection last is woken next: after a call that must be its keeper.
#[tokio::test]
async fn a_connection_that_has_served_and_is_closed_by_its_peer_while_idle_ends_at_once() {
    let (_recording, recorder) = record();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let pool = Pool::<Requests>::new(listener.local_addr().unwrap(), recorder);
    let (taken, accepted) = tokio::join!(pool.take(), listener.accept());
    let (mut connection, (mut peer, _)) = (taken.unwrap(), accepted.unwrap());
    let request = http::Request::get("/").header("host", "peer").body(Full::new(Bytes::new())).unwrap();
    let Connection { wire: Requests(sender), carriage, .. } = &mut connection;
    let serve = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(peer.read_u8().await.unwrap());
        }
        peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    let (response, ()) = tokio::join!(carriage.carry(sender.send_request(request)), serve);
    assert_eq!(response.unwrap().status(), 200);
    pool.put_back(connection);
    assert_eq!(pool.shared.tasks.count(), 1, "it is kept");
    drop(peer);
    pool.shared.tasks.idle().await;
    pool.close().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_on_its_way_ends_its_connection() {
    let (_recording, recorder) = record();
    let (mut receiver, caller) = Deaf::start(&recorder).await;
    let mut call = Arc::clone(&caller).call(outgoing(&recorder));
    assert!(futures_util::poll!(&mut call).is_pending());
    receiver.request().await;
    drop(call);
    assert_eq!(receiver.connection.read(&mut [0]).await.unwrap(), 0, "it is open still");
    caller.close().await;
}
