//! What stands before the events: read as a whole, and made into the frames that a recording begins with.

use std::collections::BTreeMap;

use hopscope_record::frame::{
    CODEC_VERSION, Counted, End, EndCount, EndReason, FrameWriter, Hello, Loss, MEASURES, Measure, Sample, WriteError,
};
use hopscope_record::{Kind, NameIndex, RunKey, SourceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::{Plan, RunSettings, compile};
use hopscope_scenario::text;
use hopscope_scenario::validate::validate_value;
use serde_json::{Map, Value};

use super::ImportError;
use super::fault::{Code, Fault, below};
use super::line::Tables;
use crate::export::json::head::{END_REASONS, TIME};
use crate::export::json::instant::unix_ns;
use crate::export::json::{FORMAT, VERSION};

/// Bytes of names in one frame, about.
const NAMES_BYTES: usize = 1 << 20;

/// Losses in one frame.
const LOSSES: usize = 1 << 16;

/// An object of the document, taken apart field by field.
struct Object {
    path: String,
    fields: Map<String, Value>,
}

impl Object {
    fn new(path: impl Into<String>, value: Value) -> Result<Self, Fault> {
        let path = path.into();
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            other => Err(bad(path, &other, text!("import.expected.object"))),
        }
    }

    fn at(&self, field: &str) -> String {
        below(&self.path, field)
    }

    fn optional(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field)
    }

    fn take(&mut self, field: &str) -> Result<Value, Fault> {
        self.optional(field).ok_or_else(|| Fault::missing(&self.path, field))
    }

    fn text(&mut self, field: &str) -> Result<String, Fault> {
        match self.take(field)? {
            Value::String(text) => Ok(text),
            other => Err(bad(self.at(field), &other, text!("import.expected.text"))),
        }
    }

    fn signed(&mut self, field: &str) -> Result<i64, Fault> {
        let value = self.take(field)?;
        value.as_i64().ok_or_else(|| bad(self.at(field), &value, text!("import.expected.integer")))
    }

    fn number<N: TryFrom<u64>>(&mut self, field: &str) -> Result<N, Fault> {
        let value = self.take(field)?;
        number(&value).ok_or_else(|| bad(self.at(field), &value, text!("import.expected.natural")))
    }

    fn list(&mut self, field: &str) -> Result<Vec<Value>, Fault> {
        match self.take(field)? {
            Value::Array(list) => Ok(list),
            other => Err(bad(self.at(field), &other, text!("import.expected.list"))),
        }
    }

    fn end(self) -> Result<(), Fault> {
        self.fields.keys().next().map_or(Ok(()), |field| Err(Fault::unknown(&self.path, field)))
    }
}

fn number<N: TryFrom<u64>>(value: &Value) -> Option<N> {
    N::try_from(value.as_u64()?).ok()
}

