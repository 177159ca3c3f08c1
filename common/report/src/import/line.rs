//! One event of the document: its fields, and the event that they tell of.

use std::collections::BTreeMap;

use hopscope_record::frame::{Hello, MessageRow};
use hopscope_record::kind::{
    Attempt, Deaths, DepthReport, EffectMark, LATE, LagReport, Position, QueueCause, QueueStep, ValueMeaning,
};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, NameIndex, PlaceIndex, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::Plan;
use hopscope_scenario::text;

use super::fault::{Code, Fault, below};
use super::head::hex;
use crate::export::fields::columns;
use crate::export::values::{ACCOUNT, CAUSE, COMMITTED, CONSUMERS, DEPTH_BEFORE, Form, OFFSET, REPEATED, Word, field};

/// A field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scalar {
    Unsigned(u64),
    /// Below 0.
    Negative(i64),
    True,
    /// From, to: bytes of the line's texts.
    Text(usize, usize),
    /// What no field may have.
    Other(&'static str),
}

/// The fields of one event. Kept from event to event, so that none allocates.
pub(super) struct Line {
    columns: Vec<&'static str>,
    cells: Vec<Option<Scalar>>,
    texts: String,
    /// The event's number in the list.
    pub(super) index: u64,
}

impl Line {
    pub(super) fn new() -> Self {
        let columns = columns();
        Self { cells: vec![None; columns.len()], columns, texts: String::new(), index: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.cells.fill(None);
        self.texts.clear();
    }

    /// A pointer to the event.
    pub(super) fn path(&self) -> String {
        format!("/events/{}", self.index)
    }

    /// The field's number.
    pub(super) fn column(&self, name: &str) -> Result<usize, Fault> {
        let column = self.columns.iter().position(|column| *column == name);
        let column = column.ok_or_else(|| Fault::unknown(&self.path(), name))?;
        match self.cells.get(column) {
            Some(None) => Ok(column),
            _ => Err(Fault::new(Code::Twice, below(&self.path(), name), [("field", name.into())])),
        }
    }

    pub(super) fn put(&mut self, column: usize, scalar: Scalar) {
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Some(scalar);
        }
    }

    /// Keeps a text.
    pub(super) fn keep(&mut self, text: &str) -> Scalar {
        let from = self.texts.len();
        self.texts.push_str(text);
        Scalar::Text(from, self.texts.len())
    }

    fn take(&mut self, name: &str) -> Option<Scalar> {
        let column = self.columns.iter().position(|column| *column == name)?;
        self.cells.get_mut(column)?.take()
    }

    fn missing(&self, name: &str) -> Fault {
        Fault::missing(&self.path(), name)
    }

    fn bad(&self, name: &str, found: Scalar, expected: Key) -> Fault {
        let found = match found {
            Scalar::Unsigned(number) => number.to_string(),
            Scalar::Negative(number) => number.to_string(),
            Scalar::True => "true".to_owned(),
            Scalar::Text(..) => self.text(found).unwrap_or_default().to_owned(),
            Scalar::Other(shown) => shown.to_owned(),
        };
        Fault::value(below(&self.path(), name), &found, expected)
    }

    fn text(&self, scalar: Scalar) -> Option<&str> {
        match scalar {
            Scalar::Text(from, to) => self.texts.get(from..to),
            _ => None,
        }
    }

    fn signed(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(found) = self.take(name) else { return Ok(None) };
        let number = match found {
            Scalar::Unsigned(number) => i64::try_from(number).ok(),
            Scalar::Negative(number) => Some(number),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.bad(name, found, text!("import.expected.integer")))
    }

    fn natural<N: TryFrom<u64>>(&mut self, name: &str) -> Result<Option<N>, Fault> {
        let Some(found) = self.take(name) else { return Ok(None) };
        let number = match found {
            Scalar::Unsigned(number) => N::try_from(number).ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.bad(name, found, text!("import.expected.natural")))
    }

    fn digits(&mut self, name: &str, digits: usize, expected: Key) -> Result<Option<u64>, Fault> {
        let Some(found) = self.take(name) else { return Ok(None) };
        let bits = self.text(found).and_then(|text| hex(text, digits));
        bits.map(Some).ok_or_else(|| self.bad(name, found, expected))
    }

