//! The bytes of a request's body.
//!
//! A body has as many bytes as its payload asks for, or as many as what it carries needs, if that is more. Filler is dots.

use std::io::{self, Write};

use hopscope_scenario::model::Content;

use super::Carried;

/// Bytes that a binary body needs for what it carries.
pub const BINARY_BYTES: usize = 29;

/// Filler.
const DOT: u8 = b'.';

/// What stands around the filler of a JSON body.
const PAD: (&[u8], &[u8]) = (b",\"pad\":\"", b"\"}");

/// The body of a request that carries this, `bytes` long where what it carries fits. Allocates nothing but the body.
///
/// - JSON: one object with `n`, then `key`, `value` and `event_time_ns` where it has them, then filler as `pad`; where fewer
///   than the ten bytes of an empty `pad` are left, spaces before the closing brace.
/// - Text: `n=12 key=k17 value=42 event_time_ns=-5`, then a space and filler.
/// - Binary: little-endian, what it has (u8: 1 key, 2 value, 4 event time), n (u64), key (u32), value (i64), event time (i64),
///   each 0 where it has none, then filler. A body that carries none of them is filler alone.
#[must_use]
pub fn body(content: Content, bytes: usize, carried: &Carried) -> Vec<u8> {
    let mut out = Vec::with_capacity(length(content, bytes, carried));
    // Writing to memory cannot fail.
    let _ = say(content, carried, &mut out);
    match content {
        Content::Json => close(bytes, &mut out),
        Content::Text if out.len() < bytes => out.push(b' '),
        Content::Text | Content::Binary => {}
    }
    if content != Content::Json {
        out.resize(out.len().max(bytes), DOT);
    }
    out
}

/// How long [`body`] is. Allocates nothing.
#[must_use]
pub fn length(content: Content, bytes: usize, carried: &Carried) -> usize {
    let mut counted = Counted(if content == Content::Json { 1 } else { 0 });
    // Counting cannot fail.
    let _ = say(content, carried, &mut counted);
    counted.0.max(bytes)
}

/// Counts what is written.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what is carried; of a JSON body all but its end.
fn say(content: Content, carried: &Carried, out: &mut dyn Write) -> io::Result<()> {
    let Carried { n, key, value, event_time_ns } = *carried;
    match content {
        Content::Json => {
            write!(out, "{{\"n\":{n}")?;
            key.map_or(Ok(()), |key| write!(out, ",\"key\":\"k{key}\""))?;
            value.map_or(Ok(()), |value| write!(out, ",\"value\":{value}"))?;
            event_time_ns.map_or(Ok(()), |time| write!(out, ",\"event_time_ns\":{time}"))
        }
        Content::Text => {
            write!(out, "n={n}")?;
            key.map_or(Ok(()), |key| write!(out, " key=k{key}"))?;
            value.map_or(Ok(()), |value| write!(out, " value={value}"))?;
            event_time_ns.map_or(Ok(()), |time| write!(out, " event_time_ns={time}"))
        }
        Content::Binary => {
            let has = u8::from(key.is_some()) | u8::from(value.is_some()) << 1 | u8::from(event_time_ns.is_some()) << 2;
            if has == 0 {
                return Ok(());
            }
            out.write_all(&[has])?;
            out.write_all(&n.to_le_bytes())?;
            out.write_all(&key.unwrap_or(0).to_le_bytes())?;
            out.write_all(&value.unwrap_or(0).to_le_bytes())?;
            out.write_all(&event_time_ns.unwrap_or(0).to_le_bytes())
        }
    }
}

/// Fills a JSON object up and closes it.
fn close(bytes: usize, out: &mut Vec<u8>) {
    match bytes.checked_sub(out.len() + PAD.0.len() + PAD.1.len()) {
        Some(pad) => {
            out.extend_from_slice(PAD.0);
            out.resize(out.len() + pad, DOT);
            out.extend_from_slice(PAD.1);
        }
        None => {
            out.resize(out.len().max(bytes.saturating_sub(1)), b' ');
            out.push(b'}');
        }
    }
}
