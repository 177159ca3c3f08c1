//! A bare client of the crate h2: gRPC by hand on one connection, nothing recorded, nothing looked at but that a reply is whole.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::run::BODY;

/// The words: where to, how many calls at once, for how many seconds, and how many a second where it is a rate.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let [to, at_once, seconds, rate @ ..] = words else { anyhow::bail!("to, calls at once, seconds") };
    let (at_once, until) = (at_once.parse()?, Duration::from_secs(seconds.parse()?));
    let rate = rate.first().map(|rate| rate.parse()).transpose()?;
    tokio::runtime::Runtime::new()?.block_on(call(to, at_once, until, rate))
}

async fn call(to: &str, at_once: usize, lasts: Duration, rate: Option<u32>) -> Result<()> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    let until = Instant::now() + lasts;
    let uri: Arc<str> = format!("http://{to}/hopscope.v1.Node/Call").into();
    match rate {
        None => {
            let calls = (0..at_once).map(|_| {
                let (sender, uri) = (sender.clone(), Arc::clone(&uri));
                tokio::spawn(async move {
                    while Instant::now() < until {
                        one(sender.clone(), &uri).await?;
                    }
                    Ok::<_, anyhow::Error>(())
                })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await??;
            }
        }
        Some(rate) => {
            let permits = Arc::new(Semaphore::new(at_once));
            let mut ticks = interval(Duration::from_secs(1) / rate);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while Instant::now() < until {
                ticks.tick().await;
                let permit = Arc::clone(&permits).acquire_owned().await?;
                let (sender, uri) = (sender.clone(), Arc::clone(&uri));
                tokio::spawn(async move {
                    // What is wrong shows in the service's stamps: there is no reply.
                    let _ = one(sender, &uri).await;
                    drop(permit);
                });
            }
        }
    }
    Ok(())
}

async fn one(sender: SendRequest<Bytes>, uri: &str) -> Result<()> {
    let request =
        http::Request::post(uri).header("content-type", "application/grpc").header("te", "trailers").body(())?;
    let (response, mut stream) = sender.ready().await?.send_request(request, false)?;
    // A message that is not compressed, its length, its field 1 of bytes.
    let mut message = BytesMut::with_capacity(BODY + 8);
    message.put_u8(0);
    message.put_u32(u32::try_from(BODY + 3)?);
    message.put_slice(&[0x0a, 0x80, 0x02]);
    message.put_bytes(b'x', BODY);
    stream.send_data(message.freeze(), true)?;
    let (_, mut body) = response.await?.into_parts();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
    }
    let trailers = body.trailers().await?.context("no trailers")?;
    ensure!(trailers.get("grpc-status").is_some_and(|status| status == "0"), "{trailers:?}");
    Ok(())
}
