//! One group that reads a topic, partition by partition: each record it takes is the next one, what it commits it has taken, and
//! its broker's own word of how far it has come agrees with both.
//!
//! Where the broker removes records before the run's end, a group may pass over those that are old enough, or gave way to a newer one
//! of their key ([`super::gone`]).
//!
//! Where records stand in transactions, it passes over those of transactions that were given up, and over an offset for the end of each
//! ([`super::transactions`]).
//!
//! A record is stamped after it was read and a commit when its answer was. So at any instant the group has committed at least
//! what was answered before, and at most what was taken by then; and the log has at least what was confirmed.

use std::ops::Range;

use hopscope_record::frame::End;
use hopscope_record::kind::{ControlAction, LagReport, Position};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;

use super::QueueReport;
use super::gone::{Confirmed, Gone, Keys, Owed, take_within};
use super::offsets::Offsets;
use super::transactions::{Passed, Transactions};
use crate::laws::links::LogSite;
use crate::laws::tally::{Book, args};
use crate::laws::{Breach, Law};
use crate::numbered::Numbered;

/// A group, and what the laws made of what it took so far.
pub(in crate::laws) struct Log {
    site: LogSite,
    parts: Vec<Part>,
    /// Publishes that were confirmed at an offset that another has: the first of them, and how many.
    twice: Option<(TraceId, MessageId, i64)>,
    /// Whether its broker was killed.
    killed: bool,
    /// Whether a publish to its topic ended without a word of its broker: the record may be there.
    unknown: bool,
    /// When each publish that is not confirmed was made, where records may be removed for their age.
    published: Numbered<i64>,
    /// What stands in transactions, where something may.
    transactions: Transactions,
    held: u64,
    broken: u64,
}

/// A partition.
#[derive(Default)]
struct Part {
    /// The member that has it, and whether it has taken nothing yet.
    member: Option<(u64, bool)>,
    /// The offset of the record that is due.
    due: u64,
    /// One more than the greatest offset that was taken.
    taken: u64,
    /// The answered commits since the last word, each with its time; the first stands for all that were before.
    commits: Vec<(i64, u64)>,
    /// How far the log surely goes, likewise.
    ends: Vec<(i64, u64)>,
    confirmed: Offsets,
    /// Records that were confirmed and not taken, with their publish.
    unread: Numbered<Confirmed>,
    /// Records that were removed before the group came to them.
    gone: Gone,
    /// Records that were taken and not confirmed: the confirm is on its way, or another program's.
    early: Numbered<()>,
    /// A word that more events of its time may follow.
    word: Option<Word>,
    /// The lag by the last word at rest, and what was committed then.
    rest: Option<LagReport>,
}

/// What the broker said.
#[derive(Clone, Copy)]
struct Word {
    from: i64,
    to: i64,
    report: LagReport,
    rest: bool,
}

impl Part {
    /// The group goes on behind these offsets, where records stand in transactions: whether it took, or passed over, before what is
    /// known to be there and was passed by then. The rest is judged when all transactions have ended.
    fn pass(&mut self, transactions: &mut Transactions, partition: usize, offsets: Range<u64>, time: i64) -> bool {
        let again = offsets.start..offsets.end.min(self.taken);
        let fine = self.confirmed.within(again).all(|offset| transactions.has_passed(partition, offset));
        let new = offsets.start.max(self.taken)..offsets.end;
        let records = take_within(&mut self.unread, new.clone());
        transactions.holes(partition, new.end.saturating_sub(new.start) - records.len() as u64);
        for (offset, Confirmed { trace, message, .. }) in records {
            transactions.pass(partition, offset, Passed { trace, message, time }, false);
        }
        fine
    }
}

impl Log {
    pub(in crate::laws) fn new(site: LogSite) -> Self {
        let parts = (0..site.partitions).map(|_| Part::default()).collect();
        Self {
            transactions: Transactions::new(site.partitions),
            site,
            parts,
            twice: None,
            killed: false,
            unknown: false,
            published: Numbered::default(),
            held: 0,
            broken: 0,
        }
    }

    /// Its place in partition 0.
    pub(in crate::laws) const fn place(&self) -> PlaceIndex {
        self.site.first_place
    }

