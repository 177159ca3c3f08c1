//! A recording from elsewhere, put into the folder: from JSON, as a run like any other.

use std::io::{self, BufWriter, Read, Seek, Write};

use hopscope_report::import::{ImportError, import};
use jiff::Timestamp;

use super::{RunId, RunSummary, Store, StoreError, at, checked_name, drafts, summary};

/// Why a document was not put into the folder. Nothing of it is left there.
#[derive(Debug, thiserror::Error)]
pub enum StoreImportError {
    /// It is no recording, or cannot be read.
    #[error(transparent)]
    Import(ImportError),
    /// The folder cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Puts a recording that was exported as JSON into the folder, under an id of its own. It is called `name`, or else as
    /// its scenario is. Waits for the document and the disk.
    ///
    /// # Errors
    /// As [`StoreImportError`] says; among them [`StoreError::BadName`].
    pub fn import(&self, document: impl Read, name: Option<&str>) -> Result<RunSummary, StoreImportError> {
        let name = name.map(checked_name).transpose()?;
        let folder = &self.inner.folder;
        let failed = |error: io::Error| StoreImportError::Store(at(folder)(error));
        // Until it is whole it is no run: it has a name that no list looks at, and goes with its handle.
        let mut draft = self.draft().map_err(failed)?;
        let mut out = BufWriter::new(draft.as_file_mut());
        import(document, |bytes| out.write_all(bytes)).map_err(|error| match error {
            ImportError::Put(error) => failed(error),
            error => StoreImportError::Import(error),
        })?;
        out.flush().map_err(failed)?;
        drop(out);
        draft.as_file().sync_all().map_err(failed)?;
        let (id, mut file) = self.take_in(draft)?;
        file.rewind().map_err(failed)?;
        let mut summary = summary::scan(&id, &mut file).map_err(failed)?.over();
        if let Some(name) = name {
            name.clone_into(&mut summary.name);
        }
        let _guard = self.inner.summaries();
        self.inner.write_summary(&summary)?;
        Ok(summary)
    }

    /// A draft whose lock is ours, so that nobody sweeps it away.
    fn draft(&self) -> io::Result<tempfile::NamedTempFile> {
        loop {
            let draft = tempfile::Builder::new()
                .prefix(drafts::IMPORT)
                .suffix(drafts::ENDING)
                .tempfile_in(&self.inner.folder)?;
            draft.as_file().lock()?;
            // Between its making and its lock it looked like one that was left behind.
            if draft.path().exists() {
                return Ok(draft);
            }
        }
    }

    /// Gives the draft an id that no run has.
    fn take_in(&self, mut draft: tempfile::NamedTempFile) -> Result<(RunId, std::fs::File), StoreError> {
        loop {
            let random = getrandom::u32().map_err(|error| at(&self.inner.folder)(error.into()))?;
            let id = RunId::new(Timestamp::now(), random as u16);
            let path = self.inner.recording(&id);
            match draft.persist_noclobber(&path) {
                Ok(file) => return Ok((id, file)),
                Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => draft = refused.file,
                Err(refused) => return Err(at(&path)(refused.error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
