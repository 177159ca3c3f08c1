//! The laws that every recording must hold, judged from its frames.
//!
//! Owns what a law is ([`Law`]), what came of it ([`LawReport`]) and the one pass over the frames ([`Laws`]). It reads no
//! counter of the server but those that the recording's End frame carries, and it never corrects or hides what it finds.
//!
//! Two rules keep it honest. What is *there* and wrong is broken at once; what is *missing* is broken only in a recording
//! that came to its end and lost nothing, and undecided otherwise. So no prefix of a lawful recording breaks a law. And
//! nothing rests on the order of frames or of events of one instant, only on their times.

mod attempt;
mod tally;
mod wanted;

use std::collections::BTreeMap;

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::Frame;
use hopscope_record::frame::{Counted, End, Payload};
use hopscope_record::{Event, LinkIndex, MessageId, TraceId};
use hopscope_scenario::catalogue::{Args, Key};
use hopscope_scenario::plan::Plan;
use hopscope_scenario::text;

use self::attempt::Attempt;
use self::tally::Book;
use self::wanted::Wanted;
use crate::frames::{FrameReader, ReadError};

/// Most breaches of one law that are told one by one; more are counted.
pub const MOST_BREACHES: usize = 20;

/// A law.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Law {
    /// Per attempt one closing event, or open at the end. Counted in attempts.
    Closing,
    /// T1 < T2, and between them Received <= Started <= Finished <= Replied, of those present. Counted in attempts with two
    /// stamps or more.
    ReplyAfterRequest,
    /// Each stamp of an attempt has the one that must go before it, once. Counted in attempts.
    Steps,
    /// Per intended message: sent or not sent. Counted in intended messages.
    Intended,
    /// What the events leave open is what End counts. Counted in links.
    OpenAtEnd,
    /// The events are as many as End counts. Counted in events.
    Accepted,
}

/// Every law, in the order of reports.
pub const LAWS: &[Law] =
    &[Law::ReplyAfterRequest, Law::Closing, Law::Steps, Law::Intended, Law::OpenAtEnd, Law::Accepted];

impl Law {
    /// Its name in documents and in the catalogue's keys.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Closing => "closing",
            Self::ReplyAfterRequest => "reply-after-request",
            Self::Steps => "steps",
            Self::Intended => "intended",
            Self::OpenAtEnd => "open-at-end",
            Self::Accepted => "accepted",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(self) -> Key {
        match self {
            Self::Closing => text!("law.closing.name"),
            Self::ReplyAfterRequest => text!("law.reply-after-request.name"),
            Self::Steps => text!("law.steps.name"),
            Self::Intended => text!("law.intended.name"),
            Self::OpenAtEnd => text!("law.open-at-end.name"),
            Self::Accepted => text!("law.accepted.name"),
        }
    }

    /// What it says.
    #[must_use]
    pub fn statement(self) -> Key {
        match self {
            Self::Closing => text!("law.closing.statement"),
            Self::ReplyAfterRequest => text!("law.reply-after-request.statement"),
            Self::Steps => text!("law.steps.statement"),
            Self::Intended => text!("law.intended.statement"),
            Self::OpenAtEnd => text!("law.open-at-end.statement"),
            Self::Accepted => text!("law.accepted.statement"),
        }
    }
}

/// What came of a law. Its denominator is [`LawReport::checked`]; what it counts in, the law's own text says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LawReport {
    /// Which law.
    pub law: Law,
    /// How many hold it.
    pub held: u64,
    /// How many break it.
    pub broken: u64,
    /// How many cannot be judged, because the recording was cut, lost events, or is not complete yet.
    pub undecided: u64,
    /// The first [`MOST_BREACHES`] of the broken ones.
    pub breaches: Vec<Breach>,
    /// Why the law says nothing about this recording, if so; all counts are then 0.
    pub not_applicable: Option<Key>,
}

impl LawReport {
    /// How many were judged: those that hold the law and those that break it.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.held + self.broken
    }
}

/// One breach of a law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Where to look; [`TraceId::NONE`] where no one trace is at fault.
    pub trace: TraceId,
    /// The message with its attempt, or [`MessageId::NONE`].
    pub message: MessageId,
    /// The times of the events that it is about, ns on the run's clock.
    pub times: Vec<i64>,
    /// How it was broken.
    pub text: Key,
    /// What the text names.
    pub args: Args,
}

/// Judges one recording, frame by frame. Memory grows with the attempts that are open, or that ended without a reply:
/// such a one may still see a late reply.
pub struct Laws {
    reader: FrameReader,
    decoder: EventDecoder,
    events: Vec<Event>,
    links: Vec<String>,
    attempts: BTreeMap<MessageId, Attempt>,
    wanted: BTreeMap<u64, Wanted>,
    book: Book,
    seen: u64,
    lossy: bool,
    end: Option<End>,
}

impl Default for Laws {
    fn default() -> Self {
        Self::new()
    }
}

