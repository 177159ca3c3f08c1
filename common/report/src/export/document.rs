//! A recording's file as a document: both readings of it.

use std::convert::Infallible;
use std::io::{self, Read, Seek};

use hopscope_record::decoder::DecodeError;

use super::{Export, ExportError, Format, Survey};
use crate::frames::each_frame;

/// Why a recording's file cannot be written in another format.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The file is damaged.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Its frames do not make the document.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Why a document was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError<E> {
    /// The recording cannot be written as this.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Whoever takes the document took no more.
    #[error("{0}")]
    Put(E),
}

impl<E> From<io::Error> for DocumentError<E> {
    fn from(error: io::Error) -> Self {
        Self::Source(error.into())
    }
}

impl<E> From<DecodeError> for DocumentError<E> {
    fn from(error: DecodeError) -> Self {
        Self::Source(error.into())
    }
}

impl<E> From<ExportError> for DocumentError<E> {
    fn from(error: ExportError) -> Self {
        Self::Source(error.into())
    }
}

/// The first so many bytes of a recording's file, read once and ready to be written in a format.
pub struct Document<R> {
    source: R,
    bytes: u64,
    export: Export,
}

impl<R: Read + Seek> Document<R> {
    /// Reads the recording once, and finds out whether it can be exported.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has nothing to export yet.
    pub fn survey(format: &Format, mut source: R, bytes: u64) -> Result<Self, SourceError> {
        let mut survey = Survey::new();
        source.rewind()?;
        let read = each_frame(&mut source.by_ref().take(bytes), |frame| {
            survey.push(frame).map_err(DocumentError::<Infallible>::from)
        });
        match read {
            Err(DocumentError::Source(error)) => return Err(error),
            Err(DocumentError::Put(never)) => match never {},
            Ok(()) => {}
        }
        source.rewind()?;
        Ok(Self { source, bytes, export: survey.begin(format)? })
    }

    /// Writes the document, chunk by chunk.
    ///
    /// # Errors
    /// [`DocumentError::Put`] with the first error of `put`, after which nothing more is read; otherwise that the
    /// recording cannot be read a second time.
    pub fn write<E>(mut self, mut put: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), DocumentError<E>> {
        let export = &mut self.export;
        each_frame(&mut self.source.take(self.bytes), |frame| {
            export.push(frame)?;
            while let Some(chunk) = export.next_chunk() {
                put(chunk).map_err(DocumentError::Put)?;
            }
            Ok::<_, DocumentError<E>>(())
        })?;
        put(self.export.finish()?).map_err(DocumentError::Put)
    }
}
