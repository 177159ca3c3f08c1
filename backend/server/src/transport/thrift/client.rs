//! The calling end: a call on a connection of the pool, and its reply.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use hopscope_scenario::model::{Content, Framing, Mode, Thrift as Options};
use tokio::io::AsyncWrite as _;
use tokio_util::io::poll_read_buf;

use super::envelope::{self, FAILED, Fault, Outcome, REFUSED, SUCCESS};
use super::frame::{self, Manner, Next};
use super::generated::Message;
use super::shape::{PREFIX, Shape};
use super::{BODY_LIMIT, MESSAGE_LIMIT};
use crate::record::Recorder;
use crate::transport::carriage::Driver;
use crate::transport::pool::{Connection, Pool, Wire};
use crate::transport::socket::Socket;
use crate::transport::{BoxFuture, CallError, Caller, Outgoing, Reply, TransportError, Verdict};

/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;

/// What is told of a connection that ends in a call.
const ENDED: &str = "it ended before the reply was complete";

/// Above the fields of a result: the status of an exception that Thrift itself knows is this and its type.
const EXCEPTION: u16 = 1_000;

/// Opens the calling end with its first connection.
pub(super) async fn connect(
    address: SocketAddr,
    options: Options,
    recorder: Recorder,
) -> Result<Arc<dyn Caller>, TransportError> {
    let caller = caller(address, options, recorder);
    let first = caller.pool.take().await.map_err(|source| TransportError::Connect { address, source })?;
    caller.pool.put_back(first);
    Ok(Arc::new(caller))
}

/// The calling end without any connection.
pub(super) fn caller(address: SocketAddr, options: Options, recorder: Recorder) -> ThriftCaller {
    let pool = Pool::new(address, recorder.clone());
    ThriftCaller { options, recorder, pool, sequence: AtomicI32::new(0) }
}

pub(super) struct ThriftCaller {
    options: Options,
    recorder: Recorder,
    pool: Pool<Line>,
    sequence: AtomicI32,
}

impl Caller for ThriftCaller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            let mut connection = self.pool.ready(&outgoing.carried).await.map_err(CallError::Connect)?;
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
            let asking = self.asking(sequence, outgoing)?;
            let Connection { wire, carriage, .. } = &mut connection;
            let reply = match self.options.mode {
                Mode::Call => carriage.carry(wire.call(&asking, self.shape(), sequence)).await?,
                Mode::Oneway => {
                    carriage.carry(wire.write(&asking)).await?;
                    // The system has it, which is all that is ever known.
                    Reply { verdict: Verdict::Good, status: 0, body: Bytes::new(), position: None }
                }
            };
            self.pool.put_back(connection);
            Ok(reply)
        })
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if self.options.mode != Mode::Oneway {
                return;
            }
            for mut connection in self.pool.take_idle() {
                let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
                let Ok(asking) = self.question(sequence) else { continue };
                let Connection { wire, carriage, .. } = &mut connection;
                // Whatever is answered: a connection's messages are taken in their order, so those before have been.
                if carriage.carry(wire.call(&asking, self.shape(), sequence)).await.is_ok() {
                    self.pool.put_back(connection);
                }
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        self.pool.abort();
        self.close()
    }
}

impl Drop for ThriftCaller {
    fn drop(&mut self) {
        self.pool.cancel();
    }
}

impl ThriftCaller {
    fn shape(&self) -> Shape {
        Shape { framing: self.options.framing, encoding: self.options.encoding }
    }

    /// A call of a method that nobody has, as it goes out.
    fn question(&self, sequence: i32) -> thrift::Result<Vec<u8>> {
        frame::written(self.manner(sequence), &[], |into, encoding| envelope::write_question(into, encoding, sequence))
    }

    fn manner(&self, sequence: i32) -> Manner {
        Manner { shape: self.shape(), sequence: sequence.cast_unsigned() }
    }

    /// A message as it goes out.
    fn asking(&self, sequence: i32, outgoing: Outgoing) -> Result<Vec<u8>, CallError> {
        let Outgoing { identity, body, .. } = outgoing;
        // Digits, letters, dots and dashes.
        let traceparent = String::from_utf8_lossy(&identity.traceparent(self.recorder.run_key())).into_owned();
        let tracestate = String::from_utf8_lossy(identity.tracestate().as_bytes()).into_owned();
        let headers = [(TRACEPARENT, traceparent.as_str()), (TRACESTATE, tracestate.as_str())];
        // Bytes alone need no word: an optional field is left out.
        let content_type = (body.content != Content::Binary).then(|| body.media_type().to_owned());
        let mut message = Message::new(Vec::from(body.bytes), content_type, None, None);
        if self.options.framing != Framing::Header {
            (message.traceparent, message.tracestate) = (Some(traceparent.clone()), Some(tracestate.clone()));
        }
        let written = frame::written(self.manner(sequence), &headers, |into, encoding| {
            envelope::write_asking(into, encoding, self.options.mode, sequence, &message)
        });
        written.map_err(|error| CallError::Broken(error.to_string()))
    }
}

/// One connection. What comes in is read by its driver, so that its end is seen while it is idle too. Dropped, it is closed.
pub(super) struct Line(Arc<Mutex<State>>);

struct State {
    /// Gone when the connection has ended.
    socket: Option<Socket>,
    inbox: BytesMut,
    /// Whether a reply is due.
    expects: bool,
    /// Whether nobody will call over it any more.
    given_up: bool,
    /// Wakes who carries the connection.
    carrier: Option<Waker>,
    /// Wakes the call that waits for its reply.
    call: Option<Waker>,
}

/// Reads for a connection until it ends or is given up. Dropped, it ends it.
struct Reading(Arc<Mutex<State>>);