    /// Takes an event, if it tells of the group or of its topic; `rest`: no part of the run is connected any more.
    pub(in crate::laws) fn take(&mut self, event: &Event, rest: bool, keys: &Keys, book: &mut Book) {
        match event.kind {
            Kind::PUBLISHED if self.is_fed_by(event) => {
                if self.site.retention.is_some() {
                    self.published.set(event.message.0, event.time);
                }
                if self.site.transacts(event.place) {
                    self.transactions.published(event.place.0, event.message);
                }
            }
            Kind::TRANSACTION_COMMITTED => self.transaction_ended(event.place, true),
            Kind::TRANSACTION_ABORTED => {
                self.transaction_ended(event.place, false);
                // It takes again what it took.
                let member = self.member(event.place);
                self.parts.iter_mut().filter_map(|part| part.member.as_mut()).for_each(|(has, first)| {
                    *first |= Some(*has) == member;
                });
            }
            Kind::TIMED_OUT | Kind::FAILED | Kind::CANCELLED => self.unknown |= self.is_fed_by(event),
            Kind::CONFIRMED => {
                let position = Position::from_value(event.b).filter(|_| self.is_fed_by(event));
                position.into_iter().for_each(|position| self.confirmed(event, position, keys, book));
            }
            Kind::CONTROL => {
                self.killed |= event.place == self.site.topic && event.a == ControlAction::BrokerKilled as u64;
            }
            Kind::PROCESS_EXITED => {
                // Whether the broker has heard of its end, nobody can know.
                self.transaction_ended(event.place, false);
                let gone = self.member(event.place);
                for part in &mut self.parts {
                    part.member = part.member.filter(|(had, _)| Some(*had) != gone);
                }
            }
            _ => {
                let number = event.place.0.checked_sub(self.site.first_place.0);
                let Some(number) = number.filter(|number| *number < u32::from(self.site.partitions)) else { return };
                self.judge_word(number as usize, Some(event.time), book);
                let Some(part) = self.parts.get_mut(number as usize) else { return };
                match event.kind {
                    Kind::FETCHED => self.fetched(number, event, book),
                    Kind::COMMITTED => self.committed(number, event, book),
                    Kind::REBALANCE_STARTED => part.member = None,
                    Kind::REBALANCE_ENDED => self.assigned(number, event, book),
                    Kind::LAG_REPORTED => {
                        let from = event.time.saturating_sub_unsigned(event.b);
                        part.word = Some(Word { from, to: event.time, report: LagReport::from_value(event.a), rest });
                    }
                    _ => {}
                }
            }
        }
    }

    /// Nothing more comes.
    pub(in crate::laws) fn finish(&mut self, book: &mut Book) {
        (0..self.parts.len()).for_each(|number| self.judge_word(number, None, book));
    }

    /// What came of it; `complete`: nothing more can come and nothing was lost.
    pub(in crate::laws) fn report(&self, complete: bool) -> QueueReport {
        let undecided = self.parts.iter().filter(|part| part.word.is_some()).count() as u64;
        let mut owed = self.owed().count();
        if !self.site.forgets() {
            owed += self.transactions.owed().count();
            // Of records that nobody knows of, nobody can say how many offsets they have.
            owed += if self.is_unsure() { 0 } else { self.transactions.unexplained().count() };
        }
        let owed = owed as u64;
        let (wrong, open) = if complete && !self.is_unsure() { (owed, 0) } else { (0, owed) };
        QueueReport {
            place: self.place(),
            name: self.site.name.clone(),
            stamped: false,
            bounded: false,
            log: true,
            held: self.held,
            broken: self.broken + wrong,
            undecided: undecided + open,
            removed: self.parts.iter().map(|part| part.gone.count()).sum(),
        }
    }

    fn is_fed_by(&self, event: &Event) -> bool {
        self.site.fed_by.contains(&event.link)
    }

    /// The member of the group that a place is.
    fn member(&self, place: PlaceIndex) -> Option<u64> {
        let member = place.0.checked_sub(self.site.reader.start).map(|member| u64::from(member) + 1);
        member.filter(|_| self.site.reader.contains(&place.0))
    }

    /// A place's transaction has ended; `stands`: what it published is to be read.
    fn transaction_ended(&mut self, place: PlaceIndex, stands: bool) {
        if self.site.transacts(place) {
            self.unknown |= !self.transactions.ended(place.0, stands);
        }
    }

    /// What was passed over though nothing newer of its key is known to have come, with its partition.
    fn owed(&self) -> impl Iterator<Item = (usize, &Owed)> {
        self.parts.iter().enumerate().flat_map(|(number, part)| part.gone.owed().iter().map(move |owed| (number, owed)))
    }

    /// Whether records may be there that nobody in the run knows the place of.
    fn is_unsure(&self) -> bool {
        self.killed || self.unknown || self.parts.iter().any(|part| !part.early.is_empty())
    }

    /// The lag at a place by the last word at rest; `None` where there is none, or the place is another's.
    pub(in crate::laws) fn lag_at(&self, place: u32) -> Option<Option<u32>> {
        let number = place.checked_sub(self.site.first_place.0)?;
        let part = self.parts.get(usize::try_from(number).ok()?)?;
        Some(part.rest.map(LagReport::lag))
    }

