//! Why a buffer takes no more bytes.

use hopscope_record::codec::EventsError;
use hopscope_record::decoder::DecodeError;
use hopscope_record::frame::PayloadError;
use hopscope_report::frames::ReadError;
use hopscope_scenario::plan::PlanError;

/// Why a buffer takes no more bytes. What it holds stays good. Frames that are missing are no error.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    /// The bytes are no frames.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A frame cannot be read.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A batch of events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The frames are not those of a recording.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream is of another run than the one before it.
    #[error("the stream is of the run {0}, and the buffer of another")]
    OtherRun(String),
    /// A frame came before the one that says what the run is.
    #[error("frame {0} came before the one that says what the run is")]
    NoHello(u32),
}

impl BufferError {
    /// Whether it is sound as far as can be told, and made by another version of Hopscope.
    #[must_use]
    pub fn is_of_another_version(&self) -> bool {
        let payload =
            |error: &PayloadError| matches!(error, PayloadError::CodecVersion(_) | PayloadError::UnknownType(_));
        match self {
            Self::Decode(error) => matches!(error, DecodeError::FileVersion(_) | DecodeError::Reserved(_)),
            Self::Payload(error) | Self::Read(ReadError::Payload { error, .. }) => payload(error),
            Self::Plan(error) => matches!(error, PlanError::Version(_)),
            Self::Events(_) | Self::Read(_) | Self::OtherRun(_) | Self::NoHello(_) => false,
        }
    }
}
