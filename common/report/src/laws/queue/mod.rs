//! One queue that stamps its own steps, followed step by step in the order of their ordinals.
//!
//! A step that comes before the one due is kept until that has come, so nothing rests on the order of events. What stays
//! away is a gap: wrong in a recording that came to its end and lost nothing, undecided in any other.

mod bounded;
mod copies;
mod depth;
mod gone;
mod log;
mod offsets;
mod stream;
mod transactions;

use hopscope_record::frame::{Counted, End};
use hopscope_record::{Event, KindInfo, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;

pub(super) use self::bounded::Bounded;
use self::copies::Copies;
use self::depth::Depth;
pub(super) use self::gone::Keys;
pub(super) use self::log::Log;
pub(super) use self::stream::{Stream, StreamSite};
use super::tally::{Book, args};
use super::{Breach, Law, MOST_BREACHES};
use crate::numbered::Numbered;

/// Most steps that are kept for one that is due; after these it counts as missing. As many as a frame has events.
const MOST_EARLY: usize = 65_536;

/// A queue, and what the laws made of its steps so far.
pub(super) struct Queue {
    place: PlaceIndex,
    name: String,
    /// The ordinal that is due.
    due: u64,
    /// Steps that came before the one that is due.
    early: Numbered<Event>,
    /// Ordinals that were passed over, first and last.
    gaps: Vec<(u64, u64)>,
    /// The first steps after a gap, and how many there are in all.
    after_gaps: Vec<Suspect>,
    gapped: u64,
    suspects: Suspects,
    depth: Depth,
    copies: Copies,
    /// Changes of the two levels, summed over all events whatever their ordinal.
    ready: i64,
    unacked: i64,
}

/// A step that looks wrong: where to look when a count does not come out.
#[derive(Clone, Copy)]
struct Suspect {
    ordinal: u64,
    time: i64,
    trace: TraceId,
    message: MessageId,
}

impl Suspect {
    const fn of(event: &Event) -> Self {
        Self { ordinal: event.a, time: event.time, trace: event.trace, message: event.message }
    }
}

/// The first steps that look wrong.
#[derive(Default)]
struct Suspects(Vec<Suspect>);

impl Suspects {
    fn add(&mut self, event: &Event) {
        if self.0.len() < MOST_BREACHES {
            self.0.push(Suspect::of(event));
        }
    }

    /// The first one after an ordinal.
    fn after(&self, ordinal: u64) -> Option<Suspect> {
        self.0.iter().find(|suspect| suspect.ordinal > ordinal).copied()
    }
}

/// What a step is judged with.
struct Step<'a> {
    event: &'a Event,
    info: &'a KindInfo,
    queue: &'a str,
    /// Whether every step before it is known.
    unbroken: bool,
}

impl Step<'_> {
    fn breach(&self, text: Key, names: &[(&str, String)]) -> Breach {
        let own = [("queue", self.queue.to_owned()), ("ordinal", self.event.a.to_string())];
        let mut args = args(own);
        args.extend(names.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
        Breach { trace: self.event.trace, message: self.event.message, times: vec![self.event.time], text, args }
    }
}

/// What came of the steps of one queue: L2 = L1 - 1, queue by queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueReport {
    /// The queue's place.
    pub place: PlaceIndex,
    /// What a person calls it.
    pub name: String,
    /// Whether it stamps its own steps, under its own lock: whether any was seen.
    pub stamped: bool,
    /// Whether its broker's own word was held against what its publishers and consumers stamp; each word, and each copy
    /// that was taken out at the end, is then a step.
    pub bounded: bool,
    /// Whether it is a group that reads a topic: each record that it takes, each commit and each word of its broker is then a
    /// step.
    pub log: bool,
    /// Steps that hold the law.
    pub held: u64,
    /// Steps that break it.
    pub broken: u64,
    /// Steps that cannot be judged, as [`super::LawReport::undecided`].
    pub undecided: u64,
    /// Of a group that reads a topic: records that its broker had removed before the group came to them.
    pub removed: u64,
}

