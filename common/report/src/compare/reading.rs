//! A recording that is read for its figures alone, piece by piece.

use hopscope_record::decoder::{DecodeError, Decoder, Framing};
use hopscope_record::frame::{Payload, PayloadError};
use hopscope_scenario::plan::{Plan, PlanError};

use crate::frames::ReadError;
use crate::stats::Stats;

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// Its bytes are no frames.
    #[error(transparent)]
    Frame(#[from] DecodeError),
    /// A frame holds something else than it says.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Its frames do not follow each other.
    #[error(transparent)]
    Order(#[from] ReadError),
    /// Its plan is of another build, or none.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A recording as far as it was read.
pub struct Reading {
    decoder: Decoder,
    plan: Option<Plan>,
    stats: Stats,
}

impl Reading {
    /// Nothing yet of frames that come as `framing` says.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self { decoder: Decoder::new(framing), plan: None, stats: Stats::new() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be read; what was read before stays.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ReadingError> {
        self.decoder.push(bytes);
        while let Some(frame) = self.decoder.next_frame()? {
            self.stats.push(&frame)?;
            if let Payload::Hello(hello) = frame.read()? {
                self.plan = Some(Plan::from_bytes(&hello.plan)?);
            }
        }
        Ok(())
    }

    /// Plan and figures; `None` before the first frame.
    #[must_use]
    pub fn figures(&self) -> Option<(&Plan, &Stats)> {
        Some((self.plan.as_ref()?, &self.stats))
    }
}
