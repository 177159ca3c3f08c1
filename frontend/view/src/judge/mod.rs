//! What a run is held to: its laws, and the figures of its links.
//!
//! [`Judge`] reads each frame once; asking it for reports costs more than a frame, so [`Pace`] says when it is time to.
//! Nothing here is worked out anew: the judgement is the report's own.

use hopscope_record::decoder::Frame;
use hopscope_record::kind::LinkCount;
use hopscope_record::{Event, LinkIndex};
use hopscope_report::checks::{self, CheckReport};
use hopscope_report::effects::EffectsReport;
use hopscope_report::frames::ReadError;
use hopscope_report::laws::{Law, LawReport, Laws, QueueReport};
use hopscope_report::stats::{Latency, LinkStats, Offer, Stats};
use hopscope_scenario::plan::{Passage, Plan, PlanEffect, PlanLink};

#[cfg(test)]
mod tests;

/// Least time between two looks at the reports while a run goes on, in ms.
const PAUSE: f64 = 250.0;

/// Laws and figures of one recording, frame by frame.
#[derive(Default)]
pub struct Judge {
    laws: Laws,
    stats: Stats,
}

impl Judge {
    /// Takes the next frame, and its events where it has some.
    ///
    /// # Errors
    /// [`ReadError`]: the frame cannot be read, or is not the next one.
    pub(crate) fn push(&mut self, frame: &Frame<'_>, events: &[Event]) -> Result<(), ReadError> {
        self.laws.push_read(frame, events)?;
        self.stats.push_read(frame, events)
    }

    /// What came of each law so far.
    #[must_use]
    pub fn laws(&self) -> Vec<LawReport> {
        self.laws.report()
    }

    /// What came of L2 = L1 - 1 at each queue so far.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueReport> {
        self.laws.queues()
    }

    /// What came of each of the scenario's checks so far.
    #[must_use]
    pub fn checks(&self, plan: &Plan) -> Vec<CheckReport> {
        checks::judge(plan, &self.stats)
    }

    /// The effects of the plan.
    #[must_use]
    pub fn effects(&self) -> &[PlanEffect] {
        self.stats.effects().rows()
    }

    /// What became of them so far.
    #[must_use]
    pub fn effects_report(&self) -> EffectsReport {
        self.stats.effects_report()
    }

    /// The schedules that the generator could not keep, once the run has ended.
    #[must_use]
    pub fn behind(&self, plan: &Plan) -> Vec<Behind> {
        let missed = self.stats.offers(&plan.settings).filter(Offer::is_missed);
        let row = |offer: Offer| {
            Some(Behind {
                node: plan.node_of(offer.client.0)?.name.clone(),
                reached: offer.reached_per_second()?,
                wanted: offer.wanted_per_second()?,
            })
        };
        missed.filter_map(row).collect()
    }

    /// The figures of each link of the plan that something is sent over, in its order. What queues deliver, their statements
    /// tell.
    #[must_use]
    pub fn links(&self, plan: &Plan) -> Vec<LinkRow> {
        let node = |number: u32| plan.nodes.get(number as usize).map_or("", |node| node.name.as_str());
        let row = |(number, link): (usize, &PlanLink)| {
            let found = self.stats.links().find(|stats| usize::from(stats.link.0) == number);
            LinkRow {
                link: LinkIndex(u16::try_from(number).unwrap_or(u16::MAX)),
                name: format!("{} → {}", node(link.from), node(link.to)),
                counts: found.map(counts),
                answered: found.map(|stats| Spread::of(&stats.answered())).unwrap_or_default(),
                completed: found.map(|stats| Spread::of(&stats.completed)).unwrap_or_default(),
                confirmed: (plan.passage(link) == Passage::Publish)
                    .then(|| found.map(|stats| Spread::of(&stats.confirmed)).unwrap_or_default()),
            }
        };
        let sends = |(_, link): &(usize, &PlanLink)| !matches!(plan.passage(link), Passage::Deliver | Passage::Bind);
        plan.links.iter().enumerate().filter(sends).map(row).collect()
    }
}

fn counts(stats: &LinkStats) -> Counts {
    Counts {
        sent: stats.count(LinkCount::Sent),
        completed: stats.count(LinkCount::Completed),
        confirmed: stats.count(LinkCount::Confirmed),
        handed_over: stats.count(LinkCount::HandedOver),
        refused: stats.count(LinkCount::Refused),
        failed: stats.count(LinkCount::Failed),
        timed_out: stats.count(LinkCount::TimedOut),
        retried: stats.count(LinkCount::Retried),
        late: stats.late,
    }
}

/// A schedule that the generator could not keep.
#[derive(Clone, PartialEq, Debug)]
pub struct Behind {
    /// The client's name.
    pub node: String,
    /// Requests that the generator came to, per second.
    pub reached: f64,
    /// Requests that the schedule wanted, per second.
    pub wanted: f64,
}

