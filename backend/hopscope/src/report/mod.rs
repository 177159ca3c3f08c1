//! What a run came to, read from its recording alone: figures, laws, checks, whether it is whole and kept to its schedule.

mod document;
mod effects;
mod junit;
mod lines;
mod markdown;
mod verdict;

use std::fs::File;
use std::io::{Read, Seek};

use anyhow::{Context, Result};
use hopscope_record::codec::EventDecoder;
use hopscope_record::frame::{EndReason, Payload};
use hopscope_record::kind::LinkCount;
use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_report::checks::{CheckReport, judge};
use hopscope_report::frames::each_frame;
use hopscope_report::laws::{LawReport, Laws, QueueReport};
use hopscope_report::stats::{LinkStats, Offer, Span, Stats};
use hopscope_report::surroundings::Surroundings;
use hopscope_report::verdict::{Verdict, verdict};
use hopscope_rules::schedule::mean_rate;
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::plan::{Passage, Plan, PlanError, PlanLink, PlanLoad};
use hopscope_scenario::quantity::{Rate, Time};
use hopscope_scenario::text;

use crate::exit::Exit;
use crate::say::{LANGUAGE, say, word};

pub(crate) use document::document;
pub(crate) use junit::junit;
pub(crate) use lines::lines;
pub(crate) use markdown::markdown;

#[cfg(test)]
mod tests;

/// What a run came to.
pub(crate) struct Report {
    /// The run's id.
    pub(crate) id: String,
    /// What ran.
    pub(crate) plan: Plan,
    /// The build that recorded it.
    pub(crate) build: String,
    /// Why it ended; `None` of a recording that was cut.
    pub(crate) reason: Option<EndReason>,
    /// More about it, where the recording says more.
    pub(crate) detail: Option<String>,
    /// Events that were stamped and are not in the recording.
    pub(crate) lost: u64,
    /// Events in the recording.
    pub(crate) events: u64,
    /// The figures.
    pub(crate) stats: Stats,
    /// What surrounded it.
    pub(crate) surroundings: Surroundings,
    /// What came of each law.
    pub(crate) laws: Vec<LawReport>,
    /// What came of L2 = L1 - 1 at each queue.
    pub(crate) queues: Vec<QueueReport>,
    /// What came of each client's schedule.
    pub(crate) schedules: Vec<Kept>,
    /// What came of each check of the scenario.
    pub(crate) checks: Vec<CheckReport>,
    /// What disturbing it cost; `None` where nothing was done to it.
    pub(crate) verdict: Option<Verdict>,
}

/// What came of a client's schedule.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    /// The client's row in the plan's nodes.
    pub(crate) node: u32,
    /// Requests that were wanted in the measured phase.
    pub(crate) intended: u64,
    /// What the schedule wants then, in the mean; `None` where replies decide that.
    pub(crate) wanted: Option<Rate>,
    /// What the generator reached then, per second; `None` without a measured phase.
    pub(crate) reached: Option<f64>,
    /// Where the schedule wanted more than the generator came to.
    pub(crate) missed: Option<Offer>,
}

impl Report {
    /// Reads the first `bytes` of a recording's file.
    ///
    /// # Errors
    /// When it cannot be read or is damaged, or is of another build.
    pub(crate) fn read(file: &mut File, bytes: u64) -> Result<Self> {
        let (mut laws, mut stats, mut events) = (Laws::new(), Stats::new(), EventDecoder::new());
        let (mut hello, mut end, mut lost, mut count, mut batch) = (None, None, 0, 0, Vec::new());
        let mut names = Vec::new();
        let mut surroundings = Surroundings::default();
        file.rewind()?;
        each_frame(&mut file.take(bytes), |frame| {
            laws.push(frame)?;
            stats.push(frame)?;
            match frame.read()? {
                Payload::Hello(first) => hello = Some((first.run_id, first.build, Plan::from_bytes(&first.plan)?)),
                Payload::Events(payload) => {
                    events.decode(payload.batch, &mut batch)?;
                    count += batch.len() as u64;
                }
                Payload::Loss(losses) => lost += losses.iter().map(|loss| loss.count).sum::<u64>(),
                Payload::End(last) => end = Some(last),
                Payload::Names(mut payload) => names.append(&mut payload.names),
                Payload::Clock(sample) => surroundings.push(&sample),
                Payload::Messages(_) | Payload::Skipped(_) => {}
            }
            anyhow::Ok(())
        })?;
        let (id, build, plan) = hello.with_context(|| word(text!("cli.report.cut")))?;
        let detail = end.as_ref().and_then(|end| names.get(end.detail?.0 as usize).cloned());
        let reason = end.map(|end| end.reason);
        let schedules = plan.loads.iter().map(|load| kept(load, &plan, &stats)).collect::<Result<_, _>>()?;
        Ok(Self {
            id,
            build,
            reason,
            detail,
            lost,
            events: count,
            laws: laws.report(),
            queues: laws.queues(),
            schedules,
            checks: judge(&plan, &stats),
            verdict: verdict(stats.controls(), stats.traces()),
            stats,
            surroundings,
            plan,
        })
    }

