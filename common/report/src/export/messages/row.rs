//! What is known of one message in one attempt.

use hopscope_record::frame::MessageRow;
use hopscope_record::kind::{AWAITS_REPLY, Admission, Attempt, ValueMeaning};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, PlaceIndex, TraceId};

use super::Ends;
use crate::export::fields::{Cell, Fields};
use crate::export::table::Row as Cells;
use crate::export::values::{Form, field, word};

/// The columns, in their order.
pub(super) const COLUMNS: &[&str] = &[
    "trace",
    "message",
    "attempt",
    "parent",
    "link",
    "from",
    "from_instance",
    "to",
    "to_instance",
    "scheduled_ns",
    "intended_ns",
    "sent_ns",
    "confirmed_ns",
    "received_ns",
    "started_ns",
    "finished_ns",
    "replied_ns",
    "completed_ns",
    "late_ns",
    "outcome",
    "status",
    "error",
    "admission",
    "work",
    "bytes",
    "reply_bytes",
    "key",
    "value",
    "event_time_ns",
];

/// Whether something more will come for a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Surely, if the run goes on.
    Open,
    /// Perhaps.
    Doubtful,
    /// Nothing lawful.
    Complete,
}

/// The row of one message in one attempt.
#[derive(Debug)]
pub(super) struct Row {
    message: MessageId,
    trace: TraceId,
    parent: MessageId,
    link: LinkIndex,
    /// What opened it.
    opened: Option<Kind>,
    from: PlaceIndex,
    to: PlaceIndex,
    scheduled: Option<i64>,
    intended: Option<i64>,
    sent: Option<i64>,
    confirmed: Option<i64>,
    received: Option<i64>,
    started: Option<i64>,
    finished: Option<i64>,
    replied: Option<i64>,
    closed: Option<i64>,
    late: Option<i64>,
    outcome: Option<&'static KindInfo>,
    /// A reply has come, in time or late.
    answered: bool,
    status: Option<u64>,
    error: Option<u64>,
    admission: Option<u64>,
    work: Option<u64>,
    bytes: Option<u64>,
    reply_bytes: Option<u64>,
    carries: Option<MessageRow>,
    held_back: bool,
}

impl Row {
    /// A row of which this is the first event.
    pub(super) const fn new(event: &Event) -> Self {
        Self {
            message: event.message,
            trace: event.trace,
            parent: event.parent,
            link: event.link,
            opened: None,
            from: PlaceIndex::NONE,
            to: PlaceIndex::NONE,
            scheduled: None,
            intended: None,
            sent: None,
            confirmed: None,
            received: None,
            started: None,
            finished: None,
            replied: None,
            closed: None,
            late: None,
            outcome: None,
            answered: false,
            status: None,
            error: None,
            admission: None,
            work: None,
            bytes: None,
            reply_bytes: None,
            carries: None,
            held_back: false,
        }
    }

    /// Takes an event of the row. Of two that would fill one cell the first stays.
    pub(super) fn take(&mut self, event: &Event, info: &'static KindInfo) {
        let time = event.time;
        match info.attempt {
            Attempt::Opens => {
                self.opened.get_or_insert(event.kind);
                self.sent.get_or_insert(time);
                self.from = event.place;
                self.parent = event.parent;
                self.note_bytes(event, info);
            }
            Attempt::Closes => self.close(event, info),
            Attempt::None => match event.kind {
                Kind::INTENDED => {
                    self.intended.get_or_insert(time);
                    self.scheduled.get_or_insert(event.a.cast_signed());
                    self.from = event.place;
                }
                Kind::NOT_SENT => {
                    self.closed.get_or_insert(time);
                    self.outcome.get_or_insert(info);
                }
                Kind::RECEIVED => {
                    self.received.get_or_insert(time);
                    self.admission.get_or_insert(event.a);
                    self.to = event.place;
                    self.note_bytes(event, info);
                }
                Kind::STARTED => {
                    self.started.get_or_insert(time);
                    self.to = event.place;
                }
                Kind::FINISHED => {
                    self.finished.get_or_insert(time);
                    self.work.get_or_insert(event.a);
                }
                Kind::REPLIED => {
                    self.replied.get_or_insert(time);
                    self.reply_bytes.get_or_insert(event.b);
                }
                _ => {}
            },
        }
    }

    /// Takes what the message carries.
    pub(super) fn carry(&mut self, carries: Option<&MessageRow>) {
        if let Some(row) = carries {
            self.bytes.get_or_insert(row.bytes);
            self.carries = Some(*row);
        }
    }

