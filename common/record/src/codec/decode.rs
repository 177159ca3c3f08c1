//! Bytes to events.

use super::predict::{COUNTER_MASK, Context, Contexts, Numbers, Origin, Site, TRACE_COUNTER_MASK, assemble, control};
use super::{EventsError, MAX_EVENTS};
use crate::bytes::{Reader, unzigzag};
use crate::event::Event;
use crate::id::{LinkIndex, PlaceIndex, SourceId};
use crate::kind::Kind;

/// Decodes batches of events. Keeps its buffers from batch to batch, and nothing else.
pub struct EventDecoder {
    sites: Vec<SiteRow>,
    origins: Vec<Origin>,
    contexts: Contexts,
}

#[derive(Clone, Copy)]
struct SiteRow {
    site: Site,
    /// The row of the origin of its event before.
    last_origin: u32,
}

struct Columns<'a> {
    times: Reader<'a>,
    sites: Reader<'a>,
    values: Reader<'a>,
}

impl EventDecoder {
    /// A decoder with empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self { sites: Vec::new(), origins: Vec::new(), contexts: Contexts::new() }
    }

    /// Replaces what is in `events` by the batch that `bytes` are, all of them.
    ///
    /// # Errors
    /// [`EventsError`] if `bytes` are not exactly one batch; `events` is then empty.
    pub fn decode(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), EventsError> {
        events.clear();
        let result = self.decode_into(bytes, events);
        if result.is_err() {
            events.clear();
        }
        result
    }

    fn decode_into(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), EventsError> {
        let (controls, mut columns) = split(bytes)?;
        self.sites.clear();
        self.origins.clear();
        self.contexts.clear();
        events.reserve(controls.len());
        let mut time = 0_i64;
        for (at, &bits) in controls.iter().enumerate() {
            let step = columns.times.varint()?;
            // Only the first may step over zero from below; it then wraps as i64 does.
            let next = time.wrapping_add(step as i64);
            if at > 0 && next < time {
                return Err(EventsError::BadTime(at));
            }
            time = next;
            events.push(self.event(time, bits, at, &mut columns)?);
        }
        let columns_used = columns.times.is_empty() && columns.sites.is_empty() && columns.values.is_empty();
        if columns_used { Ok(()) } else { Err(EventsError::TrailingBytes) }
    }

    #[inline]
    fn event(&mut self, time: i64, bits: u8, at: usize, columns: &mut Columns<'_>) -> Result<Event, EventsError> {
        let site_row = self.site(at, &mut columns.sites)?;
        let site = self.sites[site_row as usize].site;
        if bits & control::ORIGIN != 0 {
            self.sites[site_row as usize].last_origin = self.origin(at, &mut columns.values)?;
        }
        let origin_row = self.sites[site_row as usize].last_origin;
        let &origin = self.origins.get(origin_row as usize).ok_or(EventsError::UnknownRow(at))?;
        let context = self.contexts.at(site_row, origin_row);
        let values = &mut columns.values;
        let numbers = numbers(context, origin, bits, values)?;
        let a = value_a(context, time, bits, values).map_err(|error| error.unwrap_or(EventsError::BadControl(at)))?;
        let b = if bits & control::B == 0 { context.b } else { context.b.wrapping_add(unzigzag(values.varint()?)) };
        context.remember(numbers, a, b);
        Ok(assemble(time, site, origin, numbers, a, b))
    }

    #[inline]
    fn site(&mut self, at: usize, column: &mut Reader<'_>) -> Result<u32, EventsError> {
        let row = column.varint()?;
        if row == 0 {
            let kind = Kind(column.narrow()?);
            let link = LinkIndex(column.narrow::<u16>()?.wrapping_sub(1));
            let place = PlaceIndex(column.narrow::<u32>()?.wrapping_sub(1));
            self.sites.push(SiteRow { site: Site::new(kind, link, place), last_origin: u32::MAX });
            return Ok(self.sites.len() as u32 - 1);
        }
        if row > self.sites.len() as u64 {
            return Err(EventsError::UnknownRow(at));
        }
        Ok(row as u32 - 1)
    }

    fn origin(&mut self, at: usize, values: &mut Reader<'_>) -> Result<u32, EventsError> {
        let row = values.varint()?;
        if row == 0 {
            let message = (SourceId(values.narrow()?), values.narrow()?);
            let trace = SourceId(values.narrow()?);
            let parent = (SourceId(values.narrow()?), values.narrow()?);
            self.origins.push(Origin::new(message, trace, parent));
            return Ok(self.origins.len() as u32 - 1);
        }
        if row > self.origins.len() as u64 {
            return Err(EventsError::UnknownRow(at));
        }
        Ok(row as u32 - 1)
    }
}

impl Default for EventDecoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The controls (one byte per event) and cursors over the other columns. The count is checked
/// against limit and length before anything is reserved for it.
fn split(bytes: &[u8]) -> Result<(&[u8], Columns<'_>), EventsError> {
    let mut reader = Reader::new(bytes);
    let count = reader.varint()?;
    if count > MAX_EVENTS as u64 {
        return Err(EventsError::TooMany(count));
    }
    let (times, sites, values) = (reader.narrow()?, reader.narrow()?, reader.narrow()?);
    let times = Reader::new(reader.take(times)?);
    let sites = Reader::new(reader.take(sites)?);
    let controls = reader.take(count as usize)?;
    let values = Reader::new(reader.take(values)?);
    if reader.is_empty() { Ok((controls, Columns { times, sites, values })) } else { Err(EventsError::TrailingBytes) }
}

#[inline]
fn numbers(context: &Context, origin: Origin, bits: u8, values: &mut Reader<'_>) -> Result<Numbers, EventsError> {
    let mut number = |bit: u8, predicted: u64| -> Result<u64, EventsError> {
        if bits & bit == 0 { Ok(predicted) } else { Ok(predicted.wrapping_add(unzigzag(values.varint()?))) }
    };
    let message = number(control::MESSAGE, context.message(origin))? & COUNTER_MASK;
    let trace = number(control::TRACE, context.trace(origin, message))? & TRACE_COUNTER_MASK;
    let parent = number(control::PARENT, context.parent(origin, message))? & COUNTER_MASK;
    Ok(Numbers { message, trace, parent })
}

/// The value `a`; the error `None` stands for bits without a meaning.
#[inline]
fn value_a(context: &Context, time: i64, bits: u8, values: &mut Reader<'_>) -> Result<u64, Option<EventsError>> {
    const A: u8 = control::A_FROM_LAST | control::A_FROM_TIME;
    if bits & control::UNUSED != 0 {
        return Err(None);
    }
    let base = match bits & A {
        0 => return Ok(context.a),
        control::A_FROM_LAST => context.a,
        control::A_FROM_TIME => time as u64,
        _ => return Err(None),
    };
    let step = values.varint().map_err(|error| Some(error.into()))?;
    Ok(base.wrapping_add(unzigzag(step)))
}
