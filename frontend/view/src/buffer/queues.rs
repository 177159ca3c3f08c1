//! The steps of queues: one row per transition, as a bank's statement has them.
//!
//! The lengths are the ones that the queue itself counted (L1 before, L2 after); what is with consumers and how old the
//! oldest ready copy is comes from the steps before.

use std::collections::{BTreeMap, HashMap};

use hopscope_record::kind::{DepthReport, QueueCause, QueueStep, ValueMeaning};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::plan::Plan;

use super::ABSENT;

/// A number of copies that nobody knows.
pub const UNSEEN: u32 = u32::MAX;

/// One step of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// When, ns on the run's clock.
    pub time: i64,
    /// Its number at the queue, from 1.
    pub ordinal: u64,
    /// Whose message.
    pub trace: TraceId,
    /// Which: the publish that is put or leaves, else the delivery.
    pub message: MessageId,
    /// Since when the oldest copy that is ready after it has been in the queue; [`ABSENT`] if none is ready.
    pub oldest: i64,
    /// L1: ready copies just before.
    pub before: u32,
    /// L2: ready copies just after.
    pub after: u32,
    /// Copies with consumers just after; [`UNSEEN`] at a broker that does not tell.
    pub unacked: u32,
    /// The link that put it, or takes it.
    pub link: LinkIndex,
    /// What happened.
    pub kind: Kind,
    /// Why.
    pub cause: QueueCause,
}

/// The steps of one queue.
#[derive(Debug)]
pub struct QueueLog {
    /// The queue's place.
    pub place: PlaceIndex,
    /// The plan's number of its node.
    pub node: u32,
    rows: Vec<Transition>,
    unacked: i64,
    /// When the ready copies were put, by the number of their Enqueued: the first is the oldest.
    ready: BTreeMap<u64, i64>,
    /// That number of each ready copy, by its publish.
    ordinals: HashMap<MessageId, u64>,
    /// The copy that each delivery has, by its publish, its number and when it was put.
    delivered: HashMap<MessageId, (MessageId, u64, i64)>,
}

/// The steps of all queues.
#[derive(Debug)]
pub struct Queues {
    logs: Vec<QueueLog>,
}

impl Queues {
    pub(super) fn new(plan: &Plan) -> Self {
        let log = |queue: &hopscope_scenario::plan::PlanQueue| QueueLog {
            place: PlaceIndex(queue.place),
            node: queue.node,
            rows: Vec::new(),
            unacked: 0,
            ready: BTreeMap::new(),
            ordinals: HashMap::new(),
            delivered: HashMap::new(),
        };
        Self { logs: plan.queues.iter().map(log).collect() }
    }

    pub(super) fn logs(&self) -> &[QueueLog] {
        &self.logs
    }

    /// Takes an event, if it is a step of a queue, or the word of its broker.
    pub(super) fn apply(&mut self, event: &Event) {
        if event.kind == Kind::DEPTH_REPORTED {
            let log = self.logs.iter_mut().find(|log| log.place == event.place);
            return log.into_iter().for_each(|log| log.hear(event));
        }
        let steps = event.kind.info().filter(|info| info.b.meaning == ValueMeaning::QueueStep);
        let (Some(info), Some(step)) = (steps, QueueStep::from_value(event.b)) else { return };
        if let Some(log) = self.logs.iter_mut().find(|log| log.place == event.place) {
            log.unacked += i64::from(info.steps.unacked);
            log.move_copy(event);
            log.push(event, step);
        }
    }
}

impl QueueLog {
    /// Its steps, in their order.
    #[must_use]
    pub fn rows(&self) -> &[Transition] {
        &self.rows
    }

    /// The number of the row of the last step at or before a time; `None` before the first.
    #[must_use]
    pub fn at(&self, time: i64) -> Option<usize> {
        self.rows.partition_point(|row| row.time <= time).checked_sub(1)
    }

    /// The least and the greatest length within each of so many equal stretches from `from` to `to`.
    #[must_use]
    pub fn lengths(&self, from: i64, to: i64, columns: usize) -> Vec<(u32, u32)> {
        let length = i128::from(to.saturating_sub(from)).max(1);
        let end = |column: usize| {
            from.saturating_add(
                i64::try_from(length * (column as i128 + 1) / columns.max(1) as i128).unwrap_or(i64::MAX),
            )
        };
        let mut next = self.rows.partition_point(|row| row.time < from);
        let mut level = next.checked_sub(1).and_then(|row| self.rows.get(row)).map_or(0, |row| row.after);
        let column = |column| {
            let (mut least, mut most) = (level, level);
            while let Some(row) = self.rows.get(next).filter(|row| row.time <= end(column)) {
                level = row.after;
                (least, most) = (least.min(level), most.max(level));
                next += 1;
            }
            (least, most)
        };
        (0..columns).map(column).collect()
    }

    /// Notes which copies are ready and which are with a consumer.
    fn move_copy(&mut self, event: &Event) {
        match event.kind {
            Kind::ENQUEUED => {
                self.ready.insert(event.a, event.time);
                self.ordinals.insert(event.message, event.a);
            }
            Kind::DELIVERED => {
                if let Some((ordinal, time)) = self.take(event.parent) {
                    self.delivered.insert(event.message, (event.parent, ordinal, time));
                }
            }
            Kind::REQUEUED => {
                if let Some((publish, ordinal, time)) = self.delivered.remove(&event.message) {
                    self.ready.insert(ordinal, time);
                    self.ordinals.insert(publish, ordinal);
                }
            }
            Kind::ACKED | Kind::NACKED => {
                self.delivered.remove(&event.message);
            }
            Kind::EXPIRED | Kind::DROPPED | Kind::PURGED => {
                self.take(event.message);
            }
            _ => {}
        }
    }

    fn take(&mut self, publish: MessageId) -> Option<(u64, i64)> {
        let ordinal = self.ordinals.remove(&publish)?;
        Some((ordinal, self.ready.remove(&ordinal)?))
    }

    /// Takes the word of a broker that stamps nothing: a row where it is another than before, and of each copy that is taken
    /// out after the run.
    fn hear(&mut self, event: &Event) {
        let (last, after) = (self.rows.last().map(|row| row.after), DepthReport::from_value(event.a).ready);
        if last != Some(after) || !event.parent.is_none() {
            let step = QueueStep { before: last.unwrap_or(after), after, cause: QueueCause::NONE };
            let numbered = Event { a: self.rows.len() as u64 + 1, message: event.parent, ..*event };
            self.push(&numbered, step);
        }
    }

    fn push(&mut self, event: &Event, step: QueueStep) {
        let QueueStep { before, after, cause } = step;
        let seen = event.kind != Kind::DEPTH_REPORTED;
        self.rows.push(Transition {
            time: event.time,
            ordinal: event.a,
            trace: event.trace,
            message: event.message,
            oldest: self.ready.first_key_value().map_or(ABSENT, |(_, time)| *time),
            before,
            after,
            unacked: if seen { u32::try_from(self.unacked.max(0)).unwrap_or(UNSEEN) } else { UNSEEN },
            link: event.link,
            kind: event.kind,
            cause,
        });
    }
}
