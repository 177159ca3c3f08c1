//! Connections that are given up, reset and closed by the other end.

use std::net::Ipv4Addr;

use hopscope_record::{LinkIndex, PlaceIndex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::record::{Memory, Recording, RecordingOptions, new_run_key};
use crate::transport::{Body, Carried, Identity};

fn record() -> (Recording, Recorder) {
    let (key, sink) = (new_run_key().unwrap(), Box::new(Memory::default()));
    let recording = Recording::start(RecordingOptions { run: "r".into(), key, plan: Vec::new(), sink }).unwrap();
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    (recording, recorder)
}

/// A receiver, and a caller that has a connection to it.
struct Pair {
    _recording: Recording,
    recorder: Recorder,
    caller: Arc<dyn Caller>,
    peer: TcpStream,
}

impl Pair {
    async fn open() -> Self {
        let (_recording, recorder) = record();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (caller, accepted) =
            tokio::join!(connect(address, Options::default(), recorder.clone()), listener.accept());
        Self { _recording, recorder, caller: caller.unwrap(), peer: accepted.unwrap().0 }
    }

    fn call(&self) -> BoxFuture<'static, Result<Reply, CallError>> {
        let (trace, message) = self.recorder.mint_root();
        let identity = Identity { trace, message, link: self.recorder.link() };
        let outgoing =
            Outgoing { identity, body: Body::default(), answers: None, progress: None, carried: Carried::default() };
        Arc::clone(&self.caller).call(outgoing)
    }

    /// Reads a frame.
    async fn asked(&mut self) -> Vec<u8> {
        let length = self.peer.read_u32().await.unwrap();
        let mut frame = vec![0; length as usize];
        self.peer.read_exact(&mut frame).await.unwrap();
        frame
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_on_its_way_ends_its_connection() {
    let mut pair = Pair::open().await;
    let mut call = pair.call();
    assert!(futures_util::poll!(&mut call).is_pending());
    pair.asked().await;
    drop(call);
    assert_eq!(pair.peer.read(&mut [0]).await.unwrap(), 0, "it is open still");
    pair.caller.close().await;
}

#[tokio::test]
async fn a_reset_ends_the_calls_under_way() {
    let mut pair = Pair::open().await;
    let call = tokio::spawn(pair.call());
    pair.asked().await;
    pair.caller.reset().await;
    assert!(matches!(call.await.unwrap(), Err(CallError::Broken(_))));
    let reset = pair.peer.read(&mut [0]).await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
}

/// Nobody calls over it: its keeper sees the end.
#[tokio::test]
async fn an_idle_connection_ends_when_its_peer_closes_it_or_speaks_unasked() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (_recording, recorder) = record();
    let caller = caller(listener.local_addr().unwrap(), Options::default(), recorder);
    for speaks in [false, true] {
        let (taken, accepted) = tokio::join!(caller.pool.take(), listener.accept());
        let mut peer = accepted.unwrap().0;
        caller.pool.put_back(taken.unwrap());
        if speaks {
            peer.write_all(b"unasked").await.unwrap();
        } else {
            drop(peer);
        }
        // One that has ended is not kept.
        while let Some(idle) = caller.pool.take_idle().pop() {
            caller.pool.put_back(idle);
            tokio::task::yield_now().await;
        }
    }
    caller.pool.close().await;
}
