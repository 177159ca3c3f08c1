use super::*;

#[test]
fn rows_stand_in_the_order_of_their_numbers_and_are_found_by_them() {
    assert!(KINDS.windows(2).all(|pair| pair[0].kind < pair[1].kind));
    for row in KINDS {
        assert_eq!(row.kind.info(), Some(row));
        assert_eq!(row.kind.name(), Some(row.name));
    }
    for unknown in [0, 15, 63, 69, 1_000, u16::MAX] {
        assert_eq!(Kind(unknown).info(), None);
    }
}

#[test]
fn every_row_is_told_in_full() {
    for row in KINDS {
        assert!(!row.at.is_empty(), "{} has no place in time", row.name);
        for value in [row.a, row.b] {
            assert_eq!(value.meaning == ValueMeaning::None, value.words.is_empty(), "{}", row.name);
        }
        assert!(
            RANGES.iter().any(|(first, last, _)| (*first..=*last).contains(&row.kind.0)),
            "{} is in no range",
            row.name
        );
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = KINDS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KINDS.len());
}

#[test]
fn ranges_do_not_overlap() {
    assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0));
    assert!(RANGES.iter().all(|(first, last, _)| first <= last));
}

#[test]
fn what_closes_an_attempt_counts_at_its_link() {
    for row in KINDS.iter().filter(|row| row.attempt == Attempt::Closes) {
        assert!(matches!(row.counts, Count::Link(_)), "{}", row.name);
    }
}

/// Released numbers: a change here breaks every recording that exists.
#[test]
fn numbers_are_fixed() {
    let numbers: Vec<_> = KINDS.iter().map(|row| (row.kind.0, row.name)).collect();
    assert_eq!(
        numbers,
        [
            (1, "Intended"),
            (2, "NotSent"),
            (3, "Sent"),
            (4, "Received"),
            (5, "Started"),
            (6, "Finished"),
            (7, "Replied"),
            (8, "Completed"),
            (9, "TimedOut"),
            (10, "Failed"),
            (11, "Cancelled"),
            (12, "Refused"),
            (13, "Effect"),
            (14, "HandedOver"),
            (32, "Published"),
            (33, "Confirmed"),
            (34, "ConfirmRefused"),
            (35, "Returned"),
            (36, "Enqueued"),
            (37, "Delivered"),
            (38, "Acked"),
            (39, "Nacked"),
            (40, "Requeued"),
            (41, "DeadLettered"),
            (42, "Expired"),
            (43, "Dropped"),
            (44, "Purged"),
            (45, "DepthReported"),
            (46, "XDeath"),
            (47, "Redelivered"),
            (48, "Fetched"),
            (49, "Committed"),
            (50, "RebalanceStarted"),
            (51, "RebalanceEnded"),
            (52, "LagReported"),
            (53, "TransactionCommitted"),
            (54, "TransactionAborted"),
            (64, "Connected"),
            (65, "Disconnected"),
            (66, "ProcessExited"),
            (67, "Control"),
            (68, "PhaseBegan"),
            (96, "Retried"),
        ]
    );
}

/// What a queue stamps says its ordinal and its step, and its step is one copy or none.
#[test]
fn a_queue_stamps_its_transitions_alike() {
    for row in KINDS {
        let by_queue = row.by == Stamper::Queue;
        assert_eq!(row.a.meaning == ValueMeaning::Ordinal, by_queue, "{}", row.name);
        assert_eq!(row.b.meaning == ValueMeaning::QueueStep, by_queue, "{}", row.name);
        assert!(by_queue || (row.steps.ready == 0 && row.steps.unacked == 0), "{}", row.name);
        assert!(row.steps.ready.abs() <= 1 && row.steps.unacked.abs() <= 1, "{}", row.name);
    }
}
