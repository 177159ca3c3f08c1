//! The receiving end: one listener per replica with all its services, each connection and each of its streams a task.

use std::net::SocketAddr;

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tonic::service::Routes;
use tonic_reflection::server::Builder;

use super::node::Replica;
use super::proto::DESCRIPTORS;
use super::proto::greeter::greeter_server::GreeterServer;
use super::proto::node::node_server::NodeServer;
use super::{Group, MESSAGE_LIMIT};
use crate::tasks::Tasks;
use crate::transport::socket::Socket;
use crate::transport::{Door, Endpoint, TransportError, socket};

/// Listens on a loopback port, a free one or `again` that of a replica that has crashed.
pub(super) async fn bind(door: Door, again: Option<SocketAddr>) -> Result<Box<dyn Endpoint>, TransportError> {
    let routes =
        routes(Replica::new(door)).await.map_err(|error| TransportError::Bind(std::io::Error::other(error)))?;
    socket::listen(again, move |stream, tasks| serve(stream, tasks, routes.clone())).await
}

/// Everything that answers at the port.
async fn routes(replica: Replica) -> Result<Routes, tonic_reflection::server::Error> {
    let node = NodeServer::new(replica.clone()).max_decoding_message_size(MESSAGE_LIMIT);
    let greeter = GreeterServer::new(replica).max_decoding_message_size(MESSAGE_LIMIT);
    let (reporter, health) = tonic_health::server::health_reporter();
    // A replica that can be reached serves: what it does with a request is the scenario's.
    reporter.set_serving::<NodeServer<Replica>>().await;
    reporter.set_serving::<GreeterServer<Replica>>().await;
    // Many clients ask for v1alpha alone.
    let routes = Routes::new(node)
        .add_service(greeter)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.prepare())
}

/// Tells of every service, of both versions of its own too, whichever of them is asked.
fn reflection() -> Builder<'static> {
    Builder::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

async fn serve(stream: Socket, tasks: Tasks, routes: Routes) {
    let mut server = hyper::server::conn::http2::Builder::new(Group(tasks));
    // Requests wait in the service, where that is recorded, and not in a caller's connection for a stream.
    server.max_concurrent_streams(None);
    // An error is a caller that went away or speaks no HTTP/2: the caller's own events tell of it.
    if let Err(error) = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await {
        tracing::debug!("a connection ended: {error}");
    }
}