    /// Judges the whole of it; `complete`: nothing more can come and nothing was lost.
    pub(in crate::laws) fn judge(&self, complete: Option<&End>, book: &mut Book) {
        let topic = text!("law.not-applicable.topic");
        book.free(Law::Order, topic);
        book.free(Law::Little, topic);
        let report = self.report(complete.is_some());
        book.held(Law::TakeLowers, report.held);
        book.undecided(Law::TakeLowers, report.undecided);
        if complete.is_some() && !self.is_unsure() {
            self.owed().for_each(|(number, owed)| self.judge_owed(number, owed, book));
            // What was passed over may have been too old too.
            if !self.site.forgets() {
                self.judge_transactions(book);
            }
        }
        let Some(end) = complete else { return book.undecided(Law::Conservation, 1) };
        if let Some((trace, message, time)) = self.twice {
            let args = args([("group", self.site.name.clone())]);
            let text = text!("law.breach.position-twice");
            return book.broken(Law::Conservation, || Breach { trace, message, times: vec![time], text, args });
        }
        // What was committed at rest was read, each record of it. What was not is there still.
        let mut known = true;
        for (number, part) in self.parts.iter().enumerate() {
            let Some(rest) = part.rest else {
                known = false;
                continue;
            };
            let committed = u64::from(rest.committed);
            let Some((offset, Confirmed { trace, message, .. })) = part
                .unread
                .iter()
                .find(|(_, record)| !self.transactions.is_void(record.message))
                .filter(|(offset, _)| *offset < committed)
            else {
                continue;
            };
            let (trace, message) = (*trace, *message);
            let names =
                [("group", self.site.name.clone()), ("partition", number.to_string()), ("offset", offset.to_string())];
            let text = text!("law.breach.passed-over");
            let times = vec![end.time];
            return book.broken(Law::Conservation, || Breach { trace, message, times, text, args: args(names) });
        }
        if known {
            book.held(Law::Conservation, 1);
        } else if self.killed {
            book.free(Law::Conservation, text!("law.not-applicable.broker-away"));
        } else {
            book.undecided(Law::Conservation, 1);
        }
    }

    /// A record was removed for its key though it was the newest.
    fn judge_owed(&self, number: usize, owed: &Owed, book: &mut Book) {
        let names =
            [("group", self.site.name.clone()), ("partition", number.to_string()), ("offset", owed.offset.to_string())];
        let Confirmed { trace, message, .. } = owed.record;
        let text = text!("law.breach.log-newest");
        book.broken(Law::TakeLowers, || Breach { trace, message, times: vec![owed.time], text, args: args(names) });
    }

    /// Records that were passed over though they are to be read, and offsets that nothing explains.
    fn judge_transactions(&self, book: &mut Book) {
        let group = || ("group", self.site.name.clone());
        let partition = |number: usize| ("partition", number.to_string());
        for (number, offset, Passed { trace, message, time }) in self.transactions.owed() {
            let text = text!("law.breach.log-withdrawn");
            let args = args([group(), partition(number), ("offset", offset.to_string())]);
            book.broken(Law::TakeLowers, || Breach { trace, message, times: vec![time], text, args });
        }
        for (number, holes, ends) in self.transactions.unexplained() {
            let numbers = (("holes", holes.to_string()), ("ends", ends.to_string()));
            let (trace, message, text) = (TraceId::NONE, MessageId::NONE, text!("law.breach.log-holes"));
            let args = args([group(), partition(number), numbers.0, numbers.1]);
            book.broken(Law::TakeLowers, || Breach { trace, message, times: Vec::new(), text, args });
        }
    }

    fn confirmed(&mut self, event: &Event, position: Position, keys: &Keys, book: &mut Book) {
        let Some(part) = self.parts.get_mut(usize::from(position.partition)) else { return };
        if self.site.transacts(event.place) {
            self.transactions.confirmed(event.place.0, event.message, position);
        }
        let (offset, key) = (position.offset, keys.of(event.trace));
        let new = part.confirmed.add(offset);
        if !new {
            self.twice.get_or_insert((event.trace, event.message, event.time));
        }
        let end = part.ends.last().map_or(0, |(_, end)| *end);
        if offset >= end {
            part.ends.push((event.time, offset.saturating_add(1)));
        }
        self.held += part.gone.confirmed(key, offset);
        let published = self.published.remove(event.message.0).unwrap_or(i64::MIN);
        if part.early.remove(offset).is_some() || !new {
            return;
        }
        let record = Confirmed { trace: event.trace, message: event.message, published, key };
        if offset >= part.taken || !(self.site.forgets() || self.site.is_transacted()) {
            part.unread.set(offset, record);
        } else if self.site.is_transacted() {
            let passed = Passed { trace: event.trace, message: event.message, time: event.time };
            self.transactions.pass(position.partition.into(), offset, passed, true);
        } else if !part.gone.pass_one(offset, record, event.time, &self.site) {
            // Its confirm comes after the group has gone on behind it.
            let names = [("offset", part.taken), ("due", offset)];
            self.count(false, position.partition.into(), event, text!("law.breach.log-removed"), &names, book);
        }
    }

