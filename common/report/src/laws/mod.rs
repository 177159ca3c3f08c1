//! The laws that every recording must hold, judged from its frames.
//!
//! Owns what a law is ([`Law`]), what came of it ([`LawReport`]) and the one pass over the frames ([`Laws`]). It reads no
//! counter of the server but those that the recording's End frame carries, and it never corrects or hides what it finds.
//!
//! Two rules keep it honest. What is *there* and wrong is broken at once; what is *missing* is broken only in a recording
//! that came to its end and lost nothing, and undecided otherwise. So no prefix of a lawful recording breaks a law. And
//! nothing rests on the order of frames or of events of one instant, only on their times.

mod attempt;
mod connections;
mod law;
mod links;
mod queue;
mod replies;
mod tally;
mod wanted;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::{Counted, End, EndCount, Payload};
use hopscope_record::kind::{ControlAction, Phase, ValueMeaning};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::plan::{Passage, Plan};
use hopscope_scenario::text;

use self::attempt::{Attempt, Scene};
use self::connections::Connections;
use self::links::Links;
use self::queue::{Bounded, Keys, Log, Queue, Stream};
use self::replies::Replies;
use self::tally::{Book, args};
use self::wanted::Wanted;
use crate::frames::{Batch, FrameReader, ReadError};
use crate::numbered::Numbered;

pub use self::law::{Breach, LAWS, Law, LawReport, MOST_BREACHES};
pub use self::queue::QueueReport;

/// The laws of queues: they say nothing about a scenario without one.
const OF_QUEUES: [Law; 4] = [Law::TakeLowers, Law::Conservation, Law::Order, Law::Little];

