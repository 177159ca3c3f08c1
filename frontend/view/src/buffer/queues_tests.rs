use hopscope_record::{Kind, LinkIndex};
use hopscope_scenario::plan::Passage;

use super::synthetic::{MS, READY, given_back, queue_buffer, queued};
use super::*;

#[test]
fn a_queue_keeps_a_statement_of_its_steps() {
    let events: Vec<_> = (0..3).flat_map(|n| queued(n, n as i64 * 20 * MS)).collect();
    let buffer = queue_buffer(&events);
    let [orders, answers] = buffer.queues() else { panic!("two queues") };
    assert_eq!((orders.rows().len(), answers.rows().len()), (9, 9));
    let steps = |log: &QueueLog| {
        log.rows().iter().map(|row| (row.ordinal, row.before, row.after, row.unacked)).collect::<Vec<_>>()
    };
    assert_eq!(steps(orders)[..3], [(1, 0, 1, 0), (2, 1, 0, 1), (3, 0, 0, 0)]);
    let put = orders.rows()[0];
    assert_eq!((put.kind, put.oldest, put.link), (Kind::ENQUEUED, put.time, LinkIndex(0)));
    assert_eq!(orders.rows()[1].oldest, ABSENT);
    assert_eq!((orders.at(put.time - 1), orders.at(put.time), orders.at(i64::MAX)), (None, Some(0), Some(8)));
}

#[test]
fn lengths_tell_the_least_and_the_greatest_of_each_column() {
    let buffer = queue_buffer(&queued(0, 0));
    let orders = &buffer.queues()[0];
    // Ready from 0.1 to 3.1 ms.
    assert_eq!(orders.lengths(0, 4 * MS, 4), [(0, 1), (1, 1), (1, 1), (0, 1)]);
    assert_eq!(orders.lengths(2 * MS, 3 * MS, 2), [(1, 1), (1, 1)]);
    assert!(orders.lengths(0, MS, 0).is_empty());
}

#[test]
fn a_trace_is_finished_only_when_nothing_of_it_is_under_way() {
    let all = queued(0, 0);
    let completed = all.iter().position(|event| event.kind == Kind::COMPLETED).unwrap();
    let answered = queue_buffer(&all[..=completed]);
    assert!(answered.traces()[0].answered.is_some() && answered.traces()[0].finished().is_none());
    let whole = queue_buffer(&all);
    let trace = whole.traces()[0];
    assert_eq!(trace.finished(), Some(all.last().unwrap().time));
    assert!(trace.finished() > trace.answered);
    assert_eq!((trace.outcome, trace.hops), (Outcome::Answered, 4));
}

#[test]
fn a_confirm_closes_a_publish_only_where_no_reply_is_awaited() {
    let buffer = queue_buffer(&queued(0, 0));
    let rows = buffer.journeys().unwrap().rows();
    let passages: Vec<_> = rows.iter().map(|row| row.passage).collect();
    assert_eq!(passages, [Passage::Publish, Passage::Deliver, Passage::Publish, Passage::Deliver]);
    assert!(rows.iter().all(|row| row.ending == Ending::Completed));
    assert!(rows[0].closed > rows[1].finished, "by its reply");
    assert_eq!(rows[0].left - rows[0].queued, READY);
    assert_eq!(rows[1].copy_of, 0);
    // The reply was acknowledged before it was received.
    assert!(rows[3].closed < rows[3].received && rows[3].gone_at() == Some(rows[3].received));
}

#[test]
fn what_goes_back_is_ready_again_until_it_is_taken_again() {
    let buffer = queue_buffer(&given_back());
    let rows = buffer.journeys().unwrap().rows();
    assert_eq!((rows[0].left, rows[1].queued, rows[1].left), (MS, 2 * MS, 4 * MS));
    assert_eq!((rows[1].ending, rows[2].copy_of), (Ending::Requeued, 0));
    assert_eq!((rows[1].leg_at(3 * MS), rows[1].leg_at(4 * MS)), (Leg::Queued, Leg::Over));
    let log = &buffer.queues()[0];
    // As old as it was when it was put.
    assert_eq!(log.rows()[2].oldest, log.rows()[0].time);
    assert_eq!(log.rows().iter().map(|row| row.unacked).collect::<Vec<_>>(), [0, 1, 0, 1]);
}
