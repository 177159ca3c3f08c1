//! What a law is, and what came of one.

use hopscope_record::{MessageId, TraceId};
use hopscope_scenario::catalogue::{Args, Key};
use hopscope_scenario::text;

/// Most breaches of one law that are told one by one; more are counted.
pub const MOST_BREACHES: usize = 20;

/// A law. docs/laws.md tells how each is judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Law {
    /// T1 < T2, and between them what the receiver or the queue stamps, in its order. Counted in attempts with two stamps
    /// or more: calls, publishes and deliveries.
    ReplyAfterRequest,
    /// L2 = L1 - 1, and + 1 for what is put: each step of a queue follows the one before. Counted in steps.
    TakeLowers,
    /// Per attempt one closing event, or open at the end. Counted in attempts.
    Closing,
    /// Each stamp has the one that must go before it, once. Counted in attempts, in copies that leave a queue, and in
    /// replies through queues.
    Steps,
    /// Per intended message: sent or not sent. Counted in intended messages.
    Intended,
    /// Nothing is lost or made: per publish, and per queue. Counted in publishes and queues.
    Conservation,
    /// Per publisher and queue, what was put first is delivered first. Counted in first deliveries.
    Order,
    /// The integral of ready copies over time is the sum of their waits. Counted in queues.
    Little,
    /// What the events leave open, ready and unacked is what End counts. Counted in links and queues.
    OpenAtEnd,
    /// The events are as many as End counts. Counted in events.
    Accepted,
}

/// Every law, in the order of reports.
pub const LAWS: &[Law] = &[
    Law::ReplyAfterRequest,
    Law::TakeLowers,
    Law::Closing,
    Law::Steps,
    Law::Intended,
    Law::Conservation,
    Law::Order,
    Law::Little,
    Law::OpenAtEnd,
    Law::Accepted,
];

impl Law {
    /// Its name in documents and in the catalogue's keys.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ReplyAfterRequest => "reply-after-request",
            Self::TakeLowers => "take-lowers",
            Self::Closing => "closing",
            Self::Steps => "steps",
            Self::Intended => "intended",
            Self::Conservation => "conservation",
            Self::Order => "order",
            Self::Little => "little",
            Self::OpenAtEnd => "open-at-end",
            Self::Accepted => "accepted",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(self) -> Key {
        match self {
            Self::ReplyAfterRequest => text!("law.reply-after-request.name"),
            Self::TakeLowers => text!("law.take-lowers.name"),
            Self::Closing => text!("law.closing.name"),
            Self::Steps => text!("law.steps.name"),
            Self::Intended => text!("law.intended.name"),
            Self::Conservation => text!("law.conservation.name"),
            Self::Order => text!("law.order.name"),
            Self::Little => text!("law.little.name"),
            Self::OpenAtEnd => text!("law.open-at-end.name"),
            Self::Accepted => text!("law.accepted.name"),
        }
    }

    /// What it says.
    #[must_use]
    pub fn statement(self) -> Key {
        match self {
            Self::ReplyAfterRequest => text!("law.reply-after-request.statement"),
            Self::TakeLowers => text!("law.take-lowers.statement"),
            Self::Closing => text!("law.closing.statement"),
            Self::Steps => text!("law.steps.statement"),
            Self::Intended => text!("law.intended.statement"),
            Self::Conservation => text!("law.conservation.statement"),
            Self::Order => text!("law.order.statement"),
            Self::Little => text!("law.little.statement"),
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
