//! Runs whose links have a network between their ends.

use std::collections::BTreeMap;

use hopscope_scenario::validate::validate;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::record::clock::monotonic_ns;

/// Half of the round trip that the documents ask for.
const HALF: i64 = 2 * MS as i64;

const NETWORK: &str = r#", "network": {"distribution": "constant", "mean": "4 ms"}"#;

fn nodes() -> String {
    r#"{"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "200/s", "count": 20}},
       {"id": "n2", "kind": "service", "name": "shop", "replicas": 2, "workers": 4,
        "work": {"distribution": "constant", "mean": "1 ms"}}"#
        .to_owned()
}

fn scenario(more: &str, links: &str) -> Scenario {
    let nodes = nodes();
    let text = format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "far", "nodes": [{nodes}{more}], "links": [{links}]}}"#
    );
    validate(&text).unwrap().scenario
}

/// The times of the first event of a kind on a link, by the message.
fn times(events: &[Event], kind: Kind, link: u16) -> BTreeMap<hopscope_record::MessageId, i64> {
    let found = events.iter().filter(|event| event.kind == kind && event.link == LinkIndex(link));
    found.map(|event| (event.message, event.time)).collect()
}

async fn a_call_takes_half_of_it_each_way(protocol: &str) {
    let link = format!(r#"{{"id": "l1", "from": "n1", "to": "n2", "protocol": "{protocol}"{NETWORK}}}"#);
    let (run, memory) = begin_scenario(scenario("", &link), 60_000 * MS, DRAIN).await;
    let summary = run.join().await;
    assert_eq!((summary.lost, &summary.failure), (0, &None));
    memory.keeps_the_laws();
    let (events, _) = memory.read();
    let [sent, received, replied, completed] =
        [Kind::SENT, Kind::RECEIVED, Kind::REPLIED, Kind::COMPLETED].map(|kind| times(&events, kind, 0));
    assert_eq!(completed.len(), 20);
    for (message, completed) in completed {
        assert!(received[&message] - sent[&message] >= HALF);
        assert!(completed - replied[&message] >= HALF);
    }
    let passed: i64 = memory.samples().iter().filter_map(|sample| sample.get(Measure::NETWORK_PASSED)).sum();
    // Of the time to the last sample, which the end does not wait for.
    assert!(passed > 0, "{:?}", memory.samples());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_half_of_it_each_way_over_http1() {
    a_call_takes_half_of_it_each_way("http1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_half_of_it_each_way_over_grpc() {
    a_call_takes_half_of_it_each_way("grpc").await;
}

/// Only the publisher is far from the broker; then only the service is.
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_late_where_the_network_is() {
    let queues = r#", {"id": "n3", "kind": "queue", "name": "orders", "prefetch": 8}, {"id": "n4", "kind": "queue", "name": "answers"}"#;
    for (publishing, taking) in [(NETWORK, ""), ("", NETWORK)] {
        let links = format!(
            r#"{{"id": "l1", "from": "n1", "to": "n3", "protocol": "amqp", "replies": "n4"{publishing}}},
               {{"id": "l2", "from": "n3", "to": "n2", "protocol": "amqp"{taking}}}"#
        );
        let (run, memory) = begin_scenario(scenario(queues, &links), 60_000 * MS, DRAIN).await;
        run.join().await;
        memory.keeps_the_laws();
        let (events, _) = memory.read();
        // The links: to the queue, from it, the service's to the queue of replies, from there.
        let pairs = [(Kind::PUBLISHED, 0, Kind::ENQUEUED, 0), (Kind::DELIVERED, 1, Kind::RECEIVED, 1)];
        let replies = [(Kind::PUBLISHED, 2, Kind::ENQUEUED, 2), (Kind::DELIVERED, 3, Kind::RECEIVED, 3)];
        let late = pairs.into_iter().chain(replies).map(|(from, over, to, at)| {
            let (from, to) = (times(&events, from, over), times(&events, to, at));
            assert_eq!(to.len(), 20);
            to.iter().all(|(message, time)| time - from[message] >= HALF)
        });
        let late: Vec<_> = late.collect();
        if publishing.is_empty() {
            assert!(late[1] && late[2], "the service takes and replies from afar: {late:?}");
        } else {
            assert!(late[0] && late[3], "the client sends and is answered from afar: {late:?}");
        }
    }
}

/// What the recording has is what a program that is no part of the run sees.
#[tokio::test(flavor = "multi_thread")]
async fn an_outside_client_is_as_far_away() {
    let link = format!(r#"{{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"{NETWORK}}}"#);
    let mut scenario = scenario("", &link);
    let NodeKind::Client(client) = &mut scenario.nodes[0].kind else { panic!("the first node is a client") };
    client.load = Load::Constant(OpenLoad { rate: Rate(1_000_000), in_flight: 10, count: None });
    let (run, _memory) = begin_scenario(scenario, 60_000 * MS, DRAIN).await;
    assert_eq!(run.networks().len(), 2, "one to each replica");
    let (link, _, begins) = run.networks()[0];
    assert_eq!(link, LinkIndex(0));
    let began = monotonic_ns();
    let mut stream = TcpStream::connect(begins).await.unwrap();
    let request = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let took = monotonic_ns() - began;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(took >= 4 * HALF + MS as i64, "a round trip for the connection, one for the call, and its work: {took} ns");
    run.stop();
    run.join().await;
    assert!(TcpStream::connect(begins).await.is_err(), "nothing of it is left");
}
