//! What goes wrong, as the protocol tells it: a reply code, a text, and whether the channel or the connection ends.

use amq_protocol::types::ShortString;

use crate::wire;

/// A misuse or a failure that ends a channel or a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// The protocol's reply code.
    pub(crate) code: u16,
    /// What was wrong, in RabbitMQ's words where it has some.
    pub(crate) text: String,
    /// Whether the whole connection ends.
    pub(crate) closes_connection: bool,
    /// Class and method that the client is told of, where these are not what it has just sent; zeros are none.
    pub(crate) method: Option<(u16, u16)>,
}

/// Bytes of a reply text on the wire.
const TEXT_MAX: usize = 255;

impl Fault {
    /// The broker cannot go on, and RabbitMQ says no more of it.
    pub(crate) fn internal_error() -> Self {
        Self { code: 541, text: "INTERNAL_ERROR".to_owned(), closes_connection: true, method: Some((0, 0)) }
    }

    /// The same, told of this class and method.
    #[must_use]
    pub(crate) fn naming(self, method: (u16, u16)) -> Self {
        Self { method: Some(method), ..self }
    }

    /// The text as it goes out; cut where it is too long.
    pub(crate) fn reply_text(&self) -> ShortString {
        const DOTS: &str = "...";
        if self.text.len() <= TEXT_MAX {
            return wire::short(&self.text);
        }
        let mut end = TEXT_MAX - DOTS.len();
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        wire::short(&format!("{}{DOTS}", self.text.get(..end).unwrap_or_default()))
    }
}

/// A fault of each code, with RabbitMQ's prefix before the text.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal $prefix:literal $connection:literal;)*) => {
        impl Fault {
            $($(#[$doc])* pub(crate) fn $name(text: impl std::fmt::Display) -> Self {
                Self { code: $code, text: format!(concat!($prefix, " - {}"), text), closes_connection: $connection, method: None }
            })*
        }
    };
}

faults! {
    /// The operator or the broker ends the connection.
    connection_forced = 320 "CONNECTION_FORCED" true;
    /// Not allowed to this client.
    access_refused = 403 "ACCESS_REFUSED" false;
    /// There is no such queue or exchange.
    not_found = 404 "NOT_FOUND" false;
    /// The queue belongs to another connection.
    resource_locked = 405 "RESOURCE_LOCKED" false;
    /// What the client takes for granted is not so.
    precondition_failed = 406 "PRECONDITION_FAILED" false;
    /// Bytes that are no frame.
    frame_error = 501 "FRAME_ERROR" true;
    /// A method where it may not be.
    command_invalid = 503 "COMMAND_INVALID" true;
    /// A channel that is not open.
    channel_error = 504 "CHANNEL_ERROR" true;
    /// A frame where it may not be.
    unexpected_frame = 505 "UNEXPECTED_FRAME" true;
    /// More than there is room for.
    resource_error = 506 "RESOURCE_ERROR" true;
    /// Not allowed to any client.
    not_allowed = 530 "NOT_ALLOWED" true;
    /// What this broker does not do.
    not_implemented = 540 "NOT_IMPLEMENTED" true;
}