    /// The next record that is there; after the partition has changed hands, any from what was committed to what was taken.
    fn fetched(&mut self, number: u32, event: &Event, book: &mut Book) {
        let Some(part) = self.parts.get_mut(number as usize) else { return };
        let committed = part.commits.last().map_or(0, |(_, committed)| *committed);
        let (first, due) = (part.member.is_none_or(|(_, first)| first), part.due);
        let furthest = part.taken.max(committed);
        let next = event.a == due || (first && (committed.min(due)..=furthest).contains(&event.a));
        let from = if first { furthest } else { due };
        let (site, forgets) = (&self.site, self.site.forgets());
        let fine = next
            || (event.a > from
                && if site.is_transacted() {
                    let partition = number as usize;
                    part.pass(&mut self.transactions, partition, from..event.a, event.time)
                } else {
                    forgets && part.gone.pass(&mut part.unread, from..event.a, event.time, site)
                });
        part.due = event.a.saturating_add(1);
        part.taken = part.taken.max(part.due);
        if part.unread.remove(event.a).is_none() && !part.confirmed.has(event.a) {
            part.early.set(event.a, ());
        }
        part.member.iter_mut().for_each(|(_, first)| *first = false);
        let names = [("offset", event.a), ("due", due)];
        let text = if forgets { text!("law.breach.log-removed") } else { text!("law.breach.log-gap") };
        self.count(fine, number, event, text, &names, book);
    }

    /// What is committed was taken, and no commit takes another back.
    fn committed(&mut self, number: u32, event: &Event, book: &mut Book) {
        let Some(part) = self.parts.get_mut(number as usize) else { return };
        let before = part.commits.last().map_or(0, |(_, committed)| *committed);
        let taken = part.taken;
        part.commits.push((event.time, event.a.max(before)));
        let names = [("offset", event.a), ("before", before), ("taken", taken)];
        self.count((before..=taken).contains(&event.a), number, event, text!("law.breach.log-commit"), &names, book);
    }

    /// Two members of a group never have one partition.
    fn assigned(&mut self, number: u32, event: &Event, book: &mut Book) {
        let Some(part) = self.parts.get_mut(number as usize) else { return };
        let before = part.member.replace((event.a, true));
        if let Some((other, _)) = before.filter(|(other, _)| *other != event.a) {
            let names = [("member", event.a), ("other", other)];
            self.count(false, number, event, text!("law.breach.log-members"), &names, book);
        }
    }

    /// Judges the broker's word in a partition, once no more events of its time can come.
    fn judge_word(&mut self, number: usize, now: Option<i64>, book: &mut Book) {
        let Some(part) = self.parts.get_mut(number) else { return };
        let Some(Word { from, to, report, rest }) = part.word.take_if(|word| now.is_none_or(|now| now > word.to))
        else {
            return;
        };
        let (least, end) = (at(&mut part.commits, from), at(&mut part.ends, from));
        let most = part.taken;
        if rest {
            part.rest = Some(report);
        }
        let (committed, log_end) = (u64::from(report.committed), u64::from(report.end));
        let fine = (least..=most).contains(&committed) && log_end >= end && committed <= log_end;
        let event = Event::new(to, Kind::LAG_REPORTED);
        let names = [("committed", committed), ("least", least), ("most", most), ("log_end", log_end), ("known", end)];
        self.count(fine, u32::try_from(number).unwrap_or(0), &event, text!("law.breach.log-lag"), &names, book);
    }

    fn count(
        &mut self,
        held: bool,
        partition: u32,
        event: &Event,
        text: Key,
        numbers: &[(&str, u64)],
        book: &mut Book,
    ) {
        if held {
            self.held += 1;
            return;
        }
        self.broken += 1;
        let mut named = args([("group", self.site.name.clone()), ("partition", partition.to_string())]);
        named.extend(numbers.iter().map(|(name, number)| ((*name).to_owned(), number.to_string().as_str().into())));
        let Event { trace, message, time, .. } = *event;
        book.broken(Law::TakeLowers, || Breach { trace, message, times: vec![time], text, args: named });
    }
}

/// What was so at a time, by values that only grow; what is older than the one that was is let go.
fn at(values: &mut Vec<(i64, u64)>, time: i64) -> u64 {
    let after = values.partition_point(|(then, _)| *then <= time);
    let Some(last) = after.checked_sub(1) else { return 0 };
    values.drain(..last);
    values.first().map_or(0, |(_, value)| *value)
}
