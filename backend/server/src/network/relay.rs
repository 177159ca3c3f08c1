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
use tokio::sync::{Semaphore, mpsc, watch};

use super::alarm::Alarm;
use super::arrival;
use super::{Condition, Laid, Lateness};
use crate::record::clock::monotonic_ns;
use crate::timer::{Early, Timer};

/// Most bytes that are read at once.
const PIECE: usize = 64 << 10;

/// Bytes that are on the way at most, each way of each connection: as much as systems let a connection have by themselves
/// (Linux: `net.ipv4.tcp_wmem`, 4 MiB). What is beyond waits with its sender.
const ROOM: usize = 4 << 20;

/// How many pieces a second a throttled link lets through, where each has a byte at least.
const TRICKLES: u64 = 50;

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
    condition: watch::Receiver<Condition>,
}

impl Between {
    fn condition(&self) -> Condition {
        *self.condition.borrow()
    }

    /// Resolves when the link is cut; at once, if it is.
    async fn cut(&self) {
        // An error is the end of the run, which ends this too.
        if self.condition.clone().wait_for(|condition| condition.cut).await.is_err() {
            std::future::pending().await
        }
    }

    /// How long a piece is on its way.
    fn delay(&self, delays: &RefCell<Delays>) -> Time {
        Time(draw(delays).0.saturating_add(self.condition().delay_ns / 2))
    }
}

/// Takes connections for ever.
pub(super) async fn relay(carrier: Rc<Carrier>, laid: Laid) {
    let Laid { listener, target, out, back, condition } = laid;
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("a network cannot watch its port: {error}"),
    };
    let (out, back) = (RefCell::new(out), RefCell::new(back));
    let between = Rc::new(Between { carrier, target, out, back, condition });
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

/// Carries one connection, both ways, until both have ended, one has broken, or the link is cut.
async fn connection(mut from: TcpStream, between: Rc<Between>) {
    let began = monotonic_ns();
    let mut to = None;
    let carried = async {
        from.set_nodelay(true)?;
        let to = to.insert(TcpStream::connect(between.target).await?);
        to.set_nodelay(true)?;
        arrival::note(&from);
        arrival::note(to);
        let round_trip = Time(between.delay(&between.out).0.saturating_add(between.delay(&between.back).0));
        let stream = Stream::new(began.saturating_add_unsigned(round_trip.0));
        let ((from_reads, from_writes), (to_reads, to_writes)) = (from.split(), to.split());
        tokio::try_join!(
            pass(from_reads, to_writes, stream, &between.out, &between),
            pass(to_reads, from_writes, stream, &between.back, &between),
        )
    };
    let carried: io::Result<_> = tokio::select! {
        biased;
        () = between.cut() => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the link was cut")),
        carried = carried => carried,
    };
    if let Err(error) = carried {
        // Both ends learn of it by the reset of their connections.
        tracing::debug!("a connection through a network broke: {error}");
        for end in [Some(&from), to.as_ref()].into_iter().flatten() {
            // Where that cannot be had, it is closed.
            let _ = end.set_zero_linger();
        }
    }
}

/// Carries one way of a connection, its end too.
async fn pass(
    from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut stream: Stream,
    delays: &RefCell<Delays>,
    between: &Between,
) -> io::Result<()> {
    let carrier = &between.carrier;
    let (comes, mut goes) = mpsc::unbounded_channel::<(i64, Bytes)>();
    let (room, mut alarm) = (Semaphore::new(ROOM), Alarm::new(&carrier.timer, carrier.early.clone())?);
    let reads = async {
        let mut buffer = vec![0; PIECE];
        loop {
            let (read, came) = arrival::read(from.as_ref(), &mut buffer).await?;
            let passes = stream.passes(came, between.delay(delays));
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
    let mut free = i64::MIN;
    let writes = async {
        while let Some((passes, bytes)) = goes.recv().await {
            alarm.until(passes).await?;
            if bytes.is_empty() {
                to.shutdown().await?;
                break;
            }
            let late = monotonic_ns().saturating_sub(passes);
            if let Some(narrow) = trickle(&bytes, &mut to, &mut free, &mut alarm, between).await? {
                to.write_all(&narrow).await?;
                carrier.late.record(late);
            }
            room.add_permits(bytes.len());
        }
        Ok(())
    };
    tokio::try_join!(reads, writes)?;
    Ok(())
}

/// Lets bytes through as slowly as the link is throttled to, a fiftieth of a second's worth at a time; gives what is left once it
/// is not throttled, and nothing where nothing is. `free` is when the next may go.
async fn trickle(
    bytes: &Bytes,
    to: &mut WriteHalf<'_>,
    free: &mut i64,
    alarm: &mut Alarm,
    between: &Between,
) -> io::Result<Option<Bytes>> {
    let mut left = bytes.clone();
    let mut throttled = false;
    loop {
        let rate = between.condition().throttle;
        if rate == 0 {
            return Ok((!throttled || !left.is_empty()).then_some(left));
        }
        throttled = true;
        if left.is_empty() {
            return Ok(None);
        }
        *free = (*free).max(monotonic_ns());
        alarm.until(*free).await?;
        let most = usize::try_from(rate / TRICKLES).unwrap_or(usize::MAX).max(1).min(left.len());
        let piece = left.split_to(most);
        to.write_all(&piece).await?;
        *free = free.saturating_add_unsigned((most as u64).saturating_mul(1_000_000_000) / rate);
    }
}

fn draw(delays: &RefCell<Delays>) -> Time {
    delays.borrow_mut().draw()
}
