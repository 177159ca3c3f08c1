//! A metric of a recording as it was measured: its figure, and what stands behind it.

use std::borrow::Cow;

use hopscope_record::PlaceIndex;
use hopscope_record::kind::LinkCount;
use hopscope_scenario::checks::{Metric, Part, names_link};
use hopscope_scenario::plan::{Plan, PlanLink};
use hopscope_scenario::quantity::Dimension;

use crate::effects::{EffectReport, EffectsReport};
use crate::figures::{length, rate, share, whole};
use crate::stats::{Latency, LinkStats, Span, Stats};
use crate::traces::TraceRow;

/// What a metric's figure is made of.
pub(crate) enum Measured<'a> {
    /// A part of lengths of time.
    Length(Cow<'a, Latency>, Part),
    /// So many within a time.
    Rate(u64, Span),
    /// So many of so many.
    Share(u64, u64),
    /// So many.
    Count(u64),
    /// A figure of which nothing stands behind: a mean, or one length of time.
    Plain(f64),
}

impl<'a> Measured<'a> {
    /// A metric of all of the run; validation lets no other be without a link or a node.
    pub(crate) fn of_run(stats: &Stats, metric: Metric) -> Option<Self> {
        let effects =
            |read: fn(EffectsReport) -> u64| (!stats.effects().is_empty()).then(|| read(stats.effects_report()));
        match metric {
            Metric::Answered(part) => Some(Self::Length(Cow::Owned(stats.answered()), part)),
            Metric::Stale(part) => Some(Self::Length(Cow::Owned(stats.traces().stale()), part)),
            Metric::EffectsNever | Metric::EffectsRepeated => Self::of_effects(stats, None, metric),
            Metric::Finished(part) => Some(Self::Length(Cow::Owned(stats.traces().finished()), part)),
            Metric::Lost => Some(Self::Count(stats.traces().count(TraceRow::is_lost))),
            Metric::Repeated => Some(Self::Count(stats.traces().count(TraceRow::is_repeated))),
            Metric::Drain => stats.drain().map(|ns| Self::Plain(ns as f64)),
            Metric::Cpu => stats.cpu_per_trace().map(Self::Plain),
            Metric::Bytes => stats.bytes_per_trace().map(Self::Plain),
            Metric::EffectsUnbalanced => {
                let unbalanced = |report: EffectsReport| report.transfers.iter().map(|row| row.unbalanced.count).sum();
                effects(unbalanced).map(Self::Count)
            }
            _ => None,
        }
    }

    /// A metric of the effects of the service at a node, or of all.
    pub(crate) fn of_effects(stats: &Stats, node: Option<u32>, metric: Metric) -> Option<Self> {
        let of_node =
            |report: &EffectReport| node.is_none_or(|node| stats.effects().node_of(report.effect) == Some(node));
        let count = |report: &EffectReport| match metric {
            Metric::EffectsNever => report.never.count,
            _ => report.more.count,
        };
        let reports = stats.effects_report().effects.into_iter().filter(of_node).collect::<Vec<_>>();
        (!reports.is_empty()).then(|| Self::Count(reports.iter().map(count).sum()))
    }

    /// A metric of the service at a node.
    pub(crate) fn of_service(plan: &Plan, stats: &Stats, node: u32, metric: Metric) -> Option<Self> {
        if metric != Metric::Utilisation {
            return Self::of_effects(stats, Some(node), metric);
        }
        let service = plan.service_at(node)?;
        stats.utilisation(service.places(), service.workers).map(Self::Plain)
    }

    /// A metric of the queue at a place.
    pub(crate) fn of_queue(stats: &Stats, place: PlaceIndex, metric: Metric) -> Option<Self> {
        let queue = stats.queue(place);
        match metric {
            Metric::QueueLongest => Some(Self::Count(u64::from(queue.longest))),
            Metric::QueueEnd => Some(Self::Count(u64::from(queue.last))),
            _ => None,
        }
    }

    /// A metric of the link of a number; nothing where nothing happened on it.
    pub(crate) fn of_link(stats: &'a Stats, link: u16, metric: Metric) -> Option<Self> {
        let link = stats.links().find(|stats| stats.link.0 == link)?;
        Some(match metric {
            Metric::Answered(part) => Self::Length(Cow::Owned(link.answered()), part),
            Metric::Completed(part) => Self::Length(Cow::Borrowed(&link.completed), part),
            Metric::Confirmed(part) => Self::Length(Cow::Borrowed(&link.confirmed), part),
            Metric::Throughput => Self::Rate(link.completed_in_phase, stats.span()?),
            Metric::Errors => Self::Count(errors(link)),
            Metric::ErrorRate => Self::Share(errors(link), link.count(LinkCount::Sent)),
            Metric::Retried => Self::Count(link.count(LinkCount::Retried)),
            Metric::Late => Self::Count(link.late),
            Metric::QueueLongest | Metric::QueueEnd | Metric::Stale(_) | Metric::Finished(_) => return None,
            Metric::EffectsNever | Metric::EffectsRepeated | Metric::EffectsUnbalanced => return None,
            Metric::Lost | Metric::Repeated | Metric::Drain | Metric::Cpu | Metric::Bytes | Metric::Utilisation => {
                return None;
            }
        })
    }

    /// The figure: ns, per second, parts of one, or a number; `None` where there is nothing to compute it from.
    pub(crate) fn figure(&self) -> Option<f64> {
        match self {
            Self::Length(latency, part) => match part {
                Part::P50 => latency.percentile(50.0),
                Part::P90 => latency.percentile(90.0),
                Part::P99 => latency.percentile(99.0),
                Part::Max => latency.max(),
            }
            .map(|ns| ns as f64),
            Self::Rate(count, span) => span.per_second(*count),
            Self::Share(part, of) => (*of > 0).then(|| *part as f64 / *of as f64),
            Self::Count(count) => Some(*count as f64),
            Self::Plain(figure) => Some(*figure),
        }
    }
}

/// Attempts that failed, were refused or timed out.
fn errors(link: &LinkStats) -> u64 {
    [LinkCount::Failed, LinkCount::Refused, LinkCount::TimedOut].iter().map(|count| link.count(*count)).sum()
}

/// The number of the one link of the scenario that is named so.
pub(crate) fn link_named(plan: &Plan, on: &str) -> Option<u16> {
    let name = |node: u32| plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let named = |link: &PlanLink| names_link(on, &link.id, name(link.from), name(link.to));
    let mut links = plan.links.iter().zip(0_u16..).filter(|(link, _)| link.replies_of.is_none() && named(link));
    let (_, number) = links.next()?;
    links.next().is_none().then_some(number)
}

/// A metric's figure as people read it, in its natural unit.
#[must_use]
pub fn worded(metric: Metric, figure: f64) -> String {
    match metric.dimension() {
        Some(Dimension::Time) => length(figure as u64),
        Some(Dimension::Rate) => rate(figure),
        Some(Dimension::Share) => share(figure),
        Some(Dimension::Size) => format!("{} B", whole(figure as u64)),
        _ => whole(figure as u64),
    }
}
