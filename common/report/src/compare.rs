//! Two recordings beside each other: by how much the figures of the second differ from those of the first, and how far that
//! can be known.
//!
//! Each figure has an interval in which its true value lies: of a percentile, between two of the lengths that were measured
//! (order statistics: W. J. Conover, Practical Nonparametric Statistics, 1999, 3.2); of a share, E. B. Wilson's (1927); of a
//! number of events in a time, the score interval of the Poisson distribution. Both hold with 97.5 %, so that the change between
//! them lies between the quotients of their ends with 95 % (C. E. Bonferroni's inequality). All of them take what was measured as
//! independent; where one slow reply delays the next, the truth is less certain than that.

use hopscope_record::PlaceIndex;
use hopscope_scenario::checks::{self, Metric, Part};
use hopscope_scenario::model::Comparison;
use hopscope_scenario::plan::{Passage, Plan, PlanLink, PlanQueue, PlanService};

use crate::measured::{Measured, link_named};
use crate::stats::{Latency, Span, Stats};

pub use crate::measured::worded;

pub use document::document;
pub use reading::{Reading, ReadingError};

mod document;
mod reading;
#[cfg(test)]
mod tests;

/// Standard deviations on each side that 97.5 % of a normal distribution lie within.
const Z: f64 = 2.241_402_727_604_947;

/// A figure of both recordings.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// The link or the queue; `None`: all of the run.
    pub on: Option<Subject>,
    /// What.
    pub metric: Metric,
    /// In the first recording: ns, per second, parts of one, or a number.
    pub before: f64,
    /// In the second.
    pub after: f64,
    /// By how much it changed; `None` of a metric that has no interval.
    pub change: Option<Change>,
}

/// A link, a queue or a service that both recordings have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// A link's: its ends' names as `from->to`, or its id where others have the same ends. A queue's own.
    pub name: String,
    at: At,
}

/// Where it is in the first plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    Link(u16),
    Queue(PlaceIndex),
    Service(u32),
}

impl At {
    /// Whether both are of one kind.
    fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Link(_), Self::Link(_)) | (Self::Queue(_), Self::Queue(_)) | (Self::Service(_), Self::Service(_))
        )
    }
}

/// A change in parts of one: 0.1 is a tenth more. It lies between the two ends with 95 %.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Change {
    /// The change of the figures; infinite from nothing to something.
    pub by: f64,
    /// The lower end; -1 at the least.
    pub from: f64,
    /// The upper end; infinite where too little was measured for one.
    pub to: f64,
}

impl Change {
    /// The change as people read it: `+4.2 %`.
    #[must_use]
    pub fn words(self) -> String {
        percent(self.by)
    }

    /// Its interval: `+1.0 % … +7.5 %`.
    #[must_use]
    pub fn interval(self) -> String {
        format!("{} … {}", percent(self.from), percent(self.to))
    }
}

fn percent(by: f64) -> String {
    // What rounds to nothing has no sign.
    let tenths = (by * 1e3).round() / 10.0;
    if tenths.is_infinite() { "∞".to_owned() } else { format!("{:+.1} %", tenths + 0.0) }
}

/// A limit on a change.
#[derive(Clone, PartialEq, Debug)]
pub struct Limit {
    /// Of which link; `None`: of all of the run, where the metric has that, otherwise of each link.
    pub on: Option<String>,
    /// Of what.
    pub metric: Metric,
    /// How the change has to be to the limit, so that this fails.
    pub op: Comparison,
    /// The limit, in parts of one.
    pub by: f64,
}

/// What a comparison says of a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The change is beyond the limit, wherever in its interval it lies.
    Failed,
    /// It is not, wherever it lies.
    Passed,
    /// It may be.
    Undecided,
}

