//! What a broker that runs on its own has, over HTTP: lists as they are at the moment, as JSON, for reading only.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router, middleware};
use hopscope_amqp::{BindingStatus, Broker, ConnectionStatus, ExchangeStatus, QueueStatus, VirtualHost};
use serde::Serialize;

use crate::access::Access;
use crate::api::error::{ApiError, UNKNOWN_LIST, method_not_allowed};
use crate::api::guard::{Guard, check};

/// The routes, for an address that is listened on; only requests that name it are answered.
pub(super) fn router(broker: Broker<()>, address: SocketAddr) -> Router {
    let guard = Arc::new(Guard::new(address, &Access::default()));
    Router::new()
        .route("/", get(index))
        .route("/api/queues", get(queues))
        .route("/api/exchanges", get(exchanges))
        .route("/api/bindings", get(bindings))
        .route("/api/connections", get(connections))
        .fallback(unknown)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(broker)
        .layer(middleware::from_fn_with_state(guard, check))
}

/// What there is to be asked.
#[derive(Serialize)]
struct Index {
    /// Always `hopscope`.
    name: &'static str,
    /// The build's version.
    version: &'static str,
    /// Where clients of AMQP connect.
    amqp: String,
    /// Names of virtual hosts.
    virtual_hosts: Vec<String>,
    /// Bytes that messages take.
    memory: usize,
    /// The lists.
    lists: [&'static str; 4],
}

async fn index(State(broker): State<Broker<()>>) -> Json<Index> {
    Json(Index {
        name: "hopscope",
        version: env!("CARGO_PKG_VERSION"),
        amqp: format!("amqp://{}", broker.address()),
        virtual_hosts: broker.virtual_hosts().iter().map(|host| host.name().to_owned()).collect(),
        memory: broker.memory(),
        lists: ["/api/queues", "/api/exchanges", "/api/bindings", "/api/connections"],
    })
}

async fn queues(State(broker): State<Broker<()>>) -> Json<Vec<QueueStatus>> {
    of_each(&broker, VirtualHost::queues)
}

async fn exchanges(State(broker): State<Broker<()>>) -> Json<Vec<ExchangeStatus>> {
    of_each(&broker, VirtualHost::exchanges)
}

async fn bindings(State(broker): State<Broker<()>>) -> Json<Vec<BindingStatus>> {
    of_each(&broker, VirtualHost::bindings)
}

async fn connections(State(broker): State<Broker<()>>) -> Json<Vec<ConnectionStatus>> {
    of_each(&broker, VirtualHost::connections)
}

/// Nothing is told at this address.
async fn unknown(uri: Uri) -> ApiError {
    ApiError::new(&UNKNOWN_LIST, uri.path())
}

/// What each virtual host has, one after the other.
fn of_each<T>(broker: &Broker<()>, list: impl Fn(&VirtualHost<()>) -> Vec<T>) -> Json<Vec<T>> {
    Json(broker.virtual_hosts().iter().flat_map(list).collect())
}
