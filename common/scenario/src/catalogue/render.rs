//! Templates filled with arguments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Key, Language};

/// A named argument's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// Another text of the catalogue, shown in the reader's language. Serialises as `{"key": "kind.client"}`.
    Key {
        /// Which.
        key: Key,
    },
    /// Shown as it is. Serialises as a string.
    Text(String),
}

impl From<Key> for Arg {
    fn from(key: Key) -> Self {
        Self::Key { key }
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Arg {
    fn show(&self, language: Language) -> &str {
        match self {
            Self::Key { key } => language.template(*key),
            Self::Text(text) => text,
        }
    }
}

/// Arguments by name.
pub type Args = BTreeMap<String, Arg>;

/// A stretch of a filled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The words.
    pub text: String,
    /// Whether they are set apart (`**…**` in the template).
    pub strong: bool,
}

/// The text as stretches. An argument that is a key stands for its template, filled with the same arguments; what a text
/// argument holds is never read as markup or as a template. An argument that is not given leaves its `{name}` standing.
#[must_use]
pub fn spans(language: Language, key: Key, args: &Args) -> Vec<Span> {
    let mut template = language.template(key).to_owned();
    // In the order of their names and each once, so that this ends whatever the texts say.
    for (name, arg) in args {
        if let Arg::Key { key } = arg {
            template = template.replace(&format!("{{{name}}}"), language.template(*key));
        }
    }
    template
        .split("**")
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
        .map(|(index, part)| Span { text: fill(language, part, args), strong: index % 2 == 1 })
        .collect()
}

/// The text without markup, for a terminal, a title or an ARIA name.
#[must_use]
pub fn plain(language: Language, key: Key, args: &Args) -> String {
    spans(language, key, args).into_iter().map(|span| span.text).collect()
}

fn fill(language: Language, part: &str, args: &Args) -> String {
    let mut filled = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                match args.get(name) {
                    Some(arg) => filled.push_str(arg.show(language)),
                    None => {
                        filled.push('{');
                        filled.push_str(name);
                        filled.push('}');
                    }
                }
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}
