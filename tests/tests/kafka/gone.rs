//! What a topic does not keep: a group that was down passes over records that are old, or gave way to newer ones of their key, and
//! over no others. (One that is slow is handed them by its client, which reads far ahead.)

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Kind;
use hopscope_record::kind::Position;
use hopscope_report::laws::{Law, LawReport};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_server::broker::Brokers;
use hopscope_tests::recording::Recorded;
use hopscope_tests::runs::{Finished, has_kafka};
use serde_json::{Value, json};

use crate::{document, positions, ran};

/// Records of a run: for three seconds.
const COUNT: u64 = 600;

/// A load in most of which `audit` is down.
fn down(topic: &[(&str, Value)]) -> Value {
    let mut document = forgetting(COUNT, topic);
    document["disturbances"] = json!([{"at": "500 ms", "do": "crash", "on": "audit", "for": "2200 ms"}]);
    document
}

fn forgetting(count: u64, topic: &[(&str, Value)]) -> Value {
    let mut document = document(count, "200/s", 2);
    for (name, value) in topic {
        document["nodes"][1][*name] = value.clone();
    }
    document["nodes"][0]["payload"]["key"]["keys"] = 8.into();
    document
}

/// The offsets that a group took, by the events that say so.
fn taken(run: &Finished, group: &str) -> Vec<(usize, u16, u64)> {
    let events = run.recorded.events.iter().enumerate().filter(|(_, event)| event.kind == Kind::FETCHED);
    let of_group = events.filter_map(|(at, event)| {
        let (_, found, partition) = run.plan.group_at(event.place.0)?;
        (run.plan.group_name(found) == group).then_some((at, partition, event.a))
    });
    of_group.collect()
}

/// How many were passed over, counted from what was taken.
fn passed_over(run: &Finished, group: &str) -> u64 {
    let mut taken: Vec<_> = taken(run, group).into_iter().map(|(_, partition, offset)| (partition, offset)).collect();
    taken.sort_unstable();
    let (mut due, mut passed) = ((0, 0), 0);
    for (partition, offset) in taken {
        if due.0 != partition {
            due = (partition, 0);
        }
        passed += offset.saturating_sub(due.1);
        due.1 = offset + 1;
    }
    passed
}

/// What the laws say of how many they were.
fn removed(run: &Finished, group: &str) -> Result<u64> {
    let queues = run.recorded.queues()?;
    let found = queues.iter().find(|queue| queue.name.ends_with(group)).context("no such group")?;
    Ok(found.removed)
}

/// Nothing was lost without a word: the laws hold, and what the group did not take is counted.
fn passes_over(run: &Finished) -> Result<()> {
    run.holds_the_laws()?;
    let passed = passed_over(run, "audit");
    ensure!(passed > 50, "only {passed} were passed over");
    ensure!(removed(run, "audit")? == passed, "{} of {passed} are counted", removed(run, "audit")?);
    Ok(())
}

/// The laws that a recording breaks without one of its events.
fn broken_without(run: &Finished, at: usize) -> Result<Vec<(Law, String)>> {
    let mut altered: Recorded = run.recorded.clone();
    altered.events.remove(at);
    // How many events there are is another law's.
    let broken = altered.judged()?.into_iter().filter(|report| report.broken > 0 && report.law != Law::Accepted);
    // A commit may have passed it before the next one was taken: that is told beside it.
    let words = |report: &LawReport| {
        let told = report.breaches.iter().map(|breach| plain(Language::English, breach.text, &breach.args));
        told.collect::<Vec<_>>().join(" ")
    };
    Ok(broken.map(|report| (report.law, words(&report))).collect())
}

