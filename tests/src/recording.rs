//! Recordings as an outside reader sees them: bytes, taken apart by the decoder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{End, FrameWriter, Hello, MessageRow, Payload, Sample, file_header};
use hopscope_record::{Event, NameIndex};
use hopscope_report::laws::{LawReport, Laws, QueueReport};
use hopscope_report::stats::Stats;

/// Most events in a frame that is written here.
const BATCH: usize = 4_096;

/// The recording in a folder that has one.
///
/// # Errors
/// When there is none.
pub fn recording_in(folder: &Path) -> Result<PathBuf> {
    let paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "hop")).context("there is none")
}

/// What a recording holds.
#[derive(Clone, Default)]
pub struct Recorded {
    /// What the run is.
    pub hello: Option<Hello>,
    /// Every event, in the order of the frames.
    pub events: Vec<Event>,
    /// The run's names.
    pub names: Vec<String>,
    /// What messages carry.
    pub messages: Vec<MessageRow>,
    /// The samples of its surroundings.
    pub samples: Vec<Sample>,
    /// How many events were lost.
    pub lost: u64,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// How many frames there are.
    pub frames: u64,
}

impl Recorded {
    /// Reads frames, as a file has them after its head or as the stream sends them.
    ///
    /// # Errors
    /// When the bytes are not whole frames.
    pub fn read(bytes: &[u8], framing: Framing) -> Result<Self> {
        let (mut decoder, mut batches, mut batch) = (Decoder::new(framing), EventDecoder::new(), Vec::new());
        let mut recorded = Self::default();
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame()? {
            recorded.frames += 1;
            match frame.read()? {
                Payload::Hello(hello) => recorded.hello = Some(hello),
                Payload::Events(payload) => {
                    batches.decode(payload.batch, &mut batch)?;
                    recorded.events.append(&mut batch);
                }
                Payload::Names(names) => recorded.names.extend(names.names),
                Payload::Messages(messages) => recorded.messages.extend(messages.rows),
                Payload::Loss(losses) => recorded.lost += losses.iter().map(|loss| loss.count).sum::<u64>(),
                Payload::Clock(sample) => recorded.samples.push(sample),
                Payload::End(end) => recorded.end = Some(end),
                Payload::Skipped(_) => {}
            }
        }
        anyhow::ensure!(!decoder.is_mid_frame(), "the bytes end in the middle of a frame");
        Ok(recorded)
    }

    /// What is in a file up to its last whole frame.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn so_far(path: &Path) -> Result<Self> {
        let (bytes, mut decoder) = (std::fs::read(path)?, Decoder::new(Framing::File));
        decoder.push(&bytes);
        while decoder.next_frame()?.is_some() {}
        let whole = usize::try_from(decoder.good_offset())?;
        Self::read(bytes.get(..whole).context("no frame")?, Framing::File)
    }

    /// The bytes of a file that holds the same: its events sorted by time, its frames others. Without its samples, which
    /// no event depends on.
    ///
    /// # Errors
    /// When it has no Hello, or lost events: which, is not kept here.
    pub fn file(&self) -> Result<Vec<u8>> {
        anyhow::ensure!(self.lost == 0, "{} events are lost", self.lost);
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.time);
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        let mut writer = FrameWriter::new();
        let mut file = file_header().to_vec();
        file.extend(writer.hello(self.hello.as_ref().context("no Hello")?)?);
        file.extend(writer.names(NameIndex(0), &names)?);
        file.extend(writer.messages(0, &self.messages)?);
        for batch in events.chunks(BATCH) {
            file.extend(writer.events(batch.last().map_or(0, |event| event.time), batch)?);
        }
        if let Some(end) = &self.end {
            file.extend(writer.end(end)?);
        }
        Ok(file)
    }

    /// What comes of the laws for it.
    ///
    /// # Errors
    /// As [`Recorded::file`], or when the laws do not read that file.
    pub fn judged(&self) -> Result<Vec<LawReport>> {
        Ok(self.laws()?.report())
    }

    /// What comes of L2 = L1 - 1, queue by queue and group by group.
    ///
    /// # Errors
    /// As [`Recorded::judged`].
    pub fn queues(&self) -> Result<Vec<QueueReport>> {
        Ok(self.laws()?.queues())
    }

    /// Its figures.
    ///
    /// # Errors
    /// As [`Recorded::file`], or when they cannot be made of that file.
    pub fn stats(&self) -> Result<Stats> {
        let (mut stats, mut decoder) = (Stats::new(), Decoder::new(Framing::File));
        decoder.push(&self.file()?);
        while let Some(frame) = decoder.next_frame()? {
            stats.push(&frame)?;
        }
        Ok(stats)
    }

    fn laws(&self) -> Result<Laws> {
        let (mut laws, mut decoder) = (Laws::new(), Decoder::new(Framing::File));
        decoder.push(&self.file()?);
        while let Some(frame) = decoder.next_frame()? {
            laws.push(&frame)?;
        }
        Ok(laws)
    }
}
