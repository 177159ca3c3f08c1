//! One server for a folder of runs: who serves it holds a lock on a file there, in which its process is named.
//!
//! Others may record runs into the folder, import, list, export and compare meanwhile: what a recording needs is its own lock. Two
//! servers would each take the other's runs for those of a stranger, and each clear up after itself alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::{StoreError, at};

/// The file's name: no list looks at it.
const NAME: &str = ".served";

/// The lock, which goes with it; `None` where the folder cannot be written, and so nothing be done to it.
pub(super) struct Claim {
    _lock: Option<File>,
}

/// Claims the folder for a server.
///
/// # Errors
/// [`StoreError::Served`] when another has it, or when that cannot be found out.
pub(super) fn claim(folder: &Path) -> Result<Claim, StoreError> {
    let path = folder.join(NAME);
    let mut file = match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            tracing::warn!("the folder {} cannot be written: its runs can be looked at alone", folder.display());
            return Ok(Claim { _lock: None });
        }
        Err(error) => return Err(at(&path)(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(StoreError::Served { folder: folder.to_owned(), process: process(&mut file) });
        }
        Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
    }
    if let Err(error) = name_process(&mut file) {
        // A full disk: the lock holds all the same.
        tracing::debug!("{}: {error}", path.display());
    }
    Ok(Claim { _lock: Some(file) })
}

fn name_process(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The process that says that it has the folder. It may have been about to say so.
fn process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::store::keep::Keep;
    use crate::store::{Store, StoreError};

    #[test]
    fn a_folder_has_one_server_at_a_time_and_readers_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let server = Store::open_to_serve(folder.path(), Keep::default()).unwrap();
        let clone = server.clone();
        drop(server);
        let refused = Store::open_to_serve(folder.path(), Keep::default()).err().unwrap();
        let StoreError::Served { folder: told, process } = &refused else { panic!("{refused}") };
        assert_eq!((told.as_path(), *process), (folder.path(), Some(std::process::id())));
        let text = refused.to_string();
        assert!(text.contains(&std::process::id().to_string()) && text.contains("--data"), "{text}");
        assert_eq!(Store::open(folder.path()).unwrap().list().unwrap(), []);
        // The lock goes with its last holder, whatever the file says.
        drop(clone);
        Store::open_to_serve(folder.path(), Keep::default()).unwrap();
    }

    #[test]
    fn a_process_that_cannot_be_told_is_not_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let server = Store::open_to_serve(folder.path(), Keep::default()).unwrap();
        std::fs::write(folder.path().join(super::NAME), "").unwrap();
        let refused = Store::open_to_serve(folder.path(), Keep::default()).err().unwrap();
        assert!(matches!(refused, StoreError::Served { process: None, .. }));
        assert!(!refused.to_string().contains("process"), "{refused}");
        drop(server);
    }
}
