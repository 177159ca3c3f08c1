//! The rows of the table of kinds.

use super::{Admission, Attempt, Count, Kind, KindInfo, LinkCount, PlaceCount, Stamper, Steps, Value, ValueMeaning};

const UNUSED: Value = Value { meaning: ValueMeaning::None, words: "" };

const fn value(meaning: ValueMeaning, words: &'static str) -> Value {
    Value { meaning, words }
}

const REPLY_STATUS: Value = value(ValueMeaning::Status, "status of the reply");
const REPLY_BYTES: Value = value(ValueMeaning::Bytes, "bytes of the reply's body");

/// A kind that the caller stamps when an attempt ends.
const fn closing(kind: Kind, name: &'static str, counts: LinkCount) -> KindInfo {
    KindInfo {
        kind,
        name,
        by: Stamper::Caller,
        at: "",
        a: UNUSED,
        b: UNUSED,
        attempt: Attempt::Closes,
        counts: Count::Link(counts),
        steps: Steps::NONE,
        on_sync: "",
        on_async: "",
    }
}

/// A kind that counts nothing, changes no level and touches no attempt.
const fn plain(kind: Kind, name: &'static str, by: Stamper) -> KindInfo {
    KindInfo {
        kind,
        name,
        by,
        at: "",
        a: UNUSED,
        b: UNUSED,
        attempt: Attempt::None,
        counts: Count::None,
        steps: Steps::NONE,
        on_sync: "",
        on_async: "",
    }
}

const QUEUE_ORDINAL: Value = value(
    ValueMeaning::Ordinal,
    "number of the queue's transition, from 1 without a gap; 0: on a broker that stamps nothing, its consumer says what it is about to send",
);
const QUEUE_STEP: Value = value(ValueMeaning::QueueStep, "ready copies just before and just after, and the cause");

/// A kind that a queue stamps under its lock: one copy, one transition.
const fn transition(kind: Kind, name: &'static str, ready: i8, unacked: i8) -> KindInfo {
    KindInfo {
        at: "under the queue's lock, when the step is taken and before anything of it can be seen outside",
        a: QUEUE_ORDINAL,
        b: QUEUE_STEP,
        steps: Steps { ready, unacked, ..Steps::NONE },
        ..plain(kind, name, Stamper::Queue)
    }
}

/// A transition that settles a delivery.
const fn settles(kind: Kind, name: &'static str, ready: i8, counts: LinkCount) -> KindInfo {
    KindInfo { attempt: Attempt::Closes, counts: Count::Link(counts), ..transition(kind, name, ready, -1) }
}

/// A transition by which a copy leaves with no consumer having it.
const fn discards(kind: Kind, name: &'static str) -> KindInfo {
    KindInfo { counts: Count::Place(PlaceCount::Discarded), ..transition(kind, name, -1, 0) }
}

/// A row for every kind that something stamps, in the order of their numbers. A page has no use for what documents say of them,
/// and its first load is shorter without.
pub const KINDS: &[KindInfo] = &TOLD;

const TOLD: [KindInfo; ROWS.len()] = if cfg!(target_arch = "wasm32") { unexplained(ROWS) } else { ROWS };

const fn unexplained<const N: usize>(mut rows: [KindInfo; N]) -> [KindInfo; N] {
    let mut row = 0;
    while row < N {
        let KindInfo { a, b, .. } = rows[row];
        (rows[row].at, rows[row].on_sync, rows[row].on_async) = ("", "", "");
        (rows[row].a, rows[row].b) = (value(a.meaning, ""), value(b.meaning, ""));
        row += 1;
    }
    rows
}

