//! The figures of a run: what became of the messages on each link, and how long they took.
//!
//! Only the measured phase counts. A trace belongs to the phase of its `Intended` (one from outside: of its first event),
//! and all its attempts with it, whenever they end; only throughput goes by the time of the event. What a kind counts
//! stands in its row of the table of kinds.

mod latency;
mod link;
mod offer;
mod workers;

use std::ops::Range;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::{Counted, End, EndReason, MOST_BEHIND_NS, Measure, Payload};
use hopscope_record::kind::{
    AWAITS_REPLY, Admission, Attempt, Count, DepthReport, LagReport, LinkCount, Phase, QueueStep, ValueMeaning,
};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, PlaceIndex};
use hopscope_scenario::plan::{Passage, Plan, RunSettings};

pub use self::latency::Latency;
pub use self::link::{LinkStats, QueueStats};
pub use self::offer::{Offer, Span};
use self::workers::Workers;
use crate::effects::{Effects, EffectsReport};
use crate::frames::{Batch, FrameReader, ReadError};
use crate::numbered::Numbered;
use crate::traces::Traces;
use crate::verdict::Controls;

/// The figures of one recording, gathered frame by frame. Memory grows with its traces.
pub struct Stats {
    reader: FrameReader,
    batch: Batch,
    phase: Option<Phase>,
    span: Option<Span>,
    /// When load was offered, the warm-up and the measured phase.
    offered: Option<Span>,
    /// Requests that clients wanted, of any phase, by the client's place.
    reached: Numbered<u64>,
    end: Option<End>,
    /// Events that were stamped and are not in the recording.
    lost: u64,
    /// Traces of other phases.
    left_out: Numbered<()>,
    /// When each open attempt was sent.
    sent: Numbered<i64>,
    /// When a schedule wanted each message that is not answered yet, or may be tried again.
    wanted: Numbered<i64>,
    links: Numbered<LinkStats>,
    queues: Numbered<QueueStats>,
    /// Whether the broker stamps nothing.
    bounded: bool,
    effects: Effects,
    /// Whether each link delivers.
    deliveries: Vec<bool>,
    traces: Traces,
    controls: Controls,
    /// From the end of the load until nothing was in flight.
    drain: Option<Span>,
    workers: Workers,
    /// Time of processors that this process used: until when, for how long before, how much, all in ns.
    cpu: Vec<(i64, i64, i64)>,
    /// Bytes of bodies of requests, replies and messages, each once for each attempt that it went with.
    bytes: u64,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// Figures of a recording from its first frame on.
    #[must_use]
    pub fn new() -> Self {
        Self {
            reader: FrameReader::default(),
            batch: Batch::default(),
            phase: None,
            span: None,
            offered: None,
            reached: Numbered::default(),
            end: None,
            lost: 0,
            left_out: Numbered::default(),
            sent: Numbered::default(),
            wanted: Numbered::default(),
            links: Numbered::default(),
            queues: Numbered::default(),
            bounded: false,
            effects: Effects::default(),
            deliveries: Vec::new(),
            traces: Traces::default(),
            controls: Controls::default(),
            drain: None,
            workers: Workers::default(),
            cpu: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`ReadError`]: the frame cannot be read, or is not the next one.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), ReadError> {
        let mut batch = std::mem::take(&mut self.batch);
        let result = batch.of(frame).and_then(|events| self.push_read(frame, events));
        self.batch = batch;
        result
    }