fn bad(path: impl Into<String>, found: &Value, expected: Key) -> Fault {
    let found = match found {
        Value::String(text) => text.clone(),
        Value::Array(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        other => other.to_string(),
    };
    Fault::value(path, &found, expected)
}

/// What the document says before its events.
pub(super) struct Head {
    hello: Hello,
    plan: Plan,
    names: Vec<String>,
    clocks: Vec<Sample>,
    losses: Vec<Loss>,
    pub(super) end: Option<End>,
}

impl Head {
    /// Reads it, once all its fields are there.
    pub(super) fn read(fields: Map<String, Value>) -> Result<Self, ImportError> {
        let mut root = Object { path: String::new(), fields };
        check_heading(&mut root)?;
        let scenario = root.take("scenario")?;
        let valid = validate_value(&scenario).map_err(|mut issues| {
            issues.iter_mut().for_each(|issue| issue.path.insert_str(0, "/scenario"));
            ImportError::Scenario(issues)
        })?;
        let run = root.take("run")?;
        let clocks = read_clocks(root.list("clocks")?)?;
        let losses = read_losses(root.list("losses")?)?;
        let names = read_names(root.list("names")?)?;
        root.end()?;
        let mut run = Object::new("/run", run)?;
        let whole = run.take("whole")?;
        let end = run.take("end")?;
        let (hello, settings) = read_run(run)?;
        let plan = compile(&valid.scenario, &settings);
        let hello = Hello { plan: plan.to_bytes()?, ..hello };
        let end = match end {
            Value::Null => None,
            end => Some(read_end(end, &plan, &names)?),
        };
        if whole.as_bool() != Some(end.is_some() && losses.is_empty()) {
            return Err(bad("/run/whole", &whole, text!("import.expected.whole")).into());
        }
        Ok(Self { hello, plan, names, clocks, losses, end })
    }

    /// The frames that the recording begins with.
    pub(super) fn frames(&self, writer: &mut FrameWriter) -> Result<Vec<Vec<u8>>, WriteError> {
        let mut frames = vec![writer.hello(&self.hello)?];
        let mut first = 0;
        while first < self.names.len() {
            let rest = self.names.get(first..).unwrap_or_default();
            let mut bytes = 0;
            let fits = |name: &&String| {
                bytes += name.len();
                bytes <= NAMES_BYTES
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let names: Vec<_> = rest.iter().take(count).map(String::as_str).collect();
            frames.push(writer.names(NameIndex(u32::try_from(first).unwrap_or(u32::MAX)), &names)?);
            first += count;
        }
        for sample in &self.clocks {
            frames.push(writer.clock(sample)?);
        }
        for losses in self.losses.chunks(LOSSES) {
            frames.push(writer.losses(losses)?);
        }
        Ok(frames)
    }

    /// What the events refer to by name.
    pub(super) fn tables(&self) -> Tables {
        Tables::new(&self.hello, &self.plan, &self.names)
    }

    /// The run's id where it was recorded.
    pub(super) fn into_origin(self) -> (String, String, Option<End>) {
        (self.hello.run_id, self.plan.name().to_owned(), self.end)
    }
}

/// `format` and `version`.
fn check_heading(root: &mut Object) -> Result<(), Fault> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let format = root.take("format")?;
    if format != FORMAT {
        let args = [("value", shown(&format).into()), ("known", FORMAT.into())];
        return Err(Fault::new(Code::NotARecording, "/format", args));
    }
    let version = root.take("version")?;
    if version != VERSION {
        let args = [("value", shown(&version).into()), ("known", VERSION.to_string().into())];
        return Err(Fault::new(Code::UnknownVersion, "/version", args));
    }
    Ok(())
}

fn read_run(mut run: Object) -> Result<(Hello, RunSettings), Fault> {
    let run_id = run.text("id")?;
    let key = run.text("key")?;
    let run_key = hex(&key, 16).ok_or_else(|| Fault::value("/run/key", &key, text!("import.expected.id")))?;
    let build = run.text("build")?;
    let started = run.text("started")?;
    let unix_ns_at_zero =
        unix_ns(&started).ok_or_else(|| Fault::value("/run/started", &started, text!("import.expected.instant")))?;
    let kinds = read_kinds(run.take("kinds")?)?;
    // What is left are the settings, each a field of its own.
    let settings = RunSettings::read(&Value::Object(run.fields))
        .map_err(|error| Fault::new(Code::BadSettings, "/run", [("reason", error.to_string().into())]))?;
    let hello = Hello {
        codec_version: CODEC_VERSION,
        build,
        run_id,
        run_key: RunKey(run_key),
        unix_ns_at_zero,
        kinds,
        plan: Vec::new(),
    };
    Ok((hello, settings))
}

fn read_kinds(kinds: Value) -> Result<Vec<(Kind, String)>, Fault> {
    let kinds = Object::new("/run/kinds", kinds)?;
    let mut seen = BTreeMap::new();
    let mut list = Vec::with_capacity(kinds.fields.len());
    for (name, value) in &kinds.fields {
        let kind = number(value).filter(|kind| seen.insert(*kind, ()).is_none());
        let kind = kind.ok_or_else(|| bad(kinds.at(name), value, text!("import.expected.kind-number")))?;
        list.push((Kind(kind), name.clone()));
    }
    Ok(list)
}

fn read_clocks(clocks: Vec<Value>) -> Result<Vec<Sample>, Fault> {
    let read = |(index, sample): (usize, Value)| {
        let mut sample = Object::new(format!("/clocks/{index}"), sample)?;
        let time = sample.signed(TIME)?;
        let mut values = Vec::with_capacity(sample.fields.len());
        let names: Vec<_> = sample.fields.keys().cloned().collect();
        for name in names {
            let measure = measure(&name).ok_or_else(|| Fault::unknown(&sample.path, &name))?;
            values.push((measure, sample.signed(&name)?));
        }
        values.sort_unstable();
        Ok(Sample { time, values })
    };
    clocks.into_iter().enumerate().map(read).collect()
}

/// A measure by its name, or by its number where this build has no name for it: so each has one way to be written.
fn measure(name: &str) -> Option<Measure> {
    let known = MEASURES.iter().find(|(_, known)| *known == name).map(|(measure, _)| *measure);
    known.or_else(|| {
        let number = name.parse().ok().map(Measure)?;
        (number.name().is_none() && number.0.to_string() == name).then_some(number)
    })
}

fn read_losses(losses: Vec<Value>) -> Result<Vec<Loss>, Fault> {
    let read = |(index, loss): (usize, Value)| {
        let mut loss = Object::new(format!("/losses/{index}"), loss)?;
        let read = Loss {
            source: SourceId(loss.number("source")?),
            count: loss.number("count")?,
            from: loss.signed("from_ns")?,
            to: loss.signed("to_ns")?,
        };
        loss.end()?;
        Ok(read)
    };
    losses.into_iter().enumerate().map(read).collect()
}

fn read_names(names: Vec<Value>) -> Result<Vec<String>, Fault> {
    let read = |(index, name): (usize, Value)| match name {
        Value::String(name) => Ok(name),
        other => Err(bad(format!("/names/{index}"), &other, text!("import.expected.text"))),
    };
    names.into_iter().enumerate().map(read).collect()
}

fn read_end(end: Value, plan: &Plan, names: &[String]) -> Result<End, Fault> {
    let mut end = Object::new("/run/end", end)?;
    let time = end.signed("time_ns")?;
    let reason = end.take("reason")?;
    let known = reason.as_str().and_then(|word| END_REASONS.iter().find(|(_, known)| *known == word));
    let reason = match known {
        Some((reason, _)) => *reason,
        None => {
            let number = number(&reason).map(EndReason);
            number.ok_or_else(|| bad(end.at("reason"), &reason, text!("import.expected.word")))?
        }
    };
    let detail = end.optional("detail").map(|detail| {
        let row = match &detail {
            Value::String(text) => names.iter().position(|name| name == text).map(|row| row as u64 + 1),
            other => other.as_u64(),
        };
        let row = row.and_then(NameIndex::from_value);
        row.ok_or_else(|| bad("/run/end/detail", &detail, text!("import.expected.name")))
    });
    let detail = detail.transpose()?;
    let read = |(index, count): (usize, Value)| read_count(&format!("/run/end/counts/{index}"), count, plan);
    let counts = end.list("counts")?.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    end.end()?;
    Ok(End { time, reason, detail, counts })
}

fn read_count(path: &str, count: Value, plan: &Plan) -> Result<EndCount, Fault> {
    let mut row = Object::new(path, count)?;
    let counted = row.take("counted")?;
    let (counted, index) = match counted.as_str() {
        Some("events") => (Counted::EVENTS, row.number("source")?),
        Some("open-attempts") => {
            let link = row.take("link")?;
            let known = link.as_str().and_then(|id| plan.links.iter().position(|link| link.id == id));
            let index = known.and_then(|index| u32::try_from(index).ok()).or_else(|| number(&link));
            (Counted::OPEN_ATTEMPTS, index.ok_or_else(|| bad(row.at("link"), &link, text!("import.expected.link")))?)
        }
        Some("ready") => (Counted::READY, row.number("place")?),
        Some("unacked") => (Counted::UNACKED, row.number("place")?),
        Some("wanted") => (Counted::WANTED, row.number("place")?),
        _ => {
            let number = number(&counted).map(Counted);
            let counted = number.ok_or_else(|| bad(row.at("counted"), &counted, text!("import.expected.word")))?;
            (counted, row.number("index")?)
        }
    };
    let read = EndCount { counted, index, count: row.number("count")? };
    row.end()?;
    Ok(read)
}

/// So many hexadecimal digits, in lower case.
pub(super) fn hex(text: &str, digits: usize) -> Option<u64> {
    let well_formed = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}
