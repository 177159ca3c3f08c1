//! Recordings made up for tests, as files.

use crate::lawful::queued::{self, Queued};
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{
    CODEC_VERSION, Counted, End, EndCount, EndReason, FrameWriter, Hello, Loss, MessageRow, Sample, file_header,
};
use hopscope_record::kind::{AWAITS_REPLY, Attempt, Steps, ValueMeaning};
use hopscope_record::{Event, KINDS, LinkIndex, NameIndex, RunKey, SourceId};
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;

/// A client calls a service, which calls another: places 0, 1, 2 and links 0, 1, as [`crate::lawful`] has them.
const SCENARIO: &str = r#"{"format": "hopscope-scenario", "version": 1, "name": "made up \"chain\"",
  "nodes": [
    {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "20/s"}},
    {"id": "n2", "kind": "service", "name": "shop", "work": {"distribution": "constant", "mean": "40 ms"}},
    {"id": "n3", "kind": "service", "name": "stock", "work": {"distribution": "constant", "mean": "1 ms"}}],
  "links": [
    {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
    {"id": "l2", "from": "n2", "to": "n3", "protocol": "in-process"}]}"#;

/// The parts of a recording; [`Recording::file`] puts them together.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) hello: Hello,
    pub(crate) names: Vec<&'static str>,
    /// What messages carry.
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) losses: Vec<Loss>,
    /// Each written after the events up to its time.
    pub(crate) clocks: Vec<Sample>,
    pub(crate) events: Vec<Event>,
    pub(crate) end: Option<End>,
    /// Events in a frame.
    pub(crate) batch: usize,
}

impl Recording {
    /// A recording of a run through queues, whole.
    pub(crate) fn queued(shape: Queued) -> Self {
        let events = queued::run(shape);
        let mut end = end_of(&events);
        end.counts.truncate(1);
        end.counts.extend((0..if shape.replies { 4 } else { 2 }).map(|link| open(&events, link)));
        for place in [1, shape.consumers + 2, shape.consumers + 3] {
            let level = |counted, read: fn(&Steps) -> i8| {
                let steps = events.iter().filter(|event| event.place.0 == place).filter_map(|event| event.kind.info());
                let level: i64 = steps.map(|info| i64::from(read(&info.steps))).sum();
                EndCount { counted, index: place, count: level.try_into().unwrap() }
            };
            end.counts.push(level(Counted::READY, |steps| steps.ready));
            end.counts.push(level(Counted::UNACKED, |steps| steps.unacked));
        }
        let mut recording = Self { end: Some(end), ..Self::of(events) };
        recording.hello.plan = plan(&queued_scenario(shape));
        recording
    }

    /// A recording of these events, whole, with an End that counts them.
    pub(crate) fn of(events: Vec<Event>) -> Self {
        let kinds = KINDS.iter().map(|info| (info.kind, info.name.to_owned())).collect();
        let hello = Hello {
            codec_version: CODEC_VERSION,
            build: "hopscope 0.1.0".to_owned(),
            run_id: "made-up".to_owned(),
            run_key: RunKey(0x00c0_ffee_0000_0001),
            unix_ns_at_zero: 1_795_444_741_123_456_789,
            kinds,
            plan: plan(SCENARIO),
        };
        let end = Some(end_of(&events));
        Self {
            hello,
            names: vec!["connection refused"],
            messages: Vec::new(),
            losses: Vec::new(),
            clocks: Vec::new(),
            events,
            end,
            batch: 4_096,
        }
    }

    /// The bytes of its file. Events are sorted by time first.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.time);
        let mut writer = FrameWriter::new();
        let mut file = file_header().to_vec();
        file.extend(writer.hello(&self.hello).unwrap());
        file.extend(writer.names(NameIndex(0), &self.names).unwrap());
        if !self.messages.is_empty() {
            file.extend(writer.messages(0, &self.messages).unwrap());
        }
        if !self.losses.is_empty() {
            file.extend(writer.losses(&self.losses).unwrap());
        }
        let mut clocks = self.clocks.iter().peekable();
        for batch in events.chunks(self.batch) {
            let cut = batch.last().map_or(0, |event| event.time);
            file.extend(writer.events(cut, batch).unwrap());
            while let Some(sample) = clocks.next_if(|sample| sample.time <= cut) {
                file.extend(writer.clock(sample).unwrap());
            }
        }
        for sample in clocks {
            file.extend(writer.clock(sample).unwrap());
        }
        if let Some(end) = &self.end {
            file.extend(writer.end(end).unwrap());
        }
        file
    }
}

/// An End that says what the events come to, all of them stamped through source 1.
pub(crate) fn end_of(events: &[Event]) -> End {
    let time = events.iter().map(|event| event.time).max().unwrap_or(0) + 1;
    let accepted = EndCount::events(SourceId(1), events.len() as u64);
    let counts = vec![accepted, open(events, 0), open(events, 1)];
    End { time, reason: EndReason::LOAD_DONE, detail: None, counts }
}

/// Attempts on a link that are open after the events.
fn open(events: &[Event], link: u16) -> EndCount {
    let count = |attempt: Attempt| {
        let counts = |event: &&Event| {
            event.link.0 == link
                && !event.is_late()
                && event.kind.info().is_some_and(|info| {
                    let goes_on = info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0;
                    info.attempt == attempt && !goes_on
                })
        };
        events.iter().filter(counts).count()
    };
    EndCount::open_attempts(LinkIndex(link), count(Attempt::Opens).saturating_sub(count(Attempt::Closes)) as u64)
}

/// The plan of the usual recordings, but the shop calls, replies, and works then.
pub(crate) fn replying_early() -> Vec<u8> {
    let body = r#""mean": "40 ms"}, "body": [{"step": "call", "link": "l2"}, {"step": "reply"}, {"step": "work"}]"#;
    plan(&SCENARIO.replacen(r#""mean": "40 ms"}"#, body, 1))
}

fn plan(scenario: &str) -> Vec<u8> {
    let settings = RunSettings { seed: 42, duration: Some(Time(5_000_000_000)), ..RunSettings::default() };
    compile(&validate(scenario).unwrap().scenario, &settings).to_bytes().unwrap()
}

/// Places and links as [`queued`] has them.
fn queued_scenario(shape: Queued) -> String {
    let Queued { consumers, prefetch, .. } = shape;
    let ack = if shape.acks_after_work { "after-work" } else { "before-work" };
    let replies = if shape.replies { r#", "replies": "n4""# } else { "" };
    format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "made up queues",
  "nodes": [
    {{"id": "n1", "kind": "client", "name": "buyers", "load": {{"kind": "constant", "rate": "20/s"}}}},
    {{"id": "n2", "kind": "queue", "name": "orders", "prefetch": {prefetch}, "ack": "{ack}"}},
    {{"id": "n3", "kind": "service", "name": "shop", "replicas": {consumers},
      "work": {{"distribution": "constant", "mean": "40 ms"}}}},
    {{"id": "n4", "kind": "queue", "name": "answers"}},
    {{"id": "n5", "kind": "queue", "name": "dead"}}],
  "links": [
    {{"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"{replies}}},
    {{"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}}]}}"#
    )
}

/// Calls `each` with every frame of a file.
pub(crate) fn for_frames<E: std::fmt::Debug>(
    file: &[u8],
    mut each: impl FnMut(&hopscope_record::decoder::Frame<'_>) -> Result<(), E>,
) {
    let mut decoder = Decoder::new(Framing::File);
    decoder.push(file);
    while let Some(frame) = decoder.next_frame().unwrap() {
        each(&frame).unwrap();
    }
}
