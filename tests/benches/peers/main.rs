//! The load beside that of others: `cargo xtask bench peers [calls | thrift] [pacer] [messaging]`.
//!
//! - `calls`: what processor time a call costs its client. A run calls a service, each node a process; then others call that same
//!   service: oha over HTTP/1.1, ghz and a bare client of the crate h2 over gRPC, programs of Apache's Thrift in Go and in Python, by turns. All keep 64 calls under way, as fast as
//!   these come back, and then 2,000 a second. Time is what the client's process has used between two looks, calls are those that the
//!   service has stamped as replied to between them: so all are counted by the same. `thrift`: of these what goes over Thrift alone.
//! - `pacer`: how far from its schedule a load of 1,000/s is, beside oha's: by the service's stamps of arrival, and of the run by its own
//!   stamps too; and what comes of 50,000/s within one process.
//! - `messaging`: what processor time a message costs who publishes it and who takes it, how many there are a second and how long a
//!   confirm takes. A run publishes and takes, each node a process; then others do at the queue or topic of another run at that
//!   same broker, by turns: bare clients of the crates lapin and rdkafka, RabbitMQ's PerfTest in Java, confluent-kafka in Python. The
//!   brokers are a Kafka and a RabbitMQ that Hopscope starts, and those that it has built in.
//!
//! It prints, and passes no judgement.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

mod bare;
mod calls;
mod messaging;
mod pacer;
mod run;

use anyhow::Result;

fn main() -> Result<()> {
    // Cargo has options of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.first().map(String::as_str) {
        // The nodes of its runs are processes of this same program.
        Some("node") => return Ok(hopscope_server::run::serve_node()?),
        Some("bare") if words.get(1).is_some_and(|word| ["kafka", "amqp"].contains(&word.as_str())) => {
            return messaging::bare::run(&words[1..]);
        }
        Some("bare") => return bare::run(&words[1..]),
        _ => {}
    }
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let runtime = tokio::runtime::Runtime::new()?;
    let thrift = words.iter().any(|word| word == calls::THRIFT);
    if wanted("calls") || thrift {
        runtime.block_on(calls::measure(|protocol| !thrift || protocol == calls::THRIFT))?;
    }
    if wanted("pacer") {
        runtime.block_on(pacer::measure())?;
    }
    if wanted("messaging") {
        runtime.block_on(messaging::measure())?;
    }
    Ok(())
}
