//! What messages carry, on its way from the thread that sends them to the frames.
//!
//! Numbers only: a key is a number here, and the collector gives it its name the first time that it comes. A row is handed
//! over before its message's first event, on the same thread, so it is never in a later frame than that.

use hopscope_record::MessageId;
use hopscope_record::frame::MessageRow;

use super::lane::Taker;
use super::names::Names;

/// What one message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Its key's number, from 1; the name is `k` and the number.
    pub key: Option<u32>,
    /// Its value.
    pub value: Option<i64>,
    /// When that happened which it tells of, ns on the run's clock.
    pub event_time: Option<i64>,
    /// Size of its body.
    pub bytes: u64,
}

/// A row on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) message: MessageId,
    pub(super) contents: Contents,
}

/// Words of a row on its way.
pub(super) const ROW: usize = 5;

impl Row {
    /// As a ring holds it.
    pub(super) fn to_words(self) -> [u64; ROW] {
        let Contents { key, value, event_time, bytes } = self.contents;
        let has = u64::from(key.is_some()) | u64::from(value.is_some()) << 1 | u64::from(event_time.is_some()) << 2;
        let number = |value: Option<i64>| value.unwrap_or(0).cast_unsigned();
        [self.message.0, u64::from(key.unwrap_or(0)) << 32 | has, number(value), number(event_time), bytes]
    }

    fn from_words([message, keyed, value, event_time, bytes]: [u64; ROW]) -> Self {
        let number = |bit: u64, value: u64| (keyed & bit != 0).then(|| value.cast_signed());
        let key = (keyed & 1 != 0).then_some((keyed >> 32) as u32);
        let contents = Contents { key, value: number(2, value), event_time: number(4, event_time), bytes };
        Self { message: MessageId(message), contents }
    }
}

/// The collector's ends of the ways, with what was taken from them.
#[derive(Default)]
pub(super) struct Rows {
    ways: Vec<Taker<ROW>>,
    /// For each key's number its row of names + 1; 0 where it has none yet.
    keys: Vec<u64>,
    taken: Vec<MessageRow>,
}

impl Rows {
    /// Adds ways that threads have opened.
    pub(super) fn add(&mut self, ways: &mut Vec<Taker<ROW>>) {
        self.ways.append(ways);
    }

    /// Takes every row that is there, and gives the keys their names. Call it when the events are taken: what was handed
    /// over before one of those is there.
    pub(super) fn take(&mut self, names: &Names) {
        for way in &mut self.ways {
            let ready = way.ready();
            for row in 0..ready {
                let Row { message, contents } = Row::from_words(way.peek(row));
                let Contents { key, value, event_time, bytes } = contents;
                let key = key.and_then(|key| hopscope_record::NameIndex::from_value(name(&mut self.keys, names, key)));
                self.taken.push(MessageRow { message: message.message(), key, value, event_time, bytes });
            }
            way.take(ready);
        }
        // The thread's end happens before `is_abandoned` is true, so an empty way stays empty.
        self.ways.retain(|way| !(way.is_abandoned() && way.ready() == 0));
    }

    /// What was taken and is in no frame yet.
    pub(super) fn taken(&mut self) -> &mut Vec<MessageRow> {
        &mut self.taken
    }
}

/// The row of a key's name + 1.
fn name(keys: &mut Vec<u64>, names: &Names, key: u32) -> u64 {
    let index = key as usize;
    if index >= keys.len() {
        keys.resize(index + 1, 0);
    }
    let Some(row) = keys.get_mut(index) else { return 0 };
    if *row == 0 {
        *row = names.key(key);
    }
    *row
}
