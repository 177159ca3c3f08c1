//! What stands before the events.

use hopscope_record::NameIndex;
use hopscope_record::frame::{Counted, End, EndCount, EndReason, Loss, Sample};
use hopscope_scenario::plan::{Plan, RunSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::instant::rfc3339;

use super::{FORMAT, VERSION};
use crate::export::{Parts, distinct_kinds};

#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    version: u32,
    scenario: &'a Value,
    run: Run<'a>,
    clocks: Vec<Map<String, Value>>,
    losses: Vec<LossRow>,
    names: &'a [String],
}

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    key: String,
    build: &'a str,
    started: String,
    #[serde(flatten)]
    settings: &'a RunSettings,
    kinds: Map<String, Value>,
    whole: bool,
    end: Option<EndRow>,
}

#[derive(Serialize)]
struct LossRow {
    source: u16,
    count: u64,
    from_ns: i64,
    to_ns: i64,
}

#[derive(Serialize)]
struct EndRow {
    time_ns: i64,
    reason: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
    counts: Vec<Value>,
}

/// When a sample was taken.
pub(crate) const TIME: &str = "time_ns";

/// Reasons of an end, with their words.
pub(crate) const END_REASONS: &[(EndReason, &str)] = &[
    (EndReason::LOAD_DONE, "load-done"),
    (EndReason::STOPPED, "stopped"),
    (EndReason::FAILED, "failed"),
    (EndReason::EVENT_LIMIT, "event-limit"),
];

/// Writes the document up to the bracket that opens the list of events.
pub(super) fn write(parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let loss = |loss: &Loss| LossRow { source: loss.source.0, count: loss.count, from_ns: loss.from, to_ns: loss.to };
    let head = Head {
        format: FORMAT,
        version: VERSION,
        scenario: &parts.plan.scenario,
        run: run(parts),
        clocks: parts.clocks.iter().map(sample_row).collect(),
        losses: parts.losses.iter().map(loss).collect(),
        names: parts.names,
    };
    serde_json::to_writer_pretty(&mut *out, &head)?;
    // The object stays open: its last field follows, event by event.
    out.truncate(out.len().saturating_sub(b"\n}".len()));
    out.extend_from_slice(b",\n  \"events\": [");
    Ok(())
}

/// A sample with its measures by name, or by number where this build has no name.
fn sample_row(sample: &Sample) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert(TIME.to_owned(), Value::from(sample.time));
    for (measure, value) in &sample.values {
        row.insert(measure.name().map_or_else(|| measure.0.to_string(), str::to_owned), Value::from(*value));
    }
    row
}

fn run<'a>(parts: &Parts<'a>) -> Run<'a> {
    let hello = parts.hello;
    Run {
        id: &hello.run_id,
        key: format!("{:016x}", hello.run_key.0),
        build: &hello.build,
        started: rfc3339(hello.unix_ns_at_zero),
        settings: &parts.plan.settings,
        kinds: distinct_kinds(hello).map(|(kind, name)| (name.to_owned(), Value::from(kind.0))).collect(),
        whole: parts.end.is_some() && parts.losses.is_empty(),
        end: parts.end.map(|end| end_row(end, parts)),
    }
}

fn end_row(end: &End, parts: &Parts<'_>) -> EndRow {
    let reason = END_REASONS.iter().find(|(reason, _)| *reason == end.reason);
    EndRow {
        time_ns: end.time,
        reason: reason.map_or_else(|| Value::from(end.reason.0), |(_, word)| Value::from(*word)),
        detail: end.detail.map(|row| name(row, parts.names)),
        counts: end.counts.iter().map(|count| count_row(*count, parts.plan)).collect(),
    }
}

/// A row of names as its text, or as what an event's value would carry where there is no such row.
fn name(row: NameIndex, names: &[String]) -> Value {
    let text = names.get(row.0 as usize);
    text.map_or_else(|| Value::from(NameIndex::to_value(Some(row))), |text| Value::from(text.as_str()))
}

fn count_row(row: EndCount, plan: &Plan) -> Value {
    let EndCount { counted, index, count } = row;
    match counted {
        Counted::EVENTS => json!({"counted": "events", "source": index, "count": count}),
        Counted::OPEN_ATTEMPTS => {
            let link = u16::try_from(index).ok().and_then(|link| plan.link(link));
            let link = link.map_or_else(|| Value::from(index), |link| Value::from(link.id.as_str()));
            json!({"counted": "open-attempts", "link": link, "count": count})
        }
        Counted::READY => json!({"counted": "ready", "place": index, "count": count}),
        Counted::UNACKED => json!({"counted": "unacked", "place": index, "count": count}),
        Counted::WANTED => json!({"counted": "wanted", "place": index, "count": count}),
        Counted(other) => json!({"counted": other, "index": index, "count": count}),
    }
}
