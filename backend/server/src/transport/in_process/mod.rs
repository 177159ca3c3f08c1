//! A direct call in one program: no socket, no bytes on a wire, the baseline that every protocol is compared with.

use std::sync::Arc;

use hopscope_record::MessageId;
use hopscope_scenario::protocol::Protocol;
use tokio_util::sync::CancellationToken;

use super::{
    Address, Answer, BoxFuture, CallError, Caller, Door, Endpoint, Outgoing, Reply, Transport, TransportError,
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

#[derive(Debug)]
struct Port {
    door: Door,
    closed: CancellationToken,
}

impl Transport for InProcess {
    fn protocol(&self) -> Protocol {
        Protocol::InProcess
    }

    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        let port = Arc::new(Port { door, closed: CancellationToken::new() });
        Box::pin(async { Ok(Box::new(InProcessEndpoint { port }) as Box<dyn Endpoint>) })
    }

    fn connect(&self, address: Address, _: Recorder) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Box::pin(async move {
            match address {
                Address::InProcess(InProcessAddress { port }) => {
                    Ok(Arc::new(InProcessCaller { port }) as Arc<dyn Caller>)
                }
                address => Err(TransportError::ForeignAddress { protocol: Protocol::InProcess, address }),
            }
        })
    }
}

struct InProcessEndpoint {
    port: Arc<Port>,
}

impl Endpoint for InProcessEndpoint {
    fn address(&self) -> Address {
        Address::InProcess(InProcessAddress { port: Arc::clone(&self.port) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.port.closed.cancel();
        Box::pin(std::future::ready(()))
    }
}

impl Drop for InProcessEndpoint {
    fn drop(&mut self) {
        self.port.closed.cancel();
    }
}

struct InProcessCaller {
    port: Arc<Port>,
}

impl Caller for InProcessCaller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            if self.port.closed.is_cancelled() {
                return Err(CallError::Closed);
            }
            let Outgoing { identity, body, carried, .. } = outgoing;
            carried.set(true);
            let say = |answer: &mut Answer| http_status(answer.verdict);
            let answer = self.port.door.admit(identity, MessageId::NONE, body, say);
            tokio::select! {
                answer = answer => {
                    Ok(Reply { verdict: answer.verdict, status: http_status(answer.verdict), body: answer.body })
                }
                () = self.port.closed.cancelled() => Err(CallError::Closed),
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
