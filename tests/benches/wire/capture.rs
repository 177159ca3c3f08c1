//! What passes over loopback, by tcpdump with its times in nanoseconds.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow, ensure};
use hopscope_record::trace_context::{TRACEPARENT, TRACEPARENT_LEN, TraceParent};
use pcap_parser::traits::PcapReaderIterator as _;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};
use rustix::process::{Pid, Signal, kill_process};

/// A segment of TCP that carries something.
pub(crate) struct Packet {
    /// When it passed, ns of the wall clock.
    pub(crate) time: i64,
    pub(crate) from: u16,
    pub(crate) to: u16,
    payload: Vec<u8>,
}

impl Packet {
    /// The span ids of all `traceparent` headers in it.
    pub(crate) fn spans(&self) -> Vec<u64> {
        let name = TRACEPARENT.as_bytes();
        let starts =
            self.payload.windows(name.len()).enumerate().filter(|(_, window)| *window == name).map(|(at, _)| at);
        starts
            .filter_map(|at| {
                // Between name and value stand a colon and a space, or a type and a length.
                let value = (name.len()..name.len() + 8)
                    .filter_map(|after| self.payload.get(at + after..)?.get(..TRACEPARENT_LEN));
                value.filter_map(TraceParent::parse).map(|parent| parent.span).next()
            })
            .collect()
    }
}

/// A capture that goes on.
pub(crate) struct Capture {
    tcpdump: Child,
    packets: JoinHandle<Result<Vec<Packet>>>,
}

impl Capture {
    /// Begins, and returns when it listens.
    ///
    /// # Errors
    /// Where there is no tcpdump, or it may not capture: what it says.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new("tcpdump");
        // 512 bytes of each are enough for its heads and the first headers.
        command.args([
            "-i",
            "lo",
            "-n",
            "-s",
            "512",
            "-B",
            "32768",
            "-U",
            "--time-stamp-precision=nano",
            "-w",
            "-",
            "tcp",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tcpdump = command.spawn().context("tcpdump cannot be started; on Debian: apt install tcpdump")?;
        let mut said = BufReader::new(tcpdump.stderr.take().context("no standard error")?);
        let mut words = String::new();
        loop {
            let before = words.len();
            if said.read_line(&mut words)? == 0 {
                return Err(anyhow!("tcpdump may not capture here: {}", words.trim()));
            }
            if words[before..].contains("listening on") {
                break;
            }
        }
        // Read on, so that it never waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let stdout = tcpdump.stdout.take().context("no standard output")?;
        let packets = std::thread::spawn(move || read(stdout));
        Ok(Self { tcpdump, packets })
    }

    /// Ends, and gives what passed.
    ///
    /// # Errors
    /// When what it wrote cannot be read.
    pub(crate) fn end(mut self) -> Result<Vec<Packet>> {
        let pid = Pid::from_raw(self.tcpdump.id().cast_signed()).context("no process")?;
        kill_process(pid, Signal::INT)?;
        let packets = self.packets.join().map_err(|_| anyhow!("reading the capture has failed"))??;
        self.tcpdump.wait()?;
        Ok(packets)
    }
}

fn read(from: impl Read) -> Result<Vec<Packet>> {
    let mut reader = LegacyPcapReader::new(1 << 20, from).map_err(|error| anyhow!("no capture: {error:?}"))?;
    let mut packets = Vec::new();
    loop {
        match reader.next() {
            Ok((length, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        ensure!(header.is_nanosecond_precision(), "the capture has no nanoseconds");
                    }
                    PcapBlockOwned::Legacy(block) => {
                        let time = i64::from(block.ts_sec) * 1_000_000_000 + i64::from(block.ts_usec);
                        packets.extend(packet(time, block.data));
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(length);
            }
            Err(PcapError::Eof) => return Ok(packets),
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|error| anyhow!("the capture breaks off: {error:?}"))?;
            }
            Err(error) => return Err(anyhow!("the capture cannot be read: {error:?}")),
        }
    }
}

/// The segment in a frame, where it is one and carries something.
fn packet(time: i64, frame: &[u8]) -> Option<Packet> {
    let sliced = etherparse::LaxSlicedPacket::from_ethernet(frame).ok()?;
    let etherparse::TransportSlice::Tcp(tcp) = sliced.transport? else { return None };
    let payload = tcp.payload().to_vec();
    (!payload.is_empty()).then(|| Packet { time, from: tcp.source_port(), to: tcp.destination_port(), payload })
}
