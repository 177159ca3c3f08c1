//! The laws of a recording: what each is called (`.name`), what it says (`.statement`), why one is not applicable, and how
//! one was broken (`law.breach.*`). Names of events are the recording's own.

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("law.accepted.name", "Every accepted event is kept"),
    ("law.accepted.statement", "The recording has as many events as the running parts counted when they handed them over."),
    ("law.breach.accepted", "The recording has **{found}** events; **{accepted}** were accepted."),
    ("law.breach.closed-twice", "{second} closes an attempt that {first} had closed already."),
    ("law.breach.closed-unopened", "{event} closes an attempt that is not open: it was never sent, or is closed already."),
    ("law.breach.intended-twice", "{event} was stamped a second time for one wanted message."),
    ("law.breach.late-twice", "A second late reply, {event}, came to one attempt."),
    ("law.breach.late-unexpected", "{event} is marked late, and the attempt had neither timed out nor been cancelled before."),
    ("law.breach.missing-step", "{event} was stamped, and no {missing} before it."),
    ("law.breach.open-at-end", "On **{link}**, {found} attempts are open by the events and {counted} by the callers' own count."),
    ("law.breach.order", "{later}, at {later_ns} ns, does not come after {earlier}, at {earlier_ns} ns."),
    ("law.breach.sent-twice", "One attempt was sent twice."),
    ("law.breach.step-twice", "{event} was stamped twice in one attempt."),
    ("law.breach.turned-away", "The request was turned away, and {event} was stamped all the same."),
    ("law.breach.unintended", "{event} was stamped for a message that no schedule wanted."),
    ("law.breach.unsettled", "A message was wanted, and neither Sent nor NotSent followed."),
    ("law.closing.name", "Every attempt closes once"),
    ("law.closing.statement", "Each attempt that was sent is closed by one event of its caller, or is open at the end. After a timeout or a cancellation, one late reply may follow."),
    ("law.intended.name", "Intended = sent + not sent"),
    ("law.intended.statement", "Each message that a schedule wanted is either sent or given up before its first attempt, once."),
    ("law.not-applicable.not-counted", "The running parts handed in no such count."),
    ("law.open-at-end.name", "Open at the end"),
    ("law.open-at-end.statement", "On each link, the attempts that the events leave open are as many as the callers counted when the run ended."),
    ("law.reply-after-request.name", "T2 > T1"),
    ("law.reply-after-request.statement", "A reply is received (T2) after its request was sent (T1), and what the receiver stamps lies between, in its order."),
    ("law.steps.name", "No effect without its cause"),
    ("law.steps.statement", "What is received was sent, what is started was received, what is finished was started, what was started is finished before the reply, and a reply that arrives was sent: each once."),
];
