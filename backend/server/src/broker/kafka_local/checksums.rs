//! What an installation is made of, by SHA-256: a list that `sha256sum --check` reads too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The list.
const LIST: &str = "SHA256SUMS";

/// What is in the list: jars, and what was made of them.
const LISTED: [&str; 3] = ["jar", "checkpoint", "jsa"];

/// How an installation differs from what was installed.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A file is another one.
    #[error("{0} is not as it was installed")]
    Changed(String),
    /// A file is missing.
    #[error("{0} is not there")]
    Absent(String),
    /// A file has come to it.
    #[error("{0} was not installed")]
    Surplus(String),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unread(#[from] io::Error),
}

/// Whether there is a list.
pub(super) fn are_in(root: &Path) -> bool {
    root.join(LIST).is_file()
}

/// Writes down what is there.
///
/// # Errors
/// When it cannot be read, or the list cannot be written.
pub(super) fn write(root: &Path) -> io::Result<()> {
    let mut list = String::new();
    for name in files(root)? {
        let _ = writeln!(list, "{}  {name}", sum(&root.join(&name))?);
    }
    std::fs::write(root.join(LIST), list)
}

/// Holds what is there against the list.
///
/// # Errors
/// When they differ; the first file that does is named.
pub(super) fn verify(root: &Path) -> Result<(), Damage> {
    let list = std::fs::read_to_string(root.join(LIST))?;
    let listed: BTreeMap<_, _> =
        list.lines().filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name, sum)).collect();
    let there = files(root)?;
    if let Some(name) = there.iter().find(|name| !listed.contains_key(name.as_str())) {
        return Err(Damage::Surplus(name.clone()));
    }
    for (name, expected) in listed {
        if !there.contains(name) {
            return Err(Damage::Absent(name.to_owned()));
        }
        if sum(&root.join(name))? != expected {
            return Err(Damage::Changed(name.to_owned()));
        }
    }
    Ok(())
}

/// What belongs into the list, by its place in the folder.
fn files(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut files = BTreeSet::from_iter(super::installation::jars(root)?);
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        let listed = path.extension().is_some_and(|extension| LISTED.iter().any(|listed| extension == *listed));
        if listed && let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            files.insert(name.to_owned());
        }
    }
    Ok(files)
}

fn sum(file: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(file)?, &mut digest)?;
    Ok(digest.finalize().iter().fold(String::new(), |mut sum, byte| {
        let _ = write!(sum, "{byte:02x}");
        sum
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_what_was_installed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir(place("lib")).unwrap();
        for (name, content) in [("lib/a.jar", "a"), ("lib/b.jar", "b"), ("classes-17.jsa", "c"), ("notes", "d")] {
            std::fs::write(place(name), content).unwrap();
        }
        assert!(!are_in(folder.path()));
        write(folder.path()).unwrap();
        assert!(are_in(folder.path()));
        verify(folder.path()).unwrap();
        let list = std::fs::read_to_string(place(LIST)).unwrap();
        // printf a | sha256sum
        assert!(
            list.contains("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  lib/a.jar\n"),
            "{list}"
        );
        assert_eq!(list.lines().count(), 3);

        std::fs::write(place("notes"), "another").unwrap();
        verify(folder.path()).unwrap();
        let told = || verify(folder.path()).unwrap_err().to_string();
        std::fs::write(place("lib/b.jar"), "B").unwrap();
        assert_eq!(told(), "lib/b.jar is not as it was installed");
        std::fs::remove_file(place("lib/b.jar")).unwrap();
        assert_eq!(told(), "lib/b.jar is not there");
        std::fs::write(place("lib/b.jar"), "b").unwrap();
        std::fs::write(place("lib/c.jar"), "c").unwrap();
        assert_eq!(told(), "lib/c.jar was not installed");
        std::fs::remove_file(place("lib/c.jar")).unwrap();
        verify(folder.path()).unwrap();
    }
}
