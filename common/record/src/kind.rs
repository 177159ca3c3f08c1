//! Kinds of events, and the one table that says what each means.
//!
//! [`Kind`] is a number, so that a recording of a newer version can be read, shown and written
//! again: a kind without a row is shown by the name that the recording's Hello gives it, and
//! counts nowhere. [`KINDS`] has a row for every kind that something stamps. State, statistics,
//! laws, player and docs/stamps.md read that table; nothing else may say what a kind means.
//!
//! Numbers are never reused, in no version.

mod control;
mod effect;
mod log;
mod queue;
mod table;

pub use control::ControlAction;
pub use effect::EffectMark;
pub use log::{LagReport, Position};
pub use queue::{Deaths, DepthReport, QueueCause, QueueStep};
pub use table::KINDS;

/// What happened: the number of a kind. Any number can be carried; see [`Kind::info`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u16);

/// Numbers of the kinds, grouped by what they tell of. A number here without a row in [`KINDS`] is
/// assigned and not stamped yet.
#[expect(missing_docs, reason = "what a kind means is told once, by its row in KINDS")]
impl Kind {
    pub const INTENDED: Self = Self(1);
    pub const NOT_SENT: Self = Self(2);
    pub const SENT: Self = Self(3);
    pub const RECEIVED: Self = Self(4);
    pub const STARTED: Self = Self(5);
    pub const FINISHED: Self = Self(6);
    pub const REPLIED: Self = Self(7);
    pub const COMPLETED: Self = Self(8);
    pub const TIMED_OUT: Self = Self(9);
    pub const FAILED: Self = Self(10);
    pub const CANCELLED: Self = Self(11);
    pub const REFUSED: Self = Self(12);
    pub const EFFECT: Self = Self(13);
    pub const HANDED_OVER: Self = Self(14);

    pub const PUBLISHED: Self = Self(32);
    pub const CONFIRMED: Self = Self(33);
    pub const CONFIRM_REFUSED: Self = Self(34);
    pub const RETURNED: Self = Self(35);
    pub const ENQUEUED: Self = Self(36);
    pub const DELIVERED: Self = Self(37);
    pub const ACKED: Self = Self(38);
    pub const NACKED: Self = Self(39);
    pub const REQUEUED: Self = Self(40);
    pub const DEAD_LETTERED: Self = Self(41);
    pub const EXPIRED: Self = Self(42);
    pub const DROPPED: Self = Self(43);
    pub const PURGED: Self = Self(44);
    pub const DEPTH_REPORTED: Self = Self(45);
    pub const X_DEATH: Self = Self(46);
    pub const REDELIVERED: Self = Self(47);
    pub const FETCHED: Self = Self(48);
    pub const COMMITTED: Self = Self(49);
    pub const REBALANCE_STARTED: Self = Self(50);
    pub const REBALANCE_ENDED: Self = Self(51);
    pub const LAG_REPORTED: Self = Self(52);
    pub const TRANSACTION_COMMITTED: Self = Self(53);
    pub const TRANSACTION_ABORTED: Self = Self(54);

    pub const CONNECTED: Self = Self(64);
    pub const DISCONNECTED: Self = Self(65);
    pub const PROCESS_EXITED: Self = Self(66);
    pub const CONTROL: Self = Self(67);
    pub const PHASE_BEGAN: Self = Self(68);

    pub const RETRIED: Self = Self(96);
    pub const HEDGED: Self = Self(97);
    pub const BREAKER_OPENED: Self = Self(98);
    pub const BREAKER_HALF_OPEN: Self = Self(99);
    pub const BREAKER_CLOSED: Self = Self(100);
}

impl Kind {
    /// The kind's row, or `None` where this build has none (a newer recording). One load, no search.
    #[must_use]
    pub fn info(self) -> Option<&'static KindInfo> {
        let row = *table::ROW_OF.get(usize::from(self.0))?;
        KINDS.get(usize::from(row))
    }

    /// The kind's name, or `None` where this build has no row for it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.info().map(|info| info.name)
    }
}

/// Ranges of numbers: what each is for. First and last number, both included.
pub const RANGES: &[(u16, u16, &str)] = &[
    (1, 31, "calls, and what a receiver does with a message"),
    (32, 63, "publishing, queues and logs"),
    (64, 95, "places: connections, processes, control, phases"),
    (96, 127, "policies of a sender: retries, hedges, breakers"),
    (128, 159, "faults that the user asked for"),
    (160, 223, "stream processing, and causes of messages with several parents"),
];