impl QueueReport {
    /// How many steps were judged.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.held + self.broken
    }

    /// Of a queue of the plan that has stamped nothing.
    pub(super) const fn silent(place: PlaceIndex, name: String) -> Self {
        Self { place, name, stamped: false, bounded: false, log: false, held: 0, broken: 0, undecided: 0, removed: 0 }
    }
}

impl Queue {
    /// A queue; `unordered`: why it promises no order.
    pub(super) fn new(place: PlaceIndex, name: String, unordered: Option<Key>) -> Self {
        Self {
            place,
            name,
            due: 1,
            early: Numbered::default(),
            gaps: Vec::new(),
            after_gaps: Vec::new(),
            gapped: 0,
            suspects: Suspects::default(),
            depth: Depth::default(),
            copies: Copies::new(unordered),
            ready: 0,
            unacked: 0,
        }
    }

    /// Copies that the events leave ready, and such that they leave with a consumer.
    pub(super) const fn left(&self) -> (i64, i64) {
        (self.ready, self.unacked)
    }

    /// Takes one of its steps.
    pub(super) fn take(&mut self, event: &Event, info: &KindInfo, book: &mut Book) {
        self.ready += i64::from(info.steps.ready);
        self.unacked += i64::from(info.steps.unacked);
        if event.a == self.due {
            self.follow(event, info, book);
            self.follow_early(book);
        } else if event.a > self.due {
            if self.early.insert(event.a, *event).is_some() {
                self.twice(event, info, book);
            }
            if self.early.len() > MOST_EARLY {
                self.pass_over(book);
            }
        } else if self.gaps.iter().any(|(first, last)| (*first..=*last).contains(&event.a)) {
            self.depth.undecided += 1;
        } else {
            self.twice(event, info, book);
        }
    }

    /// Nothing more comes: what was kept is judged with its gaps.
    pub(super) fn finish(&mut self, book: &mut Book) {
        while !self.early.is_empty() {
            self.pass_over(book);
        }
    }

    /// What came of its steps.
    pub(super) fn report(&self, complete: bool) -> QueueReport {
        let early = self.early.len() as u64;
        let (broken, undecided) = if complete { (self.gapped, early) } else { (0, early + self.gapped) };
        QueueReport {
            place: self.place,
            name: self.name.clone(),
            stamped: true,
            bounded: false,
            log: false,
            held: self.depth.held,
            broken: self.depth.broken + broken,
            undecided: self.depth.undecided + undecided,
            removed: 0,
        }
    }

    /// Judges the whole of it; `complete`: nothing more can come and nothing was lost.
    pub(super) fn judge(&self, complete: Option<&End>, book: &mut Book) {
        let report = self.report(complete.is_some());
        book.held(Law::TakeLowers, report.held);
        book.undecided(Law::TakeLowers, report.undecided);
        self.copies.judge(complete.is_some(), book);
        let Some(end) = complete else {
            book.undecided(Law::Conservation, 1);
            return book.undecided(Law::Little, 1);
        };
        self.judge_gaps(end, book);
        self.judge_conservation(end, book);
        self.judge_little(end, book);
    }

    /// Where to look when its counts do not come out: the first step that looks wrong, else the oldest copy that should
    /// be gone.
    pub(super) fn example(&self, end: &End) -> (TraceId, MessageId) {
        let suspect = self.suspects.after(0).map(|suspect| (suspect.trace, suspect.message));
        suspect.or_else(|| self.left_over(end)).unwrap_or((TraceId::NONE, MessageId::NONE))
    }

    /// A copy that should be gone, by the counts that the queue itself handed in.
    fn left_over(&self, end: &End) -> Option<(TraceId, MessageId)> {
        let row = |counted| end.counts.iter().find(|row| row.counted == counted && row.index == self.place.0);
        let count = |counted| row(counted).map_or(u64::MAX, |row| row.count);
        self.copies.left_over(count(Counted::READY), count(Counted::UNACKED))
    }

