//! Exchanges: which queues a routing key or a table of headers leads to. Pure.

use std::collections::BTreeMap;

use amq_protocol::types::{AMQPValue, FieldTable, ShortString};

/// How an exchange chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ExchangeKind {
    Direct,
    Fanout,
    Topic,
    Headers,
}

impl ExchangeKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "direct" => Some(Self::Direct),
            "fanout" => Some(Self::Fanout),
            "topic" => Some(Self::Topic),
            "headers" => Some(Self::Headers),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Fanout => "fanout",
            Self::Topic => "topic",
            Self::Headers => "headers",
        }
    }
}

/// An exchange with its bindings; `Q` names a queue.
#[derive(Debug)]
pub(crate) struct Exchange<Q> {
    pub(crate) kind: ExchangeKind,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    pub(crate) internal: bool,
    bindings: BTreeMap<ShortString, Vec<Binding<Q>>>,
}

#[derive(Debug)]
struct Binding<Q> {
    queue: Q,
    arguments: FieldTable,
}

impl<Q: Copy + PartialEq> Exchange<Q> {
    pub(crate) fn new(kind: ExchangeKind, durable: bool) -> Self {
        Self { kind, durable, auto_delete: false, internal: false, bindings: BTreeMap::new() }
    }

    /// Binds; once more is the same.
    pub(crate) fn bind(&mut self, queue: Q, key: ShortString, arguments: FieldTable) {
        let bound = self.bindings.entry(key).or_default();
        if !bound.iter().any(|binding| binding.queue == queue && binding.arguments == arguments) {
            bound.push(Binding { queue, arguments });
        }
    }

    /// Takes a binding back; whether there was one.
    pub(crate) fn unbind(&mut self, queue: Q, key: &ShortString, arguments: &FieldTable) -> bool {
        let Some(bound) = self.bindings.get_mut(key) else { return false };
        let before = bound.len();
        bound.retain(|binding| binding.queue != queue || binding.arguments != *arguments);
        let removed = bound.len() < before;
        if bound.is_empty() {
            self.bindings.remove(key);
        }
        removed
    }

    /// Takes every binding of a queue back; whether there was one.
    pub(crate) fn forget(&mut self, queue: Q) -> bool {
        let mut removed = false;
        self.bindings.retain(|_, bound| {
            let before = bound.len();
            bound.retain(|binding| binding.queue != queue);
            removed |= bound.len() < before;
            !bound.is_empty()
        });
        removed
    }

    pub(crate) fn has_bindings(&self) -> bool {
        !self.bindings.is_empty()
    }

    /// Adds the queues that take such a message to `targets`, each once.
    pub(crate) fn route(&self, key: &str, headers: Option<&FieldTable>, targets: &mut Vec<Q>) {
        let mut add = |binding: &Binding<Q>| {
            if !targets.contains(&binding.queue) {
                targets.push(binding.queue);
            }
        };
        match self.kind {
            ExchangeKind::Direct => self.bindings.get(key).into_iter().flatten().for_each(add),
            ExchangeKind::Fanout => self.bindings.values().flatten().for_each(add),
            ExchangeKind::Topic => {
                let matching = self.bindings.iter().filter(|(pattern, _)| topic_matches(pattern.as_str(), key));
                matching.flat_map(|(_, bound)| bound).for_each(add);
            }
            ExchangeKind::Headers => {
                for binding in self.bindings.values().flatten() {
                    if headers_match(&binding.arguments, headers) {
                        add(binding);
                    }
                }
            }
        }
    }
}

/// Whether a key of words between dots matches a pattern in which `*` is one word and `#` any number, none included.
///
/// Remembers the last `#` only: one that could have taken more words is never better taken back than the next one.
fn topic_matches(pattern: &str, key: &str) -> bool {
    let (pattern, key) = (words(pattern), words(key));
    let (mut in_pattern, mut in_key) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(word) = key.get(in_key) {
        match pattern.get(in_pattern) {
            Some(&"#") => {
                retry = Some((in_pattern + 1, in_key));
                in_pattern += 1;
            }
            Some(asked) if *asked == "*" || asked == word => {
                in_pattern += 1;
                in_key += 1;
            }
            _ => match retry {
                Some((after, taken)) => {
                    retry = Some((after, taken + 1));
                    in_pattern = after;
                    in_key = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(in_pattern).all(|word| *word == "#")
}

/// The words of a key; an empty key has none.
fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

/// Whether headers match a binding's arguments: all of them, or with `x-match` `any` one. Arguments that begin with `x-`
/// count only with `all-with-x` and `any-with-x`. An argument without a value asks for the name alone.
fn headers_match(arguments: &FieldTable, headers: Option<&FieldTable>) -> bool {
    let mode = match arguments.inner().get("x-match") {
        Some(AMQPValue::LongString(mode)) => mode.as_bytes(),
        _ => b"all",
    };
    let (any, with_x) = match mode {
        b"any" => (true, false),
        b"any-with-x" => (true, true),
        b"all-with-x" => (false, true),
        _ => (false, false),
    };
    let mut asked = arguments
        .into_iter()
        .filter(|(name, _)| name.as_str() != "x-match" && (with_x || !name.as_str().starts_with("x-")));
    let holds = |(name, value): (&ShortString, &AMQPValue)| {
        headers.and_then(|headers| headers.inner().get(name.as_str())).is_some_and(|found| same(value, found))
    };
    if any { asked.any(holds) } else { asked.all(holds) }
}

/// Whether two values are the same, whatever the width of their integers; no value asks for none in particular.
fn same(asked: &AMQPValue, found: &AMQPValue) -> bool {
    match (asked, found) {
        (AMQPValue::Void, _) => true,
        _ => match (integer(asked), integer(found)) {
            (Some(asked), Some(found)) => asked == found,
            _ => asked == found,
        },
    }
}

/// An integer of any width.
pub(crate) fn integer(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(value) => Some(i64::from(value)),
        AMQPValue::ShortShortUInt(value) => Some(i64::from(value)),
        AMQPValue::ShortInt(value) => Some(i64::from(value)),
        AMQPValue::ShortUInt(value) => Some(i64::from(value)),
        AMQPValue::LongInt(value) => Some(i64::from(value)),
        AMQPValue::LongUInt(value) => Some(i64::from(value)),
        AMQPValue::LongLongInt(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
