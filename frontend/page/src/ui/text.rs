//! Texts of the catalogue in the page's language.

use hopscope_scenario::catalogue::{Arg, Args, Key, Language, plain};

/// The text of a key that takes no arguments.
pub(crate) fn t(key: Key) -> String {
    plain(Language::English, key, &Args::new())
}

/// The text of a key with its arguments by name.
pub(crate) fn t_with(key: Key, args: &[(&str, &str)]) -> String {
    let args: Args = args.iter().map(|(name, value)| ((*name).to_owned(), Arg::from(*value))).collect();
    plain(Language::English, key, &args)
}