/// What became of the attempts on a link, in the measured phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Attempts made.
    pub sent: u64,
    /// Closed by a good reply.
    pub completed: u64,
    /// Confirmed by a broker.
    pub confirmed: u64,
    /// Handed to the system, where nobody answers.
    pub handed_over: u64,
    /// Closed by a reply that says "not now".
    pub refused: u64,
    /// Closed by an error reply, or for want of a connection.
    pub failed: u64,
    /// Closed by the caller's time limit.
    pub timed_out: u64,
    /// Followed by another attempt.
    pub retried: u64,
    /// Answered after they were given up.
    pub late: u64,
}

/// How long something took: of how many, and percentiles in ns; `None` without any.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spread {
    /// Of how many.
    pub count: u64,
    /// The median.
    pub p50: Option<u64>,
    /// The 90th percentile.
    pub p90: Option<u64>,
    /// The 99th percentile.
    pub p99: Option<u64>,
    /// The longest.
    pub max: Option<u64>,
}

impl Spread {
    fn of(latency: &Latency) -> Self {
        let percentile = |percent| latency.percentile(percent);
        Self {
            count: latency.count(),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p99: percentile(99.0),
            max: latency.max(),
        }
    }
}

/// The figures of one link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkRow {
    /// Which.
    pub link: LinkIndex,
    /// The nodes at its ends.
    pub name: String,
    /// What became of its attempts; `None` while nothing happened on it.
    pub counts: Option<Counts>,
    /// From the intended send to the close of the last attempt.
    pub answered: Spread,
    /// T2 - T1 of attempts that a good reply closed.
    pub completed: Spread,
    /// From T1 to the broker's confirm; `None` on a link that calls.
    pub confirmed: Option<Spread>,
}

/// What may be said of a law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All that could be judged hold it.
    Held,
    /// At least one breaks it.
    Broken,
    /// There is something to judge, and none of it can be yet.
    Undecided,
    /// There is nothing to judge.
    Empty,
    /// It says nothing about this recording.
    NotApplicable,
}

impl Verdict {
    /// Of a law's report.
    #[must_use]
    pub const fn of(report: &LawReport) -> Self {
        if report.not_applicable.is_some() {
            Self::NotApplicable
        } else if report.broken > 0 {
            Self::Broken
        } else if report.held > 0 {
            Self::Held
        } else if report.undecided > 0 {
            Self::Undecided
        } else {
            Self::Empty
        }
    }

    /// For style sheet and tests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
            Self::Empty => "empty",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// What several laws come to together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The worst that may be said: broken, else undecided, else held.
    pub verdict: Verdict,
    /// How many of them hold.
    pub held: usize,
    /// How many say something about this recording.
    pub of: usize,
    /// Those that are broken, with how often.
    pub broken: Vec<(Law, u64)>,
}

/// Sums laws up.
pub fn summary<'a>(reports: impl Iterator<Item = &'a LawReport>) -> Summary {
    let mut summary = Summary { verdict: Verdict::Empty, held: 0, of: 0, broken: Vec::new() };
    let mut waits = false;
    for report in reports {
        let verdict = Verdict::of(report);
        summary.of += usize::from(verdict != Verdict::NotApplicable);
        match verdict {
            Verdict::Held => summary.held += 1,
            Verdict::Broken => summary.broken.push((report.law, report.broken)),
            Verdict::Undecided => waits = true,
            Verdict::Empty | Verdict::NotApplicable => {}
        }
    }
    if !summary.broken.is_empty() {
        summary.verdict = Verdict::Broken;
    } else if waits {
        summary.verdict = Verdict::Undecided;
    } else if summary.held > 0 {
        summary.verdict = Verdict::Held;
    }
    summary
}

/// When the reports are worth another look: when there is more, a few times a second, and at the end.
#[derive(Clone, Copy, Default, Debug)]
pub struct Pace {
    /// What was looked at: the revision, and whether the run was over.
    seen: Option<(u64, bool)>,
    /// When, ms on the browser's clock.
    at: f64,
}

impl Pace {
    /// Whether there is more than was looked at.
    #[must_use]
    pub fn is_behind(&self, revision: u64, over: bool) -> bool {
        self.seen != Some((revision, over))
    }

    /// Whether to look now; then it counts as done.
    pub fn is_due(&mut self, now_ms: f64, revision: u64, over: bool) -> bool {
        let rested = self.seen.is_none() || over || now_ms - self.at >= PAUSE;
        let due = rested && self.is_behind(revision, over);
        if due {
            *self = Self { seen: Some((revision, over)), at: now_ms };
        }
        due
    }
}
