//! When bytes came, and not when this program had its turn to read them: on a machine that rests, waking takes tens of
//! microseconds, which would make every way longer.

use std::io;

use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::record::clock::monotonic_ns;

/// Asks the system to note when bytes come; where it cannot, they came when they are read.
pub(super) fn note(stream: &TcpStream) {
    if let Err(error) = system::note(stream) {
        tracing::debug!("the system does not say when bytes come: {error}");
    }
}

/// Reads once; how much, and when the last of it came, in raw ns of CLOCK_MONOTONIC.
///
/// # Errors
/// As reading has.
pub(super) async fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, i64)> {
    let (read, ago) = stream.async_io(Interest::READABLE, || system::read(stream, buffer)).await?;
    Ok((read, monotonic_ns() - ago))
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd as _;

    use nix::cmsg_space;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use rustix::time::{ClockId, clock_gettime};
    use tokio::net::TcpStream;

    /// A stamp that is older, or of the future, is of a clock that was set since.
    const OLDEST_NS: i64 = 1_000_000_000;

    pub(super) fn note(stream: &TcpStream) -> io::Result<()> {
        Ok(setsockopt(stream, sockopt::ReceiveTimestampns, &true)?)
    }

    /// How much was read, and how long ago the last of it came, in ns.
    pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, i64)> {
        let mut notes = cmsg_space!(TimeSpec);
        let mut slices = [IoSliceMut::new(buffer)];
        let read = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut notes), MsgFlags::empty())?;
        let stamps = read.cmsgs()?.find_map(|note| match note {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        });
        let ago = stamps.map_or(0, |stamp| {
            let now = clock_gettime(ClockId::Realtime);
            (now.tv_sec - stamp.tv_sec()) * 1_000_000_000 + now.tv_nsec - stamp.tv_nsec()
        });
        Ok((read.bytes, if (0..OLDEST_NS).contains(&ago) { ago } else { 0 }))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use tokio::net::TcpStream;

    pub(super) fn note(_: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, i64)> {
        Ok((stream.try_read(buffer)?, 0))
    }
}
