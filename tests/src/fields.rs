//! What an export has to say of each event, worked out from the recording alone: the exports' own code is not asked.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::MessageRow;
use hopscope_record::kind::{AWAITS_REPLY, Attempt, Deaths, LATE, LagReport, Position, QueueStep, ValueMeaning};
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use hopscope_scenario::plan::Plan;
use serde_json::{Map, Value};

use crate::perfetto;
use crate::recording::Recorded;

/// An event's fields by their names.
pub type Fields = Map<String, Value>;

/// Checks that a JSON document tells every event of the recording, in order, in all its fields and no other.
///
/// # Errors
/// When it does not; the message has the first event that differs.
pub fn json_agrees(document: &Value, recorded: &Recorded) -> Result<()> {
    let events = document["events"].as_array().context("no events")?;
    let told = events.iter().map(|event| event.as_object().context("an event that is no object"));
    agree(&told.map(|event| event.cloned()).collect::<Result<Vec<_>>>()?, &expected(recorded)?)
}

/// Checks the same of a Perfetto trace, whose tracks have the names of nodes in place of their ids.
///
/// # Errors
/// As [`json_agrees`].
pub fn perfetto_agrees(trace: &[u8], recorded: &Recorded) -> Result<()> {
    let (plan, zero) = (plan(recorded)?, recorded.hello.as_ref().context("no Hello")?.unix_ns_at_zero);
    let mut expected = expected(recorded)?;
    for fields in &mut expected {
        if let Some(id) = fields.get_mut("node") {
            let node = plan.nodes.iter().find(|node| *id == node.id.as_str()).context("a node without a name")?;
            *id = node.name.as_str().into();
        }
    }
    agree(&perfetto::events(trace, zero)?, &expected)
}

fn agree(told: &[Fields], expected: &[Fields]) -> Result<()> {
    for (number, (told, expected)) in told.iter().zip(expected).enumerate() {
        ensure!(told == expected, "event {number} is told as {told:?}, and it is {expected:?}");
    }
    ensure!(told.len() == expected.len(), "{} events are told of {}", told.len(), expected.len());
    Ok(())
}

fn plan(recorded: &Recorded) -> Result<Plan> {
    Ok(Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?)
}

/// The fields of every event of a recording, in order.
fn expected(recorded: &Recorded) -> Result<Vec<Fields>> {
    let plan = plan(recorded)?;
    recorded.events.iter().map(|event| fields(event, recorded, &plan)).collect()
}

fn fields(event: &Event, recorded: &Recorded, plan: &Plan) -> Result<Fields> {
    let info = event.kind.info().context("a kind that nobody knows")?;
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("time_ns", event.time.into());
    put("kind", info.name.into());
    if event.place != PlaceIndex::NONE {
        let place = plan.places.get(event.place.0 as usize).context("no such place")?;
        put("node", plan.nodes[place.node as usize].id.as_str().into());
        put("instance", place.instance().into());
    }
    if event.link != LinkIndex::NONE {
        put("link", plan.link(event.link.0).context("no such link")?.id.as_str().into());
    }
    if !event.trace.is_none() {
        put("trace", format!("{:016x}", event.trace.0).into());
    }
    if !event.message.is_none() {
        put("message", format!("{:014x}", event.message.0 >> 8).into());
        put("attempt", (event.message.0 & 0xff).into());
    }
    if !event.parent.is_none() {
        put("parent", format!("{:016x}", event.parent.0).into());
    }
    let late = info.attempt == Attempt::Closes && event.a & LATE != 0;
    if late {
        put("late", true.into());
    }
    let a = if late { event.a & !LATE } else { event.a };
    for (meaning, value) in [(info.a.meaning, a), (info.b.meaning, event.b)] {
        for (name, value) in values(meaning, value, recorded, plan)? {
            put(name, value);
        }
    }
    let carries = |row: &&MessageRow| event.kind == Kind::INTENDED && row.message == event.message.message();
    let row = recorded.messages.iter().find(carries);
    ensure!(row.is_none(), "the message carries more than filler, which is not looked at here: {row:?}");
    Ok(fields)
}