    /// Takes the next frame, whose events somebody has read already: none where it has others.
    ///
    /// # Errors
    /// As [`Stats::push`].
    pub fn push_read(&mut self, frame: &Frame<'_>, events: &[Event]) -> Result<(), ReadError> {
        match self.reader.read(frame)? {
            Payload::Hello(hello) => {
                if let Ok(plan) = Plan::from_bytes(&hello.plan) {
                    self.bounded = plan.broker.is_some();
                    self.effects = Effects::of(&plan);
                    self.deliveries = plan.links.iter().map(|link| plan.passage(link) == Passage::Deliver).collect();
                    self.traces.plan(&plan);
                    self.controls.plan(&plan);
                }
            }
            Payload::Events(_) => events.iter().for_each(|event| self.take(event)),
            Payload::Loss(losses) => {
                self.lost = losses.iter().fold(self.lost, |lost, loss| lost.saturating_add(loss.count));
            }
            Payload::Clock(sample) => {
                let [lasts, used] = [Measure::SPAN_NS, Measure::CPU_NS].map(|measure| sample.get(measure));
                self.cpu.extend(lasts.zip(used).map(|(lasts, used)| (sample.time, lasts, used)));
            }
            Payload::End(end) => self.end = Some(end),
            _ => {}
        }
        Ok(())
    }

    /// The effects of the plan.
    #[must_use]
    pub const fn effects(&self) -> &Effects {
        &self.effects
    }

    /// What became of them so far, and how long traces went on after their answer where there are any.
    #[must_use]
    pub fn effects_report(&self) -> EffectsReport {
        self.effects.report(&self.traces, self.end.is_some())
    }

    /// The links on which something happened, in their order.
    pub fn links(&self) -> impl Iterator<Item = &LinkStats> {
        self.links.values()
    }

    /// The length of the queue at a place; of one that no step was taken at, 0.
    #[must_use]
    pub fn queue(&self, place: PlaceIndex) -> QueueStats {
        self.queues.get(u64::from(place.0)).copied().unwrap_or_default()
    }

