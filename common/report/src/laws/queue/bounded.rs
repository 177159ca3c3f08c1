//! One queue at a broker that stamps nothing: its length can only lie between two ends, which what its publishers and
//! consumers stamp gives; and its broker's own word, whenever it was asked, has to.
//!
//! A publish is stamped before it is sent and its confirm after it was read, a delivery after it was read and its settling
//! before it is sent. So with E copies put and N of them out, of which the last few are on their way to a consumer:
//! confirmed or received <= E <= published, and received - given back <= N <= settled + prefetch.
//! At rest nothing is on its way, and what is left is taken out one by one: L2 = L1 - 1 for each.

use std::collections::BTreeMap;

use hopscope_record::frame::End;
use hopscope_record::kind::{Admission, DepthReport, DisconnectReason};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::Passage;
use hopscope_scenario::text;

use super::QueueReport;
use crate::laws::links::Site;
use crate::laws::tally::{Book, args};
use crate::laws::{Breach, Law, MOST_BREACHES};

/// A queue, and what the laws made of its broker's word so far.
pub(in crate::laws) struct Bounded {
    site: Site,
    /// What was published to it; the row of one that is confirmed and settled is another's later.
    rows: Vec<Copy>,
    unused: Vec<i64>,
    /// The row of each publish, and of each delivery that was not settled.
    found: BTreeMap<MessageId, i64>,
    ends: Ends,
    /// How the ends changed since the last word, each with its time; the first stands for all that was before.
    window: Vec<(i64, (i64, i64))>,
    /// A word that more events of its time may follow.
    word: Option<Word>,
    /// What is left after the last copy that was taken out at rest.
    left: Option<i64>,
    /// Why nothing can be said of it.
    free: Option<Key>,
    held: u64,
    /// Words that contradict what is known.
    broken: Breaches,
    /// Those of more than there may be: another program may have put it there, which is known when it comes out.
    doubtful: Breaches,
}

/// Some of those that were counted.
#[derive(Default)]
struct Breaches {
    count: u64,
    first: Vec<Breach>,
}

impl Breaches {
    fn add(&mut self, breach: impl FnOnce() -> Breach) {
        self.count += 1;
        if self.first.len() < MOST_BREACHES {
            self.first.push(breach());
        }
    }

    fn tell(&self, book: &mut Book) {
        self.first.iter().for_each(|breach| book.broken(Law::TakeLowers, || breach.clone()));
        book.more_broken(Law::TakeLowers, self.count - self.first.len() as u64);
    }
}

/// A publish of ours.
#[derive(Clone, Copy)]
struct Copy {
    trace: TraceId,
    message: MessageId,
    confirmed: bool,
    /// It came back or was refused: there is no copy.
    gone: bool,
    received: bool,
    /// It is with a consumer.
    out: bool,
    settled: bool,
}

/// What was counted.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// Publishes that may have been put.
    published: i64,
    /// Such that surely were.
    known: i64,
    /// Deliveries that were not given back.
    received: i64,
    /// Deliveries that were settled for good.
    settled: i64,
}

/// What the broker said.
#[derive(Clone, Copy)]
struct Word {
    from: i64,
    to: i64,
    ready: i64,
    rest: bool,
}

/// What came of a word.
#[derive(Clone, Copy)]
enum Judged {
    Held,
    /// It is less than there has to be, or not what it was before less one.
    Broken,
    /// It is more than there may be.
    Beyond,
}

impl Bounded {
    pub(in crate::laws) fn new(site: Site) -> Self {
        Self {
            free: site.free,
            site,
            rows: Vec::new(),
            unused: Vec::new(),
            found: BTreeMap::new(),
            ends: Ends::default(),
            window: vec![(i64::MIN, (0, 0))],
            word: None,
            left: None,
            held: 0,
            broken: Breaches::default(),
            doubtful: Breaches::default(),
        }
    }

    /// Where its broker's word is stamped.
    pub(in crate::laws) const fn place(&self) -> PlaceIndex {
        self.site.place
    }

    /// Takes an event of one of its links, or its broker's word; `rest`: no part of the run is connected any more.
    pub(in crate::laws) fn take(&mut self, event: &Event, passage: Passage, rest: bool) {
        if self.word.is_some_and(|word| event.time > word.to) {
            self.judge_word();
        }
        match event.kind {
            Kind::DEPTH_REPORTED if event.parent.is_none() => self.hear(event, rest),
            Kind::DEPTH_REPORTED => self.drained(event),
            Kind::DISCONNECTED if event.a == DisconnectReason::Broken as u64 => {
                self.frees(text!("law.not-applicable.connection-broke"));
            }
            _ if passage == Passage::Publish => self.published(event),
            _ => self.delivered(event),
        }
        if event.kind != Kind::DEPTH_REPORTED {
            let ends = self.between(false);
            if self.window.last().is_none_or(|(_, last)| *last != ends) {
                self.window.push((event.time, ends));
            }
        }
    }

