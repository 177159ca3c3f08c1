//! Bare clients of the crates that a run's ends are made of: nothing is recorded, and nothing looked at but that it is confirmed.
//!
//! `kafka|amqp publish HOST:PORT NAME AT_ONCE SECONDS BYTES LINGER_MS [RATE]` and `kafka|amqp read HOST:PORT NAME SECONDS`, as
//! `tests/outside/records.py` has them; they print what that prints.

mod amqp;
mod kafka;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use hopscope_server::record::clock::monotonic_ns;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// From one count that is noted to the next, ns.
const NOTED: i64 = 10_000_000;

/// Does what the words say.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    tokio::runtime::Runtime::new()?.block_on(async {
        let told = Arc::<Told>::default();
        match words[..] {
            [system, "publish", to, name, at_once, seconds, bytes, linger_ms, ref rate @ ..] => {
                let rate = rate.first().map(|rate| rate.parse()).transpose()?;
                let offered = Offered { at_once: at_once.parse()?, until: until(seconds)?, rate };
                let body: Arc<[u8]> = vec![b'x'; bytes.parse()?].into();
                if system == "kafka" {
                    let publisher = kafka::Publisher::open(to, name, linger_ms, body)?;
                    offered.publish(&told, move || publisher.clone().publish()).await?;
                } else {
                    let publisher = amqp::Publisher::open(to, name, body).await?;
                    offered.publish(&told, move || publisher.clone().publish()).await?;
                }
            }
            ["kafka", "read", from, name, seconds] => kafka::read(from, name, until(seconds)?, &told).await?,
            ["amqp", "read", from, name, seconds] => amqp::read(from, name, until(seconds)?, &told).await?,
            _ => bail!("{words:?} is neither a publisher nor a reader"),
        }
        told.print();
        Ok(())
    })
}

fn until(seconds: &str) -> Result<Instant> {
    Ok(Instant::now() + Duration::from_secs(seconds.parse()?))
}

/// A load.
struct Offered {
    /// Messages that wait for their confirm, at most.
    at_once: usize,
    until: Instant,
    /// How many a second; else as they are confirmed.
    rate: Option<u32>,
}

impl Offered {
    /// Publishes by `one`, which resolves when it is confirmed.
    async fn publish<F>(self, told: &Arc<Told>, one: impl Fn() -> F + Clone + Send + 'static) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let until = self.until;
        let Some(rate) = self.rate else {
            let users = (0..self.at_once).map(|_| {
                let (one, told) = (one.clone(), Arc::clone(told));
                tokio::spawn(async move {
                    while Instant::now() < until {
                        told.confirmed(one()).await?;
                    }
                    Ok::<_, anyhow::Error>(())
                })
            });
            for user in users.collect::<Vec<_>>() {
                user.await??;
            }
            return Ok(());
        };
        let permits = Arc::new(Semaphore::new(self.at_once));
        let mut ticks = interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while Instant::now() < until {
            ticks.tick().await;
            let (permit, told) = (Arc::clone(&permits).acquire_owned().await?, Arc::clone(told));
            let publish = one();
            tokio::spawn(async move {
                // What is wrong shows in the counts: it is in none.
                let _ = told.confirmed(publish).await;
                drop(permit);
            });
        }
        Ok(())
    }
}

/// What a client tells at its end.
#[derive(Default)]
struct Told {
    count: AtomicU64,
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    counts: Vec<(i64, u64)>,
    took: Vec<(i64, i64)>,
}

impl Told {
    /// Tells of one that is to be confirmed.
    async fn confirmed(&self, publish: impl Future<Output = Result<()>>) -> Result<()> {
        let sent = monotonic_ns();
        publish.await?;
        let now = self.another();
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).took.push((now, now - sent));
        Ok(())
    }

    /// Another one was confirmed or taken, now in raw ns.
    fn another(&self) -> i64 {
        let (now, count) = (monotonic_ns(), self.count.fetch_add(1, Ordering::Relaxed));
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.counts.last().is_none_or(|(at, _)| now - at > NOTED) {
            rows.counts.push((now, count));
        }
        now
    }

    fn print(&self) {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{}", json!({"counts": rows.counts, "took": rows.took}));
    }
}
