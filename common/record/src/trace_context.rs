//! A message's identity in a protocol's own headers: W3C Trace Context.
//!
//! `traceparent: 00-<run key, 16 hex><trace, 16 hex>-<message id, 16 hex>-01` lets any program that
//! knows the standard carry the identity on; `tracestate: hs=<trace, 16 hex>.<message id, 16
//! hex>.<link, decimal>` repeats it in a member that such a program hands on untouched, also when
//! it begins a span of its own. This module prints and reads both, and decides which message it is
//! that arrived ([`arriving`]). It mints nothing.
//!
//! Source of the formats: W3C Recommendation "Trace Context", sections 3.2 and 3.3. Readers are
//! total: headers come from anywhere, and what is no identity is `None`.

use crate::id::{LinkIndex, MessageId, RunKey, TraceId};

/// Name of the header that carries the run key, the trace and the message.
pub const TRACEPARENT: &str = "traceparent";

/// Name of the header whose member `hs` repeats trace and message and adds the link.
pub const TRACESTATE: &str = "tracestate";

/// Length of a printed `traceparent` in bytes.
pub const TRACEPARENT_LEN: usize = 55;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What our senders say of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The trace.
    pub trace: TraceId,
    /// The message with its attempt.
    pub message: MessageId,
    /// The link that it is sent over.
    pub link: LinkIndex,
}

impl Identity {
    /// The value of `traceparent`: ASCII, [`TRACEPARENT_LEN`] bytes, sampled. Allocates nothing.
    #[must_use]
    pub fn traceparent(&self, run_key: RunKey) -> [u8; TRACEPARENT_LEN] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-01";
        put_hex(&mut out[3..19], run_key.0);
        put_hex(&mut out[19..35], self.trace.0);
        put_hex(&mut out[36..52], self.message.0);
        out
    }

    /// The value of `tracestate`: one member, `hs`. Allocates nothing.
    #[must_use]
    pub fn tracestate(&self) -> TraceState {
        let mut bytes = *b"hs=0000000000000000.0000000000000000.00000";
        put_hex(&mut bytes[3..19], self.trace.0);
        put_hex(&mut bytes[20..36], self.message.0);
        let mut digits = [0; 5];
        let mut first = digits.len();
        let mut link = self.link.0;
        loop {
            first -= 1;
            digits[first] = b'0' + (link % 10) as u8;
            link /= 10;
            if link == 0 {
                break;
            }
        }
        let used = digits.len() - first;
        bytes[37..37 + used].copy_from_slice(&digits[first..]);
        TraceState { bytes, len: 37 + used }
    }
}

/// A printed `tracestate`, ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceState {
    bytes: [u8; 42],
    len: usize,
}

impl TraceState {
    /// The header's value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A `traceparent` that keeps to the standard, whoever wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// First half of the trace-id: the run key, if one of our runs wrote it.
    pub high: u64,
    /// Second half of the trace-id.
    pub low: u64,
    /// The span id: a [`MessageId`], unless a program began a span of its own.
    pub span: u64,
}

impl TraceParent {
    /// Reads a header's value; `None` if the standard says to ignore it. A newer version of the
    /// standard is read as far as it is known.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, more) = value.split_at_checked(TRACEPARENT_LEN)?;
        let version = hex(&known[..2])?;
        let allowed = match version {
            0 => more.is_empty(),
            255 => false,
            _ => more.is_empty() || more[0] == b'-',
        };
        let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
        if !allowed || !dashes {
            return None;
        }
        hex(&known[53..])?;
        let parent = Self { high: hex(&known[3..19])?, low: hex(&known[19..35])?, span: hex(&known[36..52])? };
        let lawful = parent.span != 0 && (parent.high != 0 || parent.low != 0);
        lawful.then_some(parent)
    }
}

/// Reads the member `hs` of a `tracestate` header's value, wherever it stands in the list; `None`
/// without it or if it is none of ours. Of several headers, each may be tried.
#[must_use]
pub fn parse_tracestate(value: &[u8]) -> Option<Identity> {
    value.split(|&byte| byte == b',').find_map(|member| parse_hs(member.trim_ascii().strip_prefix(b"hs=")?))
}

fn parse_hs(value: &[u8]) -> Option<Identity> {
    let (ids, link) = value.split_at_checked(34)?;
    if ids[16] != b'.' || ids[33] != b'.' || link.is_empty() || link.len() > 5 {
        return None;
    }
    let mut number = 0_u32;
    for digit in link {
        number = number * 10 + char::from(*digit).to_digit(10)?;
    }
    let identity = Identity {
        trace: TraceId(hex(&ids[..16])?),
        message: MessageId(hex(&ids[17..33])?),
        link: LinkIndex(u16::try_from(number).ok()?),
    };
    let lawful = !identity.trace.is_none() && !identity.message.is_none() && !identity.link.is_none();
    lawful.then_some(identity)
}

/// Which message it is that arrived at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The very message that a sender of this run sent over a link that ends here.
    Itself(Identity),
    /// A new message of a trace of this run, to be minted: something between copied our headers
    /// on, or began a span of its own.
    Child {
        /// The trace that it belongs to.
        trace: TraceId,
        /// What caused it: a message of ours, or the span that the program in between began.
        parent: MessageId,
    },
    /// Nothing of this run: the first message of a trace of its own, to be minted.
    Root,
}

/// Decides which message arrived, by what the run's key says is ours and by where links end.
///
/// `ends_here` tells whether a link ends at this node. It is false for every link at a consumer: a
/// delivery is always a message of its own. `hs` counts only beside a `traceparent` of this run
/// that names the same trace; another run's, or a copy that lost its trace, is none of ours.
#[must_use]
pub fn arriving(
    run_key: RunKey,
    traceparent: Option<TraceParent>,
    hs: Option<Identity>,
    ends_here: impl FnOnce(LinkIndex) -> bool,
) -> Arrival {
    let Some(ours) = traceparent.filter(|parent| parent.high == run_key.0 && parent.low != 0) else {
        return Arrival::Root;
    };
    let trace = TraceId(ours.low);
    match hs.filter(|hs| hs.trace == trace) {
        Some(hs) if ends_here(hs.link) => Arrival::Itself(hs),
        Some(hs) => Arrival::Child { trace, parent: hs.message },
        None => Arrival::Child { trace, parent: MessageId(ours.span) },
    }
}

/// Writes as many lower-case digits as there is room for, lowest last.
fn put_hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = HEX[(value & 15) as usize];
        value >>= 4;
    }
}

/// At most sixteen lower-case digits as a number. The standard forbids upper case.
fn hex(digits: &[u8]) -> Option<u64> {
    let mut value = 0;
    for digit in digits {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        value = (value << 4) | u64::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests;
