//! The verdict on a disturbed run: what was lost, repeated and late after each disturbance, and how long it took until all was
//! normal again.
//!
//! What is normal comes from the run itself: the 99th percentile of the answers that came before the first disturbance. A trace
//! is *bad* that is lost, or was answered later than that; of undisturbed ones that is one in a hundred. Among
//! [`WINDOW`] traces that began one after the other, [`BAD`] bad ones are then so rare (a binomial distribution has them in 1.4
//! of a million windows) that they say: not normal. A run is normal again from the first trace on that follows the last bad one
//! of such a window.

mod document;
#[cfg(test)]
mod tests;

use hopscope_record::kind::ControlAction;
use hopscope_record::{Event, LinkIndex};
use hopscope_scenario::plan::Plan;

pub use self::document::{document, on, told};
use crate::stats::Latency;
use crate::traces::{Named, TraceRow, Traces};

/// Traces that are looked at together.
pub const WINDOW: usize = 20;
/// Bad ones among them that are no chance.
pub const BAD: usize = 5;
/// Most traces that a count names.
pub const MOST_NAMED: usize = 1_000;

/// What was done, once for all places and links that it was done to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// When, ns on the run's clock.
    pub at: i64,
    /// What.
    pub action: ControlAction,
    /// What the action was told.
    pub argument: u64,
    /// The node; `None` of a link, and of a broker.
    pub node: Option<u32>,
    /// Of a broker: whether it is that of topics.
    pub kafka: bool,
    /// The link.
    pub link: Option<LinkIndex>,
}

/// What was done to a run, gathered from its events.
#[derive(Clone, Default, Debug)]
pub struct Controls {
    /// The node of each place.
    nodes: Vec<u32>,
    /// The nodes that are topics.
    topics: Vec<u32>,
    rows: Vec<Control>,
}

impl Controls {
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.nodes = plan.places.iter().map(|place| place.node).collect();
        self.topics = plan.topics.iter().map(|topic| topic.node).collect();
    }

    pub(crate) fn take(&mut self, event: &Event) {
        let Some(action) = ControlAction::from_value(event.a) else { return };
        let of_broker = matches!(action, ControlAction::BrokerKilled | ControlAction::BrokerStarted);
        let at = self.nodes.get(event.place.0 as usize).copied();
        // A broker is told of at each of its queues or topics, ...
        let node = at.filter(|_| !of_broker);
        let kafka = of_broker && at.is_some_and(|node| self.topics.contains(&node));
        let link = (!event.link.is_none()).then_some(event.link);
        let control = Control { at: event.time, action, argument: event.b, node, kafka, link };
        // ... and a node at each of its replicas.
        let same = self.rows.iter().rev().find(|row| row.on() == control.on());
        if same.is_none_or(|row| (row.action, row.argument) != (action, event.b)) {
            self.rows.push(control);
        }
    }

    /// In their order.
    #[must_use]
    pub fn rows(&self) -> &[Control] {
        &self.rows
    }
}

impl Control {
    /// What it is done to.
    const fn on(&self) -> (Option<u32>, bool, Option<LinkIndex>) {
        (self.node, self.kafka, self.link)
    }

    /// Whether it makes good what was done before.
    #[must_use]
    pub const fn is_undoing(&self) -> bool {
        match self.action {
            ControlAction::Resume | ControlAction::Start | ControlAction::Mend | ControlAction::BrokerStarted => true,
            ControlAction::Rate => self.argument == 0,
            _ => false,
        }
    }

    /// Whether it ends that one.
    fn ends(&self, other: &Self) -> bool {
        let undone = match self.action {
            ControlAction::Resume => matches!(other.action, ControlAction::Pause),
            ControlAction::Start => matches!(other.action, ControlAction::Crash | ControlAction::Pause),
            ControlAction::Rate => matches!(other.action, ControlAction::Rate),
            ControlAction::Mend => {
                matches!(other.action, ControlAction::Cut | ControlAction::Delay | ControlAction::Throttle)
            }
            ControlAction::BrokerStarted => matches!(other.action, ControlAction::BrokerKilled),
            _ => false,
        };
        undone && self.on() == other.on() && self.at >= other.at
    }
}

/// What came of a disturbed run.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// What is normal; `None` where too few traces were answered before the first disturbance.
    pub normal: Option<Normal>,
    /// What was so already before the first disturbance.
    pub before: Found,
    /// One for each disturbance.
    pub disturbances: Vec<Disturbance>,
}

/// What answers were like before the first disturbance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Normal {
    /// The 99th percentile of how long they took, in ns.
    pub p99: i64,
    /// Of how many.
    pub traces: u64,
}

