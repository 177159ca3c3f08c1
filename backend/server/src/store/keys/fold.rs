//! What a Keyframe is made of, gathered frame by frame.

use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::Frame;
use hopscope_record::frame::{Keyframe, Payload};
use hopscope_record::state::State;
use hopscope_scenario::plan::Plan;

/// Folds a recording's frames in their order.
pub(super) struct Fold {
    decoder: EventDecoder,
    batch: Vec<Event>,
    names: u32,
    messages: u64,
    lost: u64,
    cut: i64,
    state: State,
}

impl Fold {
    pub(super) fn new() -> Self {
        let state = State::new(0, 0);
        Self { decoder: EventDecoder::new(), batch: Vec::new(), names: 0, messages: 0, lost: 0, cut: 0, state }
    }

    /// How many events were folded.
    pub(super) const fn events(&self) -> u64 {
        self.state.events
    }

    /// Takes the next frame. One that this build cannot read adds nothing: whoever reads the recording stops there too.
    pub(super) fn push(&mut self, frame: &Frame<'_>) {
        match frame.read() {
            Ok(Payload::Hello(hello)) => {
                // Of a plan of a newer build only the sums are kept.
                let sizes = Plan::from_bytes(&hello.plan).map(|plan| (plan.places.len(), plan.links.len()));
                let (places, links) = sizes.unwrap_or_default();
                self.state = State::new(places, links);
            }
            Ok(Payload::Events(payload)) => {
                self.cut = payload.cut;
                if self.decoder.decode(payload.batch, &mut self.batch).is_ok() {
                    self.batch.iter().for_each(|event| self.state.apply(event));
                }
            }
            Ok(Payload::Names(names)) => {
                self.names = names.first.0.saturating_add(u32::try_from(names.names.len()).unwrap_or(u32::MAX));
            }
            Ok(Payload::Messages(rows)) => self.messages = rows.first.saturating_add(rows.rows.len() as u64),
            Ok(Payload::Loss(losses)) => self.lost += losses.iter().map(|loss| loss.count).sum::<u64>(),
            Ok(Payload::Clock(_) | Payload::End(_) | Payload::Skipped(_)) | Err(_) => {}
        }
    }

    /// The Keyframe after frame `frame`, behind which the recording goes on at `next_offset`.
    pub(super) fn keyframe(&self, frame: u32, next_offset: u64) -> Keyframe {
        let (names, messages, lost, cut) = (self.names, self.messages, self.lost, self.cut);
        Keyframe { frame, next_offset, names, messages, lost, cut, state: self.state.clone() }
    }
}
