//! Events to bytes.

use super::predict::{Context, Contexts, Numbers, Origin, Site, control};
use super::{EncodeError, MAX_EVENTS};
use crate::bytes::{put_varint, zigzag};
use crate::event::Event;

/// Encodes batches of events. Keeps its buffers from batch to batch, and nothing else.
pub struct EventEncoder {
    sites: Rows,
    /// For each site the row of the origin of its event before.
    last_origin: Vec<u32>,
    origins: Rows,
    contexts: Contexts,
    columns: Columns,
}

#[derive(Default)]
struct Columns {
    times: Vec<u8>,
    sites: Vec<u8>,
    controls: Vec<u8>,
    values: Vec<u8>,
}

impl EventEncoder {
    /// An encoder with empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sites: Rows::new(),
            last_origin: Vec::new(),
            origins: Rows::new(),
            contexts: Contexts::new(),
            columns: Columns::default(),
        }
    }

    /// Appends `events`, sorted by time, to `out` as one batch.
    ///
    /// # Errors
    /// [`EncodeError`] if there are too many or they are not sorted; `out` is then as it was.
    pub fn encode(&mut self, events: &[Event], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if events.len() > MAX_EVENTS {
            return Err(EncodeError::TooMany(events.len()));
        }
        if let Some(at) = events.windows(2).position(|pair| pair[1].time < pair[0].time) {
            return Err(EncodeError::NotSorted(at + 1));
        }
        self.clear();
        let mut previous = 0_i64;
        for event in events {
            put_varint(&mut self.columns.times, event.time.wrapping_sub(previous) as u64);
            previous = event.time;
            self.put(event);
        }
        self.columns.append_to(events.len(), out);
        Ok(())
    }

    fn clear(&mut self) {
        self.sites.clear();
        self.last_origin.clear();
        self.origins.clear();
        self.contexts.clear();
        self.columns.clear();
    }

    #[inline]
    fn put(&mut self, event: &Event) {
        let site = self.put_site(Site::of(event));
        let origin = Origin::of(event);
        let mut bits = 0;
        let origin_row = self.put_origin(site, origin, &mut bits);
        let context = self.contexts.at(site, origin_row);
        put_fields(context, origin, event, bits, &mut self.columns);
    }

    #[inline]
    fn put_site(&mut self, site: Site) -> u32 {
        match self.sites.find(site.0) {
            Ok(row) => {
                put_varint(&mut self.columns.sites, u64::from(row) + 1);
                row
            }
            Err(row) => {
                self.last_origin.push(u32::MAX);
                let out = &mut self.columns.sites;
                out.push(0);
                put_varint(out, u64::from(site.kind().0));
                put_varint(out, u64::from(site.link().0.wrapping_add(1)));
                put_varint(out, u64::from(site.place().0.wrapping_add(1)));
                row
            }
        }
    }

    #[inline]
    fn put_origin(&mut self, site: u32, origin: Origin, bits: &mut u8) -> u32 {
        let last = &mut self.last_origin[site as usize];
        if self.origins.rows.get(*last as usize) == Some(&origin.0) {
            return *last;
        }
        *bits |= control::ORIGIN;
        let out = &mut self.columns.values;
        *last = match self.origins.find(origin.0) {
            Ok(row) => {
                put_varint(out, u64::from(row) + 1);
                row
            }
            Err(row) => {
                out.push(0);
                put_varint(out, u64::from(origin.message_source().0));
                put_varint(out, u64::from(origin.message_attempt()));
                put_varint(out, u64::from(origin.trace_source().0));
                put_varint(out, u64::from(origin.parent_source().0));
                put_varint(out, u64::from(origin.parent_attempt()));
                row
            }
        };
        *last
    }
}

impl Default for EventEncoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes what is not as predicted, and the control byte that says so.
#[inline]
fn put_fields(context: &mut Context, origin: Origin, event: &Event, mut bits: u8, columns: &mut Columns) {
    let out = &mut columns.values;
    let numbers =
        Numbers { message: event.message.counter(), trace: event.trace.counter(), parent: event.parent.counter() };
    let mut difference = |bit: u8, actual: u64, predicted: u64| {
        if actual != predicted {
            bits |= bit;
            put_varint(out, zigzag(actual.wrapping_sub(predicted)));
        }
    };
    difference(control::MESSAGE, numbers.message, context.message(origin));
    difference(control::TRACE, numbers.trace, context.trace(origin, numbers.message));
    difference(control::PARENT, numbers.parent, context.parent(origin, numbers.message));
    if event.a != context.a {
        let from_last = zigzag(event.a.wrapping_sub(context.a));
        let from_time = zigzag(event.a.wrapping_sub(event.time as u64));
        let bit = if from_time < from_last { control::A_FROM_TIME } else { control::A_FROM_LAST };
        bits |= bit;
        put_varint(out, from_time.min(from_last));
    }
    if event.b != context.b {
        bits |= control::B;
        put_varint(out, zigzag(event.b.wrapping_sub(context.b)));
    }
    context.remember(numbers, event.a, event.b);
    columns.controls.push(bits);
}

impl Columns {
    fn clear(&mut self) {
        for column in [&mut self.times, &mut self.sites, &mut self.controls, &mut self.values] {
            column.clear();
        }
    }

    /// Count, lengths of the columns whose length the count does not tell, then the columns.
    fn append_to(&self, count: usize, out: &mut Vec<u8>) {
        for number in [count, self.times.len(), self.sites.len(), self.values.len()] {
            put_varint(out, number as u64);
        }
        for column in [&self.times, &self.sites, &self.controls, &self.values] {
            out.extend_from_slice(column);
        }
    }
}

const SLOTS: usize = 2048;
const PROBES: usize = 4;

/// A list of words that grows as they appear, and where each stands.
///
/// The slots may forget a word when thousands share them; it is then given a second row, which
/// costs its bytes again and is otherwise as good.
struct Rows {
    rows: Vec<u64>,
    /// Row + 1, or 0 for a free slot.
    slots: Box<[u32]>,
}

impl Rows {
    fn new() -> Self {
        Self { rows: Vec::new(), slots: vec![0; SLOTS].into_boxed_slice() }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.slots.fill(0);
    }

    /// The word's row: `Ok` if it had one, `Err` if it was given one now.
    #[inline]
    fn find(&mut self, word: u64) -> Result<u32, u32> {
        // Fibonacci hashing: the top bits of the product depend on all bits of the word.
        let home = (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53) as usize;
        for probe in 0..PROBES {
            let slot = &mut self.slots[(home + probe) % SLOTS];
            if *slot == 0 {
                *slot = self.rows.len() as u32 + 1;
                return Err(add(&mut self.rows, word));
            }
            if self.rows[*slot as usize - 1] == word {
                return Ok(*slot - 1);
            }
        }
        self.slots[home] = self.rows.len() as u32 + 1;
        Err(add(&mut self.rows, word))
    }
}

/// At most [`MAX_EVENTS`] rows of each list, so that a row fits 32 bits.
fn add(rows: &mut Vec<u64>, word: u64) -> u32 {
    rows.push(word);
    rows.len() as u32 - 1
}
