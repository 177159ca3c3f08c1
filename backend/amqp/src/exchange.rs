//! Exchanges: which queues and other exchanges a routing key or a table of headers leads to. Pure.

mod matching;

use std::collections::BTreeMap;

use amq_protocol::types::{FieldTable, ShortString};

use crate::fault::Fault;
pub(crate) use matching::integer;
use matching::{check_headers, headers_match, topic_matches};

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

/// What an exchange is bound to; `Q` names a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Destination<Q> {
    Queue(Q),
    /// An exchange, by its name.
    Exchange(ShortString),
}

/// An exchange with the bindings of which it is the source.
#[derive(Debug)]
pub(crate) struct Exchange<Q> {
    pub(crate) kind: ExchangeKind,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    pub(crate) internal: bool,
    /// The exchange to which goes what this one leads nowhere.
    pub(crate) alternate: Option<String>,
    bindings: BTreeMap<ShortString, Vec<Binding<Q>>>,
}

#[derive(Debug)]
struct Binding<Q> {
    destination: Destination<Q>,
    arguments: FieldTable,
}

impl<Q: PartialEq> Exchange<Q> {
    pub(crate) fn new(kind: ExchangeKind, durable: bool) -> Self {
        Self { kind, durable, auto_delete: false, internal: false, alternate: None, bindings: BTreeMap::new() }
    }

    /// Checks the arguments of a binding that is to be made.
    pub(crate) fn check_arguments(&self, arguments: &FieldTable) -> Result<(), Fault> {
        if self.kind == ExchangeKind::Headers { check_headers(arguments) } else { Ok(()) }
    }

    /// Binds; once more is the same.
    pub(crate) fn bind(&mut self, destination: Destination<Q>, key: ShortString, arguments: FieldTable) {
        let bound = self.bindings.entry(key).or_default();
        if !bound.iter().any(|binding| binding.destination == destination && binding.arguments == arguments) {
            bound.push(Binding { destination, arguments });
        }
    }

    /// Whether there is such a binding.
    pub(crate) fn is_bound(&self, destination: &Destination<Q>, key: &ShortString, arguments: &FieldTable) -> bool {
        let mut bound = self.bindings.get(key).into_iter().flatten();
        bound.any(|binding| binding.destination == *destination && binding.arguments == *arguments)
    }

    /// Takes a binding back; whether there was one.
    pub(crate) fn unbind(&mut self, destination: &Destination<Q>, key: &ShortString, arguments: &FieldTable) -> bool {
        let Some(bound) = self.bindings.get_mut(key) else { return false };
        let before = bound.len();
        bound.retain(|binding| binding.destination != *destination || binding.arguments != *arguments);
        let removed = bound.len() < before;
        if bound.is_empty() {
            self.bindings.remove(key);
        }
        removed
    }

    /// Takes every binding to a destination back; whether there was one.
    pub(crate) fn forget(&mut self, destination: &Destination<Q>) -> bool {
        let mut removed = false;
        self.bindings.retain(|_, bound| {
            let before = bound.len();
            bound.retain(|binding| binding.destination != *destination);
            removed |= bound.len() < before;
            !bound.is_empty()
        });
        removed
    }

    /// Its bindings, by key: the key, the destination and the arguments of each.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&ShortString, &Destination<Q>, &FieldTable)> {
        self.bindings
            .iter()
            .flat_map(|(key, bound)| bound.iter().map(move |binding| (key, &binding.destination, &binding.arguments)))
    }

    /// Whether it is the source of a binding.
    pub(crate) fn has_bindings(&self) -> bool {
        !self.bindings.is_empty()
    }

    /// Adds where a message with any of these keys goes to `destinations`, perhaps one more than once.
    pub(crate) fn route<'a, 'k>(
        &'a self,
        keys: impl Iterator<Item = &'k str> + Clone,
        headers: Option<&FieldTable>,
        destinations: &mut Vec<&'a Destination<Q>>,
    ) {
        let mut add = |binding: &'a Binding<Q>| destinations.push(&binding.destination);
        match self.kind {
            ExchangeKind::Direct => keys.filter_map(|key| self.bindings.get(key)).flatten().for_each(add),
            ExchangeKind::Fanout => self.bindings.values().flatten().for_each(add),
            ExchangeKind::Topic => {
                let matching = self
                    .bindings
                    .iter()
                    .filter(|(pattern, _)| keys.clone().any(|key| topic_matches(pattern.as_str(), key)));
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

#[cfg(test)]
mod tests;