/// Judges one recording, frame by frame. Memory grows with what is open: attempts, copies in queues, steps that came before
/// another one; and with attempts that ended without a reply, or were settled before their consumer was done, as such a
/// one may still be heard of.
pub struct Laws {
    reader: FrameReader,
    batch: Batch,
    links: Links,
    attempts: Numbered<Attempt>,
    wanted: Numbered<Wanted>,
    queues: Numbered<Queue>,
    /// The plan's queues, where their broker stamps nothing.
    bounded: Vec<Bounded>,
    /// The plan's streams, there.
    streams: Vec<Stream>,
    /// The groups that read topics.
    logs: Vec<Log>,
    /// The keys of their records, where they are asked for.
    keys: Keys,
    /// Whether the run's parts have ended.
    resting: bool,
    replies: Replies,
    connections: Connections,
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
            batch: Batch::default(),
            links: Links::default(),
            attempts: Numbered::default(),
            wanted: Numbered::default(),
            queues: Numbered::default(),
            bounded: Vec::new(),
            streams: Vec::new(),
            logs: Vec::new(),
            keys: Keys::default(),
            resting: false,
            replies: Replies::default(),
            connections: Connections::default(),
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
        let mut batch = std::mem::take(&mut self.batch);
        let result = batch.of(frame).and_then(|events| self.push_read(frame, events));
        self.batch = batch;
        result
    }

    /// Takes the next frame, whose events somebody has read already: none where it has others.
    ///
    /// # Errors
    /// As [`Laws::push`].
    pub fn push_read(&mut self, frame: &Frame<'_>, events: &[Event]) -> Result<(), ReadError> {
        match self.reader.read(frame)? {
            // Without a plan most is judged alike; links and queues go by number, and nothing is known of acknowledgements.
            Payload::Hello(hello) => {
                self.links = Plan::from_bytes(&hello.plan).as_ref().map(Links::of).unwrap_or_default();
                self.bounded = self.links.bounded().iter().cloned().map(Bounded::new).collect();
                self.streams = self.links.streams().iter().cloned().map(Stream::new).collect();
                self.logs = self.links.logs().iter().cloned().map(Log::new).collect();
                self.keys = Keys::new(self.links.logs().iter().any(|log| log.compacts));
            }
            Payload::Messages(messages) => self.keys.carry(&messages.rows),
            Payload::Events(_) => events.iter().for_each(|event| self.take(event)),
            Payload::Loss(losses) => self.lossy |= !losses.is_empty(),
            Payload::End(end) => {
                self.queues.values_mut().for_each(|queue| queue.finish(&mut self.book));
                self.bounded.iter_mut().for_each(Bounded::finish);
                self.logs.iter_mut().for_each(|log| log.finish(&mut self.book));
                self.end = Some(end);
            }
            Payload::Names(_) | Payload::Clock(_) | Payload::Skipped(_) => {}
        }
        Ok(())
    }

    /// What came of each law so far, in the order of [`LAWS`]; after the last frame, the judgement.
    #[must_use]
    pub fn report(&self) -> Vec<LawReport> {
        let complete = self.complete();
        let mut book = self.book.clone();
        for (message, attempt) in self.attempts.iter() {
            let scene = self.scene(attempt.link(), complete.is_some());
            attempt.judge(MessageId(message), scene, &mut book);
        }
        self.wanted.values().for_each(|wanted| wanted.judge(complete.is_some(), &mut book));
        self.queues.values().for_each(|queue| queue.judge(complete, &mut book));
        self.bounded.iter().for_each(|queue| queue.judge(complete, &mut book));
        self.streams.iter().for_each(|stream| stream.judge(complete, &mut book));
        self.logs.iter().for_each(|log| log.judge(complete, &mut book));
        self.replies.judge(complete.is_some(), &mut book);
        self.judge_open(&mut book);
        self.judge_accepted(&mut book);
        if self.queues.is_empty() && self.links.queues().is_empty() && self.logs.is_empty() {
            // What is handed over without a queue is conserved too.
            let other = OF_QUEUES.into_iter().filter(|law| *law != Law::Conservation || !self.links.oneway());
            other.for_each(|law| book.not_applicable(law, text!("law.not-applicable.no-queue")));
        }
        book.reports()
    }

    /// What came of L2 = L1 - 1 at each queue so far: the plan's in its order, then others that stamp, then the groups that read
    /// topics. Their sum is the report of [`Law::TakeLowers`].
    #[must_use]
    pub fn queues(&self) -> Vec<QueueReport> {
        let complete = self.complete().is_some();
        let of_plan = self.links.queues();
        let planned =
            of_plan.iter().map(|(place, name)| match (self.queues.get(u64::from(place.0)), self.bounded_at(*place)) {
                (Some(queue), _) => queue.report(complete),
                (None, Some(bounded)) => bounded.report(complete),
                (None, None) => {
                    let stream = self.streams.iter().find(|stream| stream.place() == *place);
                    stream.map_or_else(|| QueueReport::silent(*place, name.clone()), Stream::report)
                }
            });
        let others =
            self.queues.iter().filter(|(place, _)| of_plan.iter().all(|(planned, _)| u64::from(planned.0) != *place));
        let stamped = planned.chain(others.map(|(_, queue)| queue.report(complete)));
        stamped.chain(self.logs.iter().map(|log| log.report(complete))).collect()
    }

    /// How the recording ended, if it did and nothing was lost.
    fn complete(&self) -> Option<&End> {
        self.end.as_ref().filter(|_| !self.lossy)
    }

    fn take(&mut self, event: &Event) {
        self.seen += 1;
        let Some(info) = event.kind.info() else { return };
        self.connections.take(event);
        if info.a.meaning == ValueMeaning::Phase {
            self.resting = event.a == Phase::End as u64;
        }
        self.take_bounded(event);
        self.keys.take(event);
        self.logs.iter_mut().for_each(|log| log.take(event, self.resting, &self.keys, &mut self.book));
        // Without an ordinal it is its consumer's word.
        if info.a.meaning == ValueMeaning::Ordinal && event.a != 0 && !event.place.is_none() {
            let links = &self.links;
            let queue = self.queues.get_or_insert_with(u64::from(event.place.0), || {
                Queue::new(event.place, links.queue_name(event.place), links.unordered(event.place))
            });
            queue.take(event, info, &mut self.book);
        }
        if event.message.is_none() {
            return;
        }
        wanted::take(&mut self.wanted, event, info, &mut self.book);
        self.replies.take(event, info, &self.links, &mut self.book);
        if !attempt::concerns(event, info) {
            return;
        }
        let scene = scene(&self.links, &self.queues, &self.connections, event.link, true);
        let attempt = self.attempts.get_or_insert_with(event.message.0, || Attempt::new(event, scene.link));
        attempt.take(event, info, &mut self.book);
        if attempt.is_settled(scene) {
            attempt.judge(event.message, scene, &mut self.book);
            self.attempts.remove(event.message.0);
        }
    }

    /// Takes what tells of a queue whose broker stamps nothing.
    fn take_bounded(&mut self, event: &Event) {
        if self.bounded.is_empty() && self.streams.is_empty() {
            return;
        }
        if event.kind == Kind::CONTROL && event.a == ControlAction::BrokerKilled as u64 {
            // It is told of at each of its queues. A stream has what it had.
            let here = self.bounded.iter_mut().find(|queue| queue.place() == event.place);
            return here.into_iter().for_each(Bounded::restarted);
        }
        let link = self.links.get(event.link);
        let passage = link.map_or(Passage::Deliver, |link| link.passage);
        let reported = [event.place];
        let places = match link {
            _ if event.kind == Kind::DEPTH_REPORTED => &reported[..],
            Some(link) => &link.queues,
            None => return,
        };
        for queue in self.bounded.iter_mut().filter(|queue| places.contains(&queue.place())) {
            queue.take(event, passage, self.resting);
        }
        for stream in self.streams.iter_mut().filter(|stream| places.contains(&stream.place())) {
            stream.take(event, passage, self.resting, &mut self.book);
        }
    }

    fn bounded_at(&self, place: PlaceIndex) -> Option<&Bounded> {
        self.bounded.iter().find(|queue| queue.place() == place)
    }

    fn scene(&self, link: LinkIndex, complete: bool) -> Scene<'_> {
        scene(&self.links, &self.queues, &self.connections, link, complete)
    }

    /// The links and queues that End counts, against what the events leave.
    fn judge_open(&self, book: &mut Book) {
        let mut open: Numbered<(u64, TraceId, MessageId)> = Numbered::default();
        for (message, attempt) in self.attempts.iter().filter(|(_, attempt)| attempt.is_open()) {
            open.get_or_insert_with(u64::from(attempt.link().0), || (0, attempt.trace(), MessageId(message))).0 += 1;
        }
        let Some(end) = self.end.as_ref() else {
            let levels = self.queues.values().map(Queue::left);
            let not_empty: u64 = levels.map(|(ready, unacked)| u64::from(ready != 0) + u64::from(unacked != 0)).sum();
            return book.undecided(Law::OpenAtEnd, open.len() as u64 + not_empty);
        };
        let mut counted = false;
        for row in &end.counts {
            let left = || self.queues.get(u64::from(row.index)).map_or((0, 0), Queue::left);
            let found = match row.counted {
                Counted::OPEN_ATTEMPTS => open.get(u64::from(row.index)).map_or(0, |(count, ..)| i128::from(*count)),
                Counted::READY => i128::from(left().0),
                Counted::UNACKED => i128::from(left().1),
                _ => continue,
            };
            if let (Counted::READY, Some(queue)) = (row.counted, self.bounded_at(PlaceIndex(row.index))) {
                counted |= self.judge_bounded_end(queue, row, end, book);
                continue;
            }
            let lag = self.logs.iter().find_map(|log| log.lag_at(row.index)).filter(|_| row.counted == Counted::READY);
            let Some(found) = lag.map_or(Some(found), |lag| lag.map(i128::from)) else { continue };
            counted = true;
            if found == i128::from(row.count) {
                book.held(Law::OpenAtEnd, 1);
            } else if self.lossy {
                book.undecided(Law::OpenAtEnd, 1);
            } else {
                let example = open.get(u64::from(row.index)).map(|(_, trace, message)| (*trace, *message));
                book.broken(Law::OpenAtEnd, || self.left_over(row, found, end, example));
            }
        }
        if !counted {
            book.not_applicable(Law::OpenAtEnd, text!("law.not-applicable.not-counted"));
        }
    }

    /// What a broker that stamps nothing counted at the end; `false` where nothing can be said of it.
    fn judge_bounded_end(&self, queue: &Bounded, row: &EndCount, end: &End, book: &mut Book) -> bool {
        let Some((least, most)) = queue.ready() else { return false };
        let counted = i64::try_from(row.count).unwrap_or(i64::MAX);
        if (least..=most).contains(&counted) {
            book.held(Law::OpenAtEnd, 1);
        } else if self.lossy {
            book.undecided(Law::OpenAtEnd, 1);
        } else {
            let (found, (trace, message)) = (if counted < least { least } else { most }, queue.example());
            let names = [
                ("queue", self.links.queue_name(PlaceIndex(row.index))),
                ("found", found.to_string()),
                ("counted", row.count.to_string()),
            ];
            let text = text!("law.breach.ready-at-end");
            book.broken(Law::OpenAtEnd, || Breach { trace, message, times: vec![end.time], text, args: args(names) });
        }
        true
    }

    /// A count of End that is not what the events leave; `open`: the first attempt that is open on that link.
    fn left_over(&self, row: &EndCount, found: i128, end: &End, open: Option<(TraceId, MessageId)>) -> Breach {
        let place = PlaceIndex(row.index);
        let queue =
            || (self.links.queue_name(place), self.queues.get(u64::from(place.0)).map(|queue| queue.example(end)));
        let (text, name, (at, example)) = match row.counted {
            Counted::READY => (text!("law.breach.ready-at-end"), "queue", queue()),
            Counted::UNACKED => (text!("law.breach.unacked-at-end"), "queue", queue()),
            _ => (text!("law.breach.open-at-end"), "link", (self.links.name(row.index), open)),
        };
        let (trace, message) = example.unwrap_or((TraceId::NONE, MessageId::NONE));
        let counts = args([(name, at), ("found", found.to_string()), ("counted", row.count.to_string())]);
        Breach { trace, message, times: vec![end.time], text, args: counts }
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
            args: args([("found", self.seen.to_string()), ("accepted", accepted.to_string())]),
        });
    }
}

/// What an attempt on this link is judged with.
fn scene<'a>(
    links: &'a Links,
    queues: &Numbered<Queue>,
    connections: &'a Connections,
    link: LinkIndex,
    complete: bool,
) -> Scene<'a> {
    let link = links.get(link);
    let stamped = link.is_some_and(|link| link.queues.iter().any(|queue| queues.contains(u64::from(queue.0))));
    let unstamped = !links.bounded().is_empty() || !links.streams().is_empty();
    let bounded = unstamped || link.is_some_and(|link| link.reads);
    Scene { link, stamped, bounded, connections, complete }
}

/// Whether a stamp belongs to no link: a message of a program that is no part of the run.
const fn is_outside(link: LinkIndex) -> bool {
    link.is_none()
}
