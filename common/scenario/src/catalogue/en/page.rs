//! The page's own texts. Keys sorted; one line each.

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("app.name", "Hopscope"),
    ("canvas.empty.text", "Hopscope runs services that really talk to each other and shows every message on its way."),
    ("canvas.empty.title", "An empty playground"),
    ("canvas.label", "Canvas"),
    ("server.absent", "No server answers: start one by cargo xtask serve"),
    ("server.asking", "Looking for the server"),
    ("server.ready", "Hopscope {version}"),
    ("theme.dark", "Dark"),
    ("theme.light", "Light"),
    ("theme.switch", "Switch between light and dark"),
    ("theme.system", "As the system"),
];