    /// Its broker was killed, and may come back as one that has forgotten what it had.
    pub(in crate::laws) fn restarted(&mut self) {
        self.frees(text!("law.not-applicable.broker-restarted"));
    }

    /// Nothing more comes.
    pub(in crate::laws) fn finish(&mut self) {
        self.judge_word();
    }

    /// What came of it; `complete`: nothing more can come.
    pub(in crate::laws) fn report(&self, complete: bool) -> QueueReport {
        let (broken, doubtful, pending) = (self.broken.count, self.doubtful.count, u64::from(self.word.is_some()));
        let (held, broken, undecided) = match self.free {
            Some(_) => (0, 0, 0),
            None if complete => (self.held, broken + doubtful, pending),
            None => (self.held, broken, pending + doubtful),
        };
        let (place, name) = (self.site.place, self.site.name.clone());
        QueueReport { place, name, stamped: false, bounded: true, log: false, held, broken, undecided, removed: 0 }
    }

    /// Judges the whole of it; `complete`: nothing more can come and nothing was lost.
    pub(in crate::laws) fn judge(&self, complete: Option<&End>, book: &mut Book) {
        let not_stamped = text!("law.not-applicable.not-stamped");
        book.free(Law::Order, not_stamped);
        book.free(Law::Little, not_stamped);
        if let Some(reason) = self.free {
            book.free(Law::TakeLowers, reason);
            return book.free(Law::Conservation, reason);
        }
        let report = self.report(complete.is_some());
        book.held(Law::TakeLowers, report.held);
        book.undecided(Law::TakeLowers, report.undecided);
        self.broken.tell(book);
        let Some(end) = complete else { return book.undecided(Law::Conservation, 1) };
        self.doubtful.tell(book);
        // A copy that nobody had to acknowledge may have been on its way when its taker went.
        let lost = |copy: &&Copy| copy.confirmed && !copy.gone && !copy.settled && !self.site.automatic;
        match self.rows.iter().find(lost) {
            None => book.held(Law::Conservation, 1),
            // What was left was not all taken out: it may be there.
            Some(_) if self.left != Some(0) => book.undecided(Law::Conservation, 1),
            Some(copy) => book.broken(Law::Conservation, || Breach {
                trace: copy.trace,
                message: copy.message,
                times: vec![end.time],
                text: text!("law.breach.confirmed-lost"),
                args: args([("queue", self.site.name.clone())]),
            }),
        }
    }

    /// How many copies the events leave ready, from and to; `None` where nothing can be said.
    pub(in crate::laws) fn ready(&self) -> Option<(i64, i64)> {
        self.free.is_none().then(|| self.between(true))
    }

    /// An example of a copy that is left.
    pub(in crate::laws) fn example(&self) -> (TraceId, MessageId) {
        let left = self.rows.iter().find(|copy| !copy.gone && !copy.settled);
        left.map_or((TraceId::NONE, MessageId::NONE), |copy| (copy.trace, copy.message))
    }

    fn frees(&mut self, reason: Key) {
        self.free.get_or_insert(reason);
    }

    /// The two ends of its length now.
    fn between(&self, rest: bool) -> (i64, i64) {
        let Ends { published, known, received, settled } = self.ends;
        let on_the_way = if rest { 0 } else { self.site.prefetch };
        let least = if self.site.automatic { 0 } else { (known - settled - on_the_way).max(0) };
        (least, published - received)
    }

    /// The copy of a publish, or that a delivery has.
    fn copy(&mut self, message: MessageId) -> Option<&mut Copy> {
        let row = usize::try_from(*self.found.get(&message)?).ok()?;
        self.rows.get_mut(row)
    }

    fn published(&mut self, event: &Event) {
        if event.kind == Kind::PUBLISHED {
            return self.publish(event);
        }
        let (refused, confirmed) =
            (matches!(event.kind, Kind::RETURNED | Kind::CONFIRM_REFUSED), event.kind == Kind::CONFIRMED);
        let Some(copy) = self.copy(event.message).filter(|copy| !copy.confirmed) else { return };
        if refused && !copy.gone {
            copy.gone = true;
            self.ends.published -= 1;
        } else if confirmed {
            copy.confirmed = true;
            let new = !copy.gone && !copy.received;
            self.ends.known += i64::from(new);
            self.forget(event.message);
        }
    }

    fn publish(&mut self, event: &Event) {
        let Event { trace, message, .. } = *event;
        let new = Copy { trace, message, confirmed: false, gone: false, received: false, out: false, settled: false };
        if self.found.contains_key(&message) {
            return;
        }
        let row = self.unused.pop().unwrap_or(self.rows.len() as i64);
        match usize::try_from(row).ok().and_then(|row| self.rows.get_mut(row)) {
            Some(unused) => *unused = new,
            None => self.rows.push(new),
        }
        self.found.insert(message, row);
        self.ends.published += 1;
    }

