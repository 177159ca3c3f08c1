//! What is written beside events: the numbered steps, and what else is worth a word.

use hopscope_record::kind::{Attempt, QueueStep};
use hopscope_record::{Event, Kind, LinkIndex, MessageId};

use hopscope_view::buffer::Ending;

/// What an event of the root's call is in the drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// One of the four steps.
    Step(u8),
    /// The caller stopped waiting.
    TimedOut,
    /// A reply that came after that.
    Late,
    /// A message to a queue was sent.
    T1,
    /// What came back through a queue was received.
    T2,
    /// A copy was put into a queue.
    Put {
        /// Which of the four steps, if it is one.
        step: Option<u8>,
        /// L1.
        before: u32,
        /// L2.
        after: u32,
    },
    /// A copy was taken.
    Taken {
        /// Which of the four steps, if it is one.
        step: Option<u8>,
        /// L1.
        before: u32,
        /// L2.
        after: u32,
        /// How long it was ready, in ns.
        waited: i64,
    },
    /// A copy went back.
    Back {
        /// L1.
        before: u32,
        /// L2.
        after: u32,
    },
}

impl Note {
    /// Which of the four steps it is.
    #[must_use]
    pub const fn step(self) -> Option<u8> {
        match self {
            Self::Step(step) => Some(step),
            Self::Put { step, .. } | Self::Taken { step, .. } => step,
            _ => None,
        }
    }
}

pub(super) fn same(message: MessageId, root: MessageId) -> bool {
    message.message() == root.message()
}

pub(super) fn ending(event: &Event) -> Option<Ending> {
    Ending::of(event)
}

/// Whether a reply was received: an error reply too, but not that none came.
pub(super) fn is_reply(event: &Event) -> bool {
    match event.kind {
        Kind::COMPLETED | Kind::REFUSED => true,
        Kind::FAILED => event.status() != 0,
        _ => false,
    }
}

/// What an event of the root message is in its drawing.
pub(super) fn note(event: &Event) -> Option<Note> {
    match event.kind {
        Kind::PUBLISHED => Some(Note::T1),
        Kind::ENQUEUED | Kind::CONFIRMED => None,
        _ if event.kind.info()?.attempt == Attempt::Opens => Some(Note::Step(1)),
        Kind::RECEIVED => Some(Note::Step(2)),
        Kind::REPLIED => Some(Note::Step(3)),
        Kind::TIMED_OUT => Some(Note::TimedOut),
        _ if event.is_late() => Some(Note::Late),
        _ if is_reply(event) => Some(Note::Step(4)),
        _ => None,
    }
}

/// What a step of a queue is in the drawing of a trace with that root.
pub(super) fn queue_note(
    events: &[Event],
    event: &Event,
    root: Option<&Event>,
    replies_of: &dyn Fn(LinkIndex) -> Option<LinkIndex>,
) -> Option<Note> {
    let QueueStep { before, after, .. } = QueueStep::from_value(event.b)?;
    let of_root = |message: MessageId| root.is_some_and(|root| same(message, root.message));
    let result = root.is_some_and(|root| replies_of(event.link) == Some(root.link));
    let step = |is_root: bool, steps: [u8; 2]| match (is_root, result) {
        (true, _) => Some(steps[0]),
        (false, true) => Some(steps[1]),
        (false, false) => None,
    };
    match event.kind {
        Kind::ENQUEUED => {
            let step = step(of_root(event.message), [1, 3]);
            step.is_some().then_some(Note::Put { step, before, after })
        }
        Kind::DELIVERED => {
            let waited = ready_before(events, event).map_or(0, |ready| event.time - ready.time);
            Some(Note::Taken { step: step(of_root(event.parent), [2, 4]), before, after, waited })
        }
        Kind::REQUEUED => Some(Note::Back { before, after }),
        _ => None,
    }
}

/// The event since which the copy was ready that a delivery took: it was put, or the delivery before went back.
pub(super) fn ready_before<'a>(events: &'a [Event], delivered: &Event) -> Option<&'a Event> {
    let went_back = |event: &Event| {
        let delivery = |other: &Event| other.kind == Kind::DELIVERED && other.message == event.message;
        event.kind == Kind::REQUEUED && events.iter().any(|other| delivery(other) && other.parent == delivered.parent)
    };
    let ready = |event: &&Event| {
        let put = event.kind == Kind::ENQUEUED && event.message == delivered.parent;
        event.place == delivered.place && event.time <= delivered.time && (put || went_back(event))
    };
    events.iter().rfind(ready)
}
