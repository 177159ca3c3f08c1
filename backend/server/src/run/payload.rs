//! What a client sends: draws what each request carries, and makes its body.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hopscope_rules::payload::{Carried, Payloads, body, length};
use hopscope_rules::schedule::Intended;
use hopscope_scenario::model::{Content, Payload, Priorities};

use crate::record::Contents;
use crate::transport::Body;

/// Makes the bodies of one client's requests.
pub(super) struct Sender {
    content: Content,
    bytes: usize,
    /// Whether a request has a key, a value or an event time of its own.
    tells: bool,
    rule: Rule,
}

/// Where bodies come from.
enum Rule {
    /// All are alike.
    Alike(Body),
    /// Each says what it carries.
    Drawn(Box<Mutex<Payloads>>),
}

/// A body that is to be made, apart from where it was wanted: a large one takes its time.
pub(super) enum Parcel {
    /// It is there.
    Made(Body),
    /// It is to be made of this.
    Wanted {
        /// How it says it.
        content: Content,
        /// How long it is at least.
        bytes: usize,
        /// What it says.
        carried: Carried,
        /// Which priority its message has.
        priority: u8,
    },
}

impl Sender {
    pub(super) fn new(payload: &Payload, payloads: Payloads) -> Self {
        let bytes = usize::try_from(payload.bytes.0).unwrap_or(usize::MAX);
        let nothing = Carried { n: 0, key: None, value: None, event_time_ns: None };
        let priority = match payload.priority {
            None => Some(0),
            Some(Priorities::Constant { priority }) => Some(priority),
            Some(Priorities::Uniform { .. }) => None,
        };
        let alike = priority.filter(|_| payload.content == Content::Binary && !payload.tells());
        let rule = if let Some(priority) = alike {
            let bytes = Bytes::from(body(payload.content, bytes, &nothing));
            Rule::Alike(Body { content: payload.content, bytes, priority, key: None })
        } else {
            Rule::Drawn(Box::new(Mutex::new(payloads)))
        };
        Self { content: payload.content, bytes, tells: payload.tells(), rule }
    }

    /// What the next request carries.
    pub(super) fn next(&self, intended: Intended) -> Parcel {
        match &self.rule {
            Rule::Alike(body) => Parcel::Made(body.clone()),
            Rule::Drawn(payloads) => {
                // Draws are whole: nothing that holds the lock leaves them half made.
                let mut payloads = payloads.lock().unwrap_or_else(PoisonError::into_inner);
                let (carried, priority) = (payloads.draw(intended.n, intended.at_ns), payloads.priority(intended.n));
                Parcel::Wanted { content: self.content, bytes: self.bytes, carried, priority }
            }
        }
    }
}

impl Sender {
    /// What the recording says of it; nothing of what carries no more than filler and its number.
    pub(super) fn told(&self, parcel: &Parcel) -> Option<Contents> {
        match parcel {
            Parcel::Wanted { content, bytes, carried, .. } if self.tells => {
                let Carried { key, value, event_time_ns: event_time, .. } = *carried;
                Some(Contents { key, value, event_time, bytes: length(*content, *bytes, carried) as u64 })
            }
            Parcel::Wanted { .. } | Parcel::Made(_) => None,
        }
    }
}

impl Parcel {
    /// The body.
    pub(super) fn body(self) -> Body {
        match self {
            Self::Made(body) => body,
            Self::Wanted { content, bytes, carried, priority } => {
                let key = carried.key.map(|key| format!("k{key}").into());
                Body { content, bytes: body(content, bytes, &carried).into(), priority, key }
            }
        }
    }
}
