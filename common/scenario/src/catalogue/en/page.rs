//! The page's own texts. Keys sorted; one line each.

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("app.name", "Hopscope"),
    ("canvas.empty.text", "Drag a client and a service onto the canvas, link them, and run: real messages, every step of each on record."),
    ("canvas.empty.title", "An empty playground"),
    ("canvas.template", "Open the example"),
    ("canvas.label", "Canvas"),
    ("link.label", "{protocol} from {from} to {to}"),
    ("node.client.load", "{load} {rate}"),
    ("node.client.more", "≤ {in_flight} in flight, {bytes}"),
    ("node.label", "{name}, {kind}, {caption}"),
    ("node.label.faulty", "{name}, {kind}, {caption}, problems: {count}"),
    ("node.port", "Drag to a service to link"),
    ("node.service.work", "{work} {mean}"),
    ("notice.link", "This link is not possible"),
    ("palette.label", "Kinds of nodes"),
    ("said.added", "Added {name}"),
    ("said.linked", "Linked to {name}"),
    ("said.removed", "Removed"),
    ("scenario.untitled", "Untitled"),
    ("server.absent", "No server answers: start one by cargo xtask serve"),
    ("server.asking", "Looking for the server"),
    ("server.ready", "Hopscope {version}"),
    ("theme.dark", "Dark"),
    ("theme.light", "Light"),
    ("theme.switch", "Switch between light and dark"),
    ("theme.system", "As the system"),
];
