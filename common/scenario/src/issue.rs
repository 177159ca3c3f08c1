//! Issues: the faults of a document, found before a run.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Arg, Args, Key, Language, Span, plain, spans};

/// One fault of a document. Serialises as `{"code", "path", "severity", "args"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// What kind of fault.
    pub code: Code,
    /// Where: a JSON pointer (RFC 6901) into the document, like `/nodes/0/work/mean`; empty for the whole document. A
    /// missing field is named by the path that it would have.
    pub path: String,
    /// How bad.
    pub severity: Severity,
    /// What the texts name.
    pub args: Args,
}

/// How bad an Issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It runs, but perhaps not as meant.
    Warning,
    /// It cannot run.
    Error,
}

/// Defines the codes: variant, name in documents, severity. The names are part of the API and never change their
/// meaning; the texts are the catalogue's `issue.NAME.message` and `issue.NAME.remedy`.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $severity:ident;)*) => {
        /// What kind of fault an Issue is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        /// Every code.
        pub const CODES: &[Code] = &[$(Code::$variant,)*];

        impl Code {
            /// Its name in the API, like `unknown-field`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }

            fn message(self) -> Key {
                match self {
                    $(Self::$variant => issue_text!($name, ".message"),)*
                }
            }

            fn remedy(self) -> Key {
                match self {
                    $(Self::$variant => issue_text!($name, ".remedy"),)*
                }
            }
        }
    };
}

/// The key of an Issue's text; a code without its texts does not compile.
macro_rules! issue_text {
    ($name:literal, $which:literal) => {
        const {
            match Key::find_const(concat!("issue.", $name, $which)) {
                Some(key) => key,
                None => ::core::panic!("the catalogue lacks a text of this code"),
            }
        }
    };
}

