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

/// A whole number's digits in groups of three: `12,345`.
pub(crate) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
