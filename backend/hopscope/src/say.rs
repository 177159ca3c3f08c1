//! Texts of the catalogue, and the two streams that they go to.
//!
//! What was asked for goes to standard output, all else to standard error. Control characters that a document or a file
//! name brought along never reach the terminal.

use std::io::{self, Write};

use anyhow::{Context, Result};
use hopscope_scenario::catalogue::{Arg, Args, Key, Language, plain};
use hopscope_scenario::text;

/// The language of the command line.
pub(crate) const LANGUAGE: Language = Language::English;

/// A text of the catalogue with its arguments.
pub(crate) fn say<const N: usize>(key: Key, args: [(&str, String); N]) -> String {
    let args: Args = args.into_iter().map(|(name, value)| (name.to_owned(), Arg::Text(value))).collect();
    plain(LANGUAGE, key, &args)
}

/// A text of the catalogue that has no arguments.
pub(crate) fn word(key: Key) -> String {
    plain(LANGUAGE, key, &Args::new())
}

/// What went wrong and why, each said once: an error may have told of its cause already.
pub(crate) fn reason(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Without what would steer a terminal, or turn the direction in which a line is read.
pub(crate) fn harmless(text: &str) -> String {
    let steers =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Writes what was asked for, with a line's end.
///
/// # Errors
/// When standard output cannot be written. A reader that has gone is none: it has had enough.
pub(crate) fn answer(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", harmless(text)).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.with_context(|| word(text!("cli.error.stdout"))),
    }
}

/// Writes a line about what goes on. Where nobody can read it, nobody can be told so either.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || io::Error::other("too many files");
        assert_eq!(reason(&anyhow::Error::new(cause()).context("cannot start")), "cannot start: too many files");
        let error = anyhow::Error::new(cause()).context("shop: too many files. Close some").context("cannot start");
        assert_eq!(reason(&error), "cannot start: shop: too many files. Close some");
    }

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_obeyed() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc"), "a\u{fffd}[2Jb\u{fffd}\nc");
        assert_eq!(harmless("a\u{9b}2J\u{202e}txt.exe"), "a\u{fffd}2J\u{fffd}txt.exe");
    }
}
