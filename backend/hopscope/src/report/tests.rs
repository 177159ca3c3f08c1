use hopscope_record::frame::{Measure, Sample};
use hopscope_record::{MessageId, TraceId};
use hopscope_report::checks::Found;
use hopscope_report::laws::{Breach, Law};
use hopscope_scenario::catalogue::Args;
use hopscope_scenario::model::{Check, Comparison, Limit};
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::validate::validate;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn plan() -> Plan {
    let scenario = validate(include_str!("../../../../scenarios/hello-sync.json")).unwrap().scenario;
    compile(&scenario, &RunSettings { seed: 42, duration: Some(Time(5 * SECOND)), ..RunSettings::default() })
}

fn law(held: u64, broken: u64) -> LawReport {
    LawReport { law: Law::Steps, held, broken, undecided: 0, breaches: Vec::new(), not_applicable: None }
}

fn check() -> Check {
    let (on, metric) = (Some("l1".to_owned()), "errors".to_owned());
    Check { on, metric, op: Comparison::Below, value: Limit::Count(10) }
}

fn report() -> Report {
    Report {
        queues: Vec::new(),
        id: "20261123-141530-7f3a".to_owned(),
        build: "hopscope 0.1.0".to_owned(),
        plan: plan(),
        reason: Some(EndReason::LOAD_DONE),
        detail: None,
        lost: 0,
        events: 1_234,
        stats: Stats::new(),
        surroundings: Surroundings::default(),
        laws: vec![law(100, 0)],
        schedules: Vec::new(),
        checks: Vec::new(),
        verdict: None,
    }
}

fn behind() -> Kept {
    let span = Span { from: 0, to: 5 * SECOND.cast_signed() };
    let missed =
        Some(Offer { client: PlaceIndex(0), wanted: 7_500, reached: 6_550, lost: 0, offered: 5 * SECOND, span });
    Kept { node: 0, intended: 6_550, wanted: Some(Rate(1_500_000_000)), reached: Some(1_310.0), missed }
}

#[test]
fn what_is_wrong_with_a_run_is_its_exit() {
    assert_eq!(report().exits(), []);
    assert_eq!(Report { reason: None, ..report() }.exits(), [Exit::NotWhole]);
    assert_eq!(Report { reason: Some(EndReason::FAILED), ..report() }.exits(), [Exit::NotWhole]);
    assert_eq!(Report { reason: Some(EndReason::STOPPED), ..report() }.exits(), []);
    assert_eq!(Report { reason: Some(EndReason::EVENT_LIMIT), ..report() }.exits(), []);
    assert_eq!(Report { lost: 1, ..report() }.exits(), [Exit::NotWhole]);
    assert_eq!(Report { schedules: vec![behind()], ..report() }.exits(), [Exit::NotWhole]);
    let kept = Kept { missed: None, ..behind() };
    assert_eq!(Report { schedules: vec![kept], ..report() }.exits(), []);
    let [good, bad] = [Found::Figure(9.0), Found::Nothing].map(|found| CheckReport { check: check(), found });
    assert_eq!(Report { checks: vec![good.clone()], ..report() }.exits(), []);
    assert_eq!(Report { checks: vec![good, bad.clone()], ..report() }.exits(), [Exit::CheckFailed]);
    assert_eq!(Report { checks: vec![bad], lost: 1, ..report() }.exits(), [Exit::NotWhole, Exit::CheckFailed]);
    let both = Report { lost: 1, laws: vec![law(1, 0), law(99, 1)], ..report() };
    assert_eq!(both.exits(), [Exit::LawBroken, Exit::NotWhole]);
}

#[test]
fn what_is_wrong_is_said_in_the_text() {
    let breach = Breach {
        trace: TraceId(7),
        message: MessageId(0x0102),
        times: vec![1],
        text: text!("law.breach.sent-twice"),
        args: Args::new(),
    };
    let broken = LawReport { breaches: vec![breach], undecided: 2, ..law(98, 1) };
    let report = Report { reason: None, lost: 3, laws: vec![broken], schedules: vec![behind()], ..report() };
    let text = lines(&report).join("\n");
    for sentence in [
        "buyers: the generator reached 1,310/s of 1,500/s",
        "are not in the recording: 3",
        "The recording was cut",
        "BROKEN No effect without its cause: 98 of 99 held, broken: 1, undecided: 2",
        "trace 0000000000000007, message 0000000000000102: One attempt was opened twice.",
    ] {
        assert!(text.contains(sentence), "{sentence:?} is missing in:\n{text}");
    }
    let json = document(&report, &[], Exit::LawBroken);
    assert_eq!((&json["exit"], &json["run"]["whole"], &json["run"]["end"]), (&2.into(), &false.into(), &().into()));
    assert_eq!(json["laws"][0]["breaches"][0]["trace"], "0000000000000007");
    assert_eq!(json["schedules"][0]["kept"], false);
}

#[test]
fn what_is_absent_is_a_dash_and_never_a_nought() {
    let text = lines(&report()).join("\n");
    assert!(text.contains("Throughput: – (0 completed within –)"), "{text}");
    let row = text.lines().find(|line| line.contains("T2 - T1")).unwrap();
    assert_eq!(row.matches('–').count(), 4, "{row}");
    assert_eq!(document(&report(), &[], Exit::Fine)["links"][0]["answered_ns"]["p50"], serde_json::Value::Null);
}

#[test]
fn what_kept_the_queues_is_named() {
    assert!(!lines(&report()).join("\n").contains("Queues: "));
    let scenario = validate(include_str!("../../../../scenarios/hello-async.json")).unwrap().scenario;
    let report = Report { plan: compile(&scenario, &RunSettings::default()), ..report() };
    assert!(lines(&report).join("\n").contains("Queues: built-in broker of hopscope 0.1.0"));
    assert_eq!(document(&report, &[], Exit::Fine)["run"]["broker"], "built-in");
}

#[test]
fn surroundings_are_told_where_there_are_samples() {
    assert!(!lines(&report()).join("\n").contains("Surroundings"));
    assert_eq!(document(&report(), &[], Exit::Fine)["surroundings"]["samples"], 0);
    let mut surroundings = Surroundings::default();
    surroundings.push(&Sample { time: 0, values: vec![(Measure::CPU_STEAL_PPM, 31_000), (Measure::OTHER_RUNS, 2)] });
    let report = Report { surroundings, ..report() };
    let text = lines(&report).join("\n");
    assert!(text.contains("CPU steal 3.1 %") && text.contains("other runs: 2"), "{text}");
    let told = &document(&report, &[], Exit::Fine)["surroundings"];
    assert_eq!((&told["cpu_steal_ppm"], &told["timer_late_p99_ns"]), (&31_000.into(), &serde_json::Value::Null));
}

#[test]
fn a_law_s_verdict_says_what_was_checked() {
    let verdict = |law: LawReport| lines(&Report { laws: vec![law], ..report() }).join("\n");
    assert!(verdict(law(1_439, 0)).contains("held No effect without its cause: 1,439 of 1,439\n"));
    assert!(verdict(LawReport { undecided: 1, ..law(2, 0) }).contains("2 of 2, undecided: 1"));
    assert!(
        verdict(LawReport { undecided: 4, ..law(0, 0) }).contains("undecided No effect without its cause: 4 cannot")
    );
    assert!(verdict(law(0, 0)).contains("not applicable No effect without its cause: nothing"));
    let reason = Some(text!("law.not-applicable.not-counted"));
    assert!(verdict(LawReport { not_applicable: reason, ..law(0, 0) }).contains("cause: The running parts handed in"));
}
