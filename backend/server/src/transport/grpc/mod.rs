//! gRPC over loopback: unary calls of [`proto::node`]'s `Call`, with the message as bytes and its identity in the metadata
//! `traceparent` and `tracestate`.
//!
//! A replica also answers `helloworld.Greeter/SayHello`, server reflection (v1 and v1alpha) and health on the same port, so
//! that clients of other people can call it as they are. A greeting enters by the same [`Door`] as any other request.
//!
//! The stamps stand where they should. tonic hands a handler its request when the last message has been decoded and the
//! stream's end read, and sends nothing of the reply, its head included, before the handler has given it: `Received` is
//! after the last byte and `Replied` before the first. The calling end reads a reply to its trailers before it is told.
//!
//! Each caller has one HTTP/2 connection to a replica, and each call a stream of it: giving a call up resets its stream and
//! nothing else. tonic reads and writes the messages, h2 the connection, whose task is ours and ends with it.

mod client;
mod connection;
mod node;
mod proto;
mod server;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;
use hyper::rt::Executor;
use tonic::Code;

use super::over_socket::OverSocket;
use super::{Caller, Door, Endpoint, Options, TransportError, Verdict};
use crate::record::Recorder;
use crate::tasks::Tasks;

/// Largest message of a request or a reply in bytes, as it is encoded.
const MESSAGE_LIMIT: usize = 4 << 20;

/// gRPC.
#[derive(Clone, Copy, Debug)]
pub struct Grpc;

impl OverSocket for Grpc {
    const PROTOCOL: Protocol = Protocol::Grpc;

    fn bind(
        door: Door,
        again: Option<SocketAddr>,
    ) -> impl Future<Output = Result<Box<dyn Endpoint>, TransportError>> + Send + 'static {
        server::bind(door, again)
    }

    fn caller(address: SocketAddr, options: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Ok(Arc::new(client::caller(address, options, recorder)?))
    }

    fn connect(
        address: SocketAddr,
        options: &Options,
        recorder: Recorder,
    ) -> impl Future<Output = Result<Arc<dyn Caller>, TransportError>> + Send + 'static {
        client::connect(address, options.clone(), recorder)
    }
}

/// gRPC's code for a verdict.
fn code(verdict: Verdict) -> Code {
    match verdict {
        Verdict::Good => Code::Ok,
        Verdict::Refused => Code::ResourceExhausted,
        Verdict::Failed => Code::Internal,
    }
}

/// The number that gRPC gives a code, 0 to 16.
fn number(code: Code) -> u16 {
    code as u16
}

/// Lets hyper start its tasks as those of an end of a link: they end with it.
#[derive(Clone)]
struct Group(Tasks);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Group {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
