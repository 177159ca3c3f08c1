//! The receiving end: one listener per replica, each connection a task that answers one call after the other.

use std::net::SocketAddr;

use bytes::{Buf as _, Bytes, BytesMut};
use hopscope_record::trace_context::{Identity, TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use hopscope_scenario::model::{Encoding, Framing};
use thrift::{ApplicationError, ApplicationErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::envelope::{self, Asked, FAILED, Fault, Outcome, REFUSED, SUCCESS, Wanted, refusal};
use super::generated::Message;
use super::header::{self, Header};
use super::shape::{Beginning, PREFIX, Shape};
use super::{BODY_LIMIT, MESSAGE_LIMIT};
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
        match next(&mut inbox) {
            Next::Missing(bytes) => due = inbox.len() + bytes,
            Next::Foreign => return Err(std::io::Error::other("it begins with nothing of Thrift's")),
            Next::Asked(Manner { shape, sequence }, header, asked) => {
                due = 1;
                let told = (asked.name.as_str(), asked.sequence);
                if let Some(outcome) = work(asked.wanted, header.as_ref(), door).await {
                    stream.write_all(&written(shape, sequence, told, &outcome)?).await?;
                }
            }
            Next::Unreadable(Manner { shape, sequence }, error) => {
                stream.write_all(&written(shape, sequence, ("", 0), &Outcome::Exception(error))?).await?;
                // Where the next one begins cannot be known.
                return stream.shutdown().await;
            }
        }
    }
}

/// How a message came, and its reply goes.
#[derive(Clone, Copy, Debug)]
struct Manner {
    shape: Shape,
    /// THeader's own number.
    sequence: u32,
}

/// What is next on a connection.
enum Next {
    /// It is not there as a whole: so many bytes are missing at least.
    Missing(usize),
    /// This, and the headers that it came with.
    Asked(Manner, Option<Header>, Asked),
    /// What cannot be read, and what its sender is told of it.
    Unreadable(Manner, ApplicationError),
    /// Nothing of Thrift's.
    Foreign,
}

/// Takes the next message out of what has been read.
fn next(inbox: &mut BytesMut) -> Next {
    let bare = |framing, encoding| Manner { shape: Shape { framing, encoding }, sequence: 0 };
    match Beginning::of(inbox) {
        Beginning::Unknown => Next::Missing(1),
        Beginning::Foreign => Next::Foreign,
        Beginning::TooLong(_) => Next::Unreadable(bare(Framing::Framed, encoding_within(inbox)), too_large()),
        Beginning::Bare(encoding) => match envelope::read_asked(inbox, encoding) {
            Ok((asked, took)) => {
                inbox.advance(took);
                Next::Asked(bare(Framing::Buffered, encoding), None, asked)
            }
            Err(Fault::Short(_)) if inbox.len() >= MESSAGE_LIMIT => {
                Next::Unreadable(bare(Framing::Buffered, encoding), too_large())
            }
            Err(Fault::Short(missing)) => Next::Missing(missing),
            Err(fault) => Next::Unreadable(bare(Framing::Buffered, encoding), told(fault)),
        },
        Beginning::Frame { length, encoding } => {
            let Some(missing) = (PREFIX + length).checked_sub(inbox.len()).filter(|missing| *missing > 0) else {
                inbox.advance(PREFIX);
                return framed(&inbox.split_to(length), encoding);
            };
            Next::Missing(missing)
        }
    }
}

/// What is in a frame; without an encoding it is THeader's.
fn framed(frame: &[u8], encoding: Option<Encoding>) -> Next {
    let (manner, header) = match encoding {
        Some(encoding) => (Manner { shape: Shape { framing: Framing::Framed, encoding }, sequence: 0 }, None),
        None => match Header::read(frame) {
            Ok(header) => {
                let shape = Shape { framing: Framing::Header, encoding: header.encoding };
                (Manner { shape, sequence: header.sequence }, Some(header))
            }
            Err(error) => {
                let shape = Shape { framing: Framing::Header, encoding: Encoding::Binary };
                let error = refusal(ApplicationErrorKind::ProtocolError, &error.to_string());
                return Next::Unreadable(Manner { shape, sequence: 0 }, error);
            }
        },
    };
    let payload = frame.get(header.as_ref().map_or(0, |header| header.payload)..).unwrap_or_default();
    match envelope::read_asked(payload, manner.shape.encoding) {
        Ok((asked, _)) => Next::Asked(manner, header, asked),
        Err(fault) => Next::Unreadable(manner, told(fault)),
    }
}