/// What a value of this meaning is told as: none, one or three fields.
fn values(meaning: ValueMeaning, value: u64, recorded: &Recorded, plan: &Plan) -> Result<Vec<(&'static str, Value)>> {
    let word = |words: &[&'static str]| words.get(usize::try_from(value).ok()?).copied();
    let words = |name, words: &[&'static str]| Some((name, word(words)?.into()));
    Ok(match meaning {
        ValueMeaning::None => {
            ensure!(value == 0, "a value that means nothing: {value}");
            Vec::new()
        }
        ValueMeaning::QueueStep => {
            let step = QueueStep::from_value(value).context("a step that cannot be")?;
            let cause = step.cause.name().context("a cause without a name")?;
            vec![("depth_before", step.before.into()), ("depth", step.after.into()), ("cause", cause.into())]
        }
        ValueMeaning::QueueName => {
            let name = recorded.names.get(usize::try_from(value)? - 1).context("no such name")?;
            vec![("from_queue", name.as_str().into())]
        }
        ValueMeaning::Deaths => {
            let deaths = Deaths::from_value(value).context("deaths that cannot be")?;
            vec![("deaths", deaths.count.into()), ("cause", deaths.cause.name().context("no such cause")?.into())]
        }
        ValueMeaning::Effect => {
            let effect = value & !(1 << 63);
            let account = &plan.effects.get(usize::try_from(effect)?).context("no such effect")?.account;
            let mut fields = vec![("effect", effect.into()), ("account", account.as_str().into())];
            if effect != value {
                fields.push(("repeated", true.into()));
            }
            fields
        }
        ValueMeaning::Position if value == 0 => Vec::new(),
        ValueMeaning::Position => {
            let position = Position::from_value(value).context("a position that cannot be")?;
            vec![("partition", position.partition.into()), ("offset", position.offset.into())]
        }
        ValueMeaning::LagReport => {
            let report = LagReport::from_value(value);
            vec![("log_end", report.end.into()), ("committed", report.committed.into())]
        }
        ValueMeaning::Marks if value == 0 => Vec::new(),
        ValueMeaning::Marks => {
            ensure!(value == AWAITS_REPLY, "a mark that nobody knows: {value}");
            vec![("awaits_reply", true.into())]
        }
        ValueMeaning::NameIndex if value == 0 => Vec::new(),
        ValueMeaning::NameIndex => {
            let name = recorded.names.get(usize::try_from(value)? - 1).context("no such name")?;
            vec![("error", name.as_str().into())]
        }
        meaning => vec![
            match meaning {
                ValueMeaning::Amount => Some(("amount", value.cast_signed().into())),
                ValueMeaning::TimeNs => Some(("scheduled_ns", value.cast_signed().into())),
                ValueMeaning::DurationNs => Some(("duration_ns", value.into())),
                ValueMeaning::Status => Some(("status", value.into())),
                ValueMeaning::Offset => Some(("offset", value.into())),
                ValueMeaning::Member => Some(("member", value.into())),
                ValueMeaning::Bytes => Some(("bytes", value.into())),
                ValueMeaning::NextAttempt => Some(("next_attempt", value.into())),
                ValueMeaning::Ordinal => Some(("ordinal", value.into())),
                ValueMeaning::Phase => words("phase", &["setup", "warm-up", "measured", "drain", "end"]),
                ValueMeaning::Admission => words("admission", &["admitted", "turned-away", "taken"]),
                ValueMeaning::Outcome => words("outcome", &["done", "failed", "abandoned"]),
                ValueMeaning::NotSentReason => words("reason", &["", "in-flight-cap", "stopped"]),
                ValueMeaning::ControlArgument => Some(("argument", value.into())),
                ValueMeaning::ControlAction => words(
                    "action",
                    &["", "pause", "resume", "crash", "start", "rate", "cut", "mend", "delay", "throttle"],
                ),
                ValueMeaning::DisconnectReason => words("reason", &["closed", "closed-by-peer", "broken"]),
                _ => None,
            }
            .with_context(|| format!("no field for {value} as {meaning:?}"))?,
        ],
    })
}