    fn id(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        self.digits(name, 16, text!("import.expected.id"))
    }

    fn mark(&mut self, name: &str) -> Result<bool, Fault> {
        match self.take(name) {
            None => Ok(false),
            Some(Scalar::True) => Ok(true),
            Some(found) => Err(self.bad(name, found, text!("import.expected.true"))),
        }
    }

    /// A text that `find` knows, or a number.
    fn named(
        &mut self,
        name: &str,
        find: impl FnOnce(&str) -> Option<u64>,
        most: u64,
        expected: Key,
    ) -> Result<Option<u64>, Fault> {
        let Some(found) = self.take(name) else { return Ok(None) };
        let number = match found {
            Scalar::Unsigned(number) => Some(number),
            _ => self.text(found).and_then(find),
        };
        number.filter(|number| *number <= most).map(Some).ok_or_else(|| self.bad(name, found, expected))
    }

    /// All that is left means nothing.
    fn end(&self) -> Result<(), Fault> {
        let left = self.cells.iter().zip(&self.columns).find(|(cell, _)| cell.is_some());
        left.map_or(Ok(()), |(_, name)| Err(Fault::unknown(&self.path(), name)))
    }
}

/// What events refer to by name, with the numbers that the record has for it.
pub(super) struct Tables {
    /// For each name its number, and its row if this build means the same by it.
    kinds: BTreeMap<String, (Kind, Option<&'static KindInfo>)>,
    /// By node and instance.
    places: BTreeMap<String, BTreeMap<String, u32>>,
    links: BTreeMap<String, u16>,
    /// For each text its row + 1.
    names: BTreeMap<String, u64>,
    /// For each effect its account.
    accounts: Vec<String>,
}

impl Tables {
    pub(super) fn new(hello: &Hello, plan: &Plan, names: &[String]) -> Self {
        let row = |(kind, name): &(Kind, String)| {
            (name.clone(), (*kind, kind.info().filter(|info| info.name == name.as_str())))
        };
        let mut places = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (place, number) in plan.places.iter().zip(0_u32..) {
            if let Some(node) = plan.nodes.get(place.node as usize) {
                places.entry(node.id.clone()).or_default().insert(place.instance(), number);
            }
        }
        // Of a text that stands twice the first row is as good as the second.
        let rows = names.iter().enumerate().rev();
        Self {
            kinds: hello.kinds.iter().map(row).collect(),
            places,
            links: plan.links.iter().zip(0_u16..).map(|(link, number)| (link.id.clone(), number)).collect(),
            names: rows.map(|(row, name)| (name.clone(), row as u64 + 1)).collect(),
            accounts: plan.effects.iter().map(|effect| effect.account.clone()).collect(),
        }
    }

    /// The event that a line tells of, and what its message carries. The line is used up.
    pub(super) fn event(&self, line: &mut Line) -> Result<(Event, Option<MessageRow>), Fault> {
        let time = line.signed("time_ns")?.ok_or_else(|| line.missing("time_ns"))?;
        let (kind, info) = self.kind(line)?;
        let place = self.place(line)?;
        let find = |id: &str| self.links.get(id).copied().map(u64::from);
        let link = line.named("link", find, u16::MAX.into(), text!("import.expected.link"))?;
        let trace = line.id("trace")?;
        let message = match line.digits("message", 14, text!("import.expected.message"))? {
            None => 0,
            Some(message) => {
                let attempt = line.natural::<u8>("attempt")?.ok_or_else(|| line.missing("attempt"))?;
                message << 8 | u64::from(attempt)
            }
        };
        let parent = line.id("parent")?;
        let (a, b) = match info {
            Some(info) => self.values(line, info)?,
            None => {
                let a = line.id("a")?.ok_or_else(|| line.missing("a"))?;
                (a, line.id("b")?.ok_or_else(|| line.missing("b"))?)
            }
        };
        let row = if kind == Kind::INTENDED { self.carried(line, MessageId(message))? } else { None };
        line.end()?;
        let event = Event {
            trace: TraceId(trace.unwrap_or(0)),
            message: MessageId(message),
            parent: MessageId(parent.unwrap_or(0)),
            a,
            b,
            place,
            link: link.and_then(|link| u16::try_from(link).ok()).map_or(LinkIndex::NONE, LinkIndex),
            ..Event::new(time, kind)
        };
        Ok((event, row))
    }

