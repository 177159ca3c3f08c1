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

/// A row for every kind that something stamps, in the order of their numbers.
pub const KINDS: &[KindInfo] = &[
    KindInfo {
        at: "when the generator takes up the message whose instant has come; its lag is time - a",
        a: value(ValueMeaning::TimeNs, "when the schedule wanted the send; latency counts from it"),
        counts: Count::Link(LinkCount::Intended),
        on_sync: "a call is wanted; Sent or NotSent follows, once",
        ..plain(Kind::INTENDED, "Intended", Stamper::Generator)
    },
    KindInfo {
        at: "when the generator gives the message up before its first attempt",
        a: value(ValueMeaning::NotSentReason, "1 the cap on messages in flight, 2 the load stopped"),
        counts: Count::Link(LinkCount::NotSent),
        on_sync: "the call is never made; it is counted, not hidden",
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
        a: value(ValueMeaning::Admission, "0 admitted, 1 turned away because the waiting room is full"),
        b: value(ValueMeaning::Bytes, "bytes of the message's body"),
        counts: Count::Place(PlaceCount::Received),
        steps: Steps { waiting: 1, busy: 0, only_if_a: Some(Admission::Admitted as u64) },
        on_sync: "the request has arrived and waits for a worker, unless it was turned away",
        ..plain(Kind::RECEIVED, "Received", Stamper::Receiver)
    },
    KindInfo {
        at: "when a worker is held for the message, before the body's first step",
        counts: Count::Place(PlaceCount::Started),
        steps: Steps { waiting: -1, busy: 1, only_if_a: None },
        on_sync: "the wait is over and the work begins",
        ..plain(Kind::STARTED, "Started", Stamper::Receiver)
    },
    KindInfo {
        at: "when the body has ended, before its worker is freed",
        a: value(ValueMeaning::Outcome, "0 done, 1 failed, 2 abandoned"),
        counts: Count::Place(PlaceCount::Finished),
        steps: Steps { waiting: 0, busy: -1, only_if_a: None },
        on_sync: "the worker is freed; it follows every Started",
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
        ..closing(Kind::COMPLETED, "Completed", LinkCount::Completed)
    },
    KindInfo {
        at: "when the caller stops waiting because its time limit has passed",
        a: value(ValueMeaning::DurationNs, "the limit"),
        on_sync: "no reply in time; a late one may still follow",
        ..closing(Kind::TIMED_OUT, "TimedOut", LinkCount::TimedOut)
    },
    KindInfo {
        at: "after the last byte of an error reply is read, or when it is known that none will come",
        a: value(ValueMeaning::Status, "status of the reply, or 0: no reply, the connection failed"),
        b: value(ValueMeaning::NameIndex, "what went wrong, where no reply came"),
        on_sync: "an error reply (then it is T2), or no connection",
        ..closing(Kind::FAILED, "Failed", LinkCount::Failed)
    },
    KindInfo {
        at: "when the caller gives the attempt up before a reply or its time limit",
        on_sync: "nobody waits for the reply any more: the run ended, or the caller was stopped",
        ..closing(Kind::CANCELLED, "Cancelled", LinkCount::Cancelled)
    },
    KindInfo {
        at: "after the last byte of a reply is read that says: not now",
        a: value(ValueMeaning::Status, "status of the reply: HTTP's 503"),
        b: REPLY_BYTES,
        on_sync: "T2 of a call that the receiver turned away",
        ..closing(Kind::REFUSED, "Refused", LinkCount::Refused)
    },
    KindInfo {
        at: "when a connection of the link is ready for its first message",
        a: value(ValueMeaning::DurationNs, "how long connecting took"),
        on_sync: "the caller's end of a connection is open; on in-process links it does not occur",
        ..plain(Kind::CONNECTED, "Connected", Stamper::Caller)
    },
    KindInfo {
        at: "when the caller's end learns that the connection has ended, or ends it",
        a: value(ValueMeaning::DisconnectReason, "0 closed, 1 closed by the other end, 2 broken"),
        b: value(ValueMeaning::NameIndex, "what went wrong, where it broke"),
        on_sync: "the connection carries nothing any more",
        ..plain(Kind::DISCONNECTED, "Disconnected", Stamper::Caller)
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
