//! Which messages an exchange hands on over which of its bindings, by the rules of AMQP 0-9-1 (section 3.1.3) and RabbitMQ.
//!
//! What a link says stands in its own fields: a publish has a routing key and headers, a binding a binding key, or headers and
//! whether all of them have to be there.

use serde_json::{Map, Value};

use crate::model::ExchangeType;
use crate::protocol::{ANY, BINDING_KEY, HEADERS, MATCH, ROUTING_KEY};

#[cfg(test)]
mod tests;

/// Headers that a run's messages have of themselves.
const OWN: [&str; 2] = ["traceparent", "tracestate"];

/// Whether an exchange of this type hands what is published with `publish` on over `binding`: the fields of the two links.
#[must_use]
pub fn hands_on(routing: ExchangeType, publish: &Map<String, Value>, binding: &Map<String, Value>) -> bool {
    let (key, bound) = (text(publish, ROUTING_KEY), text(binding, BINDING_KEY));
    match routing {
        ExchangeType::Fanout => true,
        ExchangeType::Direct => key == bound,
        ExchangeType::Topic => {
            let (pattern, words): (Vec<_>, Vec<_>) = (words(bound).collect(), words(key).collect());
            is_like(&pattern, &words)
        }
        ExchangeType::Headers => {
            // What is no header has an Issue of its own.
            let has = headers(text(publish, HEADERS)).unwrap_or_default();
            let wanted = headers(text(binding, HEADERS)).unwrap_or_default();
            let mut found = wanted.iter().map(|header| has.contains(header));
            if wants_any(binding) { found.any(|found| found) } else { found.all(|found| found) }
        }
    }
}

/// The headers of a link, `name=value, name=value`, in their order.
///
/// # Errors
/// The first part that is none: without a name or an equals sign, or with a name that brokers or runs give a meaning of their
/// own (`x-...`, `traceparent`, `tracestate`).
pub fn headers(written: &str) -> Result<Vec<(&str, &str)>, &str> {
    let parts = written.split(',').map(str::trim).filter(|part| !part.is_empty());
    let header = |part| {
        let (name, value) = str::split_once(part, '=').ok_or(part)?;
        let (name, value) = (name.trim(), value.trim());
        let free = !name.is_empty() && !name.starts_with("x-") && !OWN.contains(&name);
        if free { Ok((name, value)) } else { Err(part) }
    };
    parts.map(header).collect()
}

/// Whether one header is enough for a binding.
#[must_use]
pub fn wants_any(binding: &Map<String, Value>) -> bool {
    text(binding, MATCH) == ANY
}

/// A field of a link, empty where it is left out.
#[must_use]
pub fn text<'a>(link: &'a Map<String, Value>, name: &str) -> &'a str {
    link.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// An empty key has no word.
fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split('.').filter(move |_| !key.is_empty())
}

/// Whether words are like a pattern: `*` stands for one word, `#` for any number of them. Each pattern's word is tried once
/// with each number of words, so that no pattern takes long.
fn is_like(pattern: &[&str], words: &[&str]) -> bool {
    // Of the patterns up to a word: which numbers of words they are like.
    let mut reached = vec![false; words.len() + 1];
    reached.first_mut().into_iter().for_each(|none| *none = true);
    for wanted in pattern {
        let mut next = vec![false; words.len() + 1];
        let mut any = false;
        for (count, reach) in next.iter_mut().enumerate() {
            let before = |count: usize| reached.get(count).copied().unwrap_or(false);
            any |= before(count);
            let word = count.checked_sub(1).and_then(|last| words.get(last).map(|word| (last, *word)));
            *reach = match *wanted {
                "#" => any,
                wanted => word.is_some_and(|(last, word)| (wanted == "*" || wanted == word) && before(last)),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}