    fn delivered(&mut self, event: &Event) {
        match event.kind {
            Kind::RECEIVED => {
                let row = self.found.get(&event.parent).copied();
                // One that is out cannot come again: what comes is a child of it, which another program has put.
                let there = |copy: &&mut Copy| !copy.gone && !copy.out && !copy.settled;
                let Some(copy) = self.copy(event.parent).filter(there) else {
                    return self.frees(text!("law.not-applicable.outside"));
                };
                let (taken, new) = (event.a == Admission::Taken as u64, !copy.confirmed && !copy.received);
                copy.received = true;
                copy.out = true;
                copy.settled |= taken;
                self.ends.known += i64::from(new);
                self.ends.received += 1;
                self.ends.settled += i64::from(taken);
                if taken {
                    self.forget(event.parent);
                } else if let Some(row) = row {
                    self.found.insert(event.message, row);
                }
            }
            Kind::ACKED | Kind::NACKED | Kind::REQUEUED => {
                let Some(copy) = self.copy(event.message) else { return };
                let (publish, settled) = (copy.message, event.kind != Kind::REQUEUED);
                copy.settled |= settled;
                copy.out = false;
                self.found.remove(&event.message);
                if settled {
                    self.ends.settled += 1;
                    self.forget(publish);
                } else {
                    self.ends.received -= 1;
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self, publish: MessageId) {
        if self.copy(publish).is_some_and(|copy| copy.confirmed && copy.settled) {
            self.unused.extend(self.found.remove(&publish));
        }
    }

    /// Hears the broker's word.
    fn hear(&mut self, event: &Event, rest: bool) {
        self.judge_word();
        let report = DepthReport::from_value(event.a);
        if report.consumers > self.site.consumers {
            self.frees(text!("law.not-applicable.outside"));
        }
        let from = event.time.saturating_sub_unsigned(event.b);
        self.word = Some(Word { from, to: event.time, ready: report.ready.into(), rest });
    }

    fn judge_word(&mut self) {
        let Some(Word { from, to, ready, rest }) = self.word.take() else { return };
        let (mut least, mut most) = if rest { self.between(true) } else { (i64::MAX, i64::MIN) };
        if rest {
            self.left = Some(ready);
        } else {
            // The ends when it was asked, and each that came until the answer was there.
            let count = |time: i64, or_at: bool| {
                self.window.iter().filter(|(other, _)| *other < time || (or_at && *other == time)).count()
            };
            let (first, end) = (count(from, false).saturating_sub(1), count(to, true));
            for (_, (low, high)) in self.window.get(first..end).unwrap_or_default() {
                (least, most) = (least.min(*low), most.max(*high));
            }
            self.window = self.window.split_off(end.saturating_sub(1));
        }
        let lengths = [("ready", ready), ("least", least), ("most", most), ("from_ns", from), ("to_ns", to)];
        let text = if rest { text!("law.breach.at-rest") } else { text!("law.breach.bounds") };
        let judged = if ready > most {
            Judged::Beyond
        } else if ready < least {
            Judged::Broken
        } else {
            Judged::Held
        };
        self.count(judged, to, self.example(), text, &lengths);
    }

    /// A copy was taken out at rest.
    fn drained(&mut self, event: &Event) {
        self.judge_word();
        let Some(copy) = self.copy(event.parent) else {
            return self.frees(text!("law.not-applicable.outside"));
        };
        copy.settled = true;
        let ready = i64::from(DepthReport::from_value(event.a).ready);
        let due = self.left.map_or(ready, |left| left - 1);
        self.left = Some(ready);
        let lengths = [("ready", ready), ("due", due)];
        let where_ = (event.trace, event.parent);
        let judged = if ready == due { Judged::Held } else { Judged::Broken };
        self.count(judged, event.time, where_, text!("law.breach.drain"), &lengths);
    }

    fn count(
        &mut self,
        judged: Judged,
        time: i64,
        (trace, message): (TraceId, MessageId),
        text: Key,
        lengths: &[(&str, i64)],
    ) {
        let Self { site, held, broken, doubtful, .. } = self;
        let breaches = match judged {
            Judged::Held => return *held += 1,
            Judged::Broken => broken,
            Judged::Beyond => doubtful,
        };
        breaches.add(|| {
            let mut named = args([("queue", site.name.clone())]);
            named.extend(lengths.iter().map(|(name, length)| ((*name).to_owned(), length.to_string().as_str().into())));
            Breach { trace, message, times: vec![time], text, args: named }
        });
    }
}
