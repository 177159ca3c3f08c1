//! The page's own texts. Keys sorted; one line each.

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("app.name", "Hopscope"),
];
