//! What a protocol of calls over sockets has to have beside what all of them do alike.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;

use super::socket::address_of;
use super::{Address, BoxFuture, Caller, Door, Endpoint, Options, Transport, TransportError};
use crate::record::Recorder;

/// A protocol of calls whose places are sockets.
pub(super) trait OverSocket: Send + Sync {
    /// Which one.
    const PROTOCOL: Protocol;

    /// As [`Transport::bind`]: at a free port, or at `again`.
    fn bind(
        door: Door,
        again: Option<SocketAddr>,
    ) -> impl Future<Output = Result<Box<dyn Endpoint>, TransportError>> + Send + 'static;

    /// As [`Transport::caller`].
    ///
    /// # Errors
    /// When `options` are another protocol's.
    fn caller(address: SocketAddr, options: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError>;

    /// Has one connection of a calling end ready; resolves when it is.
    ///
    /// # Errors
    /// When nothing answers at `address`, or `options` are another protocol's.
    fn connect(
        address: SocketAddr,
        options: &Options,
        recorder: Recorder,
    ) -> impl Future<Output = Result<Arc<dyn Caller>, TransportError>> + Send + 'static;
}

impl<T: OverSocket> Transport for T {
    fn protocol(&self) -> Protocol {
        T::PROTOCOL
    }

    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Box::pin(<T as OverSocket>::bind(door, None))
    }

    fn bind_again(
        &self,
        door: Door,
        address: Address,
    ) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Box::pin(async move { <T as OverSocket>::bind(door, Some(address_of(&address, T::PROTOCOL)?)).await })
    }

    fn caller(
        &self,
        address: &Address,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Arc<dyn Caller>, TransportError> {
        <T as OverSocket>::caller(address_of(address, T::PROTOCOL)?, options, recorder)
    }

    fn connect(
        &self,
        address: Address,
        options: &Options,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        match address_of(&address, T::PROTOCOL) {
            Ok(address) => Box::pin(<T as OverSocket>::connect(address, options, recorder)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}
