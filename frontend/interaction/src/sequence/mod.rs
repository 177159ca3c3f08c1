//! The sequence of one trace: lanes of places, arrows of messages, bars of waiting and work, to scale.
//!
//! Everything stands where its stamp says; the page draws it and writes the words. The four steps of the root's call
//! are numbered: 1 request sent (T1), 2 received and worked, 3 reply sent, 4 reply received (T2). Of a root that goes
//! through queues they are the queues' own: 1 put (L + 1), 2 taken (L - 1) and worked, 3 result put, 4 result taken. What
//! was tried again has them for each attempt; a late reply is told as that, and is no step.

mod caption;
mod notes;

pub use caption::{caption, caption_key, place_name};
pub use notes::Note;
use notes::{ending, is_reply, note, queue_note, ready_before, same};

use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};

use hopscope_view::buffer::Ending;

#[cfg(test)]
mod tests;

/// Height of a line of words.
const LINE: f64 = 11.0;
/// How many bars stand side by side on a lane, and how far apart.
const SIDE_BY_SIDE: u8 = 4;
const BAR_STEP: f64 = 10.0;
/// From the last bar to the words beside it.
const WORDS: f64 = 9.0;
/// Lanes nearer than this have no room for words between them.
const NEAR: f64 = 170.0;

/// A place's vertical line; the first that does something is the leftmost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lane {
    /// The place.
    pub place: PlaceIndex,
    /// Where it stands.
    pub x: f64,
    /// Where words may begin to the right of it and of its bars.
    pub words_x: f64,
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
    /// What is written beside it, if anything.
    pub note: Option<Note>,
    /// Where that stands; as near as there is room.
    pub note_y: f64,
    /// Which attempt of the root's call it belongs to; 1 for all that belongs to none.
    pub attempt: u8,
}

/// What a message does at a place while it stays there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stay {
    /// It waits for a worker.
    Waits,
    /// A worker has it.
    Works,
    /// It is ready in a queue.
    Queued,
    /// It is with a program that is no part of the run, or on its way there or back: nothing of that is stamped.
    Outside,
}

/// What a drawing has to know of links.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// The link whose replies one carries, if any.
    pub replies_of: &'a dyn Fn(LinkIndex) -> Option<LinkIndex>,
    /// The place that one leads to, where nothing is stamped there.
    pub outside: &'a dyn Fn(LinkIndex) -> Option<PlaceIndex>,
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
    /// Whether it came after the attempt was given up.
    pub late: bool,
    /// Its beginning: x, y.
    pub from: (f64, f64),
    /// Its end.
    pub to: (f64, f64),
}

