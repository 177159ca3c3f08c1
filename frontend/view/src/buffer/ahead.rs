//! What is known of the head while frames before it are missing: a Keyframe and what came after it.

use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::Frame;
use hopscope_record::frame::{End, Keyframe, Payload};
use hopscope_record::kind::Phase;
use hopscope_record::state::State;

use super::figures::Totals;
use super::run::begun;
use super::{BufferError, FrameRow};

/// The fold from a Keyframe on.
pub(super) struct Ahead {
    /// The frame that comes next.
    pub(super) next: u32,
    pub(super) state: State,
    /// The Keyframe and the Events frames after it.
    pub(super) rows: Vec<FrameRow>,
    /// The phases that began after it.
    pub(super) phases: Vec<(Phase, i64)>,
    /// What the links had come to when the measured phase began, if it was one of these.
    pub(super) before_measured: Option<Totals>,
    pub(super) lost: u64,
    pub(super) end: Option<End>,
}

impl Ahead {
    pub(super) fn new(keyframe: Keyframe) -> Self {
        let Keyframe { frame, lost, cut, state, .. } = keyframe;
        let rows = vec![FrameRow { number: frame, stands_for_earlier: true, cut, totals: Totals::of(&state) }];
        Self { next: frame.saturating_add(1), state, rows, phases: Vec::new(), before_measured: None, lost, end: None }
    }

    /// Takes a frame, if it is the next one.
    pub(super) fn push(
        &mut self,
        frame: &Frame<'_>,
        decoder: &mut EventDecoder,
        batch: &mut Vec<Event>,
    ) -> Result<(), BufferError> {
        let number = frame.header.number;
        if number != self.next {
            return Ok(());
        }
        match frame.read()? {
            Payload::Events(events) => {
                decoder.decode(events.batch, batch)?;
                for event in batch.iter() {
                    self.state.apply(event);
                    let Some(phase) = begun(event) else { continue };
                    self.phases.push((phase, event.time));
                    if phase == Phase::Measured {
                        self.before_measured = Some(Totals::of(&self.state));
                    }
                }
                let totals = Totals::of(&self.state);
                self.rows.push(FrameRow { number, stands_for_earlier: false, cut: events.cut, totals });
            }
            Payload::Loss(losses) => self.lost += losses.iter().map(|loss| loss.count).sum::<u64>(),
            Payload::End(end) => self.end = Some(end),
            Payload::Hello(_) | Payload::Names(_) | Payload::Messages(_) | Payload::Clock(_) | Payload::Skipped(_) => {}
        }
        self.next = number.saturating_add(1);
        Ok(())
    }

    /// The time that is known at the head, ns on the run's clock.
    pub(super) fn time(&self) -> i64 {
        let cut = self.rows.last().map_or(0, |row| row.cut);
        self.end.as_ref().map_or(cut, |end| end.time.max(cut))
    }
}
