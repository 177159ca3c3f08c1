//! A run as an outside reader sees it: started over HTTP, followed over the WebSocket, checked frame by frame.

mod behind;
mod beside;
mod resume;
mod server;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{Counted, End, file_header};
use hopscope_record::state::State;
use hopscope_record::{Event, Kind, MessageId};
use hopscope_rules::draw::{Draws, Purpose};
use hopscope_rules::schedule::Schedule;
use hopscope_scenario::plan::Plan;
use hopscope_tests::recording::Recorded;

use crate::server::{HELLO, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_streamed_as_it_is_stored_and_keeps_the_laws() -> Result<()> {
    let server = Server::start().await?;
    let id = server.run("1 s").await?;
    let streamed = server.follow(&id).await?;
    let recorded = Recorded::read(&streamed, Framing::Stream)?;
    let hello = recorded.hello.as_ref().context("no Hello")?;
    assert_eq!(hello.run_id, id);
    let plan = Plan::from_bytes(&hello.plan)?;
    assert_eq!(recorded.lost, 0);

    let draws = Draws::new(plan.settings.seed, &plan.nodes[0].id, Purpose::Arrivals);
    let schedule = Schedule::new(&plan.loads[0].load.read()?, plan.settings.offered(), draws);
    let wanted: Vec<u64> = schedule.map(|next| next.at_ns).collect();
    let intended: Vec<u64> = of_kind(&recorded.events, Kind::INTENDED).map(|event| event.a).collect();
    assert_eq!(wanted.len(), 20);
    assert_eq!(intended, wanted);

    let messages: Vec<MessageId> = of_kind(&recorded.events, Kind::SENT).map(|event| event.message).collect();
    assert_eq!(messages.len(), 20);
    for message in messages {
        check_call(&recorded.events, message)?;
    }
    check_end(&plan, &recorded.events, recorded.end.as_ref().context("no End")?);

    let (status, file) = server.ask(&format!("GET /api/runs/{id}/recording"), b"").await?;
    assert_eq!(status, 200);
    assert!(file == [&file_header()[..], &streamed].concat(), "the file holds other bytes than the stream");
    let stored = Recorded::read(file.get(file_header().len()..).unwrap_or_default(), Framing::Stream)?;
    assert_eq!((stored.frames, stored.events.len()), (recorded.frames, recorded.events.len()));
    server.end().await?;
    Ok(())
}

/// Requests that time out and are tried again, whose replies come late.
#[tokio::test(flavor = "multi_thread")]
async fn the_parts_count_what_the_events_come_to_with_retries_and_late_replies() -> Result<()> {
    let server = Server::start().await?;
    let mut scenario: serde_json::Value = serde_json::from_str(HELLO)?;
    scenario["nodes"][0]["load"] = serde_json::json!({"kind": "constant", "rate": "200/s", "count": 10});
    scenario["nodes"][1]["workers"] = 64.into();
    scenario["nodes"][1]["work"]["mean"] = "1 s".into();
    scenario["links"][0]["timeout"] = "200 ms".into();
    scenario["links"][0]["retry"] = serde_json::json!({"policy": "fixed-delay", "attempts": 3, "delay": "1 ms"});
    let id = server.run_scenario(&scenario, "10 s").await?;
    let recorded = Recorded::read(&server.follow(&id).await?, Framing::Stream)?;
    let plan = Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?;
    let count = |kind| of_kind(&recorded.events, kind).count();
    assert_eq!([Kind::INTENDED, Kind::SENT, Kind::TIMED_OUT, Kind::RETRIED].map(count), [10, 30, 30, 20]);
    // The drain waits for what the service still works on, and each of its replies is told once, as late.
    let late: std::collections::BTreeSet<_> =
        recorded.events.iter().filter(|event| event.is_late()).map(|event| event.message).collect();
    let counts = [Kind::RECEIVED, Kind::REPLIED, Kind::COMPLETED].map(count);
    assert_eq!((late.len(), counts), (30, [30; 3]));
    check_end(&plan, &recorded.events, recorded.end.as_ref().context("no End")?);
    server.end().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_end_ends_its_runs_whole() -> Result<()> {
    let server = Server::start().await?;
    let id = server.run("1 h").await?;
    let data = server.end().await?;
    let path = data.path().join(format!("{id}.hop"));
    let recorded = Recorded::read(&std::fs::read(path)?, Framing::File)?;
    let end = recorded.end.context("no End")?;
    assert_eq!(end.reason, hopscope_record::frame::EndReason::STOPPED);
    let count = |kind| of_kind(&recorded.events, kind).count();
    assert_eq!(count(Kind::SENT), count(Kind::COMPLETED));
    Ok(())
}

fn of_kind(events: &[Event], kind: Kind) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| event.kind == kind)
}

/// Every stamp of a call that went well, once and in its order: T1 <= Received <= Started <= Finished <= Replied <= T2.
fn check_call(events: &[Event], message: MessageId) -> Result<()> {
    let order =
        [Kind::SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED].map(|kind| {
            let found: Vec<_> = of_kind(events, kind).filter(|event| event.message == message).collect();
            (found.len(), found.first().map_or(0, |event| event.time))
        });
    ensure!(order.iter().all(|(count, _)| *count == 1), "{message:?}: {order:?}");
    ensure!(order.is_sorted_by_key(|(_, time)| *time), "{message:?} goes back in time: {order:?}");
    ensure!(order[0].1 < order[5].1, "{message:?}: T2 is not after T1");
    ensure!(order[3].1 - order[2].1 >= 40_000_000, "{message:?} was worked on for less than 40 ms");
    Ok(())
}

/// What the running parts counted is what the events come to.
fn check_end(plan: &Plan, events: &[Event], end: &End) {
    let mut state = State::new(plan.places.len(), plan.links.len());
    events.iter().for_each(|event| state.apply(event));
    let counted = |what: Counted| end.counts.iter().filter(move |count| count.counted == what);
    let accepted: u64 = counted(Counted::EVENTS).map(|count| count.count).sum();
    assert_eq!(accepted, events.len() as u64);
    let open: Vec<_> =
        counted(Counted::OPEN_ATTEMPTS).map(|count| (count.index as usize, count.count as i64)).collect();
    let folded: Vec<_> = state.links().iter().map(|link| link.open).enumerate().collect();
    assert_eq!(open, folded);
}
