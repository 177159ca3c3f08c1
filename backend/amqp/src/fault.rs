//! What goes wrong, as the protocol tells it: a reply code, a text, and whether the channel or the connection ends.

/// A misuse or a failure that ends a channel or a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// The protocol's reply code.
    pub(crate) code: u16,
    /// What was wrong, in RabbitMQ's words where it has some.
    pub(crate) text: String,
    /// Whether the whole connection ends.
    pub(crate) closes_connection: bool,
}

/// A fault of each code, with RabbitMQ's prefix before the text.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal $prefix:literal $connection:literal;)*) => {
        impl Fault {
            $($(#[$doc])* pub(crate) fn $name(text: impl std::fmt::Display) -> Self {
                Self { code: $code, text: format!(concat!($prefix, " - {}"), text), closes_connection: $connection }
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
    /// A frame whose content cannot be read.
    syntax_error = 502 "SYNTAX_ERROR" true;
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
