//! The receiving end: one listener per replica, each connection a task that answers one call after the other.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use hopscope_record::trace_context::{Identity, TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use thrift::{ApplicationError, ApplicationErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::BODY_LIMIT;
use super::envelope::{self, Asked, FAILED, Fault, Outcome, REFUSED, SUCCESS, Wanted, refusal};
use super::frame::{self, Manner, Next};
use super::generated::Message;
use super::header::Header;
use crate::transport::socket::Socket;
use crate::transport::{Answer, Body, Door, Endpoint, TransportError, Verdict, socket};

/// Listens on a loopback port, a free one or `again` that of a replica that has crashed.
pub(super) async fn bind(door: Door, again: Option<SocketAddr>) -> Result<Box<dyn Endpoint>, TransportError> {
    socket::listen(again, move |stream, _| serve(stream, door.clone())).await
}

async fn serve(stream: Socket, door: Door) {
    // An error is a caller that went away or speaks no Thrift: the caller's own events tell of it.
    if let Err(error) = converse(stream, &door).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Answers until the caller closes the connection, or says what cannot be answered.
async fn converse(mut stream: Socket, door: &Door) -> std::io::Result<()> {
    let mut inbox = BytesMut::new();
    let mut due = 1;
    loop {
        while inbox.len() < due {
            if stream.read_buf(&mut inbox).await? == 0 {
                return Ok(());
            }
        }
        match frame::next(&mut inbox, envelope::read_asked) {
            Next::Missing(bytes) => due = inbox.len() + bytes,
            Next::Foreign => return Err(std::io::Error::other("it begins with nothing of Thrift's")),
            Next::Whole(manner, header, Asked { name, sequence, wanted }) => {
                due = 1;
                if let Some(outcome) = work(wanted, header.as_ref(), door).await {
                    stream.write_all(&reply(manner, (&name, sequence), &outcome)?).await?;
                }
            }
            Next::Unreadable(manner, fault) => {
                stream.write_all(&reply(manner, ("", 0), &Outcome::Exception(told(fault)))?).await?;
                return stream.shutdown().await;
            }
        }
    }
}

/// A reply as it goes out.
fn reply(manner: Manner, asked: (&str, i32), outcome: &Outcome) -> std::io::Result<Vec<u8>> {
    let written = frame::written(manner, &[], |into, encoding| envelope::write_reply(into, encoding, asked, outcome));
    written.map_err(std::io::Error::other)
}

/// What the sender of what cannot be read is told.
fn told(fault: Fault) -> ApplicationError {
    let reason = match fault {
        Fault::Short(_) => "the message is cut short".to_owned(),
        Fault::TooLarge => format!("a message may have at most {BODY_LIMIT} bytes"),
        Fault::Header(error) => error.to_string(),
        Fault::Malformed(error) => format!("the message cannot be read: {error}"),
    };
    refusal(ApplicationErrorKind::ProtocolError, &reason)
}

/// Does what is wanted; gives what the caller is answered, if it waits for that.
async fn work(wanted: Wanted, header: Option<&Header>, door: &Door) -> Option<Outcome> {
    match wanted {
        Wanted::Unknown(reason) => reason.map(Outcome::Exception),
        Wanted::Nothing(message) => {
            let (traceparent, hs) = claims(header, &message);
            door.take_claimed(traceparent, hs, body(message));
            None
        }
        Wanted::Reply(message) => {
            let (traceparent, hs) = claims(header, &message);
            let say = |answer: &mut Answer| {
                // An exception has a reason, and no body.
                if answer.verdict != Verdict::Good {
                    answer.body.clear();
                }
                field(answer.verdict).unsigned_abs()
            };
            let Answer { verdict, body } = door.admit_claimed(traceparent, hs, body(message), say).await;
            Some(match verdict {
                Verdict::Good => Outcome::Returned(Message::new(Vec::from(body), None, None, None)),
                Verdict::Refused | Verdict::Failed => Outcome::Thrown(field(verdict)),
            })
        }
    }
}

/// The field of a result that says so.
fn field(verdict: Verdict) -> i16 {
    match verdict {
        Verdict::Good => SUCCESS,
        Verdict::Refused => REFUSED,
        Verdict::Failed => FAILED,
    }
}

/// The identity that a message claims: in its headers, or in its own fields.
fn claims(header: Option<&Header>, message: &Message) -> (Option<TraceParent>, Option<Identity>) {
    let of = |name: &str| header.and_then(|header| header.get(name));
    let traceparent = of(TRACEPARENT).or(message.traceparent.as_deref());
    let tracestate = of(TRACESTATE).or(message.tracestate.as_deref());
    (
        traceparent.and_then(|text| TraceParent::parse(text.as_bytes())),
        tracestate.and_then(|text| parse_tracestate(text.as_bytes())),
    )
}

fn body(message: Message) -> Body {
    Body::arrived(message.content_type.as_deref(), Bytes::from(message.body.unwrap_or_default()))
}
