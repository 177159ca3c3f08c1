//! The languages, one list, and where the texts of those beside English come from.
//!
//! A language is one file (`TAG.json`): `texts` by key, and under `templates` what the scenarios that come with Hopscope say
//! in it, by JSON pointer. Native programs have all of it compiled in. The page, whose first load that would make longer for
//! everyone, has compiled in what its first sight needs, in English; it fetches the file of its language and gives it to
//! [`Language::read`]. English's file (`en.json`, [`english_file`]) has only what the page was built without; what another
//! language's lacks is said in English.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::en::{LATER, NOT_YET};
use super::key::Key;
use crate::text;

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, the complete one that every key exists in.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

/// Every language, in the order of the chooser.
pub const LANGUAGES: &[Language] = &[Language::English, Language::Chinese];

/// The files, once they are here.
static ENGLISH: OnceLock<Value> = OnceLock::new();
static CHINESE: OnceLock<Value> = OnceLock::new();

/// Whether a text was asked for whose words were not here.
static EARLY: AtomicBool = AtomicBool::new(false);

#[cfg(not(target_arch = "wasm32"))]
const CHINESE_FILE: &str = include_str!("zh-Hans.json");

/// Tell one file of texts from another; not the files themselves, so that they cost the page nothing.
const ENGLISH_VERSION: u32 = version_of(include_bytes!("en.json"));
const CHINESE_VERSION: u32 = version_of(include_bytes!("zh-Hans.json"));

impl Language {
    /// Its BCP 47 tag, for the page's `lang` attribute.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// What it calls itself.
    #[must_use]
    pub fn name(self) -> Key {
        match self {
            Self::English => text!("language.english"),
            Self::Chinese => text!("language.chinese"),
        }
    }

    /// The language of that tag.
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        LANGUAGES.iter().copied().find(|language| language.tag() == tag)
    }

    /// The first of a reader's languages (BCP 47 tags, the dearest first) that there is; English if none is.
    #[must_use]
    pub fn of_reader<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        tags.into_iter().find_map(Self::matching).unwrap_or_default()
    }

    /// Whose readers read Chinese: those of `zh` whose script or region is not that of traditional characters.
    fn matching(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase();
        let mut parts = tag.split('-');
        match parts.next() {
            Some("en") => Some(Self::English),
            Some("zh") if parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo")) => None,
            Some("zh") => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The name of the file that has its texts, and which version of it this build is of.
    #[must_use]
    pub fn file(self) -> (&'static str, u32) {
        match self {
            Self::English => ("en.json", ENGLISH_VERSION),
            Self::Chinese => ("zh-Hans.json", CHINESE_VERSION),
        }
    }

    fn texts(self) -> &'static OnceLock<Value> {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }

    /// Whether its file has been taken in.
    #[must_use]
    pub fn is_here(self) -> bool {
        self.texts().get().is_some()
    }

    /// Takes in its file; `false` if it is none. The first one stays.
    pub fn read(self, file: &str) -> bool {
        self.is_here() || serde_json::from_str(file).is_ok_and(|file| self.texts().set(file).is_ok())
    }

    /// What its file has under a heading.
    fn part(self, heading: &str) -> Option<&'static Value> {
        #[cfg(not(target_arch = "wasm32"))]
        if self == Self::Chinese {
            self.read(CHINESE_FILE);
        }
        self.texts().get()?.get(heading)
    }

    /// The language's template for a key; the English one where it has none, or is not here yet.
    #[must_use]
    pub fn template(self, key: Key) -> &'static str {
        let own = self.part("texts").and_then(|texts| texts.get(key.name())?.as_str());
        own.unwrap_or_else(|| {
            let english = key.english();
            if english == NOT_YET {
                EARLY.store(true, Ordering::Relaxed);
            }
            english
        })
    }

    /// Says in this language what the scenario that comes with Hopscope under that name says.
    pub fn translate(self, name: &str, scenario: &mut Value) {
        let texts = self.part("templates").and_then(|templates| templates.get(name)?.as_object());
        for (pointer, text) in texts.into_iter().flatten() {
            if let Some(place) = scenario.pointer_mut(pointer) {
                *place = text.clone();
            }
        }
    }
}

/// Whether a text was asked for before the file that has its words was here: what shows it has to be made anew.
#[must_use]
pub fn asked_early() -> bool {
    EARLY.load(Ordering::Relaxed)
}

/// English's file: every text that the page is built without, in the order of the keys.
#[must_use]
pub fn english_file() -> Value {
    let texts: BTreeMap<_, _> = LATER.iter().copied().flatten().copied().collect();
    serde_json::json!({ "texts": texts })
}

/// Tells one version of a file from another, by FNV-1a (Fowler, Noll, Vo), 32 bits. For an address that changes with what it
/// leads to, never for safety.
#[must_use]
pub const fn version_of(bytes: &[u8]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}
