//! The page's language: the person's own where there is it, changed by the chooser in the bar, kept in the browser.

use hopscope_scenario::catalogue::Language;
use leptos::prelude::*;

use super::storage;
use crate::io;
use crate::ui::text::speak;

const STORED: &str = "hopscope.language";

/// Speaks the language that was chosen last, else the first of the person's that there is. English where its texts are not
/// to be had.
pub(crate) async fn begin() {
    let stored = storage().and_then(|storage| storage.get_item(STORED).ok().flatten());
    let language = stored.and_then(|tag| Language::find(&tag)).unwrap_or_else(of_person);
    let _ = learn(language).await;
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
    if let Some((file, version)) = language.file() {
        let texts = io::beside(file, version).await;
        if !texts.is_some_and(|texts| language.read(&texts)) {
            return false;
        }
    }
    speak(language);
    if let Some(root) = document().document_element() {
        // The document's root always takes an attribute.
        let _ = root.set_attribute("lang", language.tag());
    }
    true
}
