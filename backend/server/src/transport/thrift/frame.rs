//! Messages on a connection, taken off it and made ready for it: alike for both ends, whatever the shape.

use bytes::{Buf as _, BytesMut};
use hopscope_scenario::model::{Encoding, Framing};

use super::MESSAGE_LIMIT;
use super::envelope::Fault;
use super::header::{self, Header};
use super::shape::{Beginning, PREFIX, Shape};

/// How a message came, and its reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    /// How it lies on its connection.
    pub(super) shape: Shape,
    /// THeader's own number; 0 without it.
    pub(super) sequence: u32,
}

/// What is next on a connection.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// It is not there as a whole: so many bytes are missing at least.
    Missing(usize),
    /// This, and the headers that it came with.
    Whole(Manner, Option<Header>, T),
    /// What cannot be read. Where the one after it begins cannot be known.
    Unreadable(Manner, Fault),
    /// Nothing of Thrift's.
    Foreign,
}

/// Takes the next message out of what has been read; `read` reads one, and tells how many bytes that took.
pub(super) fn next<T>(
    inbox: &mut BytesMut,
    read: impl FnOnce(&[u8], Encoding) -> Result<(T, usize), Fault>,
) -> Next<T> {
    let manner = |framing, encoding| Manner { shape: Shape { framing, encoding }, sequence: 0 };
    match Beginning::of(inbox) {
        Beginning::Unknown => Next::Missing(1),
        Beginning::Foreign => Next::Foreign,
        Beginning::TooLong(_) => Next::Unreadable(manner(Framing::Framed, encoding_within(inbox)), Fault::TooLarge),
        Beginning::Bare(encoding) => match read(inbox, encoding) {
            Ok((message, took)) => {
                inbox.advance(took);
                Next::Whole(manner(Framing::Buffered, encoding), None, message)
            }
            Err(Fault::Short(missing)) if inbox.len() < MESSAGE_LIMIT => Next::Missing(missing),
            Err(Fault::Short(_)) => Next::Unreadable(manner(Framing::Buffered, encoding), Fault::TooLarge),
            Err(fault) => Next::Unreadable(manner(Framing::Buffered, encoding), fault),
        },
        Beginning::Frame { length, encoding } => {
            let missing = (PREFIX + length).saturating_sub(inbox.len());
            if missing > 0 {
                return Next::Missing(missing);
            }
            inbox.advance(PREFIX);
            let frame = inbox.split_to(length);
            match encoding {
                Some(encoding) => within(manner(Framing::Framed, encoding), None, &frame, read),
                None => match Header::read(&frame) {
                    Ok(header) => {
                        let shape = Shape { framing: Framing::Header, encoding: header.encoding };
                        let payload = frame.get(header.payload..).unwrap_or_default();
                        within(Manner { shape, sequence: header.sequence }, Some(header), payload, read)
                    }
                    Err(error) => Next::Unreadable(manner(Framing::Header, Encoding::Binary), Fault::Header(error)),
                },
            }
        }
    }
}

/// What is in a frame.
fn within<T>(
    manner: Manner,
    header: Option<Header>,
    payload: &[u8],
    read: impl FnOnce(&[u8], Encoding) -> Result<(T, usize), Fault>,
) -> Next<T> {
    match read(payload, manner.shape.encoding) {
        Ok((message, _)) => Next::Whole(manner, header, message),
        Err(fault) => Next::Unreadable(manner, fault),
    }
}

/// How what is in a frame is written, as far as its first byte tells.
fn encoding_within(bytes: &[u8]) -> Encoding {
    match Beginning::of(bytes.get(PREFIX..).unwrap_or_default()) {
        Beginning::Bare(encoding) => encoding,
        _ => Encoding::Binary,
    }
}

/// A message as it goes out, with these headers, where its shape has such; `write` appends the message itself.
///
/// # Errors
/// When that cannot be written.
pub(super) fn written(
    Manner { shape: Shape { framing, encoding }, sequence }: Manner,
    headers: &[(&str, &str)],
    write: impl FnOnce(&mut Vec<u8>, Encoding) -> thrift::Result<()>,
) -> thrift::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match framing {
        Framing::Header => header::begin(&mut bytes, sequence, encoding, headers),
        Framing::Framed => bytes.extend([0; PREFIX]),
        Framing::Buffered => {}
    }
    write(&mut bytes, encoding)?;
    if framing != Framing::Buffered {
        header::finish(&mut bytes);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hopscope_record::trace_context::TRACEPARENT;
    use hopscope_scenario::model::Mode;

    use super::super::envelope;
    use super::super::generated::Message;
    use super::*;

    const ENCODINGS: [Encoding; 2] = [Encoding::Binary, Encoding::Compact];
    const FRAMINGS: [Framing; 3] = [Framing::Header, Framing::Framed, Framing::Buffered];

    fn asking(shape: Shape) -> Vec<u8> {
        let message = Message::new(b"body".to_vec(), "text/plain".to_owned(), None, None);
        let manner = Manner { shape, sequence: 1 };
        written(manner, &[(TRACEPARENT, "00-1-1-01")], |into, encoding| {
            envelope::write_asking(into, encoding, Mode::Call, 7, &message)
        })
        .unwrap()
    }

    /// Goes on until nothing more can be taken; every step takes something, or the loop would not end.
    fn exhaust(bytes: &[u8]) {
        let mut inbox = BytesMut::from(bytes);
        loop {
            let before = inbox.len();
            match next(&mut inbox, envelope::read_asked) {
                Next::Whole(..) => assert!(inbox.len() < before),
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
                    match next(&mut inbox, envelope::read_asked) {
                        Next::Missing(missing) => assert!(at + missing < whole.len(), "{shape:?} {at}"),
                        Next::Whole(manner, _, asked) => {
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
