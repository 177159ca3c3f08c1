//! The document kept in the browser, so that a closed page loses nothing.

use std::time::Duration;

use hopscope_scenario::edits::Document;
use leptos::prelude::*;

use super::document::{Editor, empty};
use super::storage;
use crate::ui::listen;

const STORED: &str = "hopscope.scenario";

/// How long after the last change the document is written: typing writes once, not with every letter.
const PAUSE: Duration = Duration::from_millis(300);

/// The document that was kept, or an empty one.
pub(crate) fn load() -> Document {
    let text = storage().and_then(|storage| storage.get_item(STORED).ok().flatten());
    text.and_then(|text| Document::open(&text).ok()).unwrap_or_else(empty)
}

/// Whether the browser has kept none yet: the page is seen for the first time.
pub(crate) fn is_first() -> bool {
    storage().and_then(|storage| storage.get_item(STORED).ok().flatten()).is_none()
}

/// Keeps the document from now on.
pub(crate) fn keep(editor: Editor) {
    let pending = StoredValue::new(None::<TimeoutHandle>);
    let save = move || {
        pending.set_value(None);
        let text = editor.now(Document::to_text);
        // A browser without storage, or a full one, keeps nothing; the file menu still does.
        let _ = storage().map(|storage| storage.set_item(STORED, &text));
    };
    Effect::new(move |before: Option<()>| {
        editor.with(|_| ());
        if before.is_none() {
            return;
        }
        if let Some(handle) = pending.get_value() {
            handle.clear();
        }
        pending.set_value(set_timeout_with_handle(save, PAUSE).ok());
    });
    listen(
        "pagehide",
        Box::new(move |_| {
            if pending.get_value().is_some() {
                save();
            }
        }),
    );
}