/// A stay at a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// The lane's x.
    pub lane: f64,
    /// Its own; to the right of the lane where another bar is there already.
    pub x: f64,
    /// From when.
    pub top: f64,
    /// To when.
    pub bottom: f64,
    /// What the message did there.
    pub stay: Stay,
    /// How long, in ns.
    pub ns: i64,
    /// Where its words stand, if there is room for them.
    pub note_y: Option<f64>,
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
    pub fn new(events: &[Event], frame: Frame, ways: Ways<'_>) -> Self {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Self::default() };
        let mut drawing = Self { from: first.time, to: last.time, ..Self::default() };
        drawing.lanes = lanes(events, frame, ways);
        let scale = Scale { frame, from: first.time, length: (last.time - first.time).max(1) };
        let root = events.iter().find(|event| event.parent.is_none() && !event.message.is_none());
        let through_queue = events
            .iter()
            .any(|event| event.kind == Kind::PUBLISHED && root.is_some_and(|root| same(event.message, root.message)));
        for (index, event) in events.iter().enumerate() {
            let x = drawing.lane(event.place).unwrap_or(frame.left);
            let own = root.filter(|root| same(event.message, root.message)).and_then(|_| note(event));
            let own = if own == Some(Note::Step(4)) && through_queue { Some(Note::T2) } else { own };
            let note = own.or_else(|| queue_note(events, event, root, ways.replies_of));
            let y = scale.y(event.time);
            // What arrives is told above its mark, what leaves below, so that the stay between them has its own words.
            let aside = match note {
                Some(Note::Step(2) | Note::Put { .. }) => -3.0,
                // Beside a stay that is as high as its words, clear of the arrow that leaves.
                Some(Note::Taken { waited, .. }) if scale.height(waited) > 2.0 * LINE => -3.0,
                Some(Note::Step(3) | Note::Taken { .. }) => 10.0,
                _ => 3.5,
            };
            let attempt = event.message.attempt().max(1);
            drawing.marks.push(Mark { event: index, x, y, note, note_y: y + aside, attempt });
        }
        for message in attempts(events) {
            drawing.add(events, message, scale, ways);
            drawing.add_queued(events, message, scale, ways.replies_of);
        }
        for lane in &mut drawing.lanes {
            let bars = drawing.bars.iter().filter(|bar| bar.lane == lane.x).map(|bar| bar.x);
            lane.words_x = bars.fold(lane.x, f64::max) + WORDS;
        }
        spread_notes(&mut drawing, frame);
        drawing
    }

    /// The x of a place's lane.
    #[must_use]
    pub fn lane(&self, place: PlaceIndex) -> Option<f64> {
        self.lanes.iter().find(|lane| lane.place == place).map(|lane| lane.x)
    }

    /// Adds one attempt's arrows and bars.
    fn add(&mut self, events: &[Event], message: MessageId, scale: Scale, ways: Ways<'_>) {
        let find = |kind| events.iter().find(|event| event.message == message && event.kind == kind);
        let closing = events.iter().find(|event| event.message == message && ending(event).is_some());
        let (sent, received, replied) = (find(Kind::SENT), find(Kind::RECEIVED), find(Kind::REPLIED));
        let bad = closing.and_then(ending).is_some_and(Ending::is_bad);
        if let (Some(sent), Some(received)) = (sent, received) {
            self.arrows.extend(self.arrow(sent, received, false, bad, scale));
        }
        // The one that carries the reply closes the attempt, or comes late after the limit.
        let carries = |event: &&Event| event.message == message && is_reply(event);
        let back = events.iter().find(carries).or(closing).filter(|event| event.kind != Kind::TIMED_OUT);
        if let (Some(replied), Some(back)) = (replied, back.filter(|back| back.kind != Kind::CANCELLED)) {
            self.arrows.extend(self.arrow(replied, back, true, bad, scale));
        }
        let outside =
            sent.filter(|_| received.is_none()).and_then(|sent| Some((sent, self.lane((ways.outside)(sent.link)?)?)));
        if let Some((sent, lane)) = outside {
            self.add_outside(sent, back, lane, bad, scale);
        }
        let (started, finished) = (find(Kind::STARTED), find(Kind::FINISHED));
        if let (Some(received), Some(started)) = (received, started) {
            self.bars.extend(self.bar(received, started, Stay::Waits, scale));
        }
        if let (Some(started), Some(finished)) = (started, finished) {
            self.bars.extend(self.bar(started, finished, Stay::Works, scale));
        }
    }

    /// Adds what is known of an attempt at a program that stamps nothing: when it was called, and when its reply was there, if one came.
    fn add_outside(&mut self, sent: &Event, back: Option<&Event>, lane: f64, bad: bool, scale: Scale) {
        let Some(own) = self.lane(sent.place) else { return };
        let (top, link) = (scale.y(sent.time), sent.link);
        self.arrows.push(Arrow { link, reply: false, bad: false, late: false, from: (own, top), to: (lane, top) });
        let Some(back) = back.filter(|back| back.kind != Kind::CANCELLED) else { return };
        let (bottom, ns) = (scale.y(back.time), back.time - sent.time);
        let late = back.is_late();
        self.arrows.push(Arrow { link, reply: true, bad, late, from: (lane, bottom), to: (own, bottom) });
        let note_y = (bottom - top > LINE + 2.0).then_some((top + bottom) / 2.0 + 3.5);
        self.bars.push(Bar { lane, x: lane, top, bottom, stay: Stay::Outside, ns, note_y });
    }

    /// Adds the ways of one message to or from a queue, and its stay there.
    fn add_queued(
        &mut self,
        events: &[Event],
        message: MessageId,
        scale: Scale,
        replies_of: &dyn Fn(LinkIndex) -> Option<LinkIndex>,
    ) {
        let find = |kind| events.iter().find(|event| event.message == message && event.kind == kind);
        for (sent, arrived) in [(Kind::PUBLISHED, Kind::ENQUEUED), (Kind::DELIVERED, Kind::RECEIVED)] {
            if let (Some(sent), Some(arrived)) = (find(sent), find(arrived)) {
                self.arrows.extend(self.arrow(sent, arrived, replies_of(sent.link).is_some(), false, scale));
            }
        }
        // Where the broker stamps nothing, only its two ends are seen.
        if let (None, Some(received)) = (find(Kind::DELIVERED), find(Kind::RECEIVED)) {
            let published = |event: &&Event| event.kind == Kind::PUBLISHED && event.message == received.parent;
            if let Some(sent) = events.iter().find(published) {
                self.arrows.extend(self.arrow(sent, received, replies_of(sent.link).is_some(), false, scale));
            }
        }
        if let Some(delivered) = find(Kind::DELIVERED)
            && let Some(ready) = ready_before(events, delivered)
        {
            self.bars.extend(self.bar(ready, delivered, Stay::Queued, scale));
        }
    }

    fn arrow(&self, from: &Event, to: &Event, reply: bool, bad: bool, scale: Scale) -> Option<Arrow> {
        let end = |event: &Event| Some((self.lane(event.place)?, scale.y(event.time)));
        Some(Arrow { link: from.link, reply, bad: bad && reply, late: to.is_late(), from: end(from)?, to: end(to)? })
    }

    fn bar(&self, from: &Event, to: &Event, stay: Stay, scale: Scale) -> Option<Bar> {
        let (top, bottom, ns) = (scale.y(from.time), scale.y(to.time), to.time - from.time);
        let lane = self.lane(from.place)?;
        let taken = |x: f64| self.bars.iter().any(|bar| bar.x == x && bar.top < bottom && top < bar.bottom);
        // What works at once stands side by side, as far as there is room.
        let beside = (0..SIDE_BY_SIDE).map(|place| lane + BAR_STEP * f64::from(place));
        let x = beside.into_iter().find(|x| !taken(*x)).unwrap_or(lane);
        // Words only where the bar is as high as a line; of a stay in a queue its end tells.
        let note_y = (stay != Stay::Queued && bottom - top > LINE + 2.0).then_some((top + bottom) / 2.0 + 3.5);
        Some(Bar { lane, x, top, bottom, stay, ns, note_y })
    }
}

