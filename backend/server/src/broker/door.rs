//! A port of a run's choice that leads to a broker which listens at another: what comes there is passed on, byte by byte.
//!
//! A client of Kafka asks there first, and goes on at the address that the broker tells it.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::BrokerError;
use crate::tasks::Tasks;
use crate::transport::{Socket, accept};

/// It, open as long as it is kept; who is within leaves with it.
pub struct Door {
    at: SocketAddr,
    tasks: Tasks,
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
        let tasks = Tasks::new(Handle::current());
        tasks.spawn(accept(listener, move |outside, _| pass(outside, broker), tasks.clone()));
        Ok(Self { at, tasks })
    }

    /// Where it is.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.at
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// A broker that is away takes nobody in: who came is told so by the end of its connection.
async fn pass(mut outside: Socket, broker: SocketAddr) {
    let Ok(mut inside) = TcpStream::connect(broker).await else { return };
    // Either of them may break off.
    let _ = inside.set_nodelay(true);
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