    /// When the measured phase was; `None` before it.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        self.span
    }

    /// What came of each schedule of which the run's End tells how much it wanted; none before that. `settings` are the run's.
    pub fn offers(&self, settings: &RunSettings) -> impl Iterator<Item = Offer> {
        let whole = settings.offered().0;
        let rows = self.end.iter().flat_map(|end| &end.counts).filter(|row| row.counted == Counted::WANTED);
        rows.filter_map(move |row| {
            let (client, span) = (PlaceIndex(row.index), self.offered?);
            let reached = self.reached.get(u64::from(client.0)).copied().unwrap_or(0);
            let early = u64::try_from(span.to.saturating_sub(span.from)).unwrap_or(0).saturating_sub(MOST_BEHIND_NS);
            let done = self.end.as_ref().is_some_and(|end| end.reason == EndReason::LOAD_DONE);
            let offered = if done { whole } else { early.min(whole) };
            Some(Offer { client, wanted: row.count, reached, lost: self.lost, offered, span })
        })
    }

    /// From the intended send to the answer, over all messages that schedules wanted.
    #[must_use]
    pub fn answered(&self) -> Latency {
        let mut all = Latency::default();
        self.links.values().for_each(|link| all.add(&link.answered()));
        all
    }

    /// What became of each trace of the measured phase.
    #[must_use]
    pub const fn traces(&self) -> &Traces {
        &self.traces
    }

    /// What was done to the run.
    #[must_use]
    pub const fn controls(&self) -> &Controls {
        &self.controls
    }

    /// From the end of the load until nothing was in flight, or was given up, ns; `None` before the run ended.
    #[must_use]
    pub fn drain(&self) -> Option<u64> {
        let drain = self.drain.filter(|_| matches!(self.phase, Some(Phase::End)))?;
        u64::try_from(drain.to - drain.from).ok()
    }

    /// The share of the measured phase that the workers of a service's places had something to do; `None` before it.
    #[must_use]
    pub fn utilisation(&self, places: Range<u32>, workers: u32) -> Option<f64> {
        self.workers.utilisation(self.span?, places, workers)
    }

    /// Time of processors that the program used in the measured phase for each trace that was sent in it, ns: all of it, with
    /// what recording and pages took, and without brokers that are other processes.
    #[must_use]
    pub fn cpu_per_trace(&self) -> Option<f64> {
        let phase = self.span?;
        // Of a sample that reaches over an end of the phase, its share.
        let share = |(until, lasts, used): &(i64, i64, i64)| {
            let within = (*until).min(phase.to) - (*until - *lasts).max(phase.from);
            (within > 0).then(|| *used as f64 * within as f64 / *lasts as f64)
        };
        let used: Vec<_> = self.cpu.iter().filter_map(share).collect();
        let traces = self.sent_traces()?;
        (!used.is_empty()).then(|| used.iter().sum::<f64>() / traces)
    }

    /// Bytes of bodies of requests, replies, publishes and deliveries for each trace that was sent.
    #[must_use]
    pub fn bytes_per_trace(&self) -> Option<f64> {
        Some(self.bytes as f64 / self.sent_traces()?)
    }

    fn sent_traces(&self) -> Option<f64> {
        let sent = self.traces.count(|row| !row.not_sent);
        (sent > 0).then_some(sent as f64)
    }

    fn take(&mut self, event: &Event) {
        let Some(info) = event.kind.info() else { return };
        self.traces.take(event, info);
        self.workers.take(event, info);
        if info.a.meaning == ValueMeaning::Phase {
            return self.enter(Phase::from_value(event.a), event.time);
        }
        if info.a.meaning == ValueMeaning::ControlAction {
            return self.controls.take(event);
        }
        if self.phase == Some(Phase::Measured) {
            self.span.iter_mut().for_each(|span| span.to = event.time);
        }
        if info.b.meaning == ValueMeaning::QueueStep && event.a != 0 {
            self.step(event);
        } else if info.a.meaning == ValueMeaning::DepthReport && event.parent.is_none() {
            self.report(event, DepthReport::from_value(event.a).ready);
        } else if info.a.meaning == ValueMeaning::LagReport {
            self.report(event, LagReport::from_value(event.a).lag());
        }
        if event.trace.is_none() {
            return;
        }
        if info.counts == Count::Link(LinkCount::Intended) {
            *self.reached.get_or_insert_with(u64::from(event.place.0), || 0) += 1;
        }
        self.effects.take(event);
        self.leave_out(event, info);
        if !self.left_out.contains(event.trace.0) {
            self.count(event, info);
        }
        if event.kind == Kind::COMPLETED && !event.is_late() && self.phase == Some(Phase::Measured) {
            self.link(event.link).completed_in_phase += 1;
        }
    }

    /// Takes the length that a queue stamps with its step.
    fn step(&mut self, event: &Event) {
        let Some(step) = QueueStep::from_value(event.b) else { return };
        let queue = self.queues.get_or_insert_with(u64::from(event.place.0), QueueStats::default);
        queue.last = step.after;
        if self.span.is_some() {
            queue.longest = queue.longest.max(step.before).max(step.after);
        }
    }

    /// Takes the length that a queue's broker says, or the lag of a group in a partition.
    fn report(&mut self, event: &Event, ready: u32) {
        let queue = self.queues.get_or_insert_with(u64::from(event.place.0), QueueStats::default);
        queue.last = ready;
        if self.span.is_some() {
            queue.longest = queue.longest.max(ready);
        }
    }

    fn enter(&mut self, phase: Option<Phase>, time: i64) {
        if self.phase == Some(Phase::Measured) {
            self.span.iter_mut().for_each(|span| span.to = time);
        }
        if phase == Some(Phase::Measured) {
            self.span = Some(Span { from: time, to: time });
            self.workers.begin(time);
        } else {
            self.workers.end(time);
        }
        if phase == Some(Phase::Drain) {
            self.drain = Some(Span { from: time, to: time });
        } else if self.phase == Some(Phase::Drain) {
            self.drain.iter_mut().for_each(|span| span.to = time);
        }
        if matches!(phase, Some(Phase::WarmUp | Phase::Measured)) {
            self.offered.get_or_insert(Span { from: time, to: time });
        } else if matches!(self.phase, Some(Phase::WarmUp | Phase::Measured)) {
            self.offered.iter_mut().for_each(|span| span.to = time);
        }
        self.phase = phase;
    }

    /// Notes a trace of another phase. Before the measured phase that is any; after it, one that begins there.
    fn leave_out(&mut self, event: &Event, info: &KindInfo) {
        let from_outside = event.kind == Kind::RECEIVED && event.link.is_none() && event.parent.is_none();
        let begins = info.counts == Count::Link(LinkCount::Intended) || from_outside;
        let other = match self.phase {
            Some(Phase::Measured) => false,
            None | Some(Phase::Setup | Phase::WarmUp) => true,
            Some(Phase::Drain | Phase::End) => begins,
        };
        if other {
            self.left_out.insert(event.trace.0, ());
        }
    }

    fn count(&mut self, event: &Event, info: &KindInfo) {
        if info.attempt == Attempt::Closes && event.is_late() {
            self.link(event.link).late += 1;
            return;
        }
        if info.b.meaning == ValueMeaning::Bytes && self.passes(event, info) {
            self.bytes = self.bytes.saturating_add(event.b);
        }
        if self.bounded && event.kind == Kind::RECEIVED && event.a == Admission::Taken as u64 {
            // A reply is acknowledged by being delivered; where a queue stamps, it says so.
            self.link(event.link).counts[LinkCount::Acked as usize] += 1;
        }
        if let Count::Link(count) = info.counts {
            self.link(event.link).counts[count as usize] += 1;
            let message = event.message.message();
            if count == LinkCount::Intended {
                self.wanted.set(message, event.a.cast_signed());
            } else if count == LinkCount::NotSent {
                self.wanted.remove(message);
            } else if count == LinkCount::Retried {
                self.link(event.link).doubtful.remove(message);
            }
        }
        match info.attempt {
            Attempt::None => {}
            Attempt::Opens => {
                self.sent.set(event.message.0, event.time);
                self.link(event.link).open += 1;
            }
            Attempt::Closes => {
                self.confirm(event);
                // One that awaits its reply goes on.
                if info.a.meaning != ValueMeaning::Marks || event.a & AWAITS_REPLY == 0 {
                    self.close(event);
                }
            }
        }
    }

    /// Whether the event tells of a body's passage: each is told by who sends and by who receives it, and counts once.
    fn passes(&self, event: &Event, info: &KindInfo) -> bool {
        let delivers = || self.deliveries.get(usize::from(event.link.0)).copied().unwrap_or(false);
        info.attempt != Attempt::None || (event.kind == Kind::RECEIVED && delivers())
    }

    /// Takes the time of a confirm.
    fn confirm(&mut self, event: &Event) {
        let sent = self.sent.get(event.message.0).copied().filter(|_| event.kind == Kind::CONFIRMED);
        if let Some(sent) = sent {
            self.link(event.link).confirmed.record(event.time.saturating_sub(sent));
        }
    }

    fn close(&mut self, event: &Event) {
        let message = event.message.message();
        // A good reply is the last, and so are a confirm, having no reply to come, and giving up; whether another end is, only what
        // follows can tell.
        let is_last = matches!(event.kind, Kind::COMPLETED | Kind::CONFIRMED | Kind::HANDED_OVER | Kind::CANCELLED);
        let wanted = if is_last { self.wanted.remove(message) } else { self.wanted.get(message).copied() };
        let sent = self.sent.remove(event.message.0);
        let link = self.link(event.link);
        if let Some(sent) = sent {
            link.open = link.open.saturating_sub(1);
            if event.kind == Kind::COMPLETED {
                link.completed.record(event.time.saturating_sub(sent));
            }
        }
        if let Some(wanted) = wanted {
            let took = event.time.saturating_sub(wanted);
            if is_last {
                link.answered.record(took);
            } else {
                link.doubtful.set(message, took);
            }
        }
    }

    fn link(&mut self, link: LinkIndex) -> &mut LinkStats {
        self.links.get_or_insert_with(u64::from(link.0), || LinkStats::new(link))
    }
}
