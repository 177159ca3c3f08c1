//! A port of a run's choice that leads to a broker which listens at another: what comes there is passed on, byte by byte.
//!
//! A client of Kafka asks there first, and goes on at the address that the broker tells it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::BrokerError;

/// How long to wait after a failed accept, which fails again while the system has no more files.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// It, open as long as it is kept.
pub struct Door {
    at: SocketAddr,
    _open: AbortOnDropHandle<()>,
}

impl Door {
    /// Opens one at this port of loopback.
    ///
    /// # Errors
    /// When another program listens there.
    pub async fn open(port: u16, broker: SocketAddr) -> Result<Self, BrokerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| BrokerError::Door { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        Ok(Self { at, _open: AbortOnDropHandle::new(tokio::spawn(lead(listener, broker))) })
    }

    /// Where it is.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.at
    }
}

/// Takes in whoever comes, until it is dropped, and they with it.
async fn lead(listener: TcpListener, broker: SocketAddr) {
    let mut within = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((outside, _)) => {
                within.spawn(pass(outside, broker));
            }
            Err(error) => {
                tracing::warn!("a connection to a broker could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
        while within.try_join_next().is_some() {}
    }
}

/// A broker that is away takes nobody in: who came is told so by the end of its connection.
async fn pass(mut outside: TcpStream, broker: SocketAddr) {
    let Ok(mut inside) = TcpStream::connect(broker).await else { return };
    let _ = (outside.set_nodelay(true), inside.set_nodelay(true));
    // Either of them may break off.
    let _ = copy_bidirectional(&mut outside, &mut inside).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_comes_is_passed_on_both_ways_until_it_is_shut() {
        let broker = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let door = Door::open(0, broker.local_addr().unwrap()).await.unwrap();
        assert!(door.at().ip().is_loopback());
        let mut outside = TcpStream::connect(door.at()).await.unwrap();
        let (mut inside, _) = broker.accept().await.unwrap();
        let mut read = [0; 4];
        outside.write_all(b"ping").await.unwrap();
        inside.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");
        inside.write_all(b"pong").await.unwrap();
        outside.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"pong");
        let at = door.at();
        let taken = Door::open(at.port(), at).await.err();
        assert!(matches!(taken, Some(BrokerError::Door { address, .. }) if address == at), "{taken:?}");
        drop(door);
        assert_eq!(outside.read(&mut read).await.unwrap(), 0, "who is within is let out");
        let gone = TcpStream::connect(at).await;
        assert!(gone.is_err(), "it is open still");
    }
}