    /// What a message carries, where the line tells it.
    fn carried(&self, line: &mut Line, message: MessageId) -> Result<Option<MessageRow>, Fault> {
        let find = |text: &str| self.names.get(text).copied();
        let key =
            line.named("key", find, NameIndex::to_value(Some(NameIndex(u32::MAX))), text!("import.expected.name"))?;
        let (value, event_time) = (line.signed("value")?, line.signed("event_time_ns")?);
        let bytes = line.natural("bytes")?;
        if bytes.is_none() && key.is_none() && value.is_none() && event_time.is_none() {
            return Ok(None);
        }
        if message.is_none() {
            return Err(line.missing("message"));
        }
        let bytes = bytes.ok_or_else(|| line.missing("bytes"))?;
        let key = key.and_then(NameIndex::from_value);
        Ok(Some(MessageRow { message: message.message(), key, value, event_time, bytes }))
    }

    fn kind(&self, line: &mut Line) -> Result<(Kind, Option<&'static KindInfo>), Fault> {
        let found = line.take("kind").ok_or_else(|| line.missing("kind"))?;
        let kind = match found {
            Scalar::Unsigned(number) => u16::try_from(number).ok().map(|number| (Kind(number), None)),
            _ => line.text(found).and_then(|name| self.kinds.get(name)).copied(),
        };
        kind.ok_or_else(|| line.bad("kind", found, text!("import.expected.kind")))
    }

    fn place(&self, line: &mut Line) -> Result<PlaceIndex, Fault> {
        let Some(node) = line.take("node") else {
            let place = line.natural("place")?;
            return Ok(place.map_or(PlaceIndex::NONE, PlaceIndex));
        };
        let instance = line.take("instance").ok_or_else(|| line.missing("instance"))?;
        let at_node = line.text(node).and_then(|node| self.places.get(node));
        let at_node = at_node.ok_or_else(|| line.bad("node", node, text!("import.expected.node")))?;
        let place = line.text(instance).and_then(|instance| at_node.get(instance));
        let place = place.ok_or_else(|| line.bad("instance", instance, text!("import.expected.instance")))?;
        Ok(PlaceIndex(*place))
    }

    fn values(&self, line: &mut Line, info: &KindInfo) -> Result<(u64, u64), Fault> {
        let a = self.value(line, "a", info.a.meaning)?;
        let b = self.value(line, "b", info.b.meaning)?;
        let late = info.attempt == Attempt::Closes && line.mark("late")?;
        Ok((if late { a | LATE } else { a }, b))
    }

