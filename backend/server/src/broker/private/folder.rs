//! The folder that a private broker keeps everything in: temporary, its owner's alone, and swept at a later start if its
//! owner was killed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What the names of all begin with; the kind of broker follows.
const PREFIX: &str = "hopscope-";
/// And of one that is not ready to be looked at.
const BEGINNING: &str = "hopscope-new-";
/// The file in it that its owner holds a lock of for as long as it lives.
const OWNER: &str = "owner";

/// A folder, removed with its owner.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _owner: File,
}

impl Folder {
    /// Makes one for that kind of broker, and removes those whose owners have gone.
    ///
    /// # Errors
    /// When the system's folder of temporary files cannot be written.
    pub(super) fn new(kind: &str) -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir(), kind)
    }

    fn new_in(parent: &Path, kind: &str) -> io::Result<Self> {
        sweep(parent, kind);
        let beginning = tempfile::Builder::new().prefix(&format!("{BEGINNING}{kind}-")).tempdir_in(parent)?;
        let owner = File::create(beginning.path().join(OWNER))?;
        owner.lock()?;
        let name = beginning.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let path = parent.join(name.replacen(BEGINNING, PREFIX, 1));
        // Under its name only when it is locked: nobody sweeps it then.
        std::fs::rename(beginning.path(), &path)?;
        let _ = beginning.keep();
        Ok(Self { path, _owner: owner })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is swept at the next start.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes folders of that kind that nobody owns any more.
fn sweep(parent: &Path, kind: &str) {
    let prefix = format!("{PREFIX}{kind}-");
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            let abandoned = File::open(entry.path().join(OWNER)).is_ok_and(|owner| owner.try_lock().is_ok());
            if abandoned {
                // Another one may sweep it too.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_or_at_the_next_start() {
        let parent = tempfile::tempdir().unwrap();
        let count = || std::fs::read_dir(parent.path()).unwrap().count();
        let first = Folder::new_in(parent.path(), "rabbitmq").unwrap();
        let second = Folder::new_in(parent.path(), "rabbitmq").unwrap();
        assert_eq!(count(), 2, "what is owned stays");
        drop(second);
        assert_eq!(count(), 1);
        // What a process leaves that was killed: the folder without its lock.
        let Folder { path, _owner } = &first;
        std::fs::create_dir(parent.path().join("hopscope-rabbitmq-old")).unwrap();
        File::create(parent.path().join("hopscope-rabbitmq-old").join(OWNER)).unwrap();
        assert!(path.exists());
        let third = Folder::new_in(parent.path(), "rabbitmq").unwrap();
        assert_eq!(count(), 2, "the abandoned one is gone");
        drop((first, third));
        assert_eq!(count(), 0);
    }
}
