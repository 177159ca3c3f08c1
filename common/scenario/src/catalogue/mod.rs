//! The catalogue: every text that a person reads, by key, in every language.
//!
//! To add a text: one line in the English table of its area (`en/`), in the order of the keys, and, where the page shows it,
//! one in every other language's file (`zh-Hans.json`). What the page fetches late is in `en.json` too, written by
//! `cargo run --release -p hopscope-scenario --example texts > common/scenario/src/catalogue/en.json`. Code names it by `text!("area.key")`, which is checked when it compiles; so a lookup cannot miss.
//! Texts are templates: `{name}` is an argument, `**…**` sets words apart (the page in bold, a terminal plainly).
//!
//! Fluent and leptos_i18n were weighed: Fluent's parser and resolver cost the page more than its texts, and both keep
//! keys apart from the descriptors that name them. Plural forms are avoided in wording ("calls: 3").

mod en;
mod key;
mod language;
mod render;

pub use key::Key;
pub use language::{LANGUAGES, Language, asked_early, english_file, version_of};
pub use render::{Arg, Args, Span, plain, spans};

#[cfg(test)]
mod tests;
