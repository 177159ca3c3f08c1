//! The report as one JSON document; docs/command-line.md tells its shape.

use hopscope_record::kind::LinkCount;
use hopscope_report::checks::{CheckReport, Found};
use hopscope_report::laws::{Breach, LawReport, QueueReport};
use hopscope_report::stats::{Latency, LinkStats};
use hopscope_report::surroundings::Surroundings;
use hopscope_report::traces::TraceRow;
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::plan::{PlanBroker, PlanLink};
use hopscope_server::store::reason_name;
use serde_json::{Value, json};

use super::{Kept, Report, effects};
use crate::exit::Exit;
use crate::say::{LANGUAGE, word};

/// What the document's `format` says.
const FORMAT: &str = "hopscope-run-report";

/// The version of the document that this build writes.
const VERSION: u32 = 1;

/// The report as JSON.
pub(crate) fn document(report: &Report, warnings: &[Issue], exit: Exit) -> Value {
    let settings = &report.plan.settings;
    json!({
        "format": FORMAT,
        "version": VERSION,
        "exit": exit.code(),
        "run": {
            "id": report.id,
            "name": report.plan.name(),
            "build": report.build,
            "broker": report.plan.has_queues().then(|| settings.broker.to_string()),
            "broker_product": report.plan.broker.as_ref().map(PlanBroker::product),
            "broker_version": report.plan.broker.as_ref().map(PlanBroker::version),
            "kafka": report.plan.kafka.as_ref().map(|_| settings.kafka.to_string()),
            "kafka_product": report.plan.kafka.as_ref().map(PlanBroker::product),
            "kafka_version": report.plan.kafka.as_ref().map(PlanBroker::version),
            "seed": settings.seed,
            "warm_up": settings.warm_up,
            "duration": settings.duration,
            "whole": report.is_whole(),
            "end": report.reason.map(reason_name),
            "detail": report.detail,
            "measured_ns": report.measured_ns(),
            "events": report.events,
            "lost": report.lost,
        },
        "surroundings": surroundings(&report.surroundings),
        "schedules": report.schedules.iter().map(|kept| schedule(report, kept)).collect::<Vec<_>>(),
        "links": report.links().map(|(plan, stats)| link(report, plan, stats)).collect::<Vec<_>>(),
        "effects": effects::value(report),
        "checks": report.checks.iter().map(check).collect::<Vec<_>>(),
        "laws": report.laws.iter().map(law).collect::<Vec<_>>(),
        "queues": report.queues.iter().map(|row| queue(report, row)).collect::<Vec<_>>(),
        "traces": traces(report),
        "verdict": report.verdict.as_ref().map(|verdict| hopscope_report::verdict::document(&report.plan, verdict)),
        "warnings": warnings,
    })
}

/// The traces of the measured phase, each counted once.
fn traces(report: &Report) -> Value {
    let (stats, traces) = (&report.stats, report.stats.traces());
    json!({
        "wanted": traces.rows().count(),
        "sent": traces.count(|row| !row.not_sent),
        "unanswered": traces.count(TraceRow::is_unanswered),
        "unfinished": traces.count(TraceRow::is_unfinished),
        "repeated": traces.count(TraceRow::is_repeated),
        "finished": latency(&traces.finished()),
        "drain_ns": stats.drain(),
        "bytes": stats.bytes_per_trace(),
        "cpu_ns": stats.cpu_per_trace(),
    })
}

fn surroundings(worst: &Surroundings) -> Value {
    json!({
        "samples": worst.samples,
        "cpu_steal_ppm": worst.cpu_steal_ppm,
        "run_delay_ns": worst.run_delay_ns,
        "timer_late_p99_ns": worst.timer_late_p99_ns,
        "timer_late_max_ns": worst.timer_late_max_ns,
        "other_runs": worst.other_runs,
        "network_late_p50_ns": worst.network_late_p50_ns,
        "network_late_p99_ns": worst.network_late_p99_ns,
        "network_late_max_ns": worst.network_late_max_ns,
        "clock_offset_ns": worst.clock_offset_ns,
        "clock_uncertainty_ns": worst.clock_uncertainty_ns,
    })
}

