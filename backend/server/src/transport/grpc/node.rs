//! The services of a replica: every request goes through its door.

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::proto::greeter::greeter_server::Greeter;
use super::proto::greeter::{HelloReply, HelloRequest};
use super::proto::node::node_server::Node;
use super::proto::node::{CallReply, CallRequest};
use super::{code, number};
use crate::transport::{Answer, Body, Door, Verdict};

/// What answers at a replica's port. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Replica {
    door: Door,
}

impl Replica {
    /// What enters by `door`.
    pub(super) fn new(door: Door) -> Self {
        Self { door }
    }

    /// Lets a request in and gives what its good answer carries. `finish` may change what that is.
    async fn admit(
        &self,
        metadata: &MetadataMap,
        body: Body,
        finish: impl FnOnce(&mut Bytes) + Send + 'static,
    ) -> Result<Bytes, Status> {
        let traceparent = metadata.get(TRACEPARENT).and_then(|value| TraceParent::parse(value.as_bytes()));
        let hs = metadata.get_all(TRACESTATE).iter().find_map(|value| parse_tracestate(value.as_bytes()));
        let say = move |answer: &mut Answer| {
            match answer.verdict {
                Verdict::Good => finish(&mut answer.body),
                // A status has no message beside it.
                Verdict::Refused | Verdict::Failed => answer.body.clear(),
            }
            number(code(answer.verdict))
        };
        let Answer { verdict, body } = self.door.admit_claimed(traceparent, hs, body, say).await;
        match verdict {
            Verdict::Good => Ok(body),
            Verdict::Refused => Err(Status::new(code(verdict), "The waiting room is full.")),
            Verdict::Failed => Err(Status::new(code(verdict), "The work failed.")),
        }
    }
}

#[tonic::async_trait]
impl Node for Replica {
    async fn call(&self, request: Request<CallRequest>) -> Result<Response<CallReply>, Status> {
        let (metadata, _, CallRequest { body, content_type }) = request.into_parts();
        let body = Body::arrived(Some(&content_type), body);
        let body = self.admit(&metadata, body, |_| {}).await?;
        Ok(Response::new(CallReply { body }))
    }
}

#[tonic::async_trait]
impl Greeter for Replica {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let (metadata, _, HelloRequest { name }) = request.into_parts();
        let message = format!("Hello {name}");
        let greeting = Bytes::from(message.clone());
        self.admit(&metadata, Body::arrived(Some("text/plain"), name.into()), move |body| *body = greeting).await?;
        Ok(Response::new(HelloReply { message }))
    }
}
