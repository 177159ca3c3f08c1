//! A run's recording in other formats, written while it is read: memory does not grow with its length.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use axum::body::{Body, Bytes};
use futures_util::stream;
use hopscope_record::decoder::{DecodeError, Decoder, Frame, Framing};
use hopscope_report::export::json::{ExportError, JsonExport, JsonSurvey};
use tokio::sync::mpsc;

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Chunks of text that wait for the reader.
const AHEAD: usize = 4;

/// Why a recording cannot be written in another format.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportFault {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The file is damaged.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Its frames do not make the document.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Whoever asked for the document has gone.
    #[error("nobody reads the document any more")]
    Gone,
}

/// The first `bytes` of a recording's file, ready to be written as JSON.
pub(super) struct Json {
    file: File,
    bytes: u64,
    export: JsonExport,
}

impl Json {
    /// Reads the recording once, and finds out whether it can be exported. Waits for the disk.
    pub(super) fn survey(mut file: File, bytes: u64) -> Result<Self, ExportFault> {
        let mut survey = JsonSurvey::new();
        each_frame(&mut file, bytes, |frame| Ok(survey.push(frame)?))?;
        Ok(Self { file, bytes, export: survey.begin()? })
    }

    /// The document as a body. It is written on a thread that may wait for the disk and for the reader; when the reader
    /// goes, the writing stops.
    pub(super) fn into_body(self) -> Body {
        let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
        tokio::task::spawn_blocking(move || match self.write(&sender) {
            Ok(()) | Err(ExportFault::Gone) => {}
            Err(fault) => {
                tracing::warn!("an export ends early: {fault}");
                // The reader sees a broken document and not a shorter one.
                let _ = sender.blocking_send(Err(io::Error::other(fault)));
            }
        });
        let chunks = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        Body::from_stream(chunks)
    }

    fn write(mut self, sender: &mpsc::Sender<io::Result<Bytes>>) -> Result<(), ExportFault> {
        let send = |chunk: Vec<u8>| sender.blocking_send(Ok(chunk.into())).map_err(|_| ExportFault::Gone);
        let export = &mut self.export;
        each_frame(&mut self.file, self.bytes, |frame| {
            export.push(frame)?;
            while let Some(chunk) = export.next_chunk() {
                send(chunk)?;
            }
            Ok(())
        })?;
        send(self.export.finish()?)
    }
}

/// Reads the first `bytes` of a recording's file, frame by frame.
fn each_frame(
    file: &mut File,
    bytes: u64,
    mut each: impl FnMut(&Frame<'_>) -> Result<(), ExportFault>,
) -> Result<(), ExportFault> {
    file.seek(SeekFrom::Start(0))?;
    let mut file = file.take(bytes);
    let mut decoder = Decoder::new(Framing::File);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        decoder.push(chunk.get(..count).unwrap_or_default());
        while let Some(frame) = decoder.next_frame()? {
            each(&frame)?;
        }
    }
}