/// Where the prompt group took a record behind which it took the next one long before that would have been removed.
fn young(run: &Finished) -> Result<usize> {
    const LONG_BEFORE_NS: i64 = 700_000_000;
    let positions = positions(run)?;
    let publishes = run.of(Kind::PUBLISHED).into_iter();
    let published: BTreeMap<(u16, u64), i64> = publishes
        .filter_map(|event| {
            positions.get(&event.message.0).map(|position| ((position.partition, position.offset), event.time))
        })
        .collect();
    let taken = taken(run, "billing");
    let is_young = |(_, partition, offset): &&(usize, u16, u64)| {
        let next = taken.iter().find(|(_, other, next)| other == partition && *next == offset + 1);
        let next = next.map(|(at, ..)| run.recorded.events[*at].time);
        next.zip(published.get(&(*partition, *offset)))
            .is_some_and(|(next, published)| next - published < LONG_BEFORE_NS)
    };
    Ok(taken.iter().find(is_young).context("the group was never prompt")?.0)
}

/// Where the prompt group took the newest record of a key that is not the last of its partition.
fn newest_of_a_key(run: &Finished) -> Result<usize> {
    let keys = newest(run)?;
    let taken = taken(run, "billing");
    let behind = |position: &Position| {
        taken.iter().any(|(_, partition, offset)| *partition == position.partition && *offset > position.offset)
    };
    let chosen = keys.into_iter().find(behind).context("each is the last of its partition")?;
    let at = taken.iter().find(|(_, partition, offset)| (*partition, *offset) == (chosen.partition, chosen.offset));
    Ok(at.context("it was not taken")?.0)
}

/// Where the newest record of each key lies.
fn newest(run: &Finished) -> Result<Vec<Position>> {
    let mut newest = BTreeMap::<u32, Position>::new();
    let positions = positions(run)?;
    for (message, position) in positions {
        let row = run.recorded.messages.iter().find(|row| row.message == message >> 8).context("no such message")?;
        let key = row.key.context("a record without a key")?.0;
        let kept = newest.entry(key).or_insert(position);
        if position.offset > kept.offset {
            *kept = position;
        }
    }
    Ok(newest.into_values().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_down_passes_over_what_is_removed() -> Result<()> {
    if !has_kafka("topics that do not keep everything") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let (aging, compacted) = (down(&[("retention", json!("1 s"))]), down(&[("compaction", json!("on"))]));
    let (aged, compacted) = tokio::join!(ran(&aging, &brokers, "local"), ran(&compacted, &brokers, "local"));
    brokers.stop().await;
    let (aged, compacted) = (aged?, compacted?);
    passes_over(&aged)?;
    passes_over(&compacted)?;

    // One that is young was not removed.
    let broken = broken_without(&aged, young(&aged)?)?;
    ensure!(broken.len() == 1 && broken[0].0 == Law::TakeLowers, "{broken:?}");
    ensure!(broken[0].1.contains("not old enough"), "{broken:?}");

    // The newest of each key stays, and every group gets it.
    let offsets: BTreeSet<_> =
        taken(&compacted, "audit").into_iter().map(|(_, partition, offset)| (partition, offset)).collect();
    let kept = newest(&compacted)?;
    ensure!(kept.len() == 8 && kept.iter().all(|at| offsets.contains(&(at.partition, at.offset))), "{kept:?}");
    let broken = broken_without(&compacted, newest_of_a_key(&compacted)?)?;
    ensure!(broken.len() == 1 && broken[0].0 == Law::TakeLowers, "{broken:?}");
    ensure!(broken[0].1.contains("no newer one"), "{broken:?}");
    Ok(())
}

/// librdkafka's mock keeps everything: the scenario runs there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_broker_removes_nothing() -> Result<()> {
    let scenario = forgetting(60, &[("retention", json!("1 s")), ("compaction", json!("on"))]);
    let run = ran(&scenario, &Brokers::default(), "built-in").await?;
    run.holds_the_laws()?;
    ensure!((passed_over(&run, "audit"), removed(&run, "audit")?) == (0, 0), "something was removed");
    ensure!(taken(&run, "audit").len() == 60, "{} were taken", taken(&run, "audit").len());
    Ok(())
}