impl Limit {
    /// Reads one as it is written: `answered.p99 > +10%`, `buyers->shop: throughput < -5 %`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (on, rest) = text.rsplit_once(": ").map_or((None, text), |(on, rest)| (Some(on.trim().to_owned()), rest));
        let at = rest.find(['<', '>'])?;
        let (metric, rest) = rest.split_at(at);
        let metric = Metric::find(metric.trim()).filter(|metric| is_compared(*metric))?;
        let operators = [Comparison::AtMost, Comparison::AtLeast, Comparison::Below, Comparison::Above];
        let op = operators.into_iter().find(|op| rest.starts_with(op.sign()))?;
        let percent = rest.strip_prefix(op.sign())?.trim().strip_suffix('%')?.trim_end();
        let by = percent.parse::<f64>().ok().filter(|by| by.is_finite())? / 100.0;
        Some(Self { on, metric, op, by })
    }

    /// Whether it is a limit on this, which was compared with a run of this plan. A link is named as checks name it.
    #[must_use]
    pub fn is_on(&self, plan: &Plan, compared: &Compared) -> bool {
        let subject = match (&self.on, &compared.on) {
            (None, on) => on.is_some() != (matches!(self.metric, Metric::Answered(_)) || of_run(self.metric)),
            (Some(on), Some(Subject { at: At::Link(number), .. })) => link_named(plan, on) == Some(*number),
            (Some(_), Some(_)) => false,
            (Some(_), None) => false,
        };
        self.metric == compared.metric && subject
    }

    /// What a change says of it.
    #[must_use]
    pub fn judge(&self, change: Change) -> Verdict {
        match [change.from, change.to].map(|end| self.op.holds(end, self.by)) {
            [true, true] => Verdict::Failed,
            [false, false] => Verdict::Passed,
            _ => Verdict::Undecided,
        }
    }
}

/// Whether a metric has an interval: what is the greatest or the last of a run has none.
#[must_use]
pub fn is_compared(metric: Metric) -> bool {
    match metric {
        Metric::Answered(part) | Metric::Completed(part) | Metric::Confirmed(part) => part != Part::Max,
        Metric::Throughput | Metric::ErrorRate => true,
        Metric::Stale(part) | Metric::Finished(part) => part != Part::Max,
        Metric::Lost | Metric::Repeated | Metric::Drain | Metric::Cpu | Metric::Bytes | Metric::Utilisation => false,
        Metric::Errors | Metric::Retried | Metric::Late | Metric::QueueLongest | Metric::QueueEnd => false,
        Metric::EffectsNever | Metric::EffectsRepeated | Metric::EffectsUnbalanced => false,
    }
}

fn of_run(metric: Metric) -> bool {
    metric.subject() == checks::Subject::Run
}

/// Every figure that both recordings have: of the run, then link by link, then queue by queue, in the first plan's order. Links
/// are the same where their ends' names are, queues where theirs are. A count that is nothing in both is left out.
#[must_use]
pub fn compare(before: (&Plan, &Stats), after: (&Plan, &Stats)) -> Vec<Compared> {
    let of_run = |metric| (Measured::of_run(before.1, metric), Measured::of_run(after.1, metric));
    let mut compared: Vec<_> = each(None, of_run).collect();
    let second: Vec<_> = subjects(after.0).collect();
    for subject in subjects(before.0) {
        let same_kind = |other: &&Subject| other.at.is_like(subject.at);
        let Some(other) = second.iter().filter(same_kind).find(|other| other.name == subject.name) else { continue };
        let (one, other) = (subject.at, other.at);
        compared.extend(each(Some(subject), |metric| (one.measured(before, metric), other.measured(after, metric))));
    }
    compared
}

impl At {
    fn measured<'a>(self, (plan, stats): (&Plan, &'a Stats), metric: Metric) -> Option<Measured<'a>> {
        match self {
            Self::Service(node) if metric == Metric::Utilisation => Measured::of_service(plan, stats, node, metric),
            Self::Service(_) => None,
            Self::Link(number) => Measured::of_link(stats, number, metric),
            Self::Queue(place) => Measured::of_queue(stats, place, metric),
        }
    }
}

/// Every metric that has a figure in both.
fn each<'a>(
    on: Option<Subject>,
    measured: impl Fn(Metric) -> (Option<Measured<'a>>, Option<Measured<'a>>),
) -> impl Iterator<Item = Compared> {
    Metric::ALL.into_iter().filter_map(move |metric| {
        let (one, other) = measured(metric);
        let (one, other) = (one?, other?);
        let (before, after) = (one.figure()?, other.figure()?);
        let change = match (Estimate::of(&one), Estimate::of(&other)) {
            (Some(one), Some(other)) => Some(one.to(other)),
            _ => None,
        };
        let says = change.is_some() || before != 0.0 || after != 0.0;
        says.then(|| Compared { on: on.clone(), metric, before, after, change })
    })
}

