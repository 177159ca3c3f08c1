//! The languages, one list.

use super::key::Key;

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, the complete one that every key exists in.
    #[default]
    English,
}

/// Every language, in the order of the chooser.
pub const LANGUAGES: &[Language] = &[Language::English];

impl Language {
    /// Its BCP 47 tag, for the page's `lang` attribute.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    /// The language's template for a key.
    #[must_use]
    pub fn template(self, key: Key) -> &'static str {
        match self {
            Self::English => key.english(),
        }
    }
}
