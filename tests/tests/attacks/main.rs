//! What a stranger would try: pages of other sites, names that point here, requests that are two, bodies without end, names that
//! are markup, paths that lead elsewhere, and runs by the dozen. Each against the real binary, over real sockets.

mod bodies;
mod documents;
mod leaks;
mod names;
mod origins;
mod page;
mod paths;
mod smuggling;
mod support;
