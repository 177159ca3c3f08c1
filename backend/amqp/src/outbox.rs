//! What waits to be written to one connection.
//!
//! Whoever holds the broker's lock appends whole frames; the connection's writer takes all at once. It never waits and
//! is bounded by those who look at [`Outbox::is_congested`] before they add a delivery, and by the reader, which stops
//! while [`Outbox::is_full`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use amq_protocol::protocol::AMQPClass;
use tokio::sync::Notify;

use crate::wire;

/// Bytes beyond which a connection gets no more deliveries until it has read some.
const CONGESTED: usize = 256 << 10;

/// Bytes beyond which nothing more is read from a connection until it has read some.
const FULL: usize = 1 << 20;

/// Frames on their way out.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
    room: Notify,
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    /// Bytes that the writer has taken and not yet written.
    writing: usize,
    frame_max: u32,
    finished: bool,
    /// Whether someone held a delivery back since the writer last made room.
    held_back: bool,
}

impl Waiting {
    fn pending(&self) -> usize {
        self.bytes.len() + self.writing
    }
}

/// What the writer has to do next.
pub(crate) enum Next {
    /// Write what is in its buffer.
    Write,
    /// Nothing more will come.
    Finish,
}

impl Outbox {
    pub(crate) fn new(frame_max: u32) -> Self {
        let waiting = Waiting { bytes: Vec::new(), writing: 0, frame_max, finished: false, held_back: false };
        Self { waiting: Mutex::new(waiting), changed: Notify::new(), room: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Bytes that are appended whole cannot be left half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, write: impl FnOnce(&mut Vec<u8>, u32)) {
        let mut waiting = self.lock();
        if waiting.finished {
            return;
        }
        let frame_max = waiting.frame_max;
        write(&mut waiting.bytes, frame_max);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Frames are cut at the agreed size from now on.
    pub(crate) fn set_frame_max(&self, frame_max: u32) {
        self.lock().frame_max = frame_max;
    }

    /// Bytes as they are: the protocol header.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.append(|out, _| out.extend_from_slice(bytes));
    }

    pub(crate) fn method(&self, channel: u16, method: &AMQPClass) {
        self.append(|out, _| wire::method(out, channel, method));
    }

    pub(crate) fn content(&self, channel: u16, method: &AMQPClass, properties: &[u8], body: &[u8]) {
        self.append(|out, frame_max| wire::content(out, channel, method, properties, body, frame_max));
    }

    pub(crate) fn heartbeat(&self) {
        self.append(|out, _| wire::heartbeat(out));
    }

    /// Nothing more is taken; the writer ends when it has written what is here.
    pub(crate) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_one();
    }

    /// Whether deliveries must wait. Who asks and is told so will be called when there is room again.
    pub(crate) fn is_congested(&self) -> bool {
        let mut waiting = self.lock();
        let congested = waiting.pending() > CONGESTED;
        waiting.held_back |= congested;
        congested
    }

    /// Whether nothing more should be asked of the broker for this connection.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().pending() > FULL
    }

    /// Resolves when it is not full.
    pub(crate) async fn room(&self) {
        while self.is_full() {
            self.room.notified().await;
        }
    }

    /// Resolves with what is to be written, in `buffer`, or with the end.
    pub(crate) async fn next(&self, buffer: &mut Vec<u8>) -> Next {
        loop {
            {
                let mut waiting = self.lock();
                if !waiting.bytes.is_empty() {
                    buffer.clear();
                    std::mem::swap(&mut waiting.bytes, buffer);
                    waiting.writing = buffer.len();
                    return Next::Write;
                }
                if waiting.finished {
                    return Next::Finish;
                }
            }
            self.changed.notified().await;
        }
    }

    /// What was taken is written. Whether deliveries were held back and may go on now.
    pub(crate) fn written(&self) -> bool {
        let mut waiting = self.lock();
        waiting.writing = 0;
        let resume = waiting.held_back && waiting.pending() <= CONGESTED;
        if resume {
            waiting.held_back = false;
        }
        drop(waiting);
        self.room.notify_one();
        resume
    }
}
