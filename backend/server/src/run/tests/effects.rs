//! Effects: applied once per key or each time, at whichever replica, and what the report says of them.

use hopscope_record::kind::EffectMark;
use hopscope_report::effects::EffectsReport;
use hopscope_report::stats::Stats;
use hopscope_scenario::validate::validate_value;
use serde_json::{Value, json};

use super::*;

fn work(ms: u64) -> Value {
    json!({"distribution": "constant", "mean": format!("{ms} ms")})
}

fn effect(account: &str, amount: i64, apply: &str) -> Value {
    json!({"step": "effect", "account": account, "amount": amount, "apply": apply, "transfer": "money"})
}

/// Buyers ask a shop that takes 100 from its customers and calls a ledger, which credits them and is then too slow for the
/// shop's patience: each trace comes to the ledger twice, once at each of its replicas.
fn credited(apply: &str, count: u32) -> Scenario {
    let shop = json!([effect("customers", -100, "once"), {"step": "call", "link": "l2"}, {"step": "reply"}]);
    let ledger = json!([effect("ledger", 100, apply), {"step": "work"}, {"step": "reply"}]);
    let document = json!({"format": "hopscope-scenario", "version": 1, "name": "credited", "nodes": [
        {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "500/s", "count": count}},
        {"id": "n2", "kind": "service", "name": "shop", "workers": 64, "work": work(1), "body": shop},
        {"id": "n3", "kind": "service", "name": "books", "replicas": 2, "workers": 64, "work": work(200), "body": ledger}],
        "links": [
        {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
        {"id": "l2", "from": "n2", "to": "n3", "protocol": "http1", "timeout": "100 ms",
         "retry": {"policy": "fixed-delay", "attempts": 2, "delay": "0 s"}}]});
    validate_value(&document).unwrap().scenario
}

/// Runs it to its end; every event, and what became of the effects.
async fn run(scenario: Scenario) -> (Vec<Event>, EffectsReport) {
    let (run, memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (mut decoder, mut stats) = (Decoder::new(Framing::Stream), Stats::new());
    decoder.push(&memory.bytes());
    while let Some(frame) = decoder.next_frame().unwrap() {
        stats.push(&frame).unwrap();
    }
    (memory.read().0, stats.effects_report())
}

/// Never, once, more than once, repeats recognised.
fn counts(report: &EffectsReport, effect: usize) -> [u64; 4] {
    let row = &report.effects[effect];
    assert_eq!(row.wanted(), row.never.count + row.once.count + row.more.count);
    [row.never.count, row.once.count, row.more.count, row.repeated.count]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_every_time_is_applied_by_every_attempt() {
    let (events, report) = run(credited("every-time", 20)).await;
    assert_eq!(counts(&report, 0), [0, 20, 0, 0]);
    assert_eq!(counts(&report, 1), [0, 0, 20, 0]);
    let sums: Vec<_> = report.accounts.iter().map(|row| (row.account.as_str(), row.sum, row.applied)).collect();
    assert_eq!(sums, [("customers", -2_000, 20), ("ledger", 4_000, 40)]);
    // Where the money went: 100 too much in each trace, all of it at the ledger.
    let money = &report.transfers[0];
    assert_eq!((money.traces, money.unbalanced.count, money.sum), (20, 20, 2_000));
    assert_eq!(money.where_to, [("ledger".to_owned(), 2_000)]);
    let named = &report.effects[1].more.traces;
    assert_eq!((named.len(), named), (20, &money.unbalanced.traces));
    for trace in named {
        let applied = events.iter().filter(|event| event.kind == Kind::EFFECT && event.trace == *trace);
        assert_eq!(applied.map(|event| event.b.cast_signed()).collect::<Vec<_>>(), [-100, 100, 100]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_once_is_known_again_at_another_replica() {
    let (_, report) = run(credited("once", 20)).await;
    assert_eq!(counts(&report, 1), [0, 20, 0, 20]);
    let money = &report.transfers[0];
    assert!(money.is_conserved() && money.where_to.is_empty(), "{money:?}");
    assert_eq!((money.traces, money.sum), (20, 0));
    // Of one request the first attempt goes to the first replica and the second to the other.
    let (events, _) = run(credited("once", 1)).await;
    let comes = |repeated| {
        let mark = EffectMark { effect: 1, repeated }.to_value();
        *events.iter().find(|event| event.kind == Kind::EFFECT && event.a == mark).unwrap()
    };
    let (first, again) = (comes(false), comes(true));
    assert_ne!(first.place, again.place, "the second attempt went to the other replica");
    assert!(first.time < again.time && first.message.message() == again.message.message());
}

/// A publish is answered by its confirm. What fails behind it is never applied; what does not is late.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_queue_an_effect_is_never_applied_or_late() {
    let queued = |failure: &str| {
        let body = json!([{"step": "work"}, effect("ledger", 100, "once"), {"step": "reply"}]);
        let document = json!({"format": "hopscope-scenario", "version": 1, "name": "queued", "nodes": [
            {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "500/s", "count": 20}},
            {"id": "n2", "kind": "queue", "name": "orders", "prefetch": 64},
            {"id": "n3", "kind": "service", "name": "books", "workers": 64, "work": work(50), "failure": failure, "body": body}],
            "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]});
        validate_value(&document).unwrap().scenario
    };
    let (_, report) = run(queued("100 %")).await;
    assert_eq!(counts(&report, 0), [20, 0, 0, 0]);
    assert_eq!(report.effects[0].never.traces.len(), 20);
    let (_, report) = run(queued("0 %")).await;
    assert_eq!(counts(&report, 0), [0, 20, 0, 0]);
    let stale = &report.stale;
    assert_eq!((stale.times.count(), stale.longest.len()), (20, 20));
    // What is confirmed may be confirmed as late as it likes, but the work takes its time after the delivery.
    assert!(stale.longest.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    assert_eq!(stale.times.max(), stale.longest.first().map(|(_, ns)| ns.cast_unsigned()));
    assert!(stale.times.max().unwrap() > 0);
}
