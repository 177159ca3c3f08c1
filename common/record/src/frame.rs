//! Frames: what a recording is made of, on disk and on a socket alike.
//!
//! A frame is a header of [`HEADER_LEN`] bytes and a payload. It is written once and never
//! changed: the same bytes go to the file and to every reader. This module owns the header, the
//! numbers of frame types and what each payload holds; taking a stream of bytes apart is the
//! [`crate::decoder`]'s. No frame carries a credential.

mod header;
mod keyframe;
mod messages;
mod payload;
mod sample;
mod writer;

pub(crate) use header::HeaderError;
pub use header::{FILE_HEADER_LEN, FILE_MAGIC, FILE_VERSION, FrameType, HEADER_LEN, Header, MAX_PAYLOAD, file_header};
pub use keyframe::{Keyframe, NotAKeyframe};
pub use messages::{MessageRow, MessagesPayload};
pub use payload::{
    CODEC_VERSION, Counted, End, EndCount, EndReason, EventsPayload, Hello, Loss, MOST_BEHIND_NS, NamesPayload,
    Payload, PayloadError,
};
pub use sample::{MEASURES, Measure, Sample};
pub use writer::{FrameWriter, WriteError};

#[cfg(test)]
mod tests;
