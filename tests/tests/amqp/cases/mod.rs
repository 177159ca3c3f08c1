//! The conversations, by what they are about.

mod arguments;
mod bindings;
mod channels;
mod confirms;
mod consumers;
mod dead;
mod exchanges;
mod handshake;
mod limits;
mod priorities;
mod queues;
mod replies;
mod returns;
mod routing;
mod settling;
mod transactions;

use crate::Case;

/// A list of cases from the names of their functions; `name: why` is one where the two differ.
macro_rules! cases {
    ($($case:ident $(: $why:literal)?),* $(,)?) => {
        pub(super) const CASES: &[crate::Case] = &[$(crate::Case {
            name: stringify!($case),
            differs: cases!(@ $($why)?),
            hold: |it| Box::pin($case(it)),
        }),*];
    };
    (@ $why:literal) => { Some($why) };
    (@) => { None };
}
use cases;

/// Cases that are about one thing.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// Whether they declare queues or exchanges, whose names others use too.
    pub(crate) declares: bool,
    pub(crate) cases: &'static [Case],
}

const fn group(name: &'static str, cases: &'static [Case]) -> Group {
    Group { name, declares: true, cases }
}

/// All of them.
pub(crate) const GROUPS: &[Group] = &[
    Group { declares: false, ..group("handshake", handshake::CASES) },
    group("channels", channels::CASES),
    group("queues", queues::CASES),
    group("arguments", arguments::CASES),
    group("exchanges", exchanges::CASES),
    group("bindings", bindings::CASES),
    group("routing", routing::CASES),
    group("confirms", confirms::CASES),
    group("returns", returns::CASES),
    group("consumers", consumers::CASES),
    group("priorities", priorities::CASES),
    group("settling", settling::CASES),
    group("limits", limits::CASES),
    group("dead", dead::CASES),
    group("replies", replies::CASES),
    group("transactions", transactions::CASES),
];
