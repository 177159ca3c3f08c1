//! One relay: a port whose connections lead on to another one, each piece of bytes later than it came.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hopscope_rules::network::{Delays, Stream};
use hopscope_scenario::quantity::Time;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use super::alarm::{Alarm, Early};
use super::arrival;
use super::{Laid, Lateness};
use crate::record::clock::monotonic_ns;
use crate::timer::Timer;

/// Most bytes that are read at once.
const PIECE: usize = 64 << 10;

/// Bytes that are on the way at most, each way of each connection: as much as systems let a connection have by themselves
/// (Linux: `net.ipv4.tcp_wmem`, 4 MiB). What is beyond waits with its sender.
const ROOM: usize = 4 << 20;

/// How long accepting rests after an error, such as no file handle left.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// What the relays of a run share, on their one thread.
pub(super) struct Carrier {
    pub(super) timer: Timer,
    pub(super) early: Early,
    pub(super) late: Lateness,
}

/// What is between the two ends of a relay's connections.
struct Between {
    carrier: Rc<Carrier>,
    target: SocketAddr,
    out: RefCell<Delays>,
    back: RefCell<Delays>,
}

/// Takes connections for ever.
pub(super) async fn relay(carrier: Rc<Carrier>, laid: Laid) {
    let Laid { listener, target, out, back } = laid;
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("a network cannot watch its port: {error}"),
    };
    let (out, back) = (RefCell::new(out), RefCell::new(back));
    let between = Rc::new(Between { carrier, target, out, back });
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::task::spawn_local(connection(stream, Rc::clone(&between)));
            }
            Err(error) => {
                tracing::warn!("a network could not accept a connection: {error}");
                between.carrier.timer.after(ACCEPT_REST).await;
            }
        }
    }
}

/// Carries one connection, both ways, until both have ended or one has broken.
async fn connection(mut from: TcpStream, between: Rc<Between>) {
    let began = monotonic_ns();
    let broken = async {
        from.set_nodelay(true)?;
        let mut to = TcpStream::connect(between.target).await?;
        to.set_nodelay(true)?;
        arrival::note(&from);
        arrival::note(&to);
        let round_trip = Time(draw(&between.out).0.saturating_add(draw(&between.back).0));
        let stream = Stream::new(began.saturating_add_unsigned(round_trip.0));
        let ((from_reads, from_writes), (to_reads, to_writes)) = (from.split(), to.split());
        tokio::try_join!(
            pass(from_reads, to_writes, stream, &between.out, &between.carrier),
            pass(to_reads, from_writes, stream, &between.back, &between.carrier),
        )
    };
    if let Err(error) = broken.await as io::Result<((), ())> {
        // Both ends learn of it by the end of their connections.
        tracing::debug!("a connection through a network broke: {error}");
    }
}

/// Carries one way of a connection, its end too.
async fn pass(
    from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut stream: Stream,
    delays: &RefCell<Delays>,
    carrier: &Carrier,
) -> io::Result<()> {
    let (comes, mut goes) = mpsc::unbounded_channel::<(i64, Bytes)>();
    let (room, mut alarm) = (Semaphore::new(ROOM), Alarm::new(&carrier.timer, carrier.early.clone())?);
    let reads = async {
        let mut buffer = vec![0; PIECE];
        loop {
            let (read, came) = arrival::read(from.as_ref(), &mut buffer).await?;
            let passes = stream.passes(came, draw(delays));
            let bytes = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
            // Who writes lives as long as this does.
            let _ = comes.send((passes, bytes));
            if read == 0 {
                return Ok::<_, io::Error>(());
            }
            // A semaphore that nobody closes.
            if let Ok(taken) = room.acquire_many(u32::try_from(read).unwrap_or(u32::MAX)).await {
                taken.forget();
            }
        }
    };
    let writes = async {
        while let Some((passes, bytes)) = goes.recv().await {
            alarm.until(passes).await?;
            if bytes.is_empty() {
                to.shutdown().await?;
                break;
            }
            let late = monotonic_ns().saturating_sub(passes);
            to.write_all(&bytes).await?;
            carrier.late.record(late);
            room.add_permits(bytes.len());
        }
        Ok(())
    };
    tokio::try_join!(reads, writes)?;
    Ok(())
}

fn draw(delays: &RefCell<Delays>) -> Time {
    delays.borrow_mut().draw()
}
