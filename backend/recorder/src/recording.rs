//! A recording that is being made, from its start to its End frame.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::Thread;

use hopscope_record::frame::{EndCount, EndReason, Measure};
use hopscope_record::{LinkIndex, PlaceIndex, RunKey, SourceId};
use tokio::sync::{oneshot, watch};

use super::clock::RunClock;
use super::collector::{Collector, Finish};
use super::recorder::{Recorder, Shared};

/// Where frames go: the run's file, or a test's memory.
///
/// Called from the collector's thread only. Nothing but [`FrameSink::finish`] may wait: what takes long belongs on
/// another thread behind a bounded queue.
pub trait FrameSink: Send + 'static {
    /// Whether there is room for events. While there is none they stay in the rings, which count what they cannot hold. A
    /// sink that can store nothing more has none, and the run goes on.
    fn has_room(&mut self) -> bool;

    /// Takes one whole frame, in the order of their numbers. Frames of events come only while there is room; the others
    /// are few and small and are to be taken always.
    fn put(&mut self, frame: Vec<u8>);

    /// Waits until everything taken is stored for good. `summary` tells what the recording came to.
    ///
    /// # Errors
    /// When something taken could not be stored.
    fn finish(self: Box<Self>, summary: &Summary) -> std::io::Result<()>;
}

/// Looks at what surrounds the run, and tells what was since it looked before, in the order of the measures' numbers; what
/// the first look tells is not recorded. Called from the collector's thread: it must not wait.
pub type Sampler = Box<dyn FnMut() -> Vec<(Measure, i64)> + Send>;

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

/// How a recording comes along.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Events taken from the rings.
    pub events: u64,
}

/// How the run ended and what its parts counted, for the End frame.
#[derive(Clone, Debug)]
pub struct EndInfo {
    /// Why it ended.
    pub reason: EndReason,
    /// More about the reason, for people.
    pub detail: Option<String>,
    /// What was open when the run ended: attempts per link, ready and unacked copies per queue. What is not listed was
    /// not counted.
    pub counts: Vec<EndCount>,
}

/// What became of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events in the frames, per source.
    pub accepted: Vec<(SourceId, u64)>,
    /// Events that are not in the frames, for want of room.
    pub lost: u64,
    /// Frames made, Hello and End included.
    pub frames: u64,
    /// Why it ended; `None` where nobody said so, which makes no End frame.
    pub reason: Option<EndReason>,
    /// More about the reason, for people.
    pub detail: Option<String>,
    /// Why the recording could not be made or stored to its end, if so.
    pub failure: Option<String>,
}

impl Summary {
    /// Events in the frames, of all sources.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.accepted.iter().map(|(_, count)| count).sum()
    }
}

/// A key for a new run: random, never 0.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_run_key() -> std::io::Result<RunKey> {
    Ok(RunKey(getrandom::u64()?.max(1)))
}

/// A recording that is being made. Dropped without [`Recording::finish`] it is drained and ends as a cut recording,
/// without an End frame.
pub struct Recording {
    shared: Arc<Shared>,
    finish: Option<Sender<Finish>>,
    collector: Thread,
    taken: watch::Receiver<Taken>,
}

impl Recording {
    /// Begins to record; zero is not known yet.
    ///
    /// # Errors
    /// When the collector's thread cannot be started.
    pub fn start(options: RecordingOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(options.key));
        let (finish, receiver) = channel();
        let (progress, taken) = watch::channel(Taken::default());
        let collector = Collector::new(Arc::clone(&shared), options, progress);
        let thread = std::thread::Builder::new().name("hs-collector".into()).spawn(move || collector.run(&receiver))?;
        let collector = thread.thread().clone();
        // Before any recorder exists, so that every ring can call the collector.
        let _ = shared.collector.set(collector.clone());
        Ok(Self { shared, finish: Some(finish), collector, taken })
    }

    /// How it comes along, told anew with each cut that takes something.
    #[must_use]
    pub fn taken(&self) -> watch::Receiver<Taken> {
        self.taken.clone()
    }

    /// A handle that stamps at this place, on this link.
    #[must_use]
    pub fn recorder(&self, place: PlaceIndex, link: LinkIndex) -> Recorder {
        Recorder::new(Arc::clone(&self.shared), place, link)
    }

    /// Has the surroundings sampled each second from the run's zero on, which must not be fixed yet.
    pub fn sample_by(&self, sampler: Sampler) {
        *self.shared.sampler.lock().unwrap_or_else(PoisonError::into_inner) = Some(sampler);
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
        if let Some(finish) = self.finish.take() {
            // Fails only when the collector is gone; then nobody answers either.
            let _ = finish.send(Finish { end, done });
        }
        self.collector.unpark();
        summary
            .await
            .unwrap_or_else(|_| Summary { failure: Some("the collector has stopped".to_owned()), ..Summary::default() })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Without a sender the collector drains and ends by itself; nothing waits for it here.
        self.finish = None;
        self.collector.unpark();
    }
}

#[cfg(test)]
mod tests;
