//! Keys that are known to exist.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::en::{SENT, TABLES};

/// The key of a text; it exists in English, so a lookup always finds one. Serialises as its name.
#[derive(Clone, Copy)]
pub struct Key {
    name: &'static str,
    english: &'static str,
}

impl Key {
    /// The key of that name, if the catalogue has it. For names that arrive as data; code uses [`crate::text!`].
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        SENT.iter().find_map(|table| {
            let index = table.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
            let (name, english) = *table.get(index)?;
            Some(Self { name, english })
        })
    }

    /// Finds a key while compiling; `None` becomes a compile error in [`crate::text!`].
    #[doc(hidden)]
    #[must_use]
    pub const fn find_const(name: &str) -> Option<Self> {
        let mut table = 0;
        while table < TABLES.len() {
            let mut row = 0;
            while row < TABLES[table].len() {
                let (other, english) = TABLES[table][row];
                if same(other, name) {
                    return Some(Self { name: other, english });
                }
                row += 1;
            }
            table += 1;
        }
        None
    }

    /// Its name, like `kind.client`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its English template.
    pub(super) const fn english(self) -> &'static str {
        self.english
    }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = left.len();
    while at > 0 {
        at -= 1;
        if left[at] != right[at] {
            return false;
        }
    }
    true
}

/// The key of a text, checked while compiling: `text!("kind.client")`.
#[macro_export]
macro_rules! text {
    ($name:literal) => {
        const {
            match $crate::catalogue::Key::find_const($name) {
                Some(key) => key,
                None => ::core::panic!("the catalogue has no such key"),
            }
        }
    };
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::find(&name).ok_or_else(|| D::Error::custom(format!("no text has the key {name}")))
    }
}