/// The scenario's own links, its queues, and its services.
fn subjects(plan: &Plan) -> impl Iterator<Item = Subject> {
    let node = |node: u32| plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let sends = |link: &PlanLink| link.replies_of.is_none() && plan.passage(link) != Passage::Bind;
    let own = plan.links.iter().zip(0_u16..).filter(move |(link, _)| sends(link));
    let link = move |(link, number): (&PlanLink, u16)| {
        let name = format!("{}->{}", node(link.from), node(link.to));
        let shared = link_named(plan, &name).is_none();
        Subject { name: if shared { link.id.clone() } else { name }, at: At::Link(number) }
    };
    let queues = plan.queues.iter();
    let queue =
        move |queue: &PlanQueue| Subject { name: node(queue.node).to_owned(), at: At::Queue(PlaceIndex(queue.place)) };
    let service =
        move |service: &PlanService| Subject { name: node(service.node).to_owned(), at: At::Service(service.node) };
    own.map(link).chain(queues.map(queue)).chain(plan.services.iter().map(service))
}

/// A figure, and the interval that its true value lies in with 97.5 %.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Estimate {
    figure: f64,
    low: f64,
    high: f64,
}

impl Estimate {
    fn of(measured: &Measured<'_>) -> Option<Self> {
        let figure = measured.figure()?;
        let (low, high) = match measured {
            Measured::Length(latency, part) => of_length(latency, *part)?,
            Measured::Rate(count, span) => of_rate(*count, *span),
            Measured::Share(part, of) => of_share(*part as f64, *of as f64),
            Measured::Count(_) | Measured::Plain(_) => return None,
        };
        Some(Self { figure, low, high })
    }

    /// The change from this one to another.
    fn to(self, after: Self) -> Change {
        // Nothing to nothing is no change, nothing to something is one without bounds.
        let change = |after: f64, before: f64| if after == before { 0.0 } else { after / before - 1.0 };
        Change {
            by: change(after.figure, self.figure),
            from: change(after.low, self.high),
            to: if self.low == 0.0 { f64::INFINITY } else { change(after.high, self.low) },
        }
    }
}

/// Of a percentile: so many of `n` are below the true one as a binomial distribution has it.
fn of_length(latency: &Latency, part: Part) -> Option<(f64, f64)> {
    let p = match part {
        Part::P50 => 0.5,
        Part::P90 => 0.9,
        Part::P99 => 0.99,
        Part::Max => return None,
    };
    let n = latency.count() as f64;
    let spread = Z * (n * p * (1.0 - p)).sqrt();
    let at = |rank: f64| latency.percentile(rank / n * 100.0).map_or(0.0, |ns| ns as f64);
    let (below, above) = ((n * p - spread).floor(), (n * p + spread).ceil() + 1.0);
    // Where a rank would be outside of all that was measured, it could be anything there.
    Some((if below < 1.0 { 0.0 } else { at(below) }, if above > n { f64::INFINITY } else { at(above) }))
}

/// Of a rate: as many events in a time as a Poisson distribution has.
fn of_rate(count: u64, span: Span) -> (f64, f64) {
    let (count, seconds) = (count as f64, (span.to - span.from) as f64 / 1e9);
    let (middle, half) = (count + Z * Z / 2.0, Z * (count + Z * Z / 4.0).sqrt());
    (((middle - half) / seconds).max(0.0), (middle + half) / seconds)
}

/// Of a share: as many of all as a binomial distribution has.
fn of_share(part: f64, of: f64) -> (f64, f64) {
    let (share, z2) = (part / of, Z * Z);
    let middle = (share + z2 / (2.0 * of)) / (1.0 + z2 / of);
    let half = Z * (share * (1.0 - share) / of + z2 / (4.0 * of * of)).sqrt() / (1.0 + z2 / of);
    (if part == 0.0 { 0.0 } else { middle - half }, middle + half)
}
