//! An event as named fields: what every export writes of it, and under which names.
//!
//! JSON, CSV and Perfetto differ in how they write a field, never in which there are.

use hopscope_record::frame::{Hello, MessageRow};
use hopscope_record::kind::{
    Attempt, Deaths, DepthReport, EffectMark, LATE, LagReport, Position, QueueStep, ValueMeaning,
};
use hopscope_record::{Event, KINDS, Kind, KindInfo, LinkIndex, NameIndex, PlaceIndex};
use hopscope_scenario::plan::{Place, Plan};

use super::distinct_kinds;
use super::values::{
    ACCOUNT, CAUSE, COMMITTED, CONSUMERS, DEPTH_BEFORE, Form, OFFSET, REPEATED, field, field_names, word,
};

/// Fields that any event may have, in their order.
const COMMON: [&str; 9] = ["time_ns", "kind", "node", "instance", "link", "trace", "message", "attempt", "parent"];

/// Fields of what a message carries, beside `bytes`, on its `Intended`.
const CARRIED: [&str; 3] = ["key", "value", "event_time_ns"];

/// Fields that stand last: the mark of what came late, and what there is no better name for.
const LAST: [&str; 4] = ["late", "place", "a", "b"];

/// One field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cell<'a> {
    /// A number that may be negative.
    Signed(i64),
    /// A number from 0.
    Unsigned(u64),
    /// 64 bits as 16 hexadecimal digits.
    Id(u64),
    /// A message without its attempt, as 14 hexadecimal digits.
    Message(u64),
    /// A text.
    Text(&'a str),
    /// It is so; where it is not, the field is left out.
    True,
}

/// Every field that an event of this build's kinds may have, in a fixed order, each once.
pub(crate) fn columns() -> Vec<&'static str> {
    let values = KINDS.iter().flat_map(|info| [info.a.meaning, info.b.meaning]).flat_map(field_names);
    let mut columns = Vec::new();
    for name in COMMON.into_iter().chain(values).chain(CARRIED).chain(LAST) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    columns
}

/// Gives events their fields. Holds every text that an event can name.
pub(super) struct Fields {
    /// For each number of a kind that Hello names: its name, and whether it is the kind that this build means by it.
    kinds: Vec<(u16, String, bool)>,
    /// For each place its node's id and what it is there.
    places: Vec<(String, String)>,
    /// For each link its id.
    links: Vec<String>,
    /// For each row of names its text.
    names: Vec<String>,
    /// For each effect its account.
    accounts: Vec<String>,
}

impl Fields {
    pub(super) fn new(hello: &Hello, plan: &Plan, names: &[String]) -> Self {
        let known = |kind: Kind, name: &str| kind.name() == Some(name);
        let mut kinds: Vec<_> =
            distinct_kinds(hello).map(|(kind, name)| (kind.0, name.to_owned(), known(kind, name))).collect();
        kinds.sort_unstable_by_key(|(number, ..)| *number);
        let node = |place: &Place| plan.nodes.get(place.node as usize).map(|node| node.id.clone()).unwrap_or_default();
        Self {
            kinds,
            places: plan.places.iter().map(|place| (node(place), place.instance())).collect(),
            links: plan.links.iter().map(|link| link.id.clone()).collect(),
            names: names.to_vec(),
            accounts: plan.effects.iter().map(|effect| effect.account.clone()).collect(),
        }
    }

    /// The kind by the name that the recording gives it, and its row if that name is this build's too.
    pub(super) fn kind(&self, kind: Kind) -> (Option<&str>, Option<&'static KindInfo>) {
        let row = self.kinds.binary_search_by_key(&kind.0, |(number, ..)| *number).ok();
        match row.and_then(|row| self.kinds.get(row)) {
            Some((_, name, known)) => (Some(name), kind.info().filter(|_| *known)),
            None => (None, None),
        }
    }

    /// A place's node and what it is there.
    pub(super) fn place(&self, place: PlaceIndex) -> Option<(&str, &str)> {
        self.places.get(place.0 as usize).map(|(node, instance)| (node.as_str(), instance.as_str()))
    }

    /// A link's id.
    pub(super) fn link(&self, link: LinkIndex) -> Option<&str> {
        self.links.get(usize::from(link.0)).map(String::as_str)
    }

    /// The text that a value names.
    pub(super) fn name(&self, value: u64) -> Option<&str> {
        NameIndex::from_value(value).and_then(|row| self.names.get(row.0 as usize)).map(String::as_str)
    }

