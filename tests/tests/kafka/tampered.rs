//! Real runs of topics, altered: each alteration turns the laws red that it breaks, and no other.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::kind::{LagReport, Position};
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Law::{self, Closing, Conservation, OpenAtEnd, Steps, TakeLowers};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_server::broker::Brokers;
use hopscope_tests::recording::Recorded;

use crate::{document, ran};

/// Alters the events.
type Tamper = fn(&mut Recorded) -> Option<()>;

/// The position of the twentieth event of a kind.
fn twentieth(run: &Recorded, kind: Kind) -> Option<usize> {
    run.events.iter().enumerate().filter(|(_, event)| event.kind == kind).nth(20).map(|(at, _)| at)
}

/// The next event of the same kind at the same place.
fn next(run: &Recorded, at: usize) -> Option<usize> {
    let Event { kind, place, .. } = run.events[at];
    (at + 1..run.events.len()).find(|other| run.events[*other].kind == kind && run.events[*other].place == place)
}

fn fetched_is_missing(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::FETCHED)?;
    run.events.remove(at);
    Some(())
}

fn fetched_are_swapped(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::FETCHED)?;
    let other = next(run, at)?;
    let a = run.events[at].a;
    run.events[at].a = run.events[other].a;
    run.events[other].a = a;
    Some(())
}

fn fetched_comes_twice(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::FETCHED)?;
    let other = next(run, at)?;
    run.events.insert(other, run.events[at]);
    Some(())
}

fn more_is_committed(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::COMMITTED)?;
    run.events[at].a += 1_000;
    Some(())
}

fn a_commit_goes_back(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::COMMITTED)?;
    let at = (at..run.events.len()).find(|at| run.events[*at].kind == Kind::COMMITTED && run.events[*at].a > 1)?;
    let after = next(run, at)?;
    run.events[after].a = 0;
    Some(())
}

fn the_broker_says_less(run: &mut Recorded) -> Option<()> {
    // In the middle of the load, not at rest.
    let behind = |event: &&mut Event| event.kind == Kind::LAG_REPORTED && LagReport::from_value(event.a).committed > 5;
    let event = run.events.iter_mut().find(behind)?;
    let report = LagReport::from_value(event.a);
    event.a = LagReport { committed: 1, ..report }.to_value();
    Some(())
}

fn a_log_is_shorter_than_what_was_confirmed(run: &mut Recorded) -> Option<()> {
    let long = |event: &&mut Event| event.kind == Kind::LAG_REPORTED && LagReport::from_value(event.a).end > 5;
    let event = run.events.iter_mut().find(long)?;
    let report = LagReport::from_value(event.a);
    event.a = LagReport { end: report.committed.saturating_sub(1), ..report }.to_value();
    Some(())
}

fn two_are_confirmed_at_one_offset(run: &mut Recorded) -> Option<()> {
    let at = twentieth(run, Kind::CONFIRMED)?;
    let partition = Position::from_value(run.events[at].b)?.partition;
    let same = |at: &usize| {
        let event = &run.events[*at];
        event.kind == Kind::CONFIRMED && Position::from_value(event.b).is_some_and(|other| other.partition == partition)
    };
    let other = (at + 1..run.events.len()).find(same)?;
    run.events[other].b = run.events[at].b;
    Some(())
}

fn two_members_have_a_partition(run: &mut Recorded) -> Option<()> {
    let at = (0..run.events.len()).find(|at| {
        let event = &run.events[*at];
        event.kind == Kind::REBALANCE_STARTED
            && run.events[at + 1..]
                .iter()
                .any(|other| other.kind == Kind::REBALANCE_ENDED && other.place == event.place && other.a != event.a)
    })?;
    run.events.remove(at);
    Some(())
}

const TABLE: &[(&str, Tamper, &[Law])] = &[
    // The record is confirmed, passed by a commit and not taken: it is lost, too.
    ("a record that was not taken", fetched_is_missing, &[TakeLowers, Conservation]),
    ("two that were taken in the other order", fetched_are_swapped, &[TakeLowers]),
    ("one that was taken twice", fetched_comes_twice, &[TakeLowers]),
    ("a commit of what was not taken", more_is_committed, &[TakeLowers]),
    ("a commit that takes others back", a_commit_goes_back, &[TakeLowers]),
    ("an answer that is behind the commits", the_broker_says_less, &[TakeLowers]),
    ("a log that is shorter than what is in it", a_log_is_shorter_than_what_was_confirmed, &[TakeLowers]),
    ("two publishes at one offset", two_are_confirmed_at_one_offset, &[Conservation]),
    ("two members with one partition", two_members_have_a_partition, &[TakeLowers]),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_alteration_turns_its_laws_red() -> Result<()> {
    let run = ran(&document(600, "600/s", 3), &Brokers::default(), "built-in").await?;
    run.holds_the_laws()?;
    for (what, tamper, expected) in TABLE {
        let mut altered = run.recorded.clone();
        tamper(&mut altered).with_context(|| format!("{what}: there is none"))?;
        // How many events there are is another law's.
        let red: Vec<_> =
            altered.judged()?.into_iter().filter(|law| law.broken > 0 && law.law != Law::Accepted).collect();
        let laws: Vec<_> = red.iter().map(|report| report.law).collect();
        ensure!(laws == *expected, "{what}: {red:?}");
        for breach in red.iter().flat_map(|report| &report.breaches) {
            let text = plain(Language::English, breach.text, &breach.args);
            ensure!(!text.contains(['{', '}']) && text.ends_with('.'), "{what}: {text}");
        }
    }
    // An attempt's own laws hold of records as of copies.
    let mut altered = run.recorded.clone();
    let at = twentieth(&altered, Kind::STARTED).context("nothing was started")?;
    altered.events.remove(at);
    let red: Vec<_> = altered.judged()?.into_iter().filter(|law| law.broken > 0).map(|law| law.law).collect();
    ensure!(red.contains(&Steps) && !red.contains(&Closing) && !red.contains(&OpenAtEnd), "{red:?}");
    Ok(())
}
