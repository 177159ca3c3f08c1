//! `cargo xtask dev`: the page by `trunk serve`, made again and reloaded when a source of it changes, in front of a server.
//!
//! Trunk's proxy and its port stand in Trunk.toml. The server keeps its checks: it is told the page's names by `--host`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context, Result, bail};

use crate::serve::{BINARY, Build, build_server};
use crate::step::{command, run as run_step};
use crate::tools::{Purpose, Tools};

/// Where the page is opened: Trunk.toml's address and port.
const PAGE: &str = "127.0.0.1:8080";
/// Where Trunk.toml's proxies find the server.
const SERVER: &str = "127.0.0.1:7878";
/// Not where `serve` looks: that page is built for release, and compressed.
const DIST: &str = "target/dev-page";
/// What the page is made of.
const WATCHED: [&str; 2] = ["common", "frontend"];

/// The server, ended with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes tools and server ready, then serves page and server until Ctrl-C.
///
/// # Errors
/// When something cannot be installed, built or started.
pub(crate) fn run(tools: &Tools, arguments: &[String]) -> Result<()> {
    tools.ensure(&[Purpose::Page])?;
    build_server(Build::Release)?;
    let mut server = command(BINARY);
    // The first name is where the page is said to be, and opened.
    server.args(["serve", "--listen", SERVER, "--host", PAGE, "--host", "localhost:8080"]).args(arguments);
    let mut server = Server(server.stdout(Stdio::piped()).spawn().context("cannot start the server")?);
    let stdout = server.0.stdout.take().context("the server has no standard output")?;
    let mut lines = BufReader::new(stdout);
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        bail!("the server did not start; what it said stands above. The page of `dev` needs it at {SERVER}");
    }
    print!("{line}");
    pass_on(lines)?;
    std::fs::create_dir_all(DIST)?;
    // Trunk refuses to be told to ignore what is not there.
    std::fs::create_dir_all(crate::page::DIST)?;
    let mut trunk = tools.wasm_command("trunk")?;
    trunk.args(["serve", "--locked", "--dist", DIST, "--ignore", crate::page::DIST]);
    trunk.args(WATCHED.iter().flat_map(|folder| ["--watch", folder])).args(tools.trunk_offline());
    run_step(&mut trunk)
}

/// Shows what else the server says.
fn pass_on(lines: BufReader<ChildStdout>) -> Result<()> {
    let pass_on = move || lines.lines().map_while(std::io::Result::ok).for_each(|line| println!("{line}"));
    std::thread::Builder::new().spawn(pass_on).map(drop).context("no thread to read the server's output")
}
