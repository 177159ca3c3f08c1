//! What is half written has a name that no list looks at, a *draft*; and what becomes of drafts whose writer has died.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How every draft's name ends.
pub(super) const ENDING: &str = ".draft";

/// How the name of a document begins that is being taken in. Its writer holds a lock on it, since that may take long.
pub(super) const IMPORT: &str = ".import-";

/// After so long without a change nobody writes a draft any more that nobody holds a lock on: they are written in one go.
const ABANDONED: Duration = Duration::from_secs(60);

/// Deletes the drafts that a process left when it died. What is in the way of that is left to the next time.
pub(super) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with('.') && name.ends_with(ENDING)) else { continue };
        match remove_abandoned(&entry.path(), name) {
            Ok(true) => tracing::info!("{name} is deleted: whoever wrote it died"),
            Ok(false) => {}
            Err(error) => tracing::debug!("{name} stays: {error}"),
        }
    }
}

fn remove_abandoned(path: &Path, name: &str) -> io::Result<bool> {
    let file = File::open(path)?;
    // Held until the name is gone, so that a writer that comes to lock it sees that it has to make another.
    if file.try_lock().is_err() {
        return Ok(false);
    }
    // A clock that was set back makes a file come from later: then it is left alone.
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    if !name.starts_with(IMPORT) && age < ABANDONED {
        return Ok(false);
    }
    fs::remove_file(path)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::store::Store;

    #[test]
    fn what_a_dead_process_left_is_swept_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            file
        };
        make(".import-dead.draft", 0);
        make(".20261123-141530-7f3a.77.draft", 120);
        make(".20261123-141530-7f3a.77.keys.draft", 120);
        let living = make(".import-living.draft", 120);
        living.lock().unwrap();
        make(".20261123-141530-7f3a.78.draft", 0);
        make("mine.draft", 120);
        make(".hidden", 120);
        Store::open(folder.path()).unwrap();
        let names = || {
            let names =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(), [".20261123-141530-7f3a.78.draft", ".hidden", ".import-living.draft", "mine.draft"]);
        drop(living);
        Store::open(folder.path()).unwrap();
        assert_eq!(names(), [".20261123-141530-7f3a.78.draft", ".hidden", "mine.draft"]);
    }
}
