//! What payloads hold, and how they are written and read.

use super::header::FrameType;
use super::messages::{MessagesPayload, read_messages};
use super::sample::{Sample, read_sample};
use crate::bytes::{Malformed, Reader, put_bytes, put_varint, unzigzag, zigzag};
use crate::id::{LinkIndex, NameIndex, PlaceIndex, RunKey, SourceId};
use crate::kind::Kind;

/// Version of the payloads' encoding, which Hello carries. Another version is refused.
pub const CODEC_VERSION: u32 = 1;

/// What the run is: frame 0 of every recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// Version of the payloads' encoding: [`CODEC_VERSION`].
    pub codec_version: u32,
    /// Which build of the program recorded: name and version, for people.
    pub build: String,
    /// The run's name in addresses and files.
    pub run_id: String,
    /// What the run's trace-ids on the wire begin with.
    pub run_key: RunKey,
    /// Wall clock at time 0 of the events: ns since 1970-01-01 UTC. For labels only; no two times
    /// are ever compared through it.
    pub unix_ns_at_zero: i64,
    /// The kinds that the build could stamp, with their names, so that a reader shows by name what
    /// it does not know.
    pub kinds: Vec<(Kind, String)>,
    /// The plan, in the encoding of the scenario package: opaque here.
    pub plan: Vec<u8>,
}

/// A batch of events as it travels; [`crate::codec::EventDecoder`] decodes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventsPayload<'a> {
    /// All events stamped at or before this time are in this frame or an earlier one, save those
    /// of sources that were left out for their silence. ns on the run's clock.
    pub cut: i64,
    /// The batch.
    pub batch: &'a [u8],
}

/// Strings that the run has begun to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamesPayload {
    /// The row of the first one: the number of all names in earlier frames.
    pub first: NameIndex,
    /// The strings of this row and those after it.
    pub names: Vec<String>,
}

/// Events that one source stamped and that were not kept, since the Loss before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loss {
    /// Whose events.
    pub source: SourceId,
    /// How many, at least 1.
    pub count: u64,
    /// Time of the first one, ns on the run's clock.
    pub from: i64,
    /// Time of the last one.
    pub to: i64,
}

/// How the run ended, counted by the parts that ran and not by the fold: what the fold of the
/// events must come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// When, ns on the run's clock.
    pub time: i64,
    /// Why.
    pub reason: EndReason,
    /// More about the reason, for people.
    pub detail: Option<NameIndex>,
    /// The counts, each named by what it counts. One that is not listed was not counted.
    pub counts: Vec<EndCount>,
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EndReason(pub u16);

impl EndReason {
    /// The load was done, and what was in flight came home or the drain's limit passed.
    pub const LOAD_DONE: Self = Self(1);
    /// Someone stopped it.
    pub const STOPPED: Self = Self(2);
    /// A part of it broke.
    pub const FAILED: Self = Self(3);
    /// The recording came to as many events as it may have; the load ended there.
    pub const EVENT_LIMIT: Self = Self(4);
}

/// How far a generator may be behind its schedule when its load ends, ns: what the schedule of a load that ended early
/// wanted ([`Counted::WANTED`]) is counted up to so long before that end.
pub const MOST_BEHIND_NS: u64 = 1_000_000_000;

/// One count of an [`End`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndCount {
    /// What was counted.
    pub counted: Counted,
    /// Of which source, link or place: its number.
    pub index: u32,
    /// How many.
    pub count: u64,
}

impl EndCount {
    /// Events that a source's ring accepted.
    #[must_use]
    pub const fn events(source: SourceId, count: u64) -> Self {
        Self { counted: Counted::EVENTS, index: source.0 as u32, count }
    }

    /// Copies that were ready in the queue at a place.
    #[must_use]
    pub const fn ready(queue: PlaceIndex, count: u64) -> Self {
        Self { counted: Counted::READY, index: queue.0, count }
    }

    /// Copies of the queue at a place that were delivered and not settled.
    #[must_use]
    pub const fn unacked(queue: PlaceIndex, count: u64) -> Self {
        Self { counted: Counted::UNACKED, index: queue.0, count }
    }