    /// Hands over the fields of an event in their order, and of what its message carries. Those that say nothing are left
    /// out.
    pub(super) fn of<'a>(
        &'a self,
        event: &Event,
        carries: Option<&MessageRow>,
        put: &mut impl FnMut(&'static str, Cell<'a>),
    ) {
        put("time_ns", Cell::Signed(event.time));
        let (name, info) = self.kind(event.kind);
        put("kind", name.map_or(Cell::Unsigned(event.kind.0.into()), Cell::Text));
        self.put_site(event, put);
        if !event.trace.is_none() {
            put("trace", Cell::Id(event.trace.0));
        }
        if !event.message.is_none() {
            put("message", Cell::Message(event.message.message()));
            put("attempt", Cell::Unsigned(event.message.attempt().into()));
        }
        if !event.parent.is_none() {
            put("parent", Cell::Id(event.parent.0));
        }
        match info {
            Some(info) => self.put_values(event, info, put),
            None => {
                put("a", Cell::Id(event.a));
                put("b", Cell::Id(event.b));
            }
        }
        if let Some(row) = carries {
            put("bytes", Cell::Unsigned(row.bytes));
            self.carried(row, put);
        }
    }

    /// Hands over what a message carries, but for its size.
    pub(super) fn carried<'a>(&'a self, row: &MessageRow, put: &mut impl FnMut(&'static str, Cell<'a>)) {
        if let Some(key) = row.key {
            let value = NameIndex::to_value(Some(key));
            put("key", self.name(value).map_or(Cell::Unsigned(value), Cell::Text));
        }
        if let Some(value) = row.value {
            put("value", Cell::Signed(value));
        }
        if let Some(time) = row.event_time {
            put("event_time_ns", Cell::Signed(time));
        }
    }

    fn put_site<'a>(&'a self, event: &Event, put: &mut impl FnMut(&'static str, Cell<'a>)) {
        match self.place(event.place) {
            Some((node, instance)) => {
                put("node", Cell::Text(node));
                put("instance", Cell::Text(instance));
            }
            None if event.place.is_none() => {}
            None => put("place", Cell::Unsigned(event.place.0.into())),
        }
        match self.link(event.link) {
            Some(id) => put("link", Cell::Text(id)),
            None if event.link.is_none() => {}
            None => put("link", Cell::Unsigned(event.link.0.into())),
        }
    }

    fn put_values<'a>(&'a self, event: &Event, info: &KindInfo, put: &mut impl FnMut(&'static str, Cell<'a>)) {
        let late = event.is_late();
        let a = if info.attempt == Attempt::Closes { event.a & !LATE } else { event.a };
        self.put_value("a", info.a.meaning, a, put);
        match QueueStep::from_value(event.b).filter(|_| info.a.meaning == ValueMeaning::Ordinal && event.a == 0) {
            // Of a consumer's word nobody counted a length.
            Some(QueueStep { before: 0, after: 0, cause }) => {
                put(CAUSE, cause.name().map_or(Cell::Unsigned(cause.0.into()), Cell::Text));
            }
            _ => self.put_value("b", info.b.meaning, event.b, put),
        }
        if late {
            put("late", Cell::True);
        }
    }

    fn put_value<'a>(
        &'a self,
        raw: &'static str,
        meaning: ValueMeaning,
        value: u64,
        put: &mut impl FnMut(&'static str, Cell<'a>),
    ) {
        match field(meaning) {
            Some((name, Form::Signed)) => put(name, Cell::Signed(value.cast_signed())),
            Some((name, Form::Unsigned)) => put(name, Cell::Unsigned(value)),
            Some((_, Form::Name)) if value == 0 => {}
            Some((name, Form::Name)) => put(name, self.name(value).map_or(Cell::Unsigned(value), Cell::Text)),
            Some((name, Form::Word(words))) => {
                put(name, word(words, value).map_or(Cell::Unsigned(value), Cell::Text));
            }
            Some((name, Form::Mark(mark))) if value == mark => put(name, Cell::True),
            Some((name, Form::Step)) if let Some(step) = QueueStep::from_value(value) => {
                put(DEPTH_BEFORE, Cell::Unsigned(step.before.into()));
                put(name, Cell::Unsigned(step.after.into()));
                put(CAUSE, step.cause.name().map_or(Cell::Unsigned(step.cause.0.into()), Cell::Text));
            }
            Some((name, Form::Report)) => {
                let DepthReport { ready, consumers } = DepthReport::from_value(value);
                put(name, Cell::Unsigned(ready.into()));
                put(CONSUMERS, Cell::Unsigned(consumers.into()));
            }
            Some((name, Form::Deaths)) if let Some(Deaths { count, cause }) = Deaths::from_value(value) => {
                put(name, Cell::Unsigned(count.into()));
                put(CAUSE, cause.name().map_or(Cell::Unsigned(cause.0.into()), Cell::Text));
            }
            Some((name, Form::Effect)) => {
                let EffectMark { effect, repeated } = EffectMark::from_value(value);
                put(name, Cell::Unsigned(effect.into()));
                if let Some(account) = self.accounts.get(effect as usize) {
                    put(ACCOUNT, Cell::Text(account));
                }
                if repeated {
                    put(REPEATED, Cell::True);
                }
            }
            Some((name, Form::Position)) if let Some(Position { partition, offset }) = Position::from_value(value) => {
                put(name, Cell::Unsigned(partition.into()));
                put(OFFSET, Cell::Unsigned(offset));
            }
            Some((name, Form::Lag)) => {
                let LagReport { end, committed } = LagReport::from_value(value);
                put(name, Cell::Unsigned(end.into()));
                put(COMMITTED, Cell::Unsigned(committed.into()));
            }
            None | Some((_, Form::Mark(_) | Form::Step | Form::Position)) if value == 0 => {}
            None | Some((_, Form::Mark(_) | Form::Step | Form::Deaths | Form::Position)) => put(raw, Cell::Id(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_column() {
        let columns = columns();
        assert_eq!(columns[..COMMON.len()], COMMON);
        assert_eq!(columns[columns.len() - LAST.len()..], LAST);
        for name in ["status", "bytes", "depth_before", "depth", "cause", "ordinal", "scheduled_ns"] {
            assert_eq!(columns.iter().filter(|column| **column == name).count(), 1, "{name}");
        }
    }
}
