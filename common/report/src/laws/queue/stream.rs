//! One stream at a broker that stamps nothing. Messages stay there, so L2 = L1 - 1 is said of each reader: the record that it reads is the
//! next one, by its offset, and one that begins again begins where it has read already.
//!
//! Nothing is lost where each message that was confirmed was read by each, or lies behind what it has read, by the length that the
//! broker tells at rest. A broker that was killed has to have what it confirmed, for a stream is written before that.

use hopscope_record::frame::End;
use hopscope_record::kind::DepthReport;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::plan::Passage;
use hopscope_scenario::text;

use super::QueueReport;
use crate::laws::tally::{Book, args};
use crate::laws::{Breach, Law};
use crate::numbered::Numbered;

/// What is to be known of a stream.
#[derive(Clone)]
pub(in crate::laws) struct StreamSite {
    /// Where it stamps.
    pub(in crate::laws) place: PlaceIndex,
    /// What a person calls it.
    pub(in crate::laws) name: String,
    /// Who reads it: the link, and what a person calls who reads over it.
    pub(in crate::laws) readers: Vec<(LinkIndex, String)>,
}

/// A stream, and what the laws made of it so far.
pub(in crate::laws) struct Stream {
    site: StreamSite,
    readers: Vec<Reader>,
    copies: Numbered<Copy>,
    /// How long it is by the last word at rest.
    rest: Option<u64>,
    held: u64,
    broken: u64,
}

/// One that reads it.
#[derive(Default)]
struct Reader {
    due: u64,
    /// One more than the greatest offset that it read.
    furthest: u64,
    /// Whether it has read nothing since it began.
    first: bool,
}

/// A publish of ours.
struct Copy {
    trace: TraceId,
    message: MessageId,
    confirmed: bool,
    /// The readers that have yet to read it.
    unread: Vec<LinkIndex>,
}

impl Stream {
    pub(in crate::laws) fn new(site: StreamSite) -> Self {
        let readers = site.readers.iter().map(|_| Reader { first: true, ..Reader::default() }).collect();
        Self { site, readers, copies: Numbered::default(), rest: None, held: 0, broken: 0 }
    }

    pub(in crate::laws) const fn place(&self) -> PlaceIndex {
        self.site.place
    }

    /// Takes an event of one of its links, or its broker's word; `rest`: no part of the run is connected any more.
    pub(in crate::laws) fn take(&mut self, event: &Event, passage: Passage, rest: bool, book: &mut Book) {
        if event.kind == Kind::DEPTH_REPORTED {
            self.rest = rest.then_some(DepthReport::from_value(event.a).ready.into()).or(self.rest);
        } else if passage == Passage::Publish {
            self.published(event);
        } else if let Some(reader) = self.site.readers.iter().position(|(link, _)| *link == event.link) {
            self.read(reader, event, book);
        }
    }

    fn published(&mut self, event: &Event) {
        let Event { trace, message, .. } = *event;
        match event.kind {
            Kind::PUBLISHED => {
                let unread = self.site.readers.iter().map(|(link, _)| *link).collect();
                self.copies.insert(message.0, Copy { trace, message, confirmed: false, unread });
            }
            Kind::CONFIRMED => {
                if let Some(copy) = self.copies.get_mut(message.0) {
                    copy.confirmed = true;
                }
                self.forget(message);
            }
            Kind::RETURNED | Kind::CONFIRM_REFUSED => drop(self.copies.remove(message.0)),
            _ => {}
        }
    }

    /// One that is confirmed and that all have read needs no row.
    fn forget(&mut self, message: MessageId) {
        if self.copies.get(message.0).is_some_and(|copy| copy.confirmed && copy.unread.is_empty()) {
            self.copies.remove(message.0);
        }
    }

    fn read(&mut self, number: usize, event: &Event, book: &mut Book) {
        let Some(reader) = self.readers.get_mut(number) else { return };
        match event.kind {
            Kind::CONNECTED => reader.first = true,
            Kind::RECEIVED => {
                if let Some(copy) = self.copies.get_mut(event.parent.0) {
                    copy.unread.retain(|link| *link != event.link);
                }
                self.forget(event.parent);
            }
            Kind::FETCHED => {
                let (due, offset) = (reader.due, event.a);
                let fine = offset == due || (reader.first && offset <= reader.furthest);
                reader.first = false;
                reader.due = offset.saturating_add(1);
                reader.furthest = reader.furthest.max(reader.due);
                if fine {
                    self.held += 1;
                    return;
                }
                self.broken += 1;
                let names = [
                    ("queue", self.site.name.clone()),
                    ("reader", self.name(number)),
                    ("offset", offset.to_string()),
                    ("due", due.to_string()),
                ];
                let Event { trace, message, time, .. } = *event;
                let text = text!("law.breach.stream-next");
                book.broken(Law::TakeLowers, || Breach { trace, message, times: vec![time], text, args: args(names) });
            }
            _ => {}
        }
    }

    fn name(&self, reader: usize) -> String {
        self.site.readers.get(reader).map_or_else(String::new, |(_, name)| name.clone())
    }

    /// What came of it.
    pub(in crate::laws) fn report(&self) -> QueueReport {
        QueueReport {
            place: self.site.place,
            name: self.site.name.clone(),
            stamped: false,
            bounded: false,
            log: true,
            held: self.held,
            broken: self.broken,
            undecided: 0,
            removed: 0,
        }
    }

    /// Judges the whole of it; `complete`: nothing more can come and nothing was lost.
    pub(in crate::laws) fn judge(&self, complete: Option<&End>, book: &mut Book) {
        let stays = text!("law.not-applicable.stream");
        book.free(Law::Order, stays);
        book.free(Law::Little, stays);
        book.held(Law::TakeLowers, self.held);
        for number in 0..self.readers.len() {
            self.judge_reader(number, complete, book);
        }
    }

    fn judge_reader(&self, number: usize, complete: Option<&End>, book: &mut Book) {
        let (Some(end), Some(length)) = (complete, self.rest) else { return book.undecided(Law::Conservation, 1) };
        let (Some((link, _)), Some(reader)) = (self.site.readers.get(number), self.readers.get(number)) else {
            return;
        };
        let unread = || self.copies.values().filter(|copy| copy.confirmed && copy.unread.contains(link));
        let left = length.saturating_sub(reader.furthest);
        let Some(copy) = unread().next().filter(|_| unread().count() as u64 > left) else {
            return book.held(Law::Conservation, 1);
        };
        let names = [("queue", self.site.name.clone()), ("reader", self.name(number))];
        let (trace, message, text) = (copy.trace, copy.message, text!("law.breach.stream-unread"));
        book.broken(Law::Conservation, || Breach { trace, message, times: vec![end.time], text, args: args(names) });
    }
}
