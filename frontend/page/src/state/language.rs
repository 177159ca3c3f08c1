//! The page's language: the person's own where there is it, changed by the chooser in the bar, kept in the browser.

use std::time::Duration;

use hopscope_scenario::catalogue::{Language, asked_early};
use leptos::prelude::*;

use super::run::addressed;
use super::storage;
use crate::io;
use crate::ui::text::{language, speak};

const STORED: &str = "hopscope.language";

/// Between two tries to have the rest of the texts.
const AGAIN: Duration = Duration::from_secs(1);

/// Speaks the language that was chosen last, else the first of the person's that there is. English where its texts are not
/// to be had; the rest of English comes by [`complete`], but before a run that is shown at once and has need of it.
pub(crate) async fn begin() {
    let stored = storage().and_then(|storage| storage.get_item(STORED).ok().flatten());
    let language = stored.and_then(|tag| Language::find(&tag)).unwrap_or_else(of_person);
    if language != Language::English || addressed().is_some() {
        let _ = learn(language).await;
    }
}

fn of_person() -> Language {
    let tags: Vec<_> = window().navigator().languages().iter().filter_map(|tag| tag.as_string()).collect();
    Language::of_reader(tags.iter().map(String::as_str))
}

/// Speaks another language from now on; answers whether its texts were to be had.
pub(crate) async fn choose(language: Language) -> bool {
    let learnt = learn(language).await;
    if learnt {
        // A browser without storage asks the person's languages again next time.
        let _ = storage().map(|storage| storage.set_item(STORED, language.tag()));
    }
    learnt
}

/// Fetches the texts of a language and makes it the page's; where they are not to be had, nothing changes.
async fn learn(language: Language) -> bool {
    if !fetch(language).await {
        return false;
    }
    speak(language);
    if let Some(root) = document().document_element() {
        // The document's root always takes an attribute.
        let _ = root.set_attribute("lang", language.tag());
    }
    true
}

/// Fetches the file of a language, if it is not here yet; answers whether it is here now.
async fn fetch(language: Language) -> bool {
    if language.is_here() {
        return true;
    }
    let (file, version) = language.file();
    io::beside(file, version).await.is_some_and(|file| language.read(&file))
}

/// Fetches what the page was built without of the English that it speaks, again and again until it is here, and then makes
/// anew what was shown without words.
pub(crate) fn complete(spoken: Trigger) {
    if language() != Language::English {
        return;
    }
    leptos::task::spawn_local(async move {
        if !fetch(Language::English).await {
            set_timeout(move || complete(spoken), AGAIN);
        } else if asked_early() {
            spoken.notify();
        }
    });
}
