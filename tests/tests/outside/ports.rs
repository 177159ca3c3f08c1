//! Nodes at ports that the run's settings fix, as programs expect them that know no other.

use std::net::TcpListener;

use anyhow::{Context as _, Result, ensure};
use hopscope_scenario::plan::{FixedPorts, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::Address;
use hopscope_tests::http::post;
use hopscope_tests::runs::{scenario, start_with};
use lapin::{Connection, ConnectionProperties};
use serde_json::json;

/// A port that is free now, and so is the next.
pub(crate) fn free() -> Result<u16> {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return Ok(port);
        }
    }
}

fn document() -> serde_json::Value {
    json!({"format": "hopscope-scenario", "version": 1, "name": "fixed", "nodes": [
        {"id": "n1", "name": "buyers", "kind": "client", "load": {"kind": "constant", "rate": "20/s"}},
        {"id": "n2", "name": "shop", "kind": "service", "replicas": 2, "work": {"distribution": "constant", "mean": "1 ms"}},
        {"id": "n3", "name": "mail", "kind": "queue"}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]})
}

fn settings(ports: &str) -> RunSettings {
    RunSettings { duration: Some(Time(60_000_000_000)), ports: FixedPorts::new(ports), ..RunSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_listen_at_the_ports_that_are_fixed() -> Result<()> {
    let (shop, mail) = (free()?, free()?);
    let settings = settings(&format!("shop/http1={shop}, n3/amqp={mail}"));
    let started = start_with(scenario(&document())?, &Brokers::default(), settings).await?;
    let sockets: Vec<u16> = started
        .run
        .addresses()
        .iter()
        .filter_map(|(_, _, address)| if let Address::Socket(socket) = address { Some(socket.port()) } else { None })
        .collect();
    assert_eq!(sockets, [shop, shop + 1, mail]);
    for port in [shop, shop + 1] {
        assert_eq!(post(([127, 0, 0, 1], port).into(), &Vec::new(), b"hello").await?.0, 200);
    }
    let uri = format!("amqp://guest:guest@127.0.0.1:{mail}/%2f");
    let broker = Connection::connect(&uri, ConnectionProperties::default()).await?;
    broker.close(200, "done".into()).await?;
    started.run.stop();
    started.finish().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_with_what_to_do() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    for (ports, who) in [(format!("shop/http1={port}"), "shop"), (format!("mail/amqp={port}"), "the built-in broker")] {
        let refused = start_with(scenario(&document())?, &Brokers::default(), settings(&ports)).await.err();
        let text = format!("{:#}", refused.context("it listens there all the same")?);
        for part in [who, &format!("127.0.0.1:{port}"), "End the program that listens there"] {
            ensure!(text.contains(part), "{text} does not say {part}");
        }
    }
    Ok(())
}
