//! What comes home late, and what never does.

use super::*;

/// Three requests, one worker, work without end: one is abandoned in its work, two wait, and all three calls are given up.
async fn what_does_not_come_home_is_given_up(protocol: Protocol) {
    let shape = Shape { protocol, count: Some(3), workers: 1, work: 3_600_000 * MS, ..CALM };
    let (run, memory) = begin_and_drain(&shape, 60_000 * MS, Duration::from_millis(50)).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, end) = memory.read();
    let state = fold(&run, &events);
    let first = state.links()[0];
    assert_eq!((first.count(LinkCount::Sent), first.count(LinkCount::Cancelled), first.open), (3, 3, 0));
    let finished: Vec<_> = events.iter().filter(|event| event.kind == Kind::FINISHED).map(|event| event.a).collect();
    assert_eq!(finished, [hopscope_record::kind::Outcome::Abandoned as u64]);
    assert_eq!((state.all_places.waiting, state.all_places.busy), (2, 0));
    assert!(end.unwrap().counts.iter().all(|count| count.counted != Counted::OPEN_ATTEMPTS || count.count == 0));
}

over_each_protocol!(what_does_not_come_home_is_given_up: what_does_not_come_home_in_process_is_given_up, what_does_not_come_home_over_http_is_given_up, what_does_not_come_home_over_grpc_is_given_up, what_does_not_come_home_over_thrift_is_given_up);

/// The service takes far longer than the client waits: every request times out in each of its two attempts, the drain
/// brings every reply home as a late one, and a request is one in flight however many attempts it has.
async fn what_comes_late_is_told_as_late(protocol: Protocol) {
    // Long enough for a request to be written on a machine that stalls.
    let (timeout, delay) = (Time(50 * MS), Time(MS));
    let retry = Some(Retry::FixedDelay { attempts: 2, delay });
    let (rate, count, in_flight, work) = (50, Some(20), 3, 300 * MS);
    let shape = Shape { protocol, rate, count, in_flight, work, workers: 64, timeout: Some(timeout), retry };
    let (run, memory) = begin(&shape, 60_000 * MS).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, end) = memory.read();
    let first = fold(&run, &events).links()[0];
    let sent = first.count(LinkCount::Sent);
    let wanted = first.count(LinkCount::Intended) - first.count(LinkCount::NotSent);
    assert_eq!((sent, first.count(LinkCount::TimedOut), first.late, first.open), (wanted * 2, sent, sent, 0));
    assert_eq!(first.count(LinkCount::Retried), wanted);
    assert!(first.count(LinkCount::NotSent) < 20);
    let mut in_flight = std::collections::BTreeSet::new();
    for event in events.iter().filter(|event| event.link.0 == 0) {
        match event.kind {
            Kind::SENT => drop(in_flight.insert(event.message.message())),
            Kind::TIMED_OUT if event.message.attempt() == 2 => drop(in_flight.remove(&event.message.message())),
            _ => {}
        }
        assert!(in_flight.len() <= 3, "{in_flight:?}");
    }
    assert!(end.unwrap().counts.iter().all(|count| count.counted != Counted::OPEN_ATTEMPTS || count.count == 0));
}

over_each_protocol!(what_comes_late_is_told_as_late: what_comes_late_in_process_is_told_as_late, what_comes_late_over_http_is_told_as_late, what_comes_late_over_grpc_is_told_as_late, what_comes_late_over_thrift_is_told_as_late);

/// Work without end behind a time limit: nothing is open when the drain is over, and what the receivers say as they are
/// ended is no late reply.
async fn what_would_come_late_is_cut(protocol: Protocol) {
    let retry = Some(Retry::FixedDelay { attempts: 3, delay: Time(3_600_000 * MS) });
    let (count, work) = (Some(3), 3_600_000 * MS);
    let shape = Shape { protocol, count, work, timeout: Some(Time(5 * MS)), retry, ..CALM };
    let (run, memory) = begin_and_drain(&shape, 60_000 * MS, Duration::from_secs(1)).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let first = fold(&run, &events).links()[0];
    // Each waits for its second attempt when the run ends, and has none.
    let counts = [LinkCount::Sent, LinkCount::TimedOut, LinkCount::Retried].map(|count| first.count(count));
    assert_eq!((counts, first.open, first.late), ([3, 3, 3], 0, 0));
}

over_each_protocol!(what_would_come_late_is_cut: what_would_come_late_in_process_is_cut, what_would_come_late_over_http_is_cut, what_would_come_late_over_grpc_is_cut, what_would_come_late_over_thrift_is_cut);