impl Laws {
    /// A judge of a recording from its first frame on.
    #[must_use]
    pub fn new() -> Self {
        Self {
            reader: FrameReader::default(),
            decoder: EventDecoder::new(),
            events: Vec::new(),
            links: Vec::new(),
            attempts: BTreeMap::new(),
            wanted: BTreeMap::new(),
            book: Book::default(),
            seen: 0,
            lossy: false,
            end: None,
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`ReadError`]: the frame cannot be read, or is not the next one.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), ReadError> {
        match self.reader.read(frame)? {
            // Without a plan the laws are the same; only links go by number.
            Payload::Hello(hello) => {
                self.links = Plan::from_bytes(&hello.plan).as_ref().map(link_names).unwrap_or_default()
            }
            Payload::Events(payload) => {
                let mut events = std::mem::take(&mut self.events);
                let number = frame.header.number;
                let decoded = self.decoder.decode(payload.batch, &mut events);
                decoded.map_err(|error| ReadError::Events { number, error })?;
                events.iter().for_each(|event| self.take(event));
                self.events = events;
            }
            Payload::Loss(losses) => self.lossy |= !losses.is_empty(),
            Payload::End(end) => self.end = Some(end),
            Payload::Names(_) | Payload::Skipped(_) => {}
        }
        Ok(())
    }

    /// What came of each law so far, in the order of [`LAWS`]; after the last frame, the judgement.
    #[must_use]
    pub fn report(&self) -> Vec<LawReport> {
        let complete = self.end.is_some() && !self.lossy;
        let mut book = self.book.clone();
        for (message, attempt) in &self.attempts {
            attempt.judge(*message, complete, &mut book);
        }
        for wanted in self.wanted.values() {
            wanted.judge(complete, &mut book);
        }
        self.judge_open(complete, &mut book);
        self.judge_accepted(&mut book);
        book.reports()
    }

    fn take(&mut self, event: &Event) {
        self.seen += 1;
        let Some(info) = event.kind.info() else { return };
        if event.message.is_none() {
            return;
        }
        wanted::take(&mut self.wanted, event, info, &mut self.book);
        if !attempt::concerns(info) {
            return;
        }
        let attempt = self.attempts.entry(event.message).or_insert_with(|| Attempt::new(event));
        attempt.take(event, info, &mut self.book);
        if attempt.is_settled() {
            attempt.judge(event.message, true, &mut self.book);
            self.attempts.remove(&event.message);
        }
    }

    /// The links that End counts, against the attempts that are open.
    fn judge_open(&self, complete: bool, book: &mut Book) {
        let mut open: BTreeMap<u32, (u64, MessageId, &Attempt)> = BTreeMap::new();
        for (message, attempt) in self.attempts.iter().filter(|(_, attempt)| attempt.is_open()) {
            open.entry(u32::from(attempt.link().0)).or_insert((0, *message, attempt)).0 += 1;
        }
        let Some(end) = self.end.as_ref() else {
            return book.undecided(Law::OpenAtEnd, open.len() as u64);
        };
        let mut counts = end.counts.iter().filter(|row| row.counted == Counted::OPEN_ATTEMPTS).peekable();
        if counts.peek().is_none() {
            return book.not_applicable(Law::OpenAtEnd, text!("law.not-applicable.not-counted"));
        }
        for row in counts {
            let found = open.get(&row.index).map_or(0, |(count, ..)| *count);
            if found == row.count {
                book.held(Law::OpenAtEnd, 1);
            } else if !complete {
                book.undecided(Law::OpenAtEnd, 1);
            } else {
                let example = open.get(&row.index);
                book.broken(Law::OpenAtEnd, || Breach {
                    trace: example.map_or(TraceId::NONE, |(.., attempt)| attempt.trace()),
                    message: example.map_or(MessageId::NONE, |(_, message, _)| *message),
                    times: vec![end.time],
                    text: text!("law.breach.open-at-end"),
                    args: tally::args([
                        ("link", self.link_name(row.index)),
                        ("found", found.to_string()),
                        ("counted", row.count.to_string()),
                    ]),
                });
            }
        }
    }

    fn judge_accepted(&self, book: &mut Book) {
        let Some(end) = self.end.as_ref() else {
            return book.undecided(Law::Accepted, self.seen);
        };
        let mut counts = end.counts.iter().filter(|row| row.counted == Counted::EVENTS).peekable();
        if counts.peek().is_none() {
            return book.not_applicable(Law::Accepted, text!("law.not-applicable.not-counted"));
        }
        let accepted = counts.fold(0_u64, |sum, row| sum.saturating_add(row.count));
        book.held(Law::Accepted, accepted.min(self.seen));
        book.broken_by(Law::Accepted, accepted.abs_diff(self.seen), || Breach {
            trace: TraceId::NONE,
            message: MessageId::NONE,
            times: vec![end.time],
            text: text!("law.breach.accepted"),
            args: tally::args([("found", self.seen.to_string()), ("accepted", accepted.to_string())]),
        });
    }

    fn link_name(&self, link: u32) -> String {
        self.links.get(link as usize).cloned().unwrap_or_else(|| link.to_string())
    }
}

/// What a person knows each link by: the nodes at its ends.
fn link_names(plan: &Plan) -> Vec<String> {
    let node = |number: u32| plan.nodes.get(number as usize).map_or("", |node| &node.name);
    plan.links.iter().map(|link| format!("{} → {}", node(link.from), node(link.to))).collect()
}

/// Whether a stamp belongs to no link: a request of a program that is no part of the run.
const fn is_outside(link: LinkIndex) -> bool {
    link.is_none()
}
