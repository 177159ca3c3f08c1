//! Made-up runs that keep every rule of the record: client -> service -> service, with queueing,
//! several sources and every way in which an attempt may end. Shared by tests and benches; [`queued`] has those through
//! queues.

#[allow(dead_code, reason = "a bench uses the runs of calls only")]
#[path = "lawful/queued.rs"]
pub(crate) mod queued;

use hopscope_record::kind::{Admission, EffectMark, LATE, NotSentReason, Outcome};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, Minter, PlaceIndex, SourceId, TraceId};

/// What the made-up run looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Messages that the schedule wants.
    pub(crate) messages: u64,
    /// Time between two of them, in ns.
    pub(crate) period: u64,
    /// Mean time of work at each service, in ns.
    pub(crate) work: u64,
    /// Rings that events are stamped through.
    pub(crate) sources: u16,
    /// Workers of each service.
    pub(crate) workers: usize,
    /// Of a hundred messages, how many end in each of the unusual ways.
    pub(crate) unusual: u64,
    /// Start of the random numbers.
    pub(crate) seed: u64,
}

/// The events of the run, sorted by time.
pub(crate) fn run(shape: Shape) -> Vec<Event> {
    let mut maker = Maker {
        shape,
        random: shape.seed | 1,
        minters: (1..=shape.sources.max(1)).map(|source| Minter::new(SourceId(source))).collect(),
        free: [vec![0; shape.workers.max(1)], vec![0; shape.workers.max(1)]],
        events: vec![Event { a: 2, ..Event::new(0, Kind::PHASE_BEGAN) }],
    };
    for n in 0..shape.messages {
        maker.root(n);
    }
    maker.events.sort_by_key(|event| event.time);
    maker.events
}

struct Maker {
    shape: Shape,
    random: u64,
    minters: Vec<Minter>,
    free: [Vec<u64>; 2],
    events: Vec<Event>,
}

/// One attempt of one message on one link.
#[derive(Clone, Copy)]
struct Passage {
    trace: TraceId,
    message: MessageId,
    parent: MessageId,
    link: u16,
}

impl Maker {
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below.max(1)
    }

    fn stamp(&mut self, time: u64, kind: Kind, place: u32, passage: Passage, a: u64, b: u64) {
        self.events.push(Event {
            trace: passage.trace,
            message: passage.message,
            a,
            b,
            place: PlaceIndex(place),
            link: LinkIndex(passage.link),
            ..Event::new(time as i64, kind)
        });
    }

    fn open(&mut self, time: u64, kind: Kind, passage: Passage, a: u64, b: u64) {
        self.stamp(time, kind, u32::from(passage.link), passage, a, b);
        if let Some(event) = self.events.last_mut() {
            event.parent = passage.parent;
        }
    }

    fn root(&mut self, n: u64) {
        let ring = self.draw(self.minters.len() as u64) as usize;
        let (trace, message) = self.minters[ring].root();
        let passage = Passage { trace, message, parent: MessageId::NONE, link: 0 };
        let wanted = n * self.shape.period;
        let time = wanted + 1_000 + self.draw(20_000);
        self.open(time, Kind::INTENDED, passage, wanted, 0);
        if self.draw(100) < self.shape.unusual {
            self.open(time + 300, Kind::NOT_SENT, passage, NotSentReason::InFlightCap as u64, 0);
        } else {
            self.call(time + 500, passage);
        }
    }

    /// An attempt from Sent to its closing event; answers when it closed.
    fn call(&mut self, sent: u64, passage: Passage) -> u64 {
        let caller = u32::from(passage.link);
        self.open(sent, Kind::SENT, passage, 0, 256);
        if self.draw(100) < self.shape.unusual {
            let closed = sent + 2_000;
            self.stamp(closed, Kind::FAILED, caller, passage, 0, 1);
            return closed;
        }
        let received = sent + 30_000 + self.draw(30_000);
        if self.draw(100) < self.shape.unusual {
            let turned_away = Admission::TurnedAway as u64;
            self.stamp(received, Kind::RECEIVED, caller + 1, passage, turned_away, 256);
            self.stamp(received + 4_000, Kind::REPLIED, caller + 1, passage, 503, 0);
            self.stamp(received + 50_000, Kind::REFUSED, caller, passage, 503, 0);
            return received + 50_000;
        }
        let replied = self.serve(received, passage);
        let reply = replied + 30_000 + self.draw(30_000);
        self.close(sent, reply, passage)
    }

    fn close(&mut self, sent: u64, reply: u64, passage: Passage) -> u64 {
        let caller = u32::from(passage.link);
        if self.draw(100) < self.shape.unusual {
            let limit = self.draw(reply - sent);
            self.stamp(sent + limit, Kind::TIMED_OUT, caller, passage, limit, 0);
            self.stamp(reply, Kind::COMPLETED, caller, passage, 200 | LATE, 256);
            return sent + limit;
        }
        if self.draw(100) < self.shape.unusual {
            let at = sent + self.draw(reply - sent);
            self.stamp(at, Kind::CANCELLED, caller, passage, 0, 0);
            return at;
        }
        self.stamp(reply, Kind::COMPLETED, caller, passage, 200, 256);
        reply
    }

    /// From Received to Replied; the first service calls the second while it works.
    fn serve(&mut self, received: u64, passage: Passage) -> u64 {
        let place = u32::from(passage.link) + 1;
        self.stamp(received, Kind::RECEIVED, place, passage, Admission::Admitted as u64, 256);
        let service = usize::from(passage.link);
        let worker = (0..self.free[service].len()).min_by_key(|&worker| self.free[service][worker]).unwrap_or(0);
        let started = (received + 2_000).max(self.free[service][worker]);
        self.stamp(started, Kind::STARTED, place, passage, 0, 0);
        let mut done = started + self.shape.work / 2 + self.draw(self.shape.work);
        if passage.link == 0 {
            let ring = self.draw(self.minters.len() as u64) as usize;
            let message = self.minters[ring].message();
            done = self.call(done, Passage { message, parent: passage.message, link: 1, ..passage });
        }
        let mark = EffectMark { effect: passage.link.into(), repeated: self.draw(100) < self.shape.unusual };
        self.stamp(done + 500, Kind::EFFECT, place, passage, mark.to_value(), (-100_i64).cast_unsigned());
        self.stamp(done + 1_000, Kind::FINISHED, place, passage, Outcome::Done as u64, 0);
        self.stamp(done + 1_500, Kind::REPLIED, place, passage, 200, 256);
        self.free[service][worker] = done + 3_000;
        done + 1_500
    }
}