    /// Whether the run came to its end and no event was lost.
    pub(crate) fn is_whole(&self) -> bool {
        self.reason.is_some_and(|reason| reason != EndReason::FAILED) && self.lost == 0
    }

    /// The exit codes that apply.
    pub(crate) fn exits(&self) -> Vec<Exit> {
        let broken = self.laws.iter().any(|law| law.broken > 0);
        let missed = self.schedules.iter().any(|kept| kept.missed.is_some());
        let not_whole = !self.is_whole() || missed;
        let failed = self.checks.iter().any(|check| !check.passed());
        [(broken, Exit::LawBroken), (not_whole, Exit::NotWhole), (failed, Exit::CheckFailed)]
            .into_iter()
            .filter_map(|(applies, exit)| applies.then_some(exit))
            .collect()
    }

    /// Every link of the plan that something is sent over, with its figures, if anything happened on it.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&PlanLink, Option<&LinkStats>)> {
        let numbered = self.plan.links.iter().zip(0_u16..);
        let sends = |(link, _): &(&PlanLink, u16)| self.plan.passage(link) != Passage::Bind;
        numbered.filter(sends).map(|(link, number)| (link, of_link(&self.stats, number)))
    }

    /// What kept the queues, by name and version, and who started it.
    pub(crate) fn broker(&self) -> String {
        match &self.plan.broker {
            Some(broker) => {
                let (key, args) = broker.label(&self.plan.settings.broker);
                plain(LANGUAGE, key, &args)
            }
            None => say(text!("cli.report.built-in"), [("build", self.build.clone())]),
        }
    }

    /// What kept the topics, by name and version, and who started it; `None` where there were none.
    pub(crate) fn kafka(&self) -> Option<String> {
        let broker = self.plan.kafka.as_ref()?;
        let (local, args) = broker.label(&self.plan.settings.kafka);
        let key = if self.plan.settings.kafka.is_built_in() { text!("broker.mock") } else { local };
        Some(plain(LANGUAGE, key, &args))
    }

    /// A node's name.
    pub(crate) fn node(&self, node: u32) -> &str {
        self.plan.nodes.get(node as usize).map_or("", |node| &node.name)
    }

    /// How long the measured phase was, in ns.
    pub(crate) fn measured_ns(&self) -> Option<u64> {
        self.stats.span().map(length)
    }
}

fn length(span: Span) -> u64 {
    u64::try_from(span.to.saturating_sub(span.from)).unwrap_or(0)
}

fn of_link(stats: &Stats, link: u16) -> Option<&LinkStats> {
    stats.links().find(|stats| stats.link == LinkIndex(link))
}

fn kept(load: &PlanLoad, plan: &Plan, stats: &Stats) -> Result<Kept, PlanError> {
    let links = load.links.iter().filter_map(|link| of_link(stats, *link));
    let intended: u64 = links.map(|link| link.count(LinkCount::Intended)).sum();
    let (span, warm_up) = (stats.span(), plan.settings.warm_up);
    let offer = stats.offers(&plan.settings).find(|offer| offer.client == PlaceIndex(load.place));
    // Of a recording that was cut nobody knows for how long: up to where it ends.
    let until = offer.map_or_else(|| warm_up.0.saturating_add(span.map_or(0, length)), |offer| offer.offered);
    Ok(Kept {
        node: load.node,
        intended,
        wanted: mean_rate(&load.load.read()?, warm_up, Time(until)),
        reached: span.and_then(|span| span.per_second(intended)),
        missed: offer.filter(Offer::is_missed),
    })
}
