//! What holds of every recording, whatever a case is about.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use hopscope_record::kind::Attempt;
use hopscope_record::{Event, Kind, MessageId, TraceId};

use crate::rig::LINK;

/// Times never step back, every attempt is closed exactly once after it was opened, and late at most once after it was
/// given up, a message has one trace, and a reply never comes before its request.
pub(crate) fn check(events: &[Event]) -> Result<()> {
    ensure!(events.is_sorted_by_key(|event| event.time), "the events are not sorted by time");
    let mut messages: BTreeMap<MessageId, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.message.is_none()) {
        messages.entry(event.message).or_default().push(event);
    }
    for (message, events) in messages {
        check_message(message, &events)?;
    }
    Ok(())
}

fn check_message(message: MessageId, events: &[&Event]) -> Result<()> {
    let traces: Vec<TraceId> = events.iter().map(|event| event.trace).collect();
    ensure!(traces.windows(2).all(|pair| pair[0] == pair[1]), "{message:?} has the traces {traces:?}");
    let does = |event: &&&Event, what: Attempt| event.kind.info().is_some_and(|info| info.attempt == what);
    let opened = events.iter().filter(|event| does(event, Attempt::Opens)).count();
    let closed = events.iter().filter(|event| does(event, Attempt::Closes) && !event.is_late()).count();
    ensure!(opened == closed && opened <= 1, "{message:?} was opened {opened} and closed {closed} times");
    let gave_up = events.iter().position(|event| matches!(event.kind, Kind::TIMED_OUT | Kind::CANCELLED));
    let late: Vec<usize> = (0..events.len()).filter(|at| events[*at].is_late()).collect();
    ensure!(late.len() <= 1, "{message:?} has {} late replies", late.len());
    ensure!(late.iter().all(|late| gave_up.is_some_and(|gave_up| gave_up < *late)), "{message:?} is late too early");
    let at = |kind: Kind| events.iter().find(|event| event.kind == kind).map(|event| event.time);
    let order = [Kind::SENT, Kind::RECEIVED, Kind::REPLIED, Kind::COMPLETED];
    let times: Vec<i64> = order.into_iter().filter_map(at).collect();
    ensure!(times.is_sorted(), "{message:?} goes back in time: {times:?}");
    // Of a call to another program only the caller's events are ours.
    let completed = at(Kind::COMPLETED).is_some() && events[0].link == LINK;
    ensure!(!completed || times.len() == order.len(), "{message:?} was completed and not received or not replied to");
    Ok(())
}