codes! {
    /// The text is not JSON. Args: line, column, reason.
    BadJson, "bad-json", Error;
    /// The text is too long. Args: count, max.
    DocumentTooLarge, "document-too-large", Error;
    /// `format` names another format. Args: value, known.
    UnknownFormat, "unknown-format", Error;
    /// `version` is none that this build reads. Args: value, known.
    UnknownVersion, "unknown-version", Error;
    /// A value has another JSON type. Args: label, found, expected.
    WrongType, "wrong-type", Error;
    /// An object has a field that its descriptor does not. Args: field, known.
    UnknownField, "unknown-field", Error;
    /// A field that must be there is not. Args: field.
    MissingField, "missing-field", Error;
    /// A number or quantity is out of its range. Args: label, value, min, max.
    OutOfRange, "out-of-range", Error;
    /// A text is not a plain number. Args: value, example.
    BadNumber, "bad-number", Error;
    /// A text is not a quantity of its dimension. Args: value, units, example.
    BadQuantity, "bad-quantity", Error;
    /// A text is too short or too long. Args: label, count, min, max.
    TextLength, "text-length", Error;
    /// A text has control characters, or a one-line text a line break. Args: label.
    ControlCharacter, "control-character", Error;
    /// A tag names no option. Args: label, value, known.
    UnknownChoice, "unknown-choice", Error;
    /// A node's `kind` is unknown. Args: value, known.
    UnknownKind, "unknown-kind", Error;
    /// A link's `protocol` is unknown. Args: value, known.
    UnknownProtocol, "unknown-protocol", Error;
    /// A check names no link or queue, or several links. Args: value, known.
    UnknownSubject, "unknown-subject", Warning;
    /// A disturbance names no node or link, or several links. Args: value, known.
    UnknownDisturbed, "unknown-disturbed", Error;
    /// A disturbance does what its node or link cannot have. Args: value, action, why.
    CannotDisturb, "cannot-disturb", Error;
    /// A disturbance begins at the end of the load or after it. Args: at, duration.
    DisturbedTooLate, "disturbed-too-late", Error;
    /// A run's broker is at an address that the operator did not allow. Args: value, known.
    BrokerNotAllowed, "broker-not-allowed", Error;
    /// An id has other characters than it may. Args: value.
    BadId, "bad-id", Error;
    /// An id is used twice among nodes or among links. Args: value.
    DuplicateId, "duplicate-id", Error;
    /// A name is used twice among nodes. Args: value.
    DuplicateName, "duplicate-name", Error;
    /// A link's end names no node. Args: value.
    UnknownNode, "unknown-node", Error;
    /// A link's ends are one node. Args: name.
    SelfLink, "self-link", Error;
    /// The protocol may not join these kinds in this direction. Args: fault, way, from, to, from_kind, to_kind, verb,
    /// protocol (one that may, if any does).
    IllegalLink, "illegal-link", Error;
    /// Synchronous calls go round in a circle. Args: names.
    SynchronousCycle, "synchronous-cycle", Error;
    /// Messages go round through queues in a circle. Args: names.
    EndlessCycle, "endless-cycle", Error;
    /// A publish over Kafka is to be known again and is not confirmed by all. Args: acks.
    IdempotenceNeedsAll, "idempotence-needs-all", Error;
    /// A link that publishes says what only those who take may say. Args: label, queue.
    NotWhenPublishing, "not-when-publishing", Error;
    /// An option of a sender on a link that takes from a queue. Args: label, queue.
    NotWhenTaking, "not-when-taking", Error;
    /// A link says what none between such nodes may say. Args: label, from, to.
    NotBetween, "not-between", Error;
    /// What a link calls of an external service is no path or method. Args: label, value, example.
    BadPath, "bad-path", Error;
    /// An external service of a run is at no address that the operator allowed. Args: name, known.
    TargetNotAllowed, "target-not-allowed", Error;
    /// A text of headers has a part that is none. Args: value.
    BadHeaders, "bad-headers", Error;
    /// What an exchange cannot hand on goes to no exchange. Args: value, name.
    UnknownAlternate, "unknown-alternate", Error;
    /// The replies of a link name no queue. Args: value.
    UnknownQueue, "unknown-queue", Error;
    /// The replies of a link that is no client's. Args: name.
    RepliesToService, "replies-to-service", Error;
    /// A reply queue that something else uses: requests go there, a service takes from it, or another client's replies come
    /// through it. Args: queue.
    ReplyQueueShared, "reply-queue-shared", Error;
    /// Replies are awaited and no service takes the messages: a program outside may. Args: queue.
    NobodyReplies, "nobody-replies", Warning;
    /// The dead letters of a queue go to no queue. Args: value, name.
    UnknownDeadLetters, "unknown-dead-letters", Error;
    /// The dead letters of a queue go to one that replies come back through. Args: name, queue.
    DeadLettersAsReplies, "dead-letters-as-replies", Error;
    /// Dead letters go round in a circle in which nothing waits. Args: names.
    DeadLetterCircle, "dead-letter-circle", Error;
    /// A time to live that is no whole number of milliseconds. Args: label, value.
    NotWholeMilliseconds, "not-whole-milliseconds", Error;
    /// A client publishes with priorities that a queue does not tell apart. Args: client, queue, priority, max, heeds.
    PriorityAbove, "priority-above", Warning;
    /// A queue that is kept by a quorum tells priorities apart. Args: queue.
    QuorumPriorities, "quorum-priorities", Error;
    /// A stream, or what leads to one, says what streams do not have. Args: queue, field.
    StreamOption, "stream-option", Error;
    /// Several replicas read a stream, each all of it. Args: queue, service.
    StreamReaders, "stream-readers", Error;
    /// The run's broker of queues has no streams.
    StreamNotHere, "stream-not-here", Error;
    /// Two links read a topic as one group. Args: topic, group.
    GroupTaken, "group-taken", Error;
    /// A topic keeps the newest record of each key, and what is published to it has none. Args: topic, from.
    CompactionNeedsKeys, "compaction-needs-keys", Error;
    /// A service reads a topic in transactions, and takes from elsewhere too. Args: service, topic, other.
    TransactionAlone, "transaction-alone", Error;
    /// A link that publishes in transactions says what its producer cannot do, or another link of it does not say. Args: service,
    /// field.
    TransactionProducer, "transaction-producer", Error;
    /// A link reads in transactions, and the run's broker of topics has none.
    TransactionNotHere, "transaction-not-here", Error;
    /// A disturbance kills the broker, and the run has one that Hopscope did not start. Args: value, option.
    BrokerNotLocal, "broker-not-local", Error;
    /// An entry of a run's fixed ports that names none. Args: value, known.
    BadPort, "bad-port", Error;
    /// A port is fixed for whom nothing reaches so. Args: value, known.
    UnknownPort, "unknown-port", Error;
    /// A link within one process, in a run whose nodes are processes. Args: link.
    InProcessApart, "in-process-apart", Error;
    /// A step of a body names no outgoing link of its service. Args: value, name.
    UnknownLink, "unknown-link", Error;
    /// A step calls over a link that is published over, or the reverse. Args: value, step, other.
    WrongStep, "wrong-step", Error;
    /// A body may reply twice to one request. Args: name.
    SecondReply, "second-reply", Error;
    /// A body replies in a branch beside which others run. Args: name.
    ReplyInParallel, "reply-in-parallel", Error;
    /// Steps stand too deep within steps. Args: max.
    StepsTooDeep, "steps-too-deep", Error;
    /// A client has no outgoing link. Args: name.
    ClientWithoutLink, "client-without-link", Error;
    /// No node starts traffic.
    NothingToRun, "nothing-to-run", Error;
    /// More nodes, links or replicas than a run may have. Args: what, count, max.
    TooMany, "too-many", Error;
    /// No link ends at a service. Args: name.
    ServiceNotCalled, "service-not-called", Warning;
    /// No link puts messages into a queue. Args: name.
    QueueNotFed, "queue-not-fed", Warning;
    /// No link publishes to an exchange. Args: name.
    ExchangeNotFed, "exchange-not-fed", Warning;
    /// What is published over a link to an exchange reaches no queue. Args: from, to.
    RoutedNowhere, "routed-nowhere", Warning;
    /// No service takes from a queue. Args: name.
    QueueNotTaken, "queue-not-taken", Warning;
    /// A service's own body never takes one of its links. Args: name, link.
    LinkNotInBody, "link-not-in-body", Warning;
    /// A consumer of a queue has more workers than it may hold messages. Args: queue, service, prefetch, workers.
    IdleWorkers, "idle-workers", Warning;
    /// A document passed validation and the model still refused it: a fault of the descriptors. Args: reason.
    Unreadable, "unreadable", Error;
}

/// Arguments by name. One function for any number of them: code for each would weigh on the page.
fn named(args: Vec<(&'static str, Arg)>) -> Args {
    let mut named = Args::new();
    for (name, arg) in args {
        named.insert(name.to_owned(), arg);
    }
    named
}

impl Issue {
    /// An Issue of this code at this path, with its arguments.
    pub fn new<const N: usize>(code: Code, path: impl Into<String>, args: [(&'static str, Arg); N]) -> Self {
        Self { code, path: path.into(), severity: code.severity(), args: named(Vec::from(args)) }
    }

    /// Whether it stops a run.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// What is wrong, as plain text.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        plain(language, self.code.message(), &self.args)
    }

    /// What to do about it, as plain text.
    #[must_use]
    pub fn remedy(&self, language: Language) -> String {
        plain(language, self.code.remedy(), &self.args)
    }

    /// What is wrong and then what to do, as stretches for the page.
    #[must_use]
    pub fn spans(&self, language: Language) -> (Vec<Span>, Vec<Span>) {
        (spans(language, self.code.message(), &self.args), spans(language, self.code.remedy(), &self.args))
    }
}
