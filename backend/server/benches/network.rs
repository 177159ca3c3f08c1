//! What a link's network adds to a round trip, against what it was asked to add.
//!
//! An outside client (a blocking socket of the standard library on a thread of its own) asks an echo on loopback in turn
//! directly and through a relay, so that the machine's own share is measured beside. Then runs of a client that calls a
//! service over HTTP/1.1, without and with that network: the same difference as their recordings tell it. Prints percentiles
//! in microseconds; it passes no judgement.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::Payload;
use hopscope_record::{Event, Kind};
use hopscope_rules::network::{Delays, Way};
use hopscope_scenario::model::Work;
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;
use hopscope_server::network::{Condition, Network};
use hopscope_server::record::{Memory, new_run_key};
use hopscope_server::run::{self, MOST_EVENTS, RunOptions};
use hopscope_server::timer::Timer;
use tokio::sync::watch;

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Round trips per wish.
const ROUNDS: usize = 1_000;
/// What the network is asked to add.
const WISHES: [Duration; 4] =
    [Duration::ZERO, Duration::from_micros(500), Duration::from_millis(2), Duration::from_millis(80)];
/// Between two round trips: as far apart as those of a client at 500 a second.
const APART: Duration = Duration::from_millis(2);

fn constant(wish: Duration) -> Work {
    Work::Constant { mean: Time(wish.as_nanos() as u64) }
}

/// Echoes whatever comes, a thread per connection.
fn echo() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                let _ = stream.set_nodelay(true);
                while let Ok(read) = stream.read(&mut buffer) {
                    if read == 0 || stream.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn round_trip(stream: &mut TcpStream) -> std::io::Result<i64> {
    let (began, mut buffer) = (Instant::now(), [7; 256]);
    stream.write_all(&buffer)?;
    stream.read_exact(&mut buffer)?;
    Ok(began.elapsed().as_nanos() as i64)
}

/// Round trips of an outside client, directly and through the network, by turns.
fn outside(network: &Network, wish: Duration) -> Result<(), Anything> {
    let target = echo()?;
    let delays = |way| Delays::new(1, "l1", 1, way, constant(wish));
    let mut direct = connect(target)?;
    let mut relayed =
        connect(network.lay(target, delays(Way::Out), delays(Way::Back), watch::channel(Condition::default()).1)?)?;
    round_trip(&mut relayed)?;
    drop(network.lateness().take());
    let (mut plain, mut through) = (Vec::new(), Vec::new());
    let rounds = if wish > Duration::from_millis(10) { ROUNDS / 10 } else { ROUNDS };
    for _ in 0..rounds {
        plain.push(round_trip(&mut direct)?);
        std::thread::sleep(APART);
        through.push(round_trip(&mut relayed)?);
        std::thread::sleep(APART);
    }
    let late = network.lateness().take();
    let wished = wish.as_nanos() as i64;
    let usual = percentile(&mut plain, 500);
    println_(&format!("outside client, {} wished, {rounds} round trips each way", words(wished)))?;
    print("directly", &mut plain)?;
    print("through the network, less the wish", &mut through.iter().map(|ns| ns - wished).collect::<Vec<_>>())?;
    print(
        "added beyond the wish (less the direct p50)",
        &mut through.iter().map(|ns| ns - wished - usual).collect::<Vec<_>>(),
    )?;
    let of = |share| late.percentile(share).unwrap_or_default() as f64 / 1000.0;
    println_(&format!("  late by its own measure, a piece: p50 {:.1} us, p99 {:.1} us", of(50.0), of(99.0)))
}

/// T2 - T1 of the calls of a run.
async fn run_of(network: Option<Duration>) -> Result<Vec<i64>, Anything> {
    let network = network.map(|wish| {
        format!(r#", "network": {{"distribution": "constant", "mean": "{} ms"}}"#, wish.as_secs_f64() * 1000.0)
    });
    let document = format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "network", "checks": [],
        "nodes": [{{"id": "n1", "name": "client", "kind": "client", "load": {{"kind": "constant", "rate": "500/s"}}}},
           {{"id": "n2", "name": "service", "kind": "service", "workers": 64,
             "work": {{"distribution": "constant", "mean": "0 ns"}}}}],
        "links": [{{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"{}}}]}}"#,
        network.unwrap_or_default()
    );
    let valid = validate(&document).map_err(|issues| format!("{issues:?}"))?;
    let memory = Memory::default();
    let settings = RunSettings { seed: 1, duration: Some(Time(3_000_000_000)), ..RunSettings::default() };
    let (id, key, scenario, sink) = ("network".to_owned(), new_run_key()?, valid.scenario, Box::new(memory.clone()));
    let options = RunOptions {
        id,
        key,
        scenario,
        settings,
        brokers: hopscope_server::broker::Brokers::default(),
        sink,
        most_events: MOST_EVENTS,
    };
    Box::pin(run::start(options)).await?.join().await;
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&memory.bytes());
    let (mut events, mut batch, mut batches) = (Vec::<Event>::new(), Vec::new(), EventDecoder::new());
    while let Some(frame) = decoder.next_frame()? {
        if let Payload::Events(payload) = frame.read()? {
            batches.decode(payload.batch, &mut batch)?;
            events.append(&mut batch);
        }
    }
    let sent: std::collections::BTreeMap<_, _> =
        events.iter().filter(|event| event.kind == Kind::SENT).map(|event| (event.message, event.time)).collect();
    let completed = events.iter().filter(|event| event.kind == Kind::COMPLETED);
    Ok(completed.filter_map(|event| Some(event.time - sent.get(&event.message)?)).collect())
}

fn percentile(times: &mut [i64], share: usize) -> i64 {
    times.sort_unstable();
    times.get(times.len() * share / 1000).copied().unwrap_or_default()
}

fn print(what: &str, times: &mut [i64]) -> Result<(), Anything> {
    let at = [500, 900, 990].map(|share| percentile(times, share) as f64 / 1000.0);
    println_(&format!("  {what}: p50 {:.1} us, p90 {:.1} us, p99 {:.1} us", at[0], at[1], at[2]))
}

fn words(ns: i64) -> String {
    format!("{} ms", ns as f64 / 1e6)
}

fn println_(line: &str) -> Result<(), Anything> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn main() -> Result<(), Anything> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let network = {
        let _entered = runtime.enter();
        Network::start(Timer::start()?)?
    };
    // On a thread of the runtime's own, so that sockets can be made.
    let _entered = runtime.enter();
    for wish in WISHES {
        outside(&network, wish)?;
    }
    runtime.block_on(async {
        let wish = Duration::from_millis(2);
        let mut plain = run_of(None).await?;
        let usual = percentile(&mut plain, 500);
        let mut through = run_of(Some(wish)).await?;
        println_("runs of 500 calls/s over HTTP/1.1, 2 ms wished, as recorded")?;
        print("T2 - T1 without a network", &mut plain)?;
        print("T2 - T1 with it", &mut through)?;
        let wished = wish.as_nanos() as i64;
        print(
            "added beyond the wish (less the p50 without)",
            &mut through.iter().map(|ns| ns - wished - usual).collect::<Vec<_>>(),
        )
    })
}