/// In the value `a` of a kind that closes an attempt: the attempt was closed already, by
/// `TimedOut` or `Cancelled`, and this is what came after. The rest of `a` is unchanged.
pub const LATE: u64 = 1 << 63;

/// In the value `a` of `Confirmed`: the publisher waits for a reply besides, so the attempt stays open until
/// it has it. The rest of `a` is unchanged.
pub const AWAITS_REPLY: u64 = 1 << 62;

/// A row of the table of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindInfo {
    /// The number.
    pub kind: Kind,
    /// The name, as exports and the page's catalogue write it.
    pub name: &'static str,
    /// Who stamps it.
    pub by: Stamper,
    /// Exactly where: the instant that the event's time stands for.
    pub at: &'static str,
    /// What the first value means.
    pub a: Value,
    /// What the second value means.
    pub b: Value,
    /// Whether it opens or closes an attempt.
    pub attempt: Attempt,
    /// The count that it raises by one, at its link or at its place.
    pub counts: Count,
    /// What it does to the levels of its place.
    pub steps: Steps,
    /// What it means on a synchronous link; empty where it does not occur there.
    pub on_sync: &'static str,
    /// What it means on an asynchronous link; empty where it does not occur there.
    pub on_async: &'static str,
}

/// Who stamps a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stamper {
    /// The load generator of a client.
    Generator,
    /// The calling end of a link.
    Caller,
    /// The receiving end of a link: a service, or a client that takes its replies.
    Receiver,
    /// The queue itself, under its own lock. On a broker that is not ours its consumer stamps what it sends to settle a
    /// delivery, and nobody the rest.
    Queue,
    /// The run itself.
    Run,
}

/// What a value of an event means: a type that programs read, and words for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// How to read the 64 bits.
    pub meaning: ValueMeaning,
    /// What they tell; empty where the value is not used.
    pub words: &'static str,
}

/// How to read the 64 bits of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueMeaning {
    /// Not used: always 0.
    None,
    /// A time on the run's clock: an `i64` of ns, bit for bit.
    TimeNs,
    /// A length of time in ns.
    DurationNs,
    /// The protocol's own status code (HTTP's on `http1`, `in-process` and replies over `amqp`; gRPC's on
    /// `grpc`, 0 to 16; on `thrift` the field of the result that is set, 0 to 2, or 1000 and the type of a
    /// `TApplicationException`; AMQP's reply code on `Returned`), with [`LATE`] on a closing event; 0 where no
    /// reply came, which a `Failed` tells, and gRPC's OK and Thrift's return, which it never does.
    Status,
    /// A number of bytes of body.
    Bytes,
    /// A row of the run's names + 1, or 0 for none ([`crate::NameIndex::from_value`]).
    NameIndex,
    /// A [`Phase`].
    Phase,
    /// An [`Admission`].
    Admission,
    /// An [`Outcome`].
    Outcome,
    /// A [`NotSentReason`].
    NotSentReason,
    /// A [`DisconnectReason`].
    DisconnectReason,
    /// The number of a message's next attempt, from 2 to 255.
    NextAttempt,
    /// No number, only marks: [`LATE`], [`AWAITS_REPLY`].
    Marks,
    /// The number of a queue's transition, from 1 without a gap; 0 where not the queue says so but its consumer, who sends
    /// it to a broker that stamps nothing.
    Ordinal,
    /// A [`QueueStep`]; beside the ordinal 0 only its cause is told.
    QueueStep,
    /// A [`DepthReport`].
    DepthReport,
    /// A [`ControlAction`].
    ControlAction,
    /// What a [`ControlAction`] is told beside its number.
    ControlArgument,
    /// A row of the run's names + 1: what a queue is called.
    QueueName,
    /// A [`Deaths`].
    Deaths,
    /// An [`EffectMark`].
    Effect,
    /// An `i64`, bit for bit: what an account changes by.
    Amount,
    /// A [`Position`] of a record in a topic, or 0 for none.
    Position,
    /// An offset of a record in its partition, from 0.
    Offset,
    /// A member of a consumer group: the ordinal of its place.
    Member,
    /// A [`LagReport`].
    LagReport,
    /// A number of records.
    Records,
}

/// What a kind does to its message's attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// Nothing.
    None,
    /// It begins; the event carries the parent.
    Opens,
    /// It ends, unless the event is marked [`LATE`]. At most one unmarked per attempt.
    Closes,
}

/// The count that a kind raises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// None.
    None,
    /// One at the event's link.
    Link(LinkCount),
    /// One at the event's place.
    Place(PlaceCount),
}