const ROWS: [KindInfo; 43] = [
    KindInfo {
        at: "when the generator takes up the message whose instant has come; its lag is time - a",
        a: value(ValueMeaning::TimeNs, "when the schedule wanted the send; latency counts from it"),
        counts: Count::Link(LinkCount::Intended),
        on_sync: "a call is wanted; Sent or NotSent follows, once",
        on_async: "a publish is wanted; Published or NotSent follows, once",
        ..plain(Kind::INTENDED, "Intended", Stamper::Generator)
    },
    KindInfo {
        at: "when the generator gives the message up before its first attempt",
        a: value(ValueMeaning::NotSentReason, "1 the cap on messages in flight, 2 the load stopped"),
        counts: Count::Link(LinkCount::NotSent),
        on_sync: "the call is never made; it is counted, not hidden",
        on_async: "the message is never published; it is counted, not hidden",
        ..plain(Kind::NOT_SENT, "NotSent", Stamper::Generator)
    },
    KindInfo {
        at: "immediately before the attempt is handed to the transport: before its first byte, and \
             before connecting where no connection is open",
        b: value(ValueMeaning::Bytes, "bytes of the request's body"),
        attempt: Attempt::Opens,
        counts: Count::Link(LinkCount::Sent),
        on_sync: "T1: the request is sent",
        ..plain(Kind::SENT, "Sent", Stamper::Caller)
    },
    KindInfo {
        at: "after the last byte of the message is read and it is known whether it may wait, before \
             anything else is done with it",
        a: value(
            ValueMeaning::Admission,
            "0 admitted, 1 turned away because the waiting room is full, 2 a reply, which needs no worker",
        ),
        b: value(ValueMeaning::Bytes, "bytes of the message's body"),
        counts: Count::Place(PlaceCount::Received),
        steps: Steps { waiting: 1, only_if_a: Some(Admission::Admitted as u64), ..Steps::NONE },
        on_sync: "the request has arrived and waits for a worker, unless it was turned away",
        on_async: "the delivery has arrived, the message that the queue delivered: it stands in the consumer's buffer \
                   until a worker takes it; or the client has its reply",
        ..plain(Kind::RECEIVED, "Received", Stamper::Receiver)
    },
    KindInfo {
        at: "when a worker is held for the message, before the body's first step",
        counts: Count::Place(PlaceCount::Started),
        steps: Steps { waiting: -1, busy: 1, ..Steps::NONE },
        on_sync: "the wait is over and the work begins",
        on_async: "the delivery leaves the consumer's buffer and the work begins",
        ..plain(Kind::STARTED, "Started", Stamper::Receiver)
    },
    KindInfo {
        at: "when the body has ended, before its worker is freed",
        a: value(ValueMeaning::Outcome, "0 done, 1 failed, 2 abandoned"),
        counts: Count::Place(PlaceCount::Finished),
        steps: Steps { busy: -1, ..Steps::NONE },
        on_sync: "the worker is freed; it follows every Started",
        on_async: "the worker is freed; it follows every Started",
        ..plain(Kind::FINISHED, "Finished", Stamper::Receiver)
    },
    KindInfo {
        at: "immediately before the first byte of the reply is handed to the transport",
        a: value(ValueMeaning::Status, "status of the reply"),
        b: REPLY_BYTES,
        on_sync: "the reply is sent, whether the caller still waits or not",
        ..plain(Kind::REPLIED, "Replied", Stamper::Receiver)
    },
    KindInfo {
        at: "after the last byte of a good reply is read",
        a: REPLY_STATUS,
        b: REPLY_BYTES,
        on_sync: "T2: the response is received",
        on_async: "T2 of a publish whose reply is awaited: the reply is received",
        ..closing(Kind::COMPLETED, "Completed", LinkCount::Completed)
    },
    KindInfo {
        at: "when the caller stops waiting because its time limit has passed",
        a: value(ValueMeaning::DurationNs, "the limit"),
        on_sync: "no reply in time; a late one may still follow",
        on_async: "no confirm, or no reply where one is awaited, in time; a late one may still follow",
        ..closing(Kind::TIMED_OUT, "TimedOut", LinkCount::TimedOut)
    },
    KindInfo {
        at: "after the last byte of an error reply is read, or when it is known that none will come",
        a: value(ValueMeaning::Status, "status of the reply, or 0: no reply, the connection failed"),
        b: value(ValueMeaning::NameIndex, "what went wrong, where no reply came"),
        on_sync: "an error reply (then it is T2), or no connection",
        on_async: "a reply that tells of an error (then it is T2), or no connection",
        ..closing(Kind::FAILED, "Failed", LinkCount::Failed)
    },
    KindInfo {
        at: "when the caller gives the attempt up before a reply or its time limit",
        on_sync: "nobody waits for the reply any more: the run ended, or the caller was stopped",
        on_async: "nobody waits for the confirm or the reply any more",
        ..closing(Kind::CANCELLED, "Cancelled", LinkCount::Cancelled)
    },
    KindInfo {
        at: "after the last byte of a reply is read that says: not now",
        a: value(ValueMeaning::Status, "status of the reply: HTTP's 503, gRPC's 8, Thrift's 1"),
        b: REPLY_BYTES,
        on_sync: "T2 of a call that the receiver turned away",
        ..closing(Kind::REFUSED, "Refused", LinkCount::Refused)
    },
    KindInfo {
        at: "under the lock of the service's store, when it is known whether the effect is applied and before it is",
        a: value(
            ValueMeaning::Effect,
            "row of the effect among the plan's; bit 63: its key was known, so it was not applied again",
        ),
        b: value(ValueMeaning::Amount, "what its account changes by, or would have"),
        on_sync: "a body has come to an effect: its account is changed, or a repeat was recognised",
        on_async: "a body has come to an effect: its account is changed, or a repeat was recognised",
        ..plain(Kind::EFFECT, "Effect", Stamper::Receiver)
    },
    KindInfo {
        at: "after the last byte of a message that nobody answers is handed to the system",
        on_sync: "the caller of a oneway method goes on: nothing tells it what becomes of the message",
        ..closing(Kind::HANDED_OVER, "HandedOver", LinkCount::HandedOver)
    },
    KindInfo {
        at: "immediately before the publish is handed to the transport: before its first byte",
        b: value(ValueMeaning::Bytes, "bytes of the message's body"),
        attempt: Attempt::Opens,
        counts: Count::Link(LinkCount::Sent),
        on_async: "T1: the message is on its way to the broker",
        ..plain(Kind::PUBLISHED, "Published", Stamper::Caller)
    },
    KindInfo {
        at: "after the last byte of the broker's confirm is read",
        a: value(ValueMeaning::Marks, "bit 62: the attempt stays open, because its reply is awaited"),
        b: value(ValueMeaning::Position, "where the record is in its topic; 0 where the message is in a queue"),
        on_async: "the broker has the message: every copy is in its queue, or the record in its partition",
        ..closing(Kind::CONFIRMED, "Confirmed", LinkCount::Confirmed)
    },
    KindInfo {
        at: "after the last byte of the broker's refusal is read",
        a: value(ValueMeaning::Marks, "none of its own"),
        on_async: "the broker did not take the message: a queue that is full and rejects what comes",
        ..closing(Kind::CONFIRM_REFUSED, "ConfirmRefused", LinkCount::Refused)
    },
    KindInfo {
        at: "after the last byte of the returned message is read",
        a: value(ValueMeaning::Status, "the broker's reply code: 312 no route"),
        counts: Count::Link(LinkCount::Returned),
        on_async: "no queue wanted the message; its confirm follows",
        ..plain(Kind::RETURNED, "Returned", Stamper::Caller)
    },
    KindInfo {
        counts: Count::Place(PlaceCount::Enqueued),
        on_async: "L2 = L1 + 1: a copy of the message is put; it is ready",
        ..transition(Kind::ENQUEUED, "Enqueued", 1, 0)
    },
    KindInfo {
        attempt: Attempt::Opens,
        counts: Count::Place(PlaceCount::Delivered),
        on_async: "L2 = L1 - 1: a copy is taken; a message of its own begins, whose parent is the publish",
        ..transition(Kind::DELIVERED, "Delivered", -1, 1)
    },
    KindInfo {
        on_async: "the delivery is settled and its copy gone; on automatic acknowledgement directly after Delivered",
        ..settles(Kind::ACKED, "Acked", 0, LinkCount::Acked)
    },
    KindInfo {
        on_async: "the delivery is rejected for good and its copy gone",
        ..settles(Kind::NACKED, "Nacked", 0, LinkCount::Nacked)
    },
    KindInfo {
        on_async: "L2 = L1 + 1: the copy goes back to where it was, to be delivered again",
        ..settles(Kind::REQUEUED, "Requeued", 1, LinkCount::Requeued)
    },
    KindInfo {
        on_async: "the copy that left by the transition before goes to the queue's dead-letter exchange as another copy \
                   of the same publish",
        ..transition(Kind::DEAD_LETTERED, "DeadLettered", 0, 0)
    },
    KindInfo {
        on_async: "L2 = L1 - 1: the copy was ready for longer than it may be",
        ..discards(Kind::EXPIRED, "Expired")
    },
    KindInfo {
        on_async: "L2 = L1 - 1: the copy made room in a queue that is full",
        ..discards(Kind::DROPPED, "Dropped")
    },
    KindInfo { on_async: "L2 = L1 - 1: the queue was emptied or deleted", ..discards(Kind::PURGED, "Purged") },
    KindInfo {
        at: "when the broker's answer is there: to a passive declare, or, with a parent, to a basic.get that took that copy",
        a: value(ValueMeaning::DepthReport, "ready copies and consumers, as the broker counts them"),
        b: value(ValueMeaning::DurationNs, "since when it was asked: it counted at some instant in between"),
        on_async: "how long the queue is by its broker's word, on a broker that stamps nothing; in the phase End, at rest",
        ..plain(Kind::DEPTH_REPORTED, "DepthReported", Stamper::Run)
    },
    KindInfo {
        at: "directly after Received, for each entry of the delivery's x-death header, the newest first",
        a: value(ValueMeaning::QueueName, "the queue that it left as a dead letter"),
        b: value(ValueMeaning::Deaths, "how often, and why"),
        on_async: "the message came by way of another queue, which it left as a dead letter",
        ..plain(Kind::X_DEATH, "XDeath", Stamper::Receiver)
    },
    KindInfo {
        at: "directly after Received, where the broker says that it handed the copy out before",
        on_async: "the copy was given to a consumer before, and came back: it may have been worked on",
        ..plain(Kind::REDELIVERED, "Redelivered", Stamper::Receiver)
    },
    KindInfo {
        at: "directly after Received, when the client of the consumer has handed the record out; at the place of its group \
             in the partition, or of the stream",
        a: value(ValueMeaning::Offset, "the record's offset"),
        counts: Count::Place(PlaceCount::Delivered),
        on_async: "the position of the group in the partition, or of the reader in the stream, goes on by one record",
        ..plain(Kind::FETCHED, "Fetched", Stamper::Receiver)
    },
    KindInfo {
        at: "when the broker has answered the commit; at the place of the group in the partition",
        a: value(ValueMeaning::Offset, "the offset that is committed: of the record that the group goes on with"),
        b: value(ValueMeaning::DurationNs, "since when the commit was sent"),
        on_async: "L2 = L1 - n: the group's lag falls by the records that the commit has passed",
        ..plain(Kind::COMMITTED, "Committed", Stamper::Receiver)
    },
    KindInfo {
        at: "when a member is told to give the partition up, before it does; at the place of the group in the partition",
        a: value(ValueMeaning::Member, "the member that had it"),
        on_async: "the group shares its partitions out anew: nobody of it takes from this one now",
        ..plain(Kind::REBALANCE_STARTED, "RebalanceStarted", Stamper::Receiver)
    },
    KindInfo {
        at: "when a member is told that the partition is its own, before it takes from there; at the place of the group in \
             the partition",
        a: value(ValueMeaning::Member, "the member that has it"),
        on_async: "the member takes from the partition, from the group's committed offset on",
        ..plain(Kind::REBALANCE_ENDED, "RebalanceEnded", Stamper::Receiver)
    },
    KindInfo {
        at: "when the broker's answers are there; at the place of the group in the partition",
        a: value(ValueMeaning::LagReport, "the log's end and the group's committed offset, as the broker has them"),
        b: value(ValueMeaning::DurationNs, "since when it was asked: each is so at some instant in between"),
        on_async: "how far the group is behind by its broker's word; in the phase End, at rest",
        ..plain(Kind::LAG_REPORTED, "LagReported", Stamper::Run)
    },
    KindInfo {
        at: "when the broker has answered the commit of a transaction; at the member's place, on the link that it reads over",
        a: value(ValueMeaning::Records, "how many records the member had taken in it"),
        b: value(ValueMeaning::DurationNs, "since when it was begun: before its first record was taken in"),
        on_async: "all that the member's place published to topics since its transaction before is there for those who read \
                   what is committed, and all that it took is committed with it",
        ..plain(Kind::TRANSACTION_COMMITTED, "TransactionCommitted", Stamper::Receiver)
    },
    KindInfo {
        at: "when the member gives a transaction up, before it tells the broker; at the member's place, on the link that it \
             reads over",
        a: value(ValueMeaning::Records, "how many records the member had taken in it"),
        b: value(ValueMeaning::NameIndex, "why"),
        on_async: "what the member's place published to topics since its transaction before is read by nobody who reads \
                   what is committed; the member takes again what it took",
        ..plain(Kind::TRANSACTION_ABORTED, "TransactionAborted", Stamper::Receiver)
    },
    KindInfo {
        at: "when a connection of the link is ready for its first message",
        a: value(ValueMeaning::DurationNs, "how long connecting took"),
        on_sync: "the caller's end of a connection is open; on in-process links it does not occur",
        on_async: "the publisher's or the consumer's connection to the broker is open",
        ..plain(Kind::CONNECTED, "Connected", Stamper::Caller)
    },
    KindInfo {
        at: "when the caller's end learns that the connection has ended, or ends it",
        a: value(ValueMeaning::DisconnectReason, "0 closed, 1 closed by the other end, 2 broken"),
        b: value(ValueMeaning::NameIndex, "what went wrong, where it broke"),
        on_sync: "the connection carries nothing any more",
        on_async: "the connection to the broker carries nothing any more",
        ..plain(Kind::DISCONNECTED, "Disconnected", Stamper::Caller)
    },
    KindInfo {
        at: "when what runs a replica has ended before the run: its tasks are aborted and its sockets reset, or its \
             process is gone",
        steps: Steps { empties: true, ..Steps::NONE },
        ..plain(Kind::PROCESS_EXITED, "ProcessExited", Stamper::Run)
    },
    KindInfo {
        at: "before anything of it is done; once for each place and each link concerned",
        a: value(
            ValueMeaning::ControlAction,
            "1 pause, 2 resume, 3 crash, 4 start, 5 rate, 6 cut, 7 mend, 8 delay, 9 throttle, 10 broker killed, 11 broker \
             started again",
        ),
        b: value(
            ValueMeaning::ControlArgument,
            "rate: thousandths of a message in a second, 0 for the scenario's own; delay: ns that a \
             round trip takes longer; throttle: bytes in a second, each way; else 0",
        ),
        ..plain(Kind::CONTROL, "Control", Stamper::Run)
    },
    KindInfo {
        at: "when the run enters the phase",
        a: value(ValueMeaning::Phase, "0 setup, 1 warm-up, 2 measured, 3 drain, 4 end"),
        ..plain(Kind::PHASE_BEGAN, "PhaseBegan", Stamper::Run)
    },
    KindInfo {
        at: "when the caller decides to try again: after the attempt has closed, before it waits for the next",
        a: value(ValueMeaning::DurationNs, "how long it waits, from this instant, before the next attempt"),
        b: value(ValueMeaning::NextAttempt, "number of the next attempt"),
        counts: Count::Link(LinkCount::Retried),
        on_sync: "the attempt did not go well and is not the message's last; Sent of the next follows, unless \
                  the run ends before",
        on_async: "the attempt did not go well and is not the message's last; Published of the next follows, unless \
                   the run ends before",
        ..plain(Kind::RETRIED, "Retried", Stamper::Caller)
    },
];

const LAST: usize = KINDS[KINDS.len() - 1].kind.0 as usize;

/// For each number of a kind its row in [`KINDS`], or `u8::MAX`.
pub(super) const ROW_OF: [u8; LAST + 1] = {
    let mut rows = [u8::MAX; LAST + 1];
    let mut row = 0;
    while row < KINDS.len() {
        rows[KINDS[row].kind.0 as usize] = row as u8;
        row += 1;
    }
    rows
};
