//! Recordings as an outside reader sees them: bytes, taken apart by the decoder.

use anyhow::Result;
use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{End, Hello, MessageRow, Payload, Sample};

/// What a recording holds.
#[derive(Default)]
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
}
