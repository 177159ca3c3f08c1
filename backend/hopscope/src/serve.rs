//! `hopscope serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use hopscope_scenario::text;
use hopscope_server::Config;
use hopscope_server::access::{Access, HostName, Token};
use hopscope_server::store::RunId;

use crate::brokers::Allow;
use crate::browser;
use crate::data::Data;
use crate::exit::Exit;
use crate::keep::KeepRuns;
use crate::limits::Limits;
use crate::listening::listen;
use crate::page::EmbeddedPage;
use crate::say::{answer, say, word};
use crate::signals::Interrupts;

/// Where the playground is served unless someone says otherwise.
pub(crate) const ADDRESS: &str = "127.0.0.1:7878";

/// A token of the operator's choice; in the environment, since everyone may read a command line.
const TOKEN: &str = "HOPSCOPE_TOKEN";
/// How long what still reads and writes files may take when everything else has ended.
const LONGEST_END: Duration = Duration::from_secs(8);

/// Arguments of `hopscope serve`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 takes a free one, an address beyond loopback asks for a token
    #[arg(long, default_value = ADDRESS, value_name = "ADDR")]
    listen: SocketAddr,

    /// Another name that the page may be opened by, like play.lab or 127.0.0.1:8080; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<HostName>,

    /// Open the page in this user's browser, at a run if one is named
    #[arg(long, value_name = "RUN", num_args = 0..=1)]
    open: Option<Option<RunId>>,

    #[command(flatten)]
    allow: Allow,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    keep: KeepRuns,

    #[command(flatten)]
    data: Data,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// When the address or the folder of runs cannot be had.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    let served = runtime.block_on(serve(arguments));
    // A client of a Kafka that was killed waits for its answer, however long that is.
    runtime.shutdown_timeout(LONGEST_END);
    served.map(|()| Exit::Fine)
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let access = access(arguments)?;
    let store = arguments.data.store_to_serve(arguments.keep.limits())?;
    if let Some(Some(id)) = &arguments.open {
        store.get(id).map_err(|error| arguments.data.explain(id, error))?;
    }
    let mut interrupts = Interrupts::listen()?;
    let (listener, address) = listen("--listen", arguments.listen).await?;
    let page = page_address(address, &access);
    let args = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("address", page.clone())];
    answer(&say(text!("cli.serving"), args))?;
    if access.token.is_some() {
        answer(&word(text!("cli.serving.token")))?;
    }
    if address.ip().is_unspecified() {
        answer(&say(text!("cli.serving.elsewhere"), [("host", authority(address, &access))]))?;
    }
    let usual = Config::new(Arc::new(EmbeddedPage), store);
    let brokers = arguments.allow.brokers()?;
    let config = Config { access, most_events: arguments.limits.max_events, brokers, ..usual };
    if let Some(run) = &arguments.open {
        browser::open(at_run(page, run.as_ref()));
    }
    let shutdown = async move { interrupts.next().await };
    Ok(hopscope_server::serve(config, listener, shutdown).await?)
}

/// Who may use the server: where others could reach it, who shows a token.
fn access(arguments: &Arguments) -> Result<Access> {
    let mut access = Access { hosts: arguments.hosts.clone(), token: None };
    access.token = match std::env::var_os(TOKEN) {
        Some(text) => {
            let token = Token::given(text.to_str().unwrap_or_default());
            Some(token.map_err(|fault| anyhow!(say(text!("cli.error.bad-token"), [("reason", fault.to_string())])))?)
        }
        None if access.needs_token(arguments.listen) => {
            Some(Token::random().with_context(|| word(text!("cli.error.no-randomness")))?)
        }
        None => None,
    };
    Ok(access)
}

/// What to open: the token is in it where one is asked for.
fn page_address(address: SocketAddr, access: &Access) -> String {
    let token = access.token.as_ref().map(|token| format!("/?token={}", token.secret()));
    format!("http://{}{}", authority(address, access), token.unwrap_or_default())
}

/// The page's address with the run that it shows.
fn at_run(mut page: String, run: Option<&RunId>) -> String {
    if let Some(id) = run {
        page.push_str(if page.contains('?') { "" } else { "/" });
        page.push_str(&format!("#run={id}"));
    }
    page
}

/// How the server is addressed: by the first name that was given to it, else by its address; one that listens on every
/// address by its loopback.
fn authority(address: SocketAddr, access: &Access) -> String {
    let port = address.port();
    match access.hosts.first() {
        Some(name) => name.authority(port),
        None if address.ip().is_unspecified() => {
            format!("{}:{port}", if address.is_ipv4() { "127.0.0.1" } else { "[::1]" })
        }
        None => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_opened() {
        let printed = |address: &str, hosts: &[&str], token: Option<&str>| {
            let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
            let token = token.map(|token| Token::given(token).unwrap());
            page_address(address.parse().unwrap(), &Access { hosts, token })
        };
        let token = "0123456789abcdef0123456789abcdef";
        assert_eq!(printed("127.0.0.1:7878", &[], None), "http://127.0.0.1:7878");
        assert_eq!(printed("0.0.0.0:80", &[], Some(token)), format!("http://127.0.0.1:80/?token={token}"));
        assert_eq!(printed("[::]:81", &[], Some(token)), format!("http://[::1]:81/?token={token}"));
        assert_eq!(printed("[::]:81", &["play.lab"], Some(token)), format!("http://play.lab:81/?token={token}"));
        assert_eq!(printed("192.168.1.7:81", &["a:9"], Some(token)), format!("http://a:9/?token={token}"));
        let run: RunId = "20261123-141530-7f3a".parse().unwrap();
        assert_eq!(at_run("http://a".to_owned(), Some(&run)), "http://a/#run=20261123-141530-7f3a");
        assert_eq!(at_run("http://a/?token=b".to_owned(), Some(&run)), "http://a/?token=b#run=20261123-141530-7f3a");
        assert_eq!(at_run("http://a".to_owned(), None), "http://a");
    }
}