    fn close(&mut self, event: &Event, info: &'static KindInfo) {
        let has_status = info.a.meaning == ValueMeaning::Status;
        let is_reply = has_status && event.status() != 0;
        self.answered |= is_reply;
        if is_reply && info.b.meaning == ValueMeaning::Bytes {
            self.reply_bytes.get_or_insert(event.b);
        }
        if event.kind == Kind::CONFIRMED {
            self.confirmed.get_or_insert(event.time);
        }
        if event.is_late() {
            self.late.get_or_insert(event.time);
            return;
        }
        if info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0 {
            return;
        }
        self.closed.get_or_insert(event.time);
        self.outcome.get_or_insert(info);
        if has_status {
            self.status.get_or_insert(event.status());
        }
        if info.b.meaning == ValueMeaning::NameIndex && event.b != 0 {
            self.error.get_or_insert(event.b);
        }
    }

    fn note_bytes(&mut self, event: &Event, info: &KindInfo) {
        if info.b.meaning == ValueMeaning::Bytes {
            self.bytes.get_or_insert(event.b);
        }
    }

    /// Notes that it is among those held back; `false` if it was.
    pub(super) const fn hold_back(&mut self) -> bool {
        !std::mem::replace(&mut self.held_back, true)
    }

    /// Whether something more will come.
    pub(super) fn stage(&self) -> Stage {
        if self.outcome.is_some_and(|info| info.kind == Kind::NOT_SENT) {
            return Stage::Complete;
        }
        let idle = self.started.is_some() == self.finished.is_some();
        let turned_away = self.admission.is_some_and(|admission| admission != Admission::Admitted as u64);
        let waits = self.received.is_some() && self.started.is_none() && !turned_away;
        match self.opened {
            // From outside, or what came after its row was written.
            None if self.received.is_some() && self.replied.is_some() && idle => Stage::Complete,
            None if self.received.is_some() || self.intended.is_some() => Stage::Open,
            None => Stage::Doubtful,
            Some(_) if self.closed.is_none() || !idle => Stage::Open,
            // A delivery may be settled before it is worked on.
            Some(Kind::DELIVERED) if self.finished.is_some() || turned_away => Stage::Complete,
            Some(Kind::DELIVERED) if waits => Stage::Open,
            Some(Kind::DELIVERED) => Stage::Doubtful,
            // Nobody but the broker has a publish, and it has said what became of it.
            Some(Kind::PUBLISHED) if self.confirmed.is_some() || self.answered => Stage::Complete,
            Some(_) if self.answered => Stage::Complete,
            Some(_) => Stage::Doubtful,
        }
    }

    /// Writes the row.
    pub(super) fn write(&self, fields: &Fields, ends: &Ends, out: &mut Vec<u8>) {
        let mut cells = Cells::new(out);
        cells.put((!self.trace.is_none()).then_some(Cell::Id(self.trace.0)));
        cells.put(Some(Cell::Message(self.message.message())));
        cells.put(Some(Cell::Unsigned(self.message.attempt().into())));
        cells.put((!self.parent.is_none()).then_some(Cell::Id(self.parent.0)));
        let link = fields.link(self.link).map(Cell::Text);
        cells.put(link.or((!self.link.is_none()).then_some(Cell::Unsigned(self.link.0.into()))));
        let (from, to) = ends.of(self.link.0);
        for (place, node) in [(self.from, from), (self.to, to)] {
            let (node, instance) = fields.place(place).unwrap_or((node, ""));
            cells.put(Some(Cell::Text(node)));
            cells.put(Some(Cell::Text(instance)));
        }
        let times = [
            self.scheduled,
            self.intended,
            self.sent,
            self.confirmed,
            self.received,
            self.started,
            self.finished,
            self.replied,
            self.closed,
            self.late,
        ];
        times.into_iter().for_each(|time| cells.put(time.map(Cell::Signed)));
        cells.put(self.outcome.map(|info| Cell::Text(info.name)));
        cells.put(self.status.map(Cell::Unsigned));
        cells.put(self.error.map(|error| fields.name(error).map_or(Cell::Unsigned(error), Cell::Text)));
        cells.put(self.admission.map(|value| worded(ValueMeaning::Admission, value)));
        cells.put(self.work.map(|value| worded(ValueMeaning::Outcome, value)));
        cells.put(self.bytes.map(Cell::Unsigned));
        cells.put(self.reply_bytes.map(Cell::Unsigned));
        let mut carried = [None; 3];
        if let Some(row) = &self.carries {
            fields.carried(row, &mut |name, cell| {
                let column = COLUMNS[COLUMNS.len() - carried.len()..].iter().position(|column| *column == name);
                if let Some(slot) = column.and_then(|column| carried.get_mut(column)) {
                    *slot = Some(cell);
                }
            });
        }
        carried.into_iter().for_each(|cell| cells.put(cell));
        cells.end();
    }
}

/// A value by its word, or as its number where it has none.
fn worded(meaning: ValueMeaning, value: u64) -> Cell<'static> {
    match field(meaning) {
        Some((_, Form::Word(words))) => word(words, value).map_or(Cell::Unsigned(value), Cell::Text),
        _ => Cell::Unsigned(value),
    }
}
