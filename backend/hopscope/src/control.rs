//! `hopscope control`: does something to a run of a server that is running.

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow};
use hopscope_scenario::text;
use hopscope_server::client::post;
use hopscope_server::store::RunId;
use serde_json::Value;

use crate::disturb::words;
use crate::exit::Exit;
use crate::say::{note, say, word};
use crate::serve;

/// Arguments of `hopscope control`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run, by its id
    #[arg(value_name = "RUN")]
    run: RunId,

    /// What is done: pause, resume, crash, start, rate, cut, mend, delay or throttle
    #[arg(value_name = "DO")]
    action: String,

    /// The node by its name, or the link by its id or as FROM->TO
    #[arg(value_name = "ON")]
    on: String,

    /// The rate, like 500/s; what a delay adds to a round trip, like 50ms; what a throttled link lets through, like 100kB/s
    #[arg(value_name = "ARG")]
    argument: Option<String>,

    /// After how long it is undone, like 2s [default: it is not]
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<String>,

    /// The server's address
    #[arg(long, value_name = "HOST:PORT", default_value = serve::ADDRESS)]
    server: String,
}

/// Asks the server for it.
///
/// # Errors
/// When no server answers.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let Arguments { run, action, on, argument, lasts, server } = arguments;
    let asked = match words(action, on, argument.as_deref(), lasts.as_deref()) {
        Ok(asked) => Value::Object(asked).to_string(),
        Err(line) => {
            note(&line);
            return Ok(Exit::Usage);
        }
    };
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    let answer =
        runtime.block_on(async { post(address(server).await?, &format!("/api/runs/{run}/control"), asked).await });
    let (status, body) = answer.map_err(|error| {
        anyhow!(error.to_string()).context(say(text!("cli.control.no-server"), [("server", server.clone())]))
    })?;
    if status.is_success() {
        return Ok(Exit::Fine);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    refusals(&body).iter().for_each(|line| note(line));
    // What is asked for is wrong in itself, or cannot be had now.
    Ok(if status.as_u16() == 422 { Exit::Usage } else { Exit::Environment })
}

/// Where a server is that a person names.
pub(crate) async fn address(server: &str) -> std::io::Result<SocketAddr> {
    let plain = server.strip_prefix("http://").unwrap_or(server).trim_end_matches('/');
    let mut found = tokio::net::lookup_host(plain).await?;
    found.next().ok_or_else(|| std::io::Error::other("the name has no address"))
}

/// What an answer says of why it was not done, a line each.
pub(crate) fn refusals(body: &Value) -> Vec<String> {
    let line = |fault: &Value| {
        let of = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        say(text!("cli.control.refused"), [("message", of("message")), ("remedy", of("remedy"))])
    };
    match body.get("issues").and_then(Value::as_array) {
        Some(issues) => issues.iter().map(line).collect(),
        None => vec![line(body)],
    }
}