impl Future for Reading {
    type Output = std::io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0);
        if !state.carrier.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            state.carrier = Some(context.waker().clone());
        }
        if state.given_up { Poll::Ready(Ok(())) } else { state.read(context) }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        let (socket, call) = (state.socket.take(), state.call.take());
        drop(state);
        drop(socket);
        call.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.given_up = true;
        let carrier = state.carrier.take();
        drop(state);
        carrier.into_iter().for_each(Waker::wake);
    }
}

impl Wire for Line {
    type Error = std::io::Error;

    async fn begin(stream: Socket) -> std::io::Result<(Self, Driver<std::io::Error>)> {
        let state = Arc::new(Mutex::new(State {
            socket: Some(stream),
            inbox: BytesMut::new(),
            expects: false,
            given_up: false,
            carrier: None,
            call: None,
        }));
        let reading = Reading(Arc::clone(&state));
        Ok((Self(state), Box::pin(reading)))
    }

    async fn ready(&mut self) -> Result<(), std::io::Error> {
        if self.is_closed() { Err(std::io::Error::other("it has ended")) } else { Ok(()) }
    }

    fn is_closed(&self) -> bool {
        lock(&self.0).socket.is_none()
    }
}

impl Line {
    /// Hands a message to the system.
    async fn write(&self, bytes: &[u8]) -> Result<(), CallError> {
        let broken = |error: &dyn std::fmt::Display| Poll::Ready(Err(CallError::Broken(error.to_string())));
        let mut rest = bytes;
        poll_fn(|context| {
            let mut state = lock(&self.0);
            while !rest.is_empty() {
                let Some(socket) = &mut state.socket else { return broken(&ENDED) };
                match ready!(Pin::new(socket).poll_write(context, rest)) {
                    Ok(0) => return broken(&"it takes no more"),
                    Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                    Err(error) => return broken(&error),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Makes a call. Whoever carries the connection reads the reply.
    async fn call(&self, asking: &[u8], shape: Shape, sequence: i32) -> Result<Reply, CallError> {
        lock(&self.0).expects = true;
        self.write(asking).await?;
        let mut due = 1;
        let (number, outcome) = poll_fn(|context| {
            let mut state = lock(&self.0);
            loop {
                if state.inbox.len() < due {
                    if state.socket.is_none() {
                        return Poll::Ready(Err(CallError::Broken(ENDED.to_owned())));
                    }
                    state.call = Some(context.waker().clone());
                    return Poll::Pending;
                }
                match replied(&mut state.inbox, shape) {
                    Ok(Err(missing)) => due = state.inbox.len() + missing,
                    Ok(Ok(reply)) => {
                        state.expects = false;
                        return Poll::Ready(Ok(reply));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        })
        .await?;
        if number != sequence {
            return Err(CallError::Broken(format!("the reply {number} came where {sequence} was due")));
        }
        Ok(reply(outcome))
    }
}

impl State {
    /// Reads what is there; resolves when no more will come.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Self { socket: Some(socket), inbox, expects, .. } = self else { return Poll::Ready(Ok(())) };
        // More than a message is not taken from the system before somebody has looked at it.
        while inbox.len() < PREFIX + MESSAGE_LIMIT {
            inbox.reserve(CHUNK);
            match ready!(poll_read_buf(Pin::new(&mut *socket), context, inbox))? {
                0 => return Poll::Ready(Ok(())),
                _ if !*expects => return Poll::Ready(Err(std::io::Error::other("it sent what nobody asked for"))),
                _ => {}
            }
        }
        Poll::Pending
    }
}

/// Takes the reply out of what has been read, with the sequence number that it repeats, or says how many bytes are missing.
fn replied(inbox: &mut BytesMut, shape: Shape) -> Result<Result<(i32, Outcome), usize>, CallError> {
    let framed = |framing| framing != Framing::Buffered;
    Err(match frame::next(inbox, envelope::read_reply) {
        Next::Missing(bytes) => return Ok(Err(bytes)),
        Next::Whole(manner, _, replied) if framed(manner.shape.framing) == framed(shape.framing) => {
            return Ok(Ok(replied));
        }
        Next::Whole(..) | Next::Foreign => {
            CallError::Broken("what came back is no Thrift of the link's framing".to_owned())
        }
        Next::Unreadable(_, Fault::TooLarge) => CallError::TooLarge { limit: BODY_LIMIT },
        Next::Unreadable(_, Fault::Short(_)) => CallError::Broken("the reply is cut short".to_owned()),
        Next::Unreadable(_, Fault::Header(error)) => CallError::Broken(error.to_string()),
        Next::Unreadable(_, Fault::Malformed(error)) => CallError::Broken(format!("the reply cannot be read: {error}")),
    })
}

/// What a call's outcome says. A status is the field of the result that is set, or [`EXCEPTION`] and an exception's type.
fn reply(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Returned(message) => Reply {
            verdict: Verdict::Good,
            status: SUCCESS.unsigned_abs(),
            body: Bytes::from(message.body.unwrap_or_default()),
            position: None,
        },
        Outcome::Thrown(field) => {
            let verdict = if field == REFUSED { Verdict::Refused } else { Verdict::Failed };
            // An exception that the service's description does not have failed, as what it is.
            let status = if field > SUCCESS { field } else { FAILED };
            Reply { verdict, status: status.unsigned_abs(), body: Bytes::new(), position: None }
        }
        Outcome::Exception(error) => {
            let kind = u16::try_from(error.kind as i32).unwrap_or_default();
            Reply { verdict: Verdict::Failed, status: EXCEPTION + kind, body: Bytes::new(), position: None }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // What is read and written is whole after every step.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
