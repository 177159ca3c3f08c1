//! A recording that is being made, and the collector: the one thread that turns rings into frames.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hopscope_record::{LinkIndex, PlaceIndex, RunKey, SourceId};
use tokio::sync::oneshot;

use super::clock::RunClock;
use super::recorder::{Recorder, Shared};

/// Longest time between two cuts.
const TICK: Duration = Duration::from_millis(50);

/// Where frames go: the run's file, or a test's memory.
///
/// Called from the collector's thread only, and must not wait for a disk or a reader; what takes long belongs on
/// another thread behind a bounded queue.
pub trait FrameSink: Send + 'static {
    /// Takes one whole frame. `false` says that there is no room: the events in it count as lost. A frame that is
    /// `needed` (everything but Events; few and small) is to be taken even beyond the bound, and is refused only when
    /// nothing can be stored any more.
    fn put(&mut self, frame: Vec<u8>, needed: bool) -> bool;

    /// Waits until everything taken is stored for good.
    ///
    /// # Errors
    /// When something taken could not be stored.
    fn finish(self: Box<Self>) -> std::io::Result<()>;
}

/// What a recording needs to begin.
pub struct RecordingOptions {
    /// The run's id, as the store gave it.
    pub run: String,
    /// First half of the run's trace-ids; see [`new_run_key`].
    pub key: RunKey,
    /// The compiled plan as bytes, for Hello.
    pub plan: Vec<u8>,
    /// Where the frames go.
    pub sink: Box<dyn FrameSink>,
}

/// What the running parts counted, for the End frame.
#[derive(Clone, Debug, Default)]
pub struct EndInfo {
    /// Attempts that were open when the run ended, per link.
    pub open_attempts: Vec<(LinkIndex, u64)>,
}

/// What became of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events in the frames, per source.
    pub accepted: Vec<(SourceId, u64)>,
    /// Events that are not, for want of room.
    pub lost: u64,
    /// Frames written, Hello and End included.
    pub frames: u64,
    /// Why the recording could not be stored to its end, if so.
    pub failure: Option<String>,
}

/// A key for a new run: random, never 0.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_run_key() -> std::io::Result<RunKey> {
    Ok(RunKey(getrandom::u64()?.max(1)))
}

/// A recording that is being made. Dropped without [`Recording::finish`] it ends as a cut recording, without an End
/// frame.
pub struct Recording {
    shared: Arc<Shared>,
    commands: Option<Sender<Finish>>,
    collector: Option<JoinHandle<()>>,
}

struct Finish {
    end: EndInfo,
    done: oneshot::Sender<Summary>,
}

impl Recording {
    /// Begins to record; zero is not known yet.
    ///
    /// # Errors
    /// When the collector's thread cannot be started.
    pub fn start(options: RecordingOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(options.key));
        let (commands, receiver) = channel();
        let collector = Collector { shared: Arc::clone(&shared), sink: options.sink };
        let thread = std::thread::Builder::new().name("hs-collector".into()).spawn(move || collector.run(&receiver))?;
        // Before any recorder exists, so that every ring can call the collector.
        let _ = shared.collector.set(thread.thread().clone());
        Ok(Self { shared, commands: Some(commands), collector: Some(thread) })
    }

    /// A handle that stamps at this place, on this link.
    #[must_use]
    pub fn recorder(&self, place: PlaceIndex, link: LinkIndex) -> Recorder {
        Recorder::new(Arc::clone(&self.shared), place, link)
    }

    /// Where the run's time begins.
    #[must_use]
    pub fn clock(&self) -> &RunClock {
        &self.shared.clock
    }

    /// Fixes the run's zero at `raw` ns; `false` says that it was fixed already. From here on frames are written.
    pub fn set_zero(&self, raw: i64) -> bool {
        self.shared.clock.set_zero(raw)
    }

    /// Takes what is left, writes the End frame, and waits until all of it is stored. What is recorded afterwards goes
    /// nowhere, so stop everything that records first. A run whose zero was never fixed gets this instant as zero.
    pub async fn finish(mut self, end: EndInfo) -> Summary {
        let (done, summary) = oneshot::channel();
        let sent = self.commands.take().is_some_and(|commands| commands.send(Finish { end, done }).is_ok());
        self.wake();
        match summary.await {
            Ok(summary) if sent => summary,
            _ => Summary { failure: Some("the collector has stopped".to_owned()), ..Summary::default() },
        }
    }

    fn wake(&self) {
        if let Some(collector) = &self.collector {
            collector.thread().unpark();
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Without a sender the collector drains and ends by itself; nothing waits for it here.
        self.commands = None;
        self.wake();
    }
}

struct Collector {
    shared: Arc<Shared>,
    sink: Box<dyn FrameSink>,
}

impl Collector {
    fn run(self, commands: &Receiver<Finish>) {
        let mut rings = super::ring::Rings::default();
        let (mut events, mut lost) = (Vec::new(), Vec::new());
        let finish = loop {
            std::thread::park_timeout(TICK);
            let command = commands.try_recv();
            rings.take(&self.shared.registry, &mut events, &mut lost);
            match command {
                Ok(finish) => break Some(finish),
                Err(TryRecvError::Disconnected) => break None,
                Err(TryRecvError::Empty) => {}
            }
        };
        let failure = self.sink.finish().err().map(|error| error.to_string());
        if let Some(Finish { end: _, done }) = finish {
            let _ = done.send(Summary { accepted: rings.accepted(), lost: 0, frames: 0, failure });
        }
    }
}
