//! Where Kafka lies on this machine: a folder with its jars and what was made of them once.

use std::io;
use std::path::{Path, PathBuf};

use super::KafkaLocalError;
use super::checksums::{self, Damage};
use super::java::Java;
use crate::broker::private::tools;

/// Names the folder, where it is not Hopscope's own.
const VARIABLE: &str = "HOPSCOPE_KAFKA";

/// The version that is installed.
pub(super) const VERSION: &str = "4.4.0";

/// The folder of its jars, in it.
pub(super) const JARS: &str = "lib";

/// What its own jar is called before the version.
const NAMED: &str = "kafka_2.13-";

/// What the jar is called that its words go through, before the version.
const LOGGER: &str = "slf4j-simple-";

/// The file with the first records of a node's metadata, which say what it is capable of.
const CHECKPOINT: &str = "bootstrap.checkpoint";

/// Kafka's jars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    root: PathBuf,
    version: String,
    /// By their places in the folder, sorted.
    jars: Vec<String>,
}

impl Installation {
    /// The one that there is: in the folder that `HOPSCOPE_KAFKA` names and no other if it is set, or in Hopscope's own.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find() -> Result<Self, KafkaLocalError> {
        let place = place().ok_or(KafkaLocalError::NotInstalled)?;
        match Self::at(&place.folder) {
            Some(installation) => Ok(installation),
            None if place.named => Err(KafkaLocalError::NotThere(place.folder)),
            None => Err(KafkaLocalError::NotInstalled),
        }
    }

    /// The one in that folder.
    pub(super) fn at(root: &Path) -> Option<Self> {
        let jars = jars(root).ok()?;
        let version = |name: &str| Some(name.strip_suffix(".jar")?.strip_prefix(NAMED)?.to_owned());
        let names = || jars.iter().filter_map(|jar| jar.strip_prefix(JARS)?.strip_prefix('/'));
        let version = names().find_map(version)?;
        // Its child ends with its parent by a means that only Linux has.
        let stands = cfg!(target_os = "linux") && names().any(|name| name.starts_with(LOGGER));
        stands.then(|| Self { root: root.to_owned(), version, jars })
    }

    /// The folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Kafka's version.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// What Java finds the classes by when it is started in the folder. The archive of classes holds for these words alone,
    /// and not for where the folder is.
    pub(super) fn class_path(&self) -> String {
        self.jars.join(":")
    }

    /// The file with the first records of a node's metadata.
    pub(super) fn checkpoint(&self) -> PathBuf {
        self.root.join(CHECKPOINT)
    }

    /// The archive of its classes as this Java has them when it has loaded them, which is good for no other.
    pub(super) fn archive(&self, java: &Java) -> PathBuf {
        self.root.join(format!("classes-{}.jsa", java.build()))
    }

    /// Whether it was installed by Hopscope, which wrote down what it is made of.
    pub(super) fn is_listed(&self) -> bool {
        checksums::are_in(&self.root)
    }

    /// Holds what is there against what was installed.
    ///
    /// # Errors
    /// When they differ; the first that does is named.
    pub(super) fn verify(&self) -> Result<(), Damage> {
        checksums::verify(&self.root)
    }
}

/// Where Kafka is looked for, and installed.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// Whether someone chose it.
    pub(super) named: bool,
}

/// The folder; `None` where neither it nor a home folder is named.
pub(super) fn place() -> Option<Place> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let (folder, named) = match named {
        Some(folder) => (folder, true),
        None => (tools()?.join(format!("kafka-{VERSION}")), false),
    };
    Some(Place { folder: std::path::absolute(folder).ok()?, named })
}

/// The jars in that folder, by their places in it, sorted.
///
/// # Errors
/// When it cannot be read.
pub(super) fn jars(root: &Path) -> io::Result<Vec<String>> {
    let mut jars = Vec::new();
    for entry in std::fs::read_dir(root.join(JARS))? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| name.ends_with(".jar")) {
            jars.push(format!("{JARS}/{name}"));
        }
    }
    jars.sort_unstable();
    Ok(jars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_has_its_jars_and_the_one_that_it_speaks_by() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Installation::at(folder.path()), None);
        std::fs::create_dir(folder.path().join(JARS)).unwrap();
        for jar in ["kafka_2.13-4.4.0.jar", "kafka-clients-4.4.0.jar"] {
            std::fs::write(folder.path().join(JARS).join(jar), "").unwrap();
        }
        assert_eq!(Installation::at(folder.path()), None, "it could not tell when it is ready");
        std::fs::write(folder.path().join("lib/slf4j-simple-1.7.36.jar"), "").unwrap();
        std::fs::write(folder.path().join("lib/notes"), "").unwrap();
        if cfg!(target_os = "linux") {
            let found = Installation::at(folder.path()).unwrap();
            assert_eq!(found.version(), "4.4.0");
            let jars = "lib/kafka-clients-4.4.0.jar:lib/kafka_2.13-4.4.0.jar:lib/slf4j-simple-1.7.36.jar";
            assert_eq!(found.class_path(), jars);
        }
    }
}
