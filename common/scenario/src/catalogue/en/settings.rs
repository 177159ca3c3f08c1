//! What is wrong with settings of a run that the page has no field for.

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("issue.bad-port.message", "**{value}** fixes no port."),
    ("issue.bad-port.remedy", "Write NODE/PROTOCOL=PORT, like **orders/grpc=50051**. Here: {known}."),
    ("issue.unknown-port.message", "Nothing listens by **{value}**."),
    ("issue.unknown-port.remedy", "Here: {known}."),
];
