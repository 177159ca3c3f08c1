//! The fold as bytes, for Keyframes.
//!
//! Each row of numbers is written with its length, so that a build with more or fewer of them refuses the bytes instead
//! of misreading them; what a number means is guarded by [`FOLD_VERSION`] and, in files, by [`fingerprint`].

use super::{LinkDisturbed, LinkState, PlaceDisturbed, PlaceState, State};
use crate::bytes::{Malformed, Reader, put_varint, unzigzag, zigzag};
use crate::checksum::crc32;
use crate::kind::{KINDS, Phase};

/// Version of what the fold's numbers mean and of how they are written: to be raised when the fold changes in a way
/// that neither the table of kinds nor the number of its numbers shows.
pub const FOLD_VERSION: u32 = 4;

/// What the fold of this build comes from, the table of kinds and [`FOLD_VERSION`], as one number. States that were
/// folded by a build with another one are folded anew.
#[must_use]
pub fn fingerprint() -> u32 {
    crc32(&[format!("{FOLD_VERSION} {KINDS:?}").as_bytes()])
}

/// One number of the fold.
enum Number<'a> {
    Count(&'a mut u64),
    /// May go below zero, in a recording that breaks a law.
    Level(&'a mut i64),
}

/// A row of the fold: all its numbers, in the order of their writing.
trait Row: Copy + Default {
    fn numbers(&mut self) -> impl Iterator<Item = Number<'_>>;
}

impl Row for LinkState {
    fn numbers(&mut self) -> impl Iterator<Item = Number<'_>> {
        // All fields, so that a new one cannot be forgotten.
        let Self { counts, open, late, disturbed: LinkDisturbed { cut, delay, throttle } } = self;
        let disturbed = [cut, delay, throttle].map(Number::Count);
        counts.iter_mut().map(Number::Count).chain([Number::Level(open), Number::Count(late)]).chain(disturbed)
    }
}

impl Row for PlaceState {
    fn numbers(&mut self) -> impl Iterator<Item = Number<'_>> {
        let Self { counts, waiting, busy, max_busy, ready, max_ready, unacked, disturbed } = self;
        let PlaceDisturbed { paused, crashed, rate } = disturbed;
        let (levels, disturbed) = ([waiting, busy, max_busy, ready, max_ready, unacked], [paused, crashed, rate]);
        counts.iter_mut().chain(disturbed).map(Number::Count).chain(levels.map(Number::Level))
    }
}

impl State {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let Self { links, places, all_links, all_places, events, unknown, time, phase } = self;
        put_varint(out, u64::from(FOLD_VERSION));
        put_varint(out, *events);
        put_varint(out, *unknown);
        put_varint(out, u64::from(time.is_some()));
        put_varint(out, zigzag(time.unwrap_or(0).cast_unsigned()));
        put_varint(out, phase.map_or(0, |phase| phase as u64 + 1));
        put_row(out, *all_links);
        put_row(out, *all_places);
        put_rows(out, links);
        put_rows(out, places);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if reader.varint()? != u64::from(FOLD_VERSION) {
            return Err(Malformed);
        }
        let (events, unknown) = (reader.varint()?, reader.varint()?);
        let time = match (reader.varint()?, unzigzag(reader.varint()?).cast_signed()) {
            (0, 0) => None,
            (1, time) => Some(time),
            _ => return Err(Malformed),
        };
        let phase = match reader.varint()? {
            0 => None,
            value => Some(Phase::from_value(value - 1).ok_or(Malformed)?),
        };
        let (all_links, all_places) = (read_row(reader)?, read_row(reader)?);
        let (links, places) = (read_rows(reader)?, read_rows(reader)?);
        Ok(Self { links, places, all_links, all_places, events, unknown, time, phase })
    }
}

fn put_rows<R: Row>(out: &mut Vec<u8>, rows: &[R]) {
    put_varint(out, rows.len() as u64);
    rows.iter().for_each(|row| put_row(out, *row));
}

fn put_row<R: Row>(out: &mut Vec<u8>, mut row: R) {
    put_varint(out, row.numbers().count() as u64);
    for number in row.numbers() {
        match number {
            Number::Count(count) => put_varint(out, *count),
            Number::Level(level) => put_varint(out, zigzag(level.cast_unsigned())),
        }
    }
}

fn read_rows<R: Row>(reader: &mut Reader<'_>) -> Result<Vec<R>, Malformed> {
    let count = reader.narrow::<usize>()?;
    // A row has at least its length: never more room than the bytes that are left.
    let mut rows = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        rows.push(read_row(reader)?);
    }
    Ok(rows)
}

fn read_row<R: Row>(reader: &mut Reader<'_>) -> Result<R, Malformed> {
    let mut row = R::default();
    if reader.narrow::<usize>()? != row.numbers().count() {
        return Err(Malformed);
    }
    for number in row.numbers() {
        let value = reader.varint()?;
        match number {
            Number::Count(count) => *count = value,
            Number::Level(level) => *level = unzigzag(value).cast_signed(),
        }
    }
    Ok(row)
}
