//! A bare reader: one thread with an epoll of its own that asks a service again and again, and notes when it asks and when it has
//! each reply.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hopscope_server::record::clock::monotonic_ns;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;

/// What it noted.
pub(crate) struct Reads {
    /// Its port.
    pub(crate) port: u16,
    /// When each request was about to be written, raw ns.
    pub(crate) writes: Vec<i64>,
    /// When each reply had been read, raw ns.
    pub(crate) reads: Vec<i64>,
}

/// Starts asking, so many times a second, so often.
pub(crate) fn start(service: SocketAddr, rate: u64, times: u64) -> JoinHandle<Result<Reads>> {
    std::thread::spawn(move || ask(service, Duration::from_secs(1) / u32::try_from(rate)?, times))
}

fn ask(service: SocketAddr, apart: Duration, times: u64) -> Result<Reads> {
    let mut stream = TcpStream::connect(service)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &stream, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
    let request = format!("POST / HTTP/1.1\r\nhost: {service}\r\ncontent-length: 0\r\n\r\n");
    let (mut writes, mut reads) = (Vec::new(), Vec::new());
    let (mut buffer, mut ready) = ([0; 4096], Vec::with_capacity(4));
    let mut next = Instant::now();
    for _ in 0..times {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += apart;
        writes.push(monotonic_ns());
        stream.write_all(request.as_bytes())?;
        ready.clear();
        epoll::wait(&poll, spare_capacity(&mut ready), None)?;
        // A reply to so little comes in one piece.
        let read = stream.read(&mut buffer)?;
        reads.push(monotonic_ns());
        ensure!(
            buffer[..read].starts_with(b"HTTP/1.1 200") && buffer[..read].ends_with(b"\r\n\r\n"),
            "not a whole reply"
        );
    }
    Ok(Reads { port: stream.local_addr()?.port(), writes, reads })
}
