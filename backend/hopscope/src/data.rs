//! The folder of runs, as arguments name it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use hopscope_scenario::text;
use hopscope_server::store::keep::Keep;
use hopscope_server::store::{RunId, Store, StoreError, default_folder};

use crate::say::{say, word};

/// Where runs are kept.
#[derive(Clone, clap::Args)]
pub(crate) struct Data {
    /// Folder that runs are kept in [default: hopscope/runs in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl Data {
    /// The folder.
    ///
    /// # Errors
    /// When none is named and the user has no home.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        match &self.data {
            Some(folder) => Ok(folder.clone()),
            None => default_folder().with_context(|| word(text!("cli.error.no-data"))),
        }
    }

    /// The folder, opened.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::open(self.folder()?)?)
    }

    /// The folder, opened for a server that keeps it to these limits.
    ///
    /// # Errors
    /// When it cannot be had, or another server has it.
    pub(crate) fn store_to_serve(&self, limits: Keep) -> Result<Store> {
        Ok(Store::open_to_serve(self.folder()?, limits)?)
    }

    /// Tells of a run that is not there where it is looked for.
    pub(crate) fn explain(&self, id: &RunId, error: StoreError) -> anyhow::Error {
        match (error, self.folder()) {
            (StoreError::Unknown(_), Ok(folder)) => {
                let args = [("id", id.to_string()), ("folder", folder.display().to_string())];
                anyhow::Error::msg(say(text!("cli.error.unknown-run"), args))
            }
            (error, _) => error.into(),
        }
    }
}
