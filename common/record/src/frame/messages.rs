//! What messages carry: the rows of Messages frames.

use crate::bytes::{Malformed, Reader, put_varint, unzigzag, zigzag};
use crate::id::NameIndex;

/// What one message carries, where its sender tells it. A message without a row carries filler, or what nobody told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageRow {
    /// Which message, without its attempt: [`crate::MessageId::message`].
    pub message: u64,
    /// Its key.
    pub key: Option<NameIndex>,
    /// Its value.
    pub value: Option<i64>,
    /// When that happened which it tells of, ns on the run's clock; without it, when its send was wanted.
    pub event_time: Option<i64>,
    /// Size of its body.
    pub bytes: u64,
}

/// What messages carry that the run has begun to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessagesPayload {
    /// The row of the first one: the number of all rows in earlier frames.
    pub first: u64,
    /// The messages of this row and those after it. A row stands in an earlier frame than the message's first event, or in
    /// one right before it.
    pub rows: Vec<MessageRow>,
}

/// Bits of what a row has.
const KEY: u8 = 1;
const VALUE: u8 = 2;
const EVENT_TIME: u8 = 4;

/// No message has a number from here on.
const END_OF_MESSAGES: u64 = 1 << 56;

/// What the next row is told apart from.
#[derive(Default)]
struct Before {
    message: u64,
    event_time: i64,
    bytes: u64,
}

pub(super) fn put_messages(out: &mut Vec<u8>, first: u64, rows: &[MessageRow]) {
    put_varint(out, first);
    put_varint(out, rows.len() as u64);
    let mut before = Before::default();
    for row in rows {
        let has = [(row.key.is_some(), KEY), (row.value.is_some(), VALUE), (row.event_time.is_some(), EVENT_TIME)];
        out.push(has.into_iter().filter(|(has, _)| *has).fold(0, |bits, (_, bit)| bits | bit));
        put_varint(out, zigzag(row.message.wrapping_sub(before.message.wrapping_add(1))));
        put_varint(out, zigzag(row.bytes.wrapping_sub(before.bytes)));
        if let Some(key) = row.key {
            put_varint(out, u64::from(key.0));
        }
        if let Some(value) = row.value {
            put_varint(out, zigzag(value as u64));
        }
        if let Some(time) = row.event_time {
            put_varint(out, zigzag(time.wrapping_sub(before.event_time) as u64));
        }
        before.step(row);
    }
}

pub(super) fn read_messages(reader: &mut Reader<'_>) -> Result<MessagesPayload, Malformed> {
    let first = reader.varint()?;
    let count = reader.narrow()?;
    let mut rows = super::payload::room(count, reader);
    let mut before = Before::default();
    for _ in 0..count {
        let row = read_row(reader, &before)?;
        before.step(&row);
        rows.push(row);
    }
    Ok(MessagesPayload { first, rows })
}

fn read_row(reader: &mut Reader<'_>, before: &Before) -> Result<MessageRow, Malformed> {
    let has = reader.byte()?;
    if has & !(KEY | VALUE | EVENT_TIME) != 0 {
        return Err(Malformed);
    }
    let message = before.message.wrapping_add(1).wrapping_add(unzigzag(reader.varint()?));
    if message >= END_OF_MESSAGES {
        return Err(Malformed);
    }
    let bytes = before.bytes.wrapping_add(unzigzag(reader.varint()?));
    let key = if has & KEY == 0 { None } else { Some(NameIndex(reader.narrow()?)) };
    let value = if has & VALUE == 0 { None } else { Some(unzigzag(reader.varint()?) as i64) };
    let event_time = if has & EVENT_TIME == 0 {
        None
    } else {
        Some(before.event_time.wrapping_add(unzigzag(reader.varint()?) as i64))
    };
    Ok(MessageRow { message, key, value, event_time, bytes })
}

impl Before {
    fn step(&mut self, row: &MessageRow) {
        self.message = row.message;
        self.bytes = row.bytes;
        self.event_time = row.event_time.unwrap_or(self.event_time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_row() -> impl Strategy<Value = MessageRow> {
        let row = |message, key: Option<u32>, value, event_time, bytes| MessageRow {
            message,
            key: key.map(NameIndex),
            value,
            event_time,
            bytes,
        };
        (0..END_OF_MESSAGES, any::<Option<u32>>(), any::<Option<i64>>(), any::<Option<i64>>(), any::<u64>())
            .prop_map(move |(message, key, value, time, bytes)| row(message, key, value, time, bytes))
    }

    proptest! {
        #[test]
        fn any_rows_come_back(first: u64, rows in prop::collection::vec(any_row(), 0..40)) {
            let mut out = Vec::new();
            put_messages(&mut out, first, &rows);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(read_messages(&mut reader), Ok(MessagesPayload { first, rows }));
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn what_a_row_may_not_be_is_refused() {
        let read = |bytes: &[u8]| read_messages(&mut Reader::new(bytes));
        assert!(read(&[0, 1, 0, 0, 0]).is_ok());
        assert_eq!(read(&[0, 1, 8, 0, 0]), Err(Malformed), "a bit without a meaning");
        assert_eq!(read(&[0, 1, 0, 3, 0]), Err(Malformed), "a message below 0");
        assert_eq!(read(&[0, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x10]), Err(Malformed), "a name beyond 32 bits");
    }

    /// Ten bytes and less for what a run sends.
    #[test]
    fn rows_of_a_run_are_short() {
        let row = |n: i64| MessageRow {
            message: (3 << 40) + n as u64,
            key: Some(NameIndex(n as u32 % 100)),
            value: Some(n % 60),
            event_time: Some(n * 1_000_000),
            bytes: 256,
        };
        let rows: Vec<_> = (0..1_000).map(row).collect();
        let mut out = Vec::new();
        put_messages(&mut out, 0, &rows);
        assert!(out.len() <= 10 * rows.len(), "{}", out.len());
    }
}