/// One disturbance, with what ended after it began and before the next one did.
#[derive(Clone, PartialEq, Debug)]
pub struct Disturbance {
    /// What was done.
    pub control: Control,
    /// When it was undone; `None`: not while the run lasted.
    pub until: Option<i64>,
    /// What became of the traces.
    pub found: Found,
    /// When all was normal again.
    pub normal: Again,
}

/// What became of the traces that ended in a stretch of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// How many there are: the denominator.
    pub traces: u64,
    /// Their sender has no good answer.
    pub unanswered: Named,
    /// Their sender has a good answer, and something of them never came to its end.
    pub unfinished: Named,
    /// A message of them was worked on more than once.
    pub repeated: Named,
    /// They were answered well, and later than normal.
    pub late: Named,
}

/// When a run was normal again after a disturbance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It never was otherwise.
    Stayed,
    /// From so long after its beginning on, in ns.
    After(i64),
    /// Not before the next disturbance, or before the load ended.
    Never,
    /// There are too few traces to tell.
    TooFew,
}

/// The verdict; `None` on a run that nothing was done to.
#[must_use]
pub fn verdict(controls: &Controls, traces: &Traces) -> Option<Verdict> {
    let begun: Vec<_> = controls.rows().iter().enumerate().filter(|(_, control)| !control.is_undoing()).collect();
    let first = begun.first()?.1.at;
    let mut rows: Vec<_> = traces.rows().filter(|row| !row.not_sent).collect();
    rows.sort_unstable_by_key(|row| (row.began, row.trace));
    let normal = normal(&rows, first);
    let stretch = |from: i64, to: i64| {
        let within = rows.iter().copied().filter(move |row| (from..to).contains(&ended(row)));
        within.collect::<Vec<_>>()
    };
    let ends = begun.iter().skip(1).map(|(_, next)| next.at).chain([i64::MAX]);
    let disturbance = |((row, control), to): (&(usize, &Control), i64)| {
        let (control, within) = ((*control).clone(), stretch(control.at, to));
        // A rate ends the one before it, and not itself.
        let until = controls.rows().iter().skip(row + 1).find(|other| other.ends(&control)).map(|other| other.at);
        let again = normal.map_or(Again::TooFew, |normal| again(&within, control.at, normal));
        Disturbance { until, found: found(&within, normal), normal: again, control }
    };
    Some(Verdict {
        normal,
        before: found(&stretch(i64::MIN, first), normal),
        disturbances: begun.iter().zip(ends).map(disturbance).collect(),
    })
}

/// When a trace showed what became of it: when it was answered, or, if that never was, or says less than what followed, with its
/// last event.
const fn ended(row: &TraceRow) -> i64 {
    match row.answered {
        Some(answered) if !row.is_unfinished() && !row.is_repeated() => answered,
        _ => row.last,
    }
}

fn normal(rows: &[&TraceRow], first: i64) -> Option<Normal> {
    let mut took = Latency::default();
    let good = rows.iter().filter(|row| row.good && row.answered.is_some_and(|answered| answered < first));
    good.filter_map(|row| row.took()).for_each(|ns| took.record(ns));
    let p99 = i64::try_from(took.percentile(99.0)?).ok()?;
    (took.count() >= WINDOW as u64).then(|| Normal { p99, traces: took.count() })
}

fn is_late(row: &TraceRow, normal: Option<Normal>) -> bool {
    let took = row.took().filter(|_| row.good);
    normal.zip(took).is_some_and(|(normal, took)| took > normal.p99)
}

fn found(rows: &[&TraceRow], normal: Option<Normal>) -> Found {
    let mut found = Found { traces: rows.len() as u64, ..Found::default() };
    for row in rows {
        let counts = [
            (row.is_unanswered(), &mut found.unanswered),
            (row.is_unfinished(), &mut found.unfinished),
            (row.is_repeated(), &mut found.repeated),
            (is_late(row, normal), &mut found.late),
        ];
        counts.into_iter().filter(|(is, _)| *is).for_each(|(_, named)| named.add(row.trace, MOST_NAMED));
    }
    found
}

/// When traces, in the order in which they began, were normal again after a disturbance that began `at`.
fn again(rows: &[&TraceRow], at: i64, normal: Normal) -> Again {
    if rows.len() < WINDOW {
        return Again::TooFew;
    }
    let bad: Vec<_> = rows.iter().map(|row| row.is_lost() || is_late(row, Some(normal))).collect();
    let is_bad = |window: &[bool]| window.iter().filter(|bad| **bad).count() >= BAD;
    let Some(window) = bad.windows(WINDOW).rposition(is_bad) else { return Again::Stayed };
    let last = (window..window + WINDOW).rfind(|row| bad[*row]).unwrap_or(window);
    // The last of all is followed by nothing that could say so, and neither are the last few.
    let after = rows.get(last + 1).filter(|_| rows.len() - last > WINDOW - BAD);
    after.map_or(Again::Never, |row| Again::After((row.began - at).max(0)))
}
