//! THeader: the frame with headers of its own (Apache Thrift, doc/specs/HeaderFormat.md).

use hopscope_scenario::model::Encoding;

use super::shape::{MAGIC, PREFIX};

/// From the magic to what the header's size counts.
const FIXED: usize = 10;
/// The number of the protocols inside (HeaderFormat.md, "Protocol IDs").
const BINARY: u64 = 0;
const COMPACT: u64 = 2;
/// Pairs of texts that belong to one message.
const KEY_VALUE: u64 = 1;
/// The header is a multiple of this.
const WORD: usize = 4;
/// Most headers of one message that are read.
const MOST: usize = 128;

/// A frame of THeader without its length.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What the reply repeats.
    pub(super) sequence: u32,
    /// How the message inside is written.
    pub(super) encoding: Encoding,
    /// The message's headers.
    pub(super) pairs: Vec<(String, String)>,
    /// Where the message begins.
    pub(super) payload: usize,
}

/// Why a frame cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// It ends too early, or says what cannot be.
    #[error("the THeader is malformed")]
    Malformed,
    /// It has another protocol inside.
    #[error("the protocol {0} inside THeader is not known: use binary (0) or compact (2)")]
    Protocol(u64),
    /// What is inside is compressed or otherwise changed.
    #[error("transforms of THeader are not supported: send it without")]
    Transformed,
}

impl Header {
    /// Reads what is before the message of a frame.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(frame: &[u8]) -> Result<Self, Unreadable> {
        let (fixed, rest) = frame.split_first_chunk::<FIXED>().ok_or(Unreadable::Malformed)?;
        let sequence = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let size = usize::from(u16::from_be_bytes([fixed[8], fixed[9]])) * WORD;
        let mut header = Varints(rest.get(..size).ok_or(Unreadable::Malformed)?);
        let encoding = match header.number()? {
            BINARY => Encoding::Binary,
            COMPACT => Encoding::Compact,
            other => return Err(Unreadable::Protocol(other)),
        };
        if header.number()? != 0 {
            return Err(Unreadable::Transformed);
        }
        let mut pairs = Vec::new();
        // What follows the last kind of header that is known is skipped, and so is the padding, whose kind is 0.
        while !header.0.is_empty() && header.number()? == KEY_VALUE {
            for _ in 0..header.number()? {
                let (name, value) = (header.text()?, header.text()?);
                if pairs.len() == MOST {
                    return Err(Unreadable::Malformed);
                }
                pairs.push((name, value));
            }
        }
        Ok(Self { sequence, encoding, pairs, payload: FIXED + size })
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Begins a frame with these headers, its length left open: [`finish`] fills it in.
pub(super) fn begin(into: &mut Vec<u8>, sequence: u32, encoding: Encoding, pairs: &[(&str, &str)]) {
    into.extend([0; PREFIX]);
    into.extend(MAGIC);
    into.extend([0; 2]);
    into.extend(sequence.to_be_bytes());
    let size_at = into.len();
    into.extend([0; 2]);
    let header = into.len();
    put(into, if encoding == Encoding::Binary { BINARY } else { COMPACT });
    put(into, 0);
    if !pairs.is_empty() {
        put(into, KEY_VALUE);
        put(into, pairs.len() as u64);
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            put(into, text.len() as u64);
            into.extend(text.as_bytes());
        }
    }
    into.resize(header + (into.len() - header).next_multiple_of(WORD), 0);
    let words = u16::try_from((into.len() - header) / WORD).unwrap_or(u16::MAX);
    if let Some(size) = into.get_mut(size_at..header) {
        size.copy_from_slice(&words.to_be_bytes());
    }
}

/// Fills in the length of the frame that `bytes` are.
pub(super) fn finish(bytes: &mut [u8]) {
    let length = u32::try_from(bytes.len().saturating_sub(PREFIX)).unwrap_or(u32::MAX);
    if let Some(prefix) = bytes.first_chunk_mut::<PREFIX>() {
        *prefix = length.to_be_bytes();
    }
}

/// Appends a number in groups of 7 bits, the lowest first.
fn put(into: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        into.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.push(number.to_le_bytes()[0]);
}

/// What is left of a header.
struct Varints<'a>(&'a [u8]);

impl Varints<'_> {
    fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0_u64;
        // Five groups of 7 bits hold the 32 that a header's numbers may have.
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Unreadable::Malformed)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unreadable::Malformed)
    }

    fn text(&mut self) -> Result<String, Unreadable> {
        let length = usize::try_from(self.number()?).map_err(|_| Unreadable::Malformed)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Malformed)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| Unreadable::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoding: Encoding, pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        begin(&mut bytes, 7, encoding, pairs);
        bytes.extend(b"message");
        finish(&mut bytes);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(300);
        for pairs in [&[][..], &[("traceparent", "00-1"), ("tracestate", &long)]] {
            for encoding in [Encoding::Binary, Encoding::Compact] {
                let bytes = written(encoding, pairs);
                assert_eq!(bytes[..PREFIX], u32::try_from(bytes.len() - PREFIX).unwrap().to_be_bytes());
                let header = Header::read(&bytes[PREFIX..]).unwrap();
                assert_eq!((header.sequence, header.encoding), (7, encoding));
                let read: Vec<_> = header.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                assert_eq!(read, pairs);
                assert_eq!(&bytes[PREFIX + header.payload..], b"message");
            }
        }
    }

    #[test]
    fn what_is_cut_short_is_malformed() {
        let bytes = written(Encoding::Binary, &[("name", "value")]);
        let whole = Header::read(&bytes[PREFIX..]).unwrap().payload;
        for end in 0..whole {
            assert_eq!(Header::read(&bytes[PREFIX..PREFIX + end]), Err(Unreadable::Malformed), "{end}");
        }
    }

    #[test]
    fn what_is_inside_must_be_known() {
        // Magic, flags, sequence, one word of header; then the protocol, and how many transforms.
        let frame = |protocol: u8, transforms: u8| {
            let fixed = [0x0f, 0xff, 0, 0, 0, 0, 0, 1, 0, 1];
            [&fixed[..], &[protocol, transforms, 0, 0]].concat()
        };
        assert!(Header::read(&frame(0, 0)).is_ok());
        assert_eq!(Header::read(&frame(1, 0)), Err(Unreadable::Protocol(1)));
        assert_eq!(Header::read(&frame(2, 1)), Err(Unreadable::Transformed));
    }
}