    /// A value by the fields of its meaning, or as it is: so it stands where those cannot say it, and where the build
    /// that wrote the document did not know the kind.
    fn value(&self, line: &mut Line, raw: &'static str, meaning: ValueMeaning) -> Result<u64, Fault> {
        let Some((name, form)) = field(meaning) else { return Ok(line.id(raw)?.unwrap_or(0)) };
        let value = match form {
            Form::Signed => line.signed(name)?.map(i64::cast_unsigned),
            Form::Unsigned => line.natural(name)?,
            Form::Name => {
                let find = |text: &str| self.names.get(text).copied();
                line.named(name, find, u64::MAX, text!("import.expected.name"))?
            }
            Form::Word(words) => {
                line.named(name, |word| number(words, word), u64::MAX, text!("import.expected.word"))?
            }
            Form::Mark(mark) => line.mark(name)?.then_some(mark),
            Form::Step => step(line, name)?,
            Form::Report => report(line, name)?,
            Form::Deaths => deaths(line, name)?,
            Form::Effect => self.effect(line, name)?,
            Form::Position => position(line, name)?,
            Form::Lag => lag(line, name)?,
        };
        if let Some(value) = value {
            return Ok(value);
        }
        let value = line.id(raw)?;
        let optional = matches!(form, Form::Name | Form::Mark(_) | Form::Step | Form::Position);
        value.or(optional.then_some(0)).ok_or_else(|| line.missing(name))
    }
}

impl Tables {
    /// An effect by its number; its account, where it is told, must be the one that the scenario has there.
    fn effect(&self, line: &mut Line, name: &'static str) -> Result<Option<u64>, Fault> {
        let (account, repeated) = (line.take(ACCOUNT), line.mark(REPEATED)?);
        let Some(effect) = line.natural::<u32>(name)? else { return Ok(None) };
        if let Some(found) = account
            && line.text(found) != self.accounts.get(effect as usize).map(String::as_str)
        {
            return Err(line.bad(ACCOUNT, found, text!("import.expected.account")));
        }
        Ok(Some(EffectMark { effect, repeated }.to_value()))
    }
}

fn number(words: &[Word], text: &str) -> Option<u64> {
    words.iter().find(|(_, word)| *word == text).map(|(number, _)| *number)
}

/// A broker's word by its two fields.
fn report(line: &mut Line, ready: &'static str) -> Result<Option<u64>, Fault> {
    let Some(ready) = line.natural::<u32>(ready)? else { return Ok(None) };
    let consumers = line.natural::<u32>(CONSUMERS)?.ok_or_else(|| line.missing(CONSUMERS))?;
    Ok(Some(DepthReport { ready, consumers }.to_value()))
}

/// Where a record is, by its two fields.
fn position(line: &mut Line, partition: &'static str) -> Result<Option<u64>, Fault> {
    let Some(partition) = line.natural::<u16>(partition)? else { return Ok(None) };
    let offset = line.natural::<u64>(OFFSET)?.ok_or_else(|| line.missing(OFFSET))?;
    if partition == u16::MAX || offset > Position::MAX_OFFSET {
        return Err(line.bad(OFFSET, Scalar::Unsigned(offset), text!("import.expected.natural")));
    }
    Ok(Some(Position { partition, offset }.to_value()))
}

/// How far a group has come, by its two fields.
fn lag(line: &mut Line, end: &'static str) -> Result<Option<u64>, Fault> {
    let Some(end) = line.natural::<u32>(end)? else { return Ok(None) };
    let committed = line.natural::<u32>(COMMITTED)?.ok_or_else(|| line.missing(COMMITTED))?;
    Ok(Some(LagReport { end, committed }.to_value()))
}

/// A cause by its name or its number.
fn cause(line: &mut Line) -> Result<Option<QueueCause>, Fault> {
    let find = |name: &str| QueueCause::find(name).map(|cause| cause.0.into());
    let cause = line.named(CAUSE, find, u8::MAX.into(), text!("import.expected.word"))?;
    Ok(cause.and_then(|cause| u8::try_from(cause).ok()).map(QueueCause))
}

/// How often a message left a queue as a dead letter, by its two fields.
fn deaths(line: &mut Line, count: &'static str) -> Result<Option<u64>, Fault> {
    let cause = cause(line)?;
    let Some(count) = line.natural::<u32>(count)? else { return Ok(None) };
    let cause = cause.ok_or_else(|| line.missing(CAUSE))?;
    Ok(Some(Deaths { count, cause }.to_value()))
}

/// A queue's step by its three fields.
fn step(line: &mut Line, after: &'static str) -> Result<Option<u64>, Fault> {
    let cause = cause(line)?;
    let Some(before) = line.natural::<u32>(DEPTH_BEFORE)? else {
        // A consumer's word has a cause and no length.
        return Ok(cause.map(|cause| QueueStep { before: 0, after: 0, cause }.to_value()));
    };
    let after = line.natural::<u32>(after)?.ok_or_else(|| line.missing(after))?;
    let cause = cause.ok_or_else(|| line.missing(CAUSE))?;
    if before.max(after) > QueueStep::MAX {
        return Err(line.bad(DEPTH_BEFORE, Scalar::Unsigned(before.max(after).into()), text!("import.expected.depth")));
    }
    Ok(Some(QueueStep { before, after, cause }.to_value()))
}
