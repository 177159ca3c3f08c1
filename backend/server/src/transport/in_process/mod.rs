//! A direct call in one program: no socket, no bytes on a wire, the baseline that every protocol is compared with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::MessageId;
use hopscope_scenario::protocol::Protocol;
use tokio_util::sync::CancellationToken;

use super::{
    Address, Answer, BoxFuture, CallError, Caller, Door, Endpoint, Options, Outgoing, Reply, Transport, TransportError,
    http_status,
};
use crate::record::Recorder;

/// The direct call.
#[derive(Clone, Copy, Debug)]
pub struct InProcess;

/// A receiving end in this program.
#[derive(Clone, Debug)]
pub struct InProcessAddress {
    port: Arc<Port>,
}

/// A place that callers know, and what answers there.
#[derive(Debug)]
struct Port(Mutex<Opened>);

#[derive(Clone, Debug)]
struct Opened {
    door: Door,
    closed: CancellationToken,
}

impl Opened {
    fn new(door: Door) -> Self {
        Self { door, closed: CancellationToken::new() }
    }
}

impl Port {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        // It is set whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for InProcess {
    fn protocol(&self) -> Protocol {
        Protocol::InProcess
    }

    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        let opened = Opened::new(door);
        let closed = opened.closed.clone();
        let port = Arc::new(Port(Mutex::new(opened)));
        Box::pin(async { Ok(Box::new(InProcessEndpoint { port, closed }) as Box<dyn Endpoint>) })
    }

    fn bind_again(
        &self,
        door: Door,
        address: Address,
    ) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Box::pin(async move {
            let port = port_of(&address)?;
            let opened = Opened::new(door);
            let closed = opened.closed.clone();
            *port.opened() = opened;
            Ok(Box::new(InProcessEndpoint { port, closed }) as Box<dyn Endpoint>)
        })
    }

    fn caller(&self, address: &Address, _: &Options, _: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Ok(Arc::new(InProcessCaller { port: port_of(address)? }))
    }

    fn connect(
        &self,
        address: Address,
        options: &Options,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        let caller = self.caller(&address, options, recorder);
        Box::pin(async { caller })
    }
}

fn port_of(address: &Address) -> Result<Arc<Port>, TransportError> {
    match address {
        Address::InProcess(InProcessAddress { port }) => Ok(Arc::clone(port)),
        Address::Socket(_) => {
            Err(TransportError::ForeignAddress { protocol: Protocol::InProcess, address: address.clone() })
        }
    }
}

struct InProcessEndpoint {
    port: Arc<Port>,
    closed: CancellationToken,
}

impl Endpoint for InProcessEndpoint {
    fn address(&self) -> Address {
        Address::InProcess(InProcessAddress { port: Arc::clone(&self.port) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.closed.cancel();
        Box::pin(std::future::ready(()))
    }
}

impl Drop for InProcessEndpoint {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

struct InProcessCaller {
    port: Arc<Port>,
}

impl Caller for InProcessCaller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            let Opened { door, closed } = self.port.opened().clone();
            if closed.is_cancelled() {
                return Err(CallError::Closed);
            }
            let Outgoing { identity, body, carried, .. } = outgoing;
            carried.set(true);
            let say = |answer: &mut Answer| http_status(answer.verdict);
            let answer = door.admit(identity, MessageId::NONE, body, say);
            tokio::select! {
                answer = answer => {
                    Ok(Reply { verdict: answer.verdict, status: http_status(answer.verdict), body: answer.body, position: None })
                }
                () = closed.cancelled() => Err(CallError::Closed),
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
