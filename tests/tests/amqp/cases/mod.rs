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

/// All of them.
pub(crate) const GROUPS: &[(&str, &[Case])] = &[
    ("handshake", handshake::CASES),
    ("channels", channels::CASES),
    ("queues", queues::CASES),
    ("arguments", arguments::CASES),
    ("exchanges", exchanges::CASES),
    ("bindings", bindings::CASES),
    ("routing", routing::CASES),
    ("confirms", confirms::CASES),
    ("returns", returns::CASES),
    ("consumers", consumers::CASES),
    ("priorities", priorities::CASES),
    ("settling", settling::CASES),
    ("limits", limits::CASES),
    ("dead", dead::CASES),
    ("replies", replies::CASES),
    ("transactions", transactions::CASES),
];