    /// Requests that the schedule of the client at a place wanted while it was surely offered.
    #[must_use]
    pub const fn wanted(client: PlaceIndex, count: u64) -> Self {
        Self { counted: Counted::WANTED, index: client.0, count }
    }

    /// Attempts on a link that had not closed.
    #[must_use]
    pub const fn open_attempts(link: LinkIndex, count: u64) -> Self {
        Self { counted: Counted::OPEN_ATTEMPTS, index: link.0 as u32, count }
    }
}

/// What an [`EndCount`] counts. A number that a reader does not know is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Counted(pub u16);

impl Counted {
    /// Events accepted, by source.
    pub const EVENTS: Self = Self(1);
    /// Attempts still open, by link.
    pub const OPEN_ATTEMPTS: Self = Self(2);
    /// Copies ready, by the queue's place.
    pub const READY: Self = Self(3);
    /// Copies delivered and not settled, by the queue's place.
    pub const UNACKED: Self = Self(4);
    /// Requests that a schedule wanted while it was surely offered, by the client's place.
    pub const WANTED: Self = Self(5);
}

/// A payload, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload<'a> {
    /// What the run is.
    Hello(Hello),
    /// A batch of events, still encoded.
    Events(EventsPayload<'a>),
    /// Strings.
    Names(NamesPayload),
    /// What messages carry.
    Messages(MessagesPayload),
    /// What surrounds the run.
    Clock(Sample),
    /// Events not kept, by source.
    Loss(Vec<Loss>),
    /// How the run ended.
    End(End),
    /// A frame of a type that this build does not know, marked as one to pass over.
    Skipped(FrameType),
}

/// Why a payload could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PayloadError {
    /// The bytes are not what the frame's type says, or there are more or fewer.
    #[error("the payload of a frame of type {0} is malformed")]
    Malformed(u8),
    /// Hello names an encoding that this build does not have.
    #[error("the recording's encoding is version {0}; this build reads version {CODEC_VERSION}")]
    CodecVersion(u32),
    /// The type is unknown, and the frame is not marked as one to pass over.
    #[error("frame type {0} is unknown to this build and may not be passed over; a newer build can read it")]
    UnknownType(u8),
}

impl<'a> Payload<'a> {
    /// Reads a payload. Everything but a batch of events is copied out.
    ///
    /// # Errors
    /// [`PayloadError`], as its variants say.
    pub fn read(frame_type: FrameType, skippable: bool, bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(bytes);
        let malformed = |_: Malformed| PayloadError::Malformed(frame_type.0);
        let payload = match frame_type {
            FrameType::HELLO => Self::Hello(read_hello(&mut reader)?),
            FrameType::EVENTS => {
                let cut = reader.array().map(i64::from_le_bytes).map_err(malformed)?;
                return Ok(Self::Events(EventsPayload { cut, batch: reader.rest() }));
            }
            FrameType::NAMES => Self::Names(read_names(&mut reader).map_err(malformed)?),
            FrameType::MESSAGES => Self::Messages(read_messages(&mut reader).map_err(malformed)?),
            FrameType::CLOCK => Self::Clock(read_sample(&mut reader).map_err(malformed)?),
            FrameType::LOSS => Self::Loss(read_losses(&mut reader).map_err(malformed)?),
            FrameType::END => Self::End(read_end(&mut reader).map_err(malformed)?),
            _ if skippable => return Ok(Self::Skipped(frame_type)),
            _ => return Err(PayloadError::UnknownType(frame_type.0)),
        };
        if reader.is_empty() { Ok(payload) } else { Err(malformed(Malformed)) }
    }
}

/// Room for `count` rows of at least one byte each: never more than the bytes that are left.
pub(super) fn room<T>(count: usize, reader: &Reader<'_>) -> Vec<T> {
    Vec::with_capacity(count.min(reader.remaining()))
}

fn read_time(reader: &mut Reader<'_>) -> Result<i64, Malformed> {
    Ok(unzigzag(reader.varint()?) as i64)
}

fn put_time(out: &mut Vec<u8>, time: i64) {
    put_varint(out, zigzag(time as u64));
}