/// How what is in a frame is written, as far as its first byte tells.
fn encoding_within(bytes: &[u8]) -> Encoding {
    match Beginning::of(bytes.get(PREFIX..).unwrap_or_default()) {
        Beginning::Bare(encoding) => encoding,
        _ => Encoding::Binary,
    }
}

fn too_large() -> ApplicationError {
    refusal(ApplicationErrorKind::ProtocolError, &format!("a message may have at most {BODY_LIMIT} bytes"))
}

fn told(fault: Fault) -> ApplicationError {
    match fault {
        Fault::Short(_) => refusal(ApplicationErrorKind::ProtocolError, "the message is cut short"),
        Fault::TooLarge => too_large(),
        Fault::Malformed(error) => {
            refusal(ApplicationErrorKind::ProtocolError, &format!("the message cannot be read: {error}"))
        }
    }
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

/// A reply as it goes out.
fn written(shape: Shape, sequence: u32, told: (&str, i32), outcome: &Outcome) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match shape.framing {
        Framing::Header => header::begin(&mut bytes, sequence, shape.encoding, &[]),
        Framing::Framed => bytes.extend([0; PREFIX]),
        Framing::Buffered => {}
    }
    envelope::write_reply(&mut bytes, shape.encoding, told, outcome).map_err(std::io::Error::other)?;
    if shape.framing != Framing::Buffered {
        header::finish(&mut bytes);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::model::Mode;

    use super::*;

    const ENCODINGS: [Encoding; 2] = [Encoding::Binary, Encoding::Compact];
    const FRAMINGS: [Framing; 3] = [Framing::Header, Framing::Framed, Framing::Buffered];

    fn asking(shape: Shape) -> Vec<u8> {
        let mut bytes = Vec::new();
        match shape.framing {
            Framing::Header => header::begin(&mut bytes, 1, shape.encoding, &[(TRACEPARENT, "00-1-1-01")]),
            Framing::Framed => bytes.extend([0; PREFIX]),
            Framing::Buffered => {}
        }
        let message = Message::new(b"body".to_vec(), "text/plain".to_owned(), None, None);
        envelope::write_asking(&mut bytes, shape.encoding, Mode::Call, 7, &message).unwrap();
        if shape.framing != Framing::Buffered {
            header::finish(&mut bytes);
        }
        bytes
    }

    /// Goes on until nothing more can be taken; every step takes something, or the loop would not end.
    fn exhaust(bytes: &[u8]) {
        let mut inbox = BytesMut::from(bytes);
        loop {
            let before = inbox.len();
            match next(&mut inbox) {
                Next::Asked(..) => assert!(inbox.len() < before),
                Next::Missing(missing) => return assert!(missing > 0),
                Next::Unreadable(..) | Next::Foreign => return,
            }
        }
    }

    /// Every byte of every message, changed in every way.
    #[test]
    fn no_bytes_panic_or_are_taken_without_end() {
        for framing in FRAMINGS {
            for encoding in ENCODINGS {
                let whole = asking(Shape { framing, encoding });
                for at in 0..whole.len() {
                    exhaust(&whole[..at]);
                    for byte in 0..=u8::MAX {
                        let mut changed = [whole.as_slice(), &whole].concat();
                        changed[at] = byte;
                        exhaust(&changed);
                    }
                }
            }
        }
    }

    #[test]
    fn a_message_in_pieces_is_the_same_message() {
        for framing in FRAMINGS {
            for encoding in ENCODINGS {
                let shape = Shape { framing, encoding };
                let whole = asking(shape);
                let mut inbox = BytesMut::new();
                for (at, byte) in whole.iter().enumerate() {
                    inbox.extend([*byte]);
                    match next(&mut inbox) {
                        Next::Missing(missing) => assert!(at + missing < whole.len(), "{shape:?} {at}"),
                        Next::Asked(manner, _, asked) => {
                            assert_eq!((at + 1, manner.shape, asked.sequence), (whole.len(), shape, 7));
                        }
                        Next::Unreadable(..) | Next::Foreign => panic!("{shape:?} {at}"),
                    }
                }
                assert!(inbox.is_empty());
            }
        }
    }
}
