//! The broker as clients see it: lapin over a loopback socket, and bare sockets for what no client would send.

mod delivery;
mod support;