pub(super) fn node_id(report: &Report, node: u32) -> Option<&str> {
    report.plan.nodes.get(node as usize).map(|node| node.id.as_str())
}

fn schedule(report: &Report, kept: &Kept) -> Value {
    json!({
        "node": node_id(report, kept.node),
        "intended": kept.intended,
        "kept": kept.missed.is_none(),
        "wanted": kept.wanted,
        "reached_per_s": kept.reached,
    })
}

fn link(report: &Report, link: &PlanLink, stats: Option<&LinkStats>) -> Value {
    let count = |count| stats.map_or(0, |stats| stats.count(count));
    let completed = stats.map_or(0, |stats| stats.completed_in_phase);
    json!({
        "link": link.id,
        "from": node_id(report, link.from),
        "to": node_id(report, link.to),
        "protocol": link.protocol,
        "intended": count(LinkCount::Intended),
        "not_sent": count(LinkCount::NotSent),
        "sent": count(LinkCount::Sent),
        "completed": count(LinkCount::Completed),
        "confirmed": count(LinkCount::Confirmed),
        "handed_over": count(LinkCount::HandedOver),
        "refused": count(LinkCount::Refused),
        "failed": count(LinkCount::Failed),
        "timed_out": count(LinkCount::TimedOut),
        "cancelled": count(LinkCount::Cancelled),
        "open": stats.map_or(0, |stats| stats.open),
        "retried": count(LinkCount::Retried),
        "late": stats.map_or(0, |stats| stats.late),
        "acked": count(LinkCount::Acked),
        "nacked": count(LinkCount::Nacked),
        "requeued": count(LinkCount::Requeued),
        "throughput": {
            "count": completed,
            "per_s": report.stats.span().and_then(|span| span.per_second(completed)),
        },
        "answered_ns": latency(&stats.map(LinkStats::answered).unwrap_or_default()),
        "confirmed_ns": latency(&stats.map(|stats| stats.confirmed.clone()).unwrap_or_default()),
        "completed_ns": latency(&stats.map(|stats| stats.completed.clone()).unwrap_or_default()),
    })
}

pub(super) fn latency(latency: &Latency) -> Value {
    json!({
        "count": latency.count(),
        "p50": latency.percentile(50.0),
        "p90": latency.percentile(90.0),
        "p99": latency.percentile(99.0),
        "max": latency.max(),
    })
}

fn check(report: &CheckReport) -> Value {
    let (found, reason) = match report.found {
        Found::Figure(figure) => (Some(figure), None),
        Found::Nothing => (None, Some("nothing-recorded")),
        Found::NoSubject => (None, Some("no-subject")),
    };
    json!({ "check": report.check, "passed": report.passed(), "found": found, "reason": reason })
}

fn law(report: &LawReport) -> Value {
    json!({
        "law": report.law.id(),
        "name": word(report.law.name()),
        "statement": word(report.law.statement()),
        "held": report.held,
        "checked": report.checked(),
        "broken": report.broken,
        "undecided": report.undecided,
        "not_applicable": report.not_applicable.map(word),
        "breaches": report.breaches.iter().map(breach).collect::<Vec<_>>(),
    })
}

/// What came of L2 = L1 - 1 at one queue.
fn queue(report: &Report, queue: &QueueReport) -> Value {
    let by = match (queue.stamped, queue.bounded, queue.log) {
        (true, ..) => Some("stamped"),
        (_, true, _) => Some("bounded"),
        (_, _, true) => Some("log"),
        _ => None,
    };
    let node = report.plan.places.get(queue.place.0 as usize).and_then(|place| node_id(report, place.node));
    json!({
        "node": node,
        "checked_by": by,
        "held": queue.held,
        "checked": queue.checked(),
        "broken": queue.broken,
        "undecided": queue.undecided,
        "removed": queue.removed,
    })
}

fn breach(breach: &Breach) -> Value {
    let (trace, message) = (breach.trace, breach.message);
    json!({
        "trace": (!trace.is_none()).then(|| format!("{:016x}", trace.0)),
        "message": (!message.is_none()).then(|| format!("{:014x}", message.message())),
        "attempt": (!message.is_none()).then(|| message.attempt()),
        "times_ns": breach.times,
        "text": plain(LANGUAGE, breach.text, &breach.args),
    })
}
