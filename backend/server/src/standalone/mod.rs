//! The built-in broker on its own: for any program of this machine, without a run, until it is told to end.
//!
//! Nothing is stamped and nothing kept: this is the broker that a run has, with an observer that hears nothing.

mod administration;

use std::future::Future;
use std::io;
use std::time::Duration;

use hopscope_amqp::Config;
pub use hopscope_amqp::User;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests that are not answered yet hold up the end.
const ADMINISTRATION_ENDS: Duration = Duration::from_secs(1);

/// Who is let in where, and how much it may take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may connect.
    pub users: Vec<User>,
    /// Names of virtual hosts beside `/`.
    pub virtual_hosts: Vec<String>,
    /// Bytes of messages beyond which publishers wait ([`Config::memory_max`]).
    pub memory_max: usize,
}

/// Serves AMQP 0-9-1 on `listener`, and its administration over HTTP on `administration` where there is one, until
/// `shutdown` resolves and every client has been told (`connection.close` with 320).
///
/// Both are for loopback: clients from elsewhere are let go without a word, and the administration asks for no token.
///
/// # Errors
/// When a listener has no address or accepting failed for good.
pub async fn serve(
    listener: TcpListener,
    administration: Option<TcpListener>,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    crate::open_files::raise();
    let Settings { users, virtual_hosts, memory_max } = settings;
    let config = Config { users, virtual_hosts, memory_max, ..Config::default() };
    let (broker, serving) = hopscope_amqp::serve(listener, config, (), shutdown)?;
    let Some(administration) = administration else {
        serving.await;
        return Ok(());
    };
    let app = administration::router(broker, administration.local_addr()?);
    let ended = CancellationToken::new();
    let stop = ended.clone().cancelled_owned();
    let administered = async { axum::serve(administration, app).with_graceful_shutdown(stop).await };
    tokio::pin!(administered, serving);
    tokio::select! {
        () = &mut serving => ended.cancel(),
        failed = &mut administered => return failed,
    }
    tokio::time::timeout(ADMINISTRATION_ENDS, administered).await.unwrap_or(Ok(()))
}