/// Counts that a link keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum LinkCount {
    /// Messages that a schedule wanted.
    Intended,
    /// Intended messages that were given up before their first attempt.
    NotSent,
    /// Attempts opened.
    Sent,
    /// Attempts closed by a good reply.
    Completed,
    /// Attempts closed by an error reply or for want of a connection.
    Failed,
    /// Attempts closed by the caller's time limit.
    TimedOut,
    /// Attempts closed by a reply that says "not now".
    Refused,
    /// Attempts closed because nobody waits for the reply any more.
    Cancelled,
    /// Attempts after which the caller decided to try again.
    Retried,
    /// Publishes that the broker confirmed.
    Confirmed,
    /// Publishes that came back because no queue wanted them.
    Returned,
    /// Deliveries settled for good: worked on, or said to be.
    Acked,
    /// Deliveries rejected for good.
    Nacked,
    /// Deliveries that went back to their queue.
    Requeued,
    /// Messages that nobody answers, handed to the system.
    HandedOver,
}

impl LinkCount {
    /// How many there are.
    pub const LEN: usize = 15;
}

/// Counts that a place keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum PlaceCount {
    /// Messages that arrived, those turned away included.
    Received,
    /// Messages that a worker took up.
    Started,
    /// Messages whose worker was freed.
    Finished,
    /// Copies that were put into a queue.
    Enqueued,
    /// Copies that were handed to a consumer, each time they were.
    Delivered,
    /// Copies that left a queue with no consumer having them: expired, dropped, purged.
    Discarded,
}

impl PlaceCount {
    /// How many there are.
    pub const LEN: usize = 6;
}

/// What a kind does to the levels of its place: how many wait for a worker, how many workers are
/// held; at a queue, how many copies are ready and how many are with a consumer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steps {
    /// Change of the number of messages that wait.
    pub waiting: i8,
    /// Change of the number of workers held.
    pub busy: i8,
    /// Change of the number of copies that are ready: L.
    pub ready: i8,
    /// Change of the number of copies that are delivered and not settled.
    pub unacked: i8,
    /// Nobody waits and no worker is held there any more.
    pub empties: bool,
    /// The steps are taken only if the event's `a` is this; always, if `None`.
    pub only_if_a: Option<u64>,
}

impl Steps {
    /// No step.
    pub const NONE: Self = Self { waiting: 0, busy: 0, ready: 0, unacked: 0, empties: false, only_if_a: None };

    /// Whether no step is taken.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.waiting == 0 && self.busy == 0 && self.ready == 0 && self.unacked == 0 && !self.empties
    }
}

/// A phase of a run, as `PhaseBegan` carries it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u64)]
pub enum Phase {
    /// Binding and connecting; times are negative.
    Setup = 0,
    /// Load that is recorded and left out of figures.
    WarmUp = 1,
    /// Load that figures are made of.
    Measured = 2,
    /// The load has stopped; what is in flight comes home, up to a limit.
    Drain = 3,
    /// Nothing more happens.
    End = 4,
}

impl Phase {
    /// The phase of a value, or `None` where this build does not know it.
    #[must_use]
    pub const fn from_value(value: u64) -> Option<Self> {
        match value {
            0 => Some(Self::Setup),
            1 => Some(Self::WarmUp),
            2 => Some(Self::Measured),
            3 => Some(Self::Drain),
            4 => Some(Self::End),
            _ => None,
        }
    }
}

/// Whether a message that arrived was let in, as `Received` carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Admission {
    /// It waits for a worker, however briefly.
    Admitted = 0,
    /// The waiting room was full: it will see no worker.
    TurnedAway = 1,
    /// It needs no worker: a reply, taken by the client that waits for it.
    Taken = 2,
}

/// How a body ended, as `Finished` carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Outcome {
    /// All its steps were done.
    Done = 0,
    /// A step failed.
    Failed = 1,
    /// It was given up: the service stops what nobody waits for, or the run ended.
    Abandoned = 2,
}

/// Why an intended message never had an attempt, as `NotSent` carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum NotSentReason {
    /// As many messages were in flight as the client allows.
    InFlightCap = 1,
    /// The load was stopped before its turn came.
    Stopped = 2,
}

/// Why a connection ended, as `Disconnected` carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum DisconnectReason {
    /// This end closed it.
    Closed = 0,
    /// The other end closed it.
    ClosedByPeer = 1,
    /// It broke.
    Broken = 2,
}

#[cfg(test)]
mod tests;
