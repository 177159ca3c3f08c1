//! The broker as clients see it: lapin over a loopback socket, and bare sockets for what no client would send.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy knows #[test] functions only"
)]

mod alternates;
mod arguments;
mod bindings;
mod chaos;
mod commands;
mod consumers;
mod dead_letters;
mod delivery;
mod faults;
mod lifetime;
mod limits;
mod load;
mod login;
mod misuse;
mod raw;
mod recipients;
mod routing;
mod settlement;
mod socket;
mod statuses;
mod support;
mod transactions;
mod virtual_hosts;
