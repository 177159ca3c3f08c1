//! A disturbance as it is typed: `5s crash orders for 2s`, `2s rate buyers 500/s`, `1s delay "buyers->orders" 50ms`.

use hopscope_scenario::disturb::{Action, DISTURBANCE_TAG};
use hopscope_scenario::text;
use serde_json::{Map, Value};

use crate::say::word;

/// Reads a disturbance with its time. What its words mean is validation's.
///
/// # Errors
/// With a line that says how one is written.
pub(crate) fn read(typed: &str) -> Result<Map<String, Value>, String> {
    let (at, rest) = typed.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
    // A time may be written with a space before its unit.
    let rest = rest.trim_start();
    let (unit, after) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
    let (at, rest) = if Action::find(unit).is_none() { (format!("{at} {unit}"), after) } else { (at.to_owned(), rest) };
    let (action, rest) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(wrong)?;
    let (rest, lasts) = match rest.rsplit_once(" for ") {
        Some((rest, lasts)) => (rest, Some(lasts)),
        None => (rest, None),
    };
    let takes = Action::find(action).ok_or_else(wrong)?.argument().is_some();
    let (on, argument) = if takes { argument(rest.trim()).ok_or_else(wrong)? } else { (rest.trim(), None) };
    let mut read = words(action, on, argument, lasts)?;
    read.insert("at".to_owned(), at.into());
    Ok(read)
}

/// What it is done to, and the argument behind it, which may have a space before its unit.
fn argument(words: &str) -> Option<(&str, Option<&str>)> {
    let starts = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let (before, last) = words.rsplit_once(char::is_whitespace)?;
    if starts(last) {
        return Some((before.trim_end(), Some(last)));
    }
    let (on, number) = before.trim_end().rsplit_once(char::is_whitespace)?;
    starts(number).then(|| (on.trim_end(), Some(words[words.len() - last.len() - number.len() - 1..].trim())))
}

/// A disturbance of these words, without its time.
///
/// # Errors
/// With a line that says how one is written.
pub(crate) fn words(
    action: &str,
    on: &str,
    argument: Option<&str>,
    lasts: Option<&str>,
) -> Result<Map<String, Value>, String> {
    let known = Action::find(action).ok_or_else(wrong)?;
    let field = known.argument();
    if field.is_some() != argument.is_some() {
        return Err(wrong());
    }
    let mut read = Map::new();
    read.insert(DISTURBANCE_TAG.to_owned(), action.into());
    read.insert("on".to_owned(), unquoted(on).into());
    read.extend(field.zip(argument).map(|(field, argument)| (field.name.to_owned(), argument.into())));
    read.extend(lasts.map(|lasts| ("for".to_owned(), lasts.trim().into())));
    Ok(read)
}

fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

fn wrong() -> String {
    word(text!("cli.disturb.form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> Option<String> {
        super::read(typed).ok().map(|read| Value::Object(read).to_string())
    }

    #[test]
    fn a_disturbance_is_read_from_its_words() {
        let lines = [
            ("5s crash orders for 2s", r#"{"do":"crash","on":"orders","for":"2s","at":"5s"}"#),
            ("5 s pause my shop", r#"{"do":"pause","on":"my shop","at":"5 s"}"#),
            ("2s rate buyers 500/s", r#"{"do":"rate","on":"buyers","rate":"500/s","at":"2s"}"#),
            ("1s delay a->b 50 ms for 1 s", r#"{"do":"delay","on":"a->b","by":"50 ms","for":"1 s","at":"1s"}"#),
            ("1s throttle \"l 1\" 100kB/s", r#"{"do":"throttle","on":"l 1","to":"100kB/s","at":"1s"}"#),
        ];
        for (typed, wanted) in lines {
            assert_eq!(read(typed).as_deref(), Some(wanted), "{typed}");
        }
        for typed in ["", "crash orders", "5s crash", "5s explode orders", "5s rate buyers", "5s delay a->b soon"] {
            assert_eq!(read(typed), None, "{typed}");
        }
    }
}