    fn follow_early(&mut self, book: &mut Book) {
        while let Some(event) = self.early.remove(self.due) {
            if let Some(info) = event.kind.info() {
                self.follow(&event, info, book);
            }
        }
    }

    /// Goes on at the first step that is there.
    fn pass_over(&mut self, book: &mut Book) {
        let Some(ordinal) = self.early.first() else { return };
        let Some(event) = self.early.remove(ordinal) else { return };
        self.gaps.push((self.due, ordinal - 1));
        self.gapped += 1;
        if self.after_gaps.len() < MOST_BREACHES {
            self.after_gaps.push(Suspect::of(&event));
        }
        self.depth.lose_track();
        self.due = ordinal;
        if let Some(info) = event.kind.info() {
            self.follow(&event, info, book);
        }
        self.follow_early(book);
    }

    /// The step that is due.
    fn follow(&mut self, event: &Event, info: &KindInfo, book: &mut Book) {
        let step = Step { event, info, queue: &self.name, unbroken: self.gaps.is_empty() };
        self.depth.follow(&step, &mut self.suspects, book);
        self.copies.follow(&step, &mut self.suspects, book);
        // A made up recording may have a step of the greatest number.
        self.due = self.due.saturating_add(1);
    }

    fn twice(&mut self, event: &Event, info: &KindInfo, book: &mut Book) {
        self.depth.broken += 1;
        self.suspects.add(event);
        let step = Step { event, info, queue: &self.name, unbroken: false };
        book.broken(Law::TakeLowers, || {
            step.breach(text!("law.breach.ordinal-twice"), &[("event", info.name.to_owned())])
        });
    }

    /// The steps after gaps. Where to look: the first step after the gap that looks wrong, else a copy that should be gone,
    /// else the step itself.
    fn judge_gaps(&self, end: &End, book: &mut Book) {
        for ((first, last), step) in self.gaps.iter().zip(&self.after_gaps) {
            let suspect = self.suspects.after(*last).map(|suspect| (suspect.trace, suspect.message));
            let (trace, message) = suspect.or_else(|| self.left_over(end)).unwrap_or((step.trace, step.message));
            book.broken(Law::TakeLowers, || Breach {
                trace,
                message,
                times: vec![step.time],
                text: text!("law.breach.ordinal-gap"),
                args: args([
                    ("queue", self.name.clone()),
                    ("ordinal", step.ordinal.to_string()),
                    ("missing", first.to_string()),
                ]),
            });
        }
        book.more_broken(Law::TakeLowers, self.gapped - self.after_gaps.len() as u64);
    }

    /// Enqueued + requeued = delivered + expired + dropped + purged + ready at the end.
    fn judge_conservation(&self, end: &End, book: &mut Book) {
        let ready = self.depth.ready();
        if ready == self.ready {
            return book.held(Law::Conservation, 1);
        }
        let args = [("queue", self.name.clone()), ("found", self.ready.to_string()), ("ready", ready.to_string())];
        book.broken(Law::Conservation, || self.breach(end, text!("law.breach.queue-account"), args));
    }

    fn judge_little(&self, end: &End, book: &mut Book) {
        let (integral, waits) = (self.depth.integral(end.time), self.copies.waits(end.time));
        if integral == waits {
            return book.held(Law::Little, 1);
        }
        let args =
            [("queue", self.name.clone()), ("integral_ns", integral.to_string()), ("waits_ns", waits.to_string())];
        book.broken(Law::Little, || self.breach(end, text!("law.breach.little"), args));
    }

    fn breach<const N: usize>(&self, end: &End, text: Key, names: [(&str, String); N]) -> Breach {
        let (trace, message) = self.example(end);
        Breach { trace, message, times: vec![end.time], text, args: args(names) }
    }
}