pub(super) fn put_hello(out: &mut Vec<u8>, hello: &Hello) {
    put_varint(out, u64::from(hello.codec_version));
    put_bytes(out, hello.build.as_bytes());
    put_bytes(out, hello.run_id.as_bytes());
    out.extend_from_slice(&hello.run_key.0.to_le_bytes());
    out.extend_from_slice(&hello.unix_ns_at_zero.to_le_bytes());
    put_varint(out, hello.kinds.len() as u64);
    for (kind, name) in &hello.kinds {
        put_varint(out, u64::from(kind.0));
        put_bytes(out, name.as_bytes());
    }
    put_bytes(out, &hello.plan);
}

fn read_hello(reader: &mut Reader<'_>) -> Result<Hello, PayloadError> {
    let malformed = |_: Malformed| PayloadError::Malformed(FrameType::HELLO.0);
    // The version comes first, and nothing after it is looked at if it is another.
    let codec_version = reader.narrow().map_err(malformed)?;
    if codec_version != CODEC_VERSION {
        return Err(PayloadError::CodecVersion(codec_version));
    }
    read_hello_fields(codec_version, reader).map_err(malformed)
}

fn read_hello_fields(codec_version: u32, reader: &mut Reader<'_>) -> Result<Hello, Malformed> {
    let build = reader.text()?.to_owned();
    let run_id = reader.text()?.to_owned();
    let run_key = RunKey(u64::from_le_bytes(reader.array()?));
    let unix_ns_at_zero = i64::from_le_bytes(reader.array()?);
    let count = reader.narrow()?;
    let mut kinds = room(count, reader);
    for _ in 0..count {
        kinds.push((Kind(reader.narrow()?), reader.text()?.to_owned()));
    }
    let plan = reader.bytes()?.to_vec();
    Ok(Hello { codec_version, build, run_id, run_key, unix_ns_at_zero, kinds, plan })
}

pub(super) fn put_names(out: &mut Vec<u8>, first: NameIndex, names: &[&str]) {
    put_varint(out, u64::from(first.0));
    put_varint(out, names.len() as u64);
    for name in names {
        put_bytes(out, name.as_bytes());
    }
}

fn read_names(reader: &mut Reader<'_>) -> Result<NamesPayload, Malformed> {
    let first = NameIndex(reader.narrow()?);
    let count = reader.narrow()?;
    let mut names = room(count, reader);
    for _ in 0..count {
        names.push(reader.text()?.to_owned());
    }
    Ok(NamesPayload { first, names })
}

pub(super) fn put_losses(out: &mut Vec<u8>, losses: &[Loss]) {
    put_varint(out, losses.len() as u64);
    for loss in losses {
        put_varint(out, u64::from(loss.source.0));
        put_varint(out, loss.count);
        put_time(out, loss.from);
        put_time(out, loss.to);
    }
}

fn read_losses(reader: &mut Reader<'_>) -> Result<Vec<Loss>, Malformed> {
    let count = reader.narrow()?;
    let mut losses = room(count, reader);
    for _ in 0..count {
        losses.push(Loss {
            source: SourceId(reader.narrow()?),
            count: reader.varint()?,
            from: read_time(reader)?,
            to: read_time(reader)?,
        });
    }
    Ok(losses)
}

pub(super) fn put_end(out: &mut Vec<u8>, end: &End) {
    put_time(out, end.time);
    put_varint(out, u64::from(end.reason.0));
    put_varint(out, NameIndex::to_value(end.detail));
    put_varint(out, end.counts.len() as u64);
    for row in &end.counts {
        put_varint(out, u64::from(row.counted.0));
        put_varint(out, u64::from(row.index));
        put_varint(out, row.count);
    }
}

fn read_end(reader: &mut Reader<'_>) -> Result<End, Malformed> {
    let time = read_time(reader)?;
    let reason = EndReason(reader.narrow()?);
    let detail = match reader.varint()? {
        0 => None,
        value => Some(NameIndex::from_value(value).ok_or(Malformed)?),
    };
    let count = reader.narrow()?;
    let mut counts = room(count, reader);
    for _ in 0..count {
        counts.push(EndCount { counted: Counted(reader.narrow()?), index: reader.narrow()?, count: reader.varint()? });
    }
    Ok(End { time, reason, detail, counts })
}
