//! What the outside tests share: a server of the real binary and a real browser, both ended with the test.
//!
//! The tests live in `tests/`; `cargo xtask test` builds the binary and names it, the browser, its driver and a Python
//! interpreter in `HOPSCOPE_BIN`, `HOPSCOPE_CHROMIUM`, `HOPSCOPE_CHROMEDRIVER` and `HOPSCOPE_PYTHON`, and the script of
//! axe-core in `HOPSCOPE_AXE`.

pub mod browser;
mod child;
pub mod command;
pub mod fields;
pub mod grpc;
pub mod http;
pub mod kills;
pub mod long;
mod perfetto;
pub mod process;
pub mod reader;
pub mod recording;
pub mod runs;
pub mod server;
pub mod static_host;
pub mod tables;
pub mod thrift;
pub mod wire;

/// The value of a variable that `cargo xtask test` sets.
///
/// # Errors
/// When it is not set; the message says how to run the tests.
pub fn variable(name: &str) -> anyhow::Result<std::ffi::OsString> {
    std::env::var_os(name).ok_or_else(|| anyhow::anyhow!("{name} is not set: run these tests by `cargo xtask test`"))
}
