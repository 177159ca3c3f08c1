//! The sequence of one trace: lanes of places, arrows of messages, bars of waiting and work, to scale.
//!
//! Everything stands where its stamp says; the page draws it and writes the words. The four steps of the root's call
//! are numbered: 1 request sent (T1), 2 received and worked, 3 reply sent, 4 reply received (T2).

mod caption;

pub use caption::{caption, caption_key};

use hopscope_record::kind::Attempt;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};

use crate::buffer::Ending;

#[cfg(test)]
mod tests;

/// A place's vertical line; the first that does something is the leftmost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lane {
    /// The place.
    pub place: PlaceIndex,
    /// Where it stands.
    pub x: f64,
}

/// One event on its lane.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mark {
    /// Which of the trace's events.
    pub event: usize,
    /// Where.
    pub x: f64,
    /// When.
    pub y: f64,
    /// The step of the root's call that it stands for, 1 to 4.
    pub step: Option<u8>,
}

/// A message on its way between two lanes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Arrow {
    /// The link.
    pub link: LinkIndex,
    /// Whether it is the reply.
    pub reply: bool,
    /// Whether the attempt ended otherwise than by a good reply.
    pub bad: bool,
    /// Its beginning: x, y.
    pub from: (f64, f64),
    /// Its end.
    pub to: (f64, f64),
}

/// A stay at a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// The lane's x.
    pub x: f64,
    /// From when.
    pub top: f64,
    /// To when.
    pub bottom: f64,
    /// Whether a worker had the message; else it waited for one.
    pub work: bool,
    /// How long, in ns.
    pub ns: i64,
}

/// The drawing of one trace.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sequence {
    /// The lanes, from left to right.
    pub lanes: Vec<Lane>,
    /// Every event, in the order of time.
    pub marks: Vec<Mark>,
    /// Requests and replies.
    pub arrows: Vec<Arrow>,
    /// Waiting and work.
    pub bars: Vec<Bar>,
    /// Time of the first event, ns on the run's clock.
    pub from: i64,
    /// Time of the last one.
    pub to: i64,
}

/// The space that a drawing may take.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Frame {
    /// x of the leftmost lane.
    pub left: f64,
    /// x of the rightmost lane.
    pub right: f64,
    /// y of the first event.
    pub top: f64,
    /// y of the last event.
    pub bottom: f64,
}

impl Sequence {
    /// Draws a trace's events (sorted by time) into a frame.
    #[must_use]
    pub fn new(events: &[Event], frame: Frame) -> Self {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Self::default() };
        let mut drawing = Self { from: first.time, to: last.time, ..Self::default() };
        drawing.lanes = lanes(events, frame);
        let scale = Scale { frame, from: first.time, length: (last.time - first.time).max(1) };
        let root = events.iter().find(|event| event.parent.is_none()).map(|event| event.message);
        for (index, event) in events.iter().enumerate() {
            let x = drawing.lane(event.place).unwrap_or(frame.left);
            let step = root.filter(|root| same(event.message, *root)).and_then(|_| step(event));
            drawing.marks.push(Mark { event: index, x, y: scale.y(event.time), step });
        }
        for message in attempts(events) {
            drawing.add(events, message, scale);
        }
        drawing
    }

    /// The x of a place's lane.
    #[must_use]
    pub fn lane(&self, place: PlaceIndex) -> Option<f64> {
        self.lanes.iter().find(|lane| lane.place == place).map(|lane| lane.x)
    }

    /// Adds one attempt's arrows and bars.
    fn add(&mut self, events: &[Event], message: MessageId, scale: Scale) {
        let find = |kind| events.iter().find(|event| event.message == message && event.kind == kind);
        let closing = events.iter().find(|event| event.message == message && ending(event).is_some());
        let (sent, received, replied) = (find(Kind::SENT), find(Kind::RECEIVED), find(Kind::REPLIED));
        let bad = closing.and_then(ending).is_some_and(Ending::is_bad);
        if let (Some(sent), Some(received)) = (sent, received) {
            self.arrows.extend(self.arrow(sent, received, false, bad, scale));
        }
        // The one that carries the reply closes the attempt, or comes late after the limit.
        let carries = |event: &&Event| event.message == message && event.kind == Kind::COMPLETED;
        let back = events.iter().find(carries).or(closing).filter(|event| event.kind != Kind::TIMED_OUT);
        if let (Some(replied), Some(back)) = (replied, back.filter(|back| back.kind != Kind::CANCELLED)) {
            self.arrows.extend(self.arrow(replied, back, true, bad, scale));
        }
        let (started, finished) = (find(Kind::STARTED), find(Kind::FINISHED));
        if let (Some(received), Some(started)) = (received, started) {
            self.bars.extend(self.bar(received, started, false, scale));
        }
        if let (Some(started), Some(finished)) = (started, finished) {
            self.bars.extend(self.bar(started, finished, true, scale));
        }
    }

    fn arrow(&self, from: &Event, to: &Event, reply: bool, bad: bool, scale: Scale) -> Option<Arrow> {
        let end = |event: &Event| Some((self.lane(event.place)?, scale.y(event.time)));
        Some(Arrow { link: from.link, reply, bad: bad && reply, from: end(from)?, to: end(to)? })
    }

    fn bar(&self, from: &Event, to: &Event, work: bool, scale: Scale) -> Option<Bar> {
        let (top, bottom, ns) = (scale.y(from.time), scale.y(to.time), to.time - from.time);
        Some(Bar { x: self.lane(from.place)?, top, bottom, work, ns })
    }
}

#[derive(Clone, Copy)]
struct Scale {
    frame: Frame,
    from: i64,
    length: i64,
}

impl Scale {
    fn y(self, time: i64) -> f64 {
        let part = (time - self.from) as f64 / self.length as f64;
        self.frame.top + part * (self.frame.bottom - self.frame.top)
    }
}

fn lanes(events: &[Event], frame: Frame) -> Vec<Lane> {
    let mut places: Vec<PlaceIndex> = Vec::new();
    for event in events.iter().filter(|event| !event.place.is_none()) {
        if !places.contains(&event.place) {
            places.push(event.place);
        }
    }
    let step = (frame.right - frame.left) / places.len().saturating_sub(1).max(1) as f64;
    let lane = |(index, place): (usize, PlaceIndex)| Lane { place, x: frame.left + step * index as f64 };
    places.into_iter().enumerate().map(lane).collect()
}

/// The attempts, in the order of their opening; those without an opening (from outside) by their first event.
fn attempts(events: &[Event]) -> Vec<MessageId> {
    let mut found: Vec<MessageId> = Vec::new();
    for event in events.iter().filter(|event| !event.message.is_none()) {
        if !found.contains(&event.message) {
            found.push(event.message);
        }
    }
    found
}

fn same(message: MessageId, root: MessageId) -> bool {
    message.message() == root.message()
}

fn ending(event: &Event) -> Option<Ending> {
    event.kind.info().and_then(Ending::of)
}

/// The step of a call that an event stands for.
#[must_use]
pub fn step(event: &Event) -> Option<u8> {
    let info = event.kind.info()?;
    match event.kind {
        _ if info.attempt == Attempt::Opens => Some(1),
        Kind::RECEIVED => Some(2),
        Kind::REPLIED => Some(3),
        Kind::COMPLETED | Kind::REFUSED => Some(4),
        // An error reply came; else nothing was received.
        Kind::FAILED if event.a != 0 => Some(4),
        _ => None,
    }
}
