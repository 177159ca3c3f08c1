use std::net::SocketAddr;

use hopscope_rules::network::{Delays, Way};
use hopscope_scenario::model::Work;
use hopscope_scenario::quantity::Time;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Condition, Network};
use crate::record::clock::monotonic_ns;
use crate::timer::Timer;

/// Half of a round trip, in ns.
const HALF: i64 = 1_500_000;

fn delays(way: Way) -> Delays {
    Delays::new(42, "l1", 1, way, Work::Constant { mean: Time(2 * HALF.unsigned_abs()) })
}

fn undisturbed() -> watch::Receiver<Condition> {
    watch::channel(Condition::default()).1
}

/// A way to a fresh port, and the port.
async fn laid() -> (Network, SocketAddr, TcpListener) {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let network = Network::start(Timer::start().unwrap()).unwrap();
    let address =
        network.lay(target.local_addr().unwrap(), delays(Way::Out), delays(Way::Back), undisturbed()).unwrap();
    (network, address, target)
}

#[tokio::test]
async fn bytes_pass_unchanged_in_order_and_no_sooner_than_wanted() {
    let (network, address, target) = laid().await;
    let began = monotonic_ns();
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    let sent: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let sends = async {
        near.write_all(&sent).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let receives = async {
        let mut first = [0];
        far.read_exact(&mut first).await.unwrap();
        let arrived = monotonic_ns() - began;
        assert!(arrived >= 3 * HALF, "a round trip for the connection, half of one for the bytes: {arrived} ns");
        let mut rest = first.to_vec();
        far.read_to_end(&mut rest).await.unwrap();
        assert!(rest == expected);
    };
    tokio::join!(sends, receives);
    // One end has closed, the other still speaks.
    let answered = monotonic_ns();
    far.write_all(b"bye").await.unwrap();
    drop(far);
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"bye");
    assert!(monotonic_ns() - answered >= HALF);
    let late = network.lateness().take();
    assert!(late.count() >= 6, "five pieces of 64 KiB out, one back: {}", late.count());
    assert_eq!(network.lateness().take().count(), 0);
}

#[tokio::test]
async fn a_target_that_is_gone_ends_the_connection() {
    let (_network, address, target) = laid().await;
    drop(target);
    let mut answer = Vec::new();
    // Closed or reset, which may be before its beginning is told: it ends.
    match TcpStream::connect(address).await {
        Ok(mut near) => _ = near.read_to_end(&mut answer).await,
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    assert!(answer.is_empty());
}

#[tokio::test]
async fn dropping_it_ends_what_is_on_its_way_and_gives_the_port_back() {
    let (network, address, target) = laid().await;
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    near.write_all(b"never").await.unwrap();
    drop(network);
    let mut arrived = Vec::new();
    let _ = far.read_to_end(&mut arrived).await;
    assert!(arrived.is_empty(), "what was not due is gone");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens there");
}

#[tokio::test]
async fn no_more_is_on_the_way_than_there_is_room_for() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let network = Network::start(Timer::start().unwrap()).unwrap();
    let hour = || Work::Constant { mean: Time(3_600_000_000_000) };
    let (out, back) = (Delays::new(1, "l1", 1, Way::Out, hour()), Delays::new(1, "l1", 1, Way::Back, hour()));
    let address = network.lay(target.local_addr().unwrap(), out, back, undisturbed()).unwrap();
    let near = TcpStream::connect(address).await.unwrap();
    // What the relay, and the systems on both sides of its socket, hold is bounded: a sender comes to wait.
    let chunk = vec![0; 1 << 20];
    let mut taken = 0_usize;
    while tokio::time::timeout(std::time::Duration::from_millis(300), near.writable()).await.is_ok() {
        match near.try_write(&chunk) {
            Ok(written) => taken += written,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        assert!(taken < 64 << 20, "nothing holds the sender back");
    }
    assert!(taken >= 4 << 20);
}

/// A link without a delay of its own, what is done to it, where it begins, and where it leads.
async fn disturbable() -> (Network, watch::Sender<Condition>, SocketAddr, TcpListener) {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let network = Network::start(Timer::start().unwrap()).unwrap();
    let (condition, told) = watch::channel(Condition::default());
    let none = |way| Delays::new(42, "l1", 1, way, Work::Constant { mean: Time(0) });
    let address = network.lay(target.local_addr().unwrap(), none(Way::Out), none(Way::Back), told).unwrap();
    (network, condition, address, target)
}

#[tokio::test]
async fn a_cut_resets_what_stands_and_what_comes_until_it_is_mended() {
    let (_network, condition, address, target) = disturbable().await;
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    near.write_all(b"a").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();
    condition.send_replace(Condition { cut: true, ..Condition::default() });
    for end in [&mut near, &mut far] {
        let error = end.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    let refused = async {
        let mut late = TcpStream::connect(address).await?;
        late.read(&mut [0]).await
    };
    assert_eq!(refused.await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    condition.send_replace(Condition::default());
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    near.write_all(b"b").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();
}

#[tokio::test]
async fn a_delay_is_half_each_way_and_ends_with_it() {
    let (_network, condition, address, target) = disturbable().await;
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    let mut round_trip = async || {
        let began = monotonic_ns();
        near.write_all(b"a").await.unwrap();
        far.read_exact(&mut [0]).await.unwrap();
        let there = monotonic_ns() - began;
        far.write_all(b"b").await.unwrap();
        near.read_exact(&mut [0]).await.unwrap();
        (there, monotonic_ns() - began)
    };
    condition.send_replace(Condition { delay_ns: 20_000_000, ..Condition::default() });
    let (there, whole) = round_trip().await;
    assert!(there >= 10_000_000 && whole >= 20_000_000, "{there} {whole}");
}

#[tokio::test]
async fn a_throttled_link_lets_through_what_it_may_and_all_of_it_in_order() {
    let (_network, condition, address, target) = disturbable().await;
    let mut near = TcpStream::connect(address).await.unwrap();
    let (mut far, _) = target.accept().await.unwrap();
    // 100,000 bytes at 500,000 in a second: a fifth of a second, less the first piece.
    condition.send_replace(Condition { throttle: 500_000, ..Condition::default() });
    let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let began = monotonic_ns();
    let sends = async {
        near.write_all(&sent).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(sends, far.read_to_end(&mut received));
    read.unwrap();
    assert!(received == sent);
    assert!(monotonic_ns() - began >= 180_000_000, "{} ns", monotonic_ns() - began);
}