/// Something written on a lane.
#[derive(Clone, Copy)]
enum Written {
    Mark(usize),
    Bar(usize),
}

/// Puts what is written on one lane below each other, each as near to its place as there is room; what finds none is left
/// out, the words of bars first. Lanes that are near to each other share their lines, but for the first: its words stand to
/// its left.
fn spread_notes(drawing: &mut Sequence, frame: Frame) {
    let room = ((frame.bottom - frame.top) / LINE) as usize + 1;
    let all: Vec<f64> = drawing.lanes.iter().map(|lane| lane.x).collect();
    let near = all.windows(2).any(|pair| pair[1] - pair[0] < NEAR) && all.len() > 2;
    let groups: Vec<&[f64]> = if near { vec![&all[..1], &all[1..]] } else { all.chunks(1).collect() };
    for lanes in groups {
        let marks = drawing.marks.iter().enumerate().filter(|(_, mark)| lanes.contains(&mark.x) && mark.note.is_some());
        let bars = drawing.bars.iter().enumerate().filter(|(_, bar)| lanes.contains(&bar.lane) && bar.note_y.is_some());
        let mut notes: Vec<(f64, Written)> = marks.map(|(index, mark)| (mark.note_y, Written::Mark(index))).collect();
        notes.extend(bars.map(|(index, bar)| (bar.note_y.unwrap_or(bar.top), Written::Bar(index))));
        let left_out = notes.split_off(room.min(notes.len()));
        notes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut least = f64::MIN;
        for (y, _) in &mut notes {
            *y = y.max(least);
            least = *y + LINE;
        }
        let mut most = frame.bottom + LINE;
        for (y, _) in notes.iter_mut().rev() {
            *y = y.min(most);
            most = *y - LINE;
        }
        let placed = notes.into_iter().map(|(y, what)| (Some(y), what));
        for (y, what) in placed.chain(left_out.into_iter().map(|(_, what)| (None, what))) {
            match what {
                Written::Mark(index) => {
                    let Some(mark) = drawing.marks.get_mut(index) else { continue };
                    mark.note = mark.note.filter(|_| y.is_some());
                    mark.note_y = y.unwrap_or(mark.note_y);
                }
                Written::Bar(index) => {
                    let Some(bar) = drawing.bars.get_mut(index) else { continue };
                    bar.note_y = y;
                }
            }
        }
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
        self.frame.top + self.height(time - self.from)
    }

    /// How high a length of time is.
    fn height(self, ns: i64) -> f64 {
        ns as f64 / self.length as f64 * (self.frame.bottom - self.frame.top)
    }
}

fn lanes(events: &[Event], frame: Frame, ways: Ways<'_>) -> Vec<Lane> {
    let mut places: Vec<PlaceIndex> = Vec::new();
    for event in events.iter().filter(|event| !event.place.is_none()) {
        let called = if event.kind == Kind::SENT { (ways.outside)(event.link) } else { None };
        for place in [Some(event.place), called].into_iter().flatten() {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let step = (frame.right - frame.left) / places.len().saturating_sub(1).max(1) as f64;
    let lane = |(index, place): (usize, PlaceIndex)| {
        let x = frame.left + step * index as f64;
        Lane { place, x, words_x: x + WORDS }
    };
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
