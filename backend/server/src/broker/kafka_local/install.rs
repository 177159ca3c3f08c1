//! Installs Kafka, when that is asked for: its jars by Maven, and what is made of them once, so that each start is quick.
//!
//! All of it is made in a folder beside the one that it is to be in, which is renamed at the end: what was interrupted never
//! looks whole. Who installs holds a lock; a second one waits and finds it installed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use super::installation::{Installation, JARS, Place, VERSION, place};
use super::java::Java;
use super::maven;
use super::node::{Classes, checkpoint};
use super::{KafkaLocalError, checksums, start};
use crate::broker::private::on_path;

/// How long Java may take to write the archive of classes when it ends.
const ARCHIVE: Duration = Duration::from_secs(180);

/// How Java ends that was asked to and has done all that it had to.
const ENDED: i32 = 143;

/// What the jars take, bytes.
pub const DOWNLOAD: u64 = 43_000_000;

/// Why Kafka could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum NotInstalled {
    /// Its process could outlive Hopscope here.
    #[error("Hopscope starts a Kafka on Linux only: elsewhere its process could outlive Hopscope. Do this on Linux")]
    NotLinux,
    /// There is no folder to install it in.
    #[error("there is no folder to install Kafka in. Set HOME, HOPSCOPE_TOOLS or HOPSCOPE_KAFKA")]
    NoFolder,
    /// There is no Maven to fetch it.
    #[error(
        "Kafka is fetched by Maven, and there is no program mvn in PATH. On Debian and Ubuntu type: apt install maven"
    )]
    NoMaven,
    /// Maven could not fetch it.
    #[error("Maven could not fetch Kafka ({0}). Make sure that it reaches its repository, and try again")]
    Fetch(String),
    /// Something else is where it is to be.
    #[error(
        "{0} is there and is no Kafka that Hopscope installed. Have HOPSCOPE_KAFKA name a folder that is not there yet"
    )]
    Occupied(PathBuf),
    /// A file could not be written or read.
    #[error(
        "Kafka could not be installed in {folder}: {source}. Make sure that there is room for 200 MB and that it can be written"
    )]
    Files {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was installed does not start, or what it starts by is missing.
    #[error(transparent)]
    Start(#[from] KafkaLocalError),
}

/// How far an installation has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Installing {
    /// What was there is not as it was installed, for this reason, and will be replaced.
    Replaces(String),
    /// It begins: [`DOWNLOAD`] of jars, about 100 MB with the archive of their classes.
    Begins {
        /// Kafka's version.
        version: &'static str,
        /// Where it will be.
        folder: PathBuf,
    },
    /// Maven fetches the jars.
    Fetches {
        /// How much of [`DOWNLOAD`] it has fetched, bytes; what it had fetched for others before is not among it.
        bytes: u64,
    },
    /// A node is started and stopped, which writes the archive of classes.
    Archives,
    /// Java wrote no archive, so that each start takes longer.
    NoArchive,
}

/// What is installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Installed {
    /// Kafka's version.
    pub version: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Whether it was there.
    pub was_there: bool,
}

/// Installs Kafka where it is looked for, and tells how far it has come. What is there already is held against what was
/// installed, and made whole.
///
/// # Errors
/// When something that it needs is missing, it cannot be fetched or written, or what was fetched does not start.
pub async fn install(mut said: impl FnMut(Installing)) -> Result<Installed, NotInstalled> {
    if !cfg!(target_os = "linux") {
        return Err(NotInstalled::NotLinux);
    }
    let place = place().ok_or(NotInstalled::NoFolder)?;
    let java = blocking(&place.folder, || Ok(Java::find())).await??;
    if let Some(installation) = brought(&place)? {
        return Ok(Installed::new(&installation, true));
    }
    let lock = alone(&place.folder).await?;
    let installed = match stands(&place.folder, &java, &mut said).await? {
        Some(installation) => Installed::new(&installation, true),
        None => Installed::new(&install_anew(&place.folder, &java, &mut said).await?, false),
    };
    drop(lock);
    Ok(installed)
}

impl Installed {
    fn new(installation: &Installation, was_there: bool) -> Self {
        Self { version: installation.version().to_owned(), folder: installation.root().to_owned(), was_there }
    }
}

/// What someone brought to the folder that they named: they know what it is made of, and it stays as it is.
fn brought(Place { folder, named }: &Place) -> Result<Option<Installation>, NotInstalled> {
    if !named || checksums::are_in(folder) {
        return Ok(None);
    }
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    match Installation::at(folder) {
        None if !is_empty => Err(NotInstalled::Occupied(folder.clone())),
        brought => Ok(brought),
    }
}

/// What is installed there and whole; an archive for this Java, where it lacks that only, is made.
async fn stands(
    folder: &Path,
    java: &Java,
    said: &mut impl FnMut(Installing),
) -> Result<Option<Installation>, NotInstalled> {
    let Some(installation) = Installation::at(folder).filter(Installation::is_listed) else {
        return Ok(None);
    };
    let read = installation.clone();
    if let Err(damage) = blocking(folder, move || Ok(read.verify())).await? {
        said(Installing::Replaces(damage.to_string()));
        return Ok(None);
    }
    if !installation.archive(java).exists() {
        archive(&installation, java, said).await?;
        list(folder).await?;
    }
    Ok(Some(installation))
}

/// Makes all of it, and then has it be there at once.
async fn install_anew(
    folder: &Path,
    java: &Java,
    said: &mut impl FnMut(Installing),
) -> Result<Installation, NotInstalled> {
    let failed = files(folder);
    let maven = on_path("mvn").ok_or(NotInstalled::NoMaven)?;
    said(Installing::Begins { version: VERSION, folder: folder.to_owned() });
    let beside = tempfile::Builder::new().prefix(&beginning(folder)).tempdir_in(parent(folder)).map_err(&failed)?;
    // As this user makes folders; a temporary one is its owner's alone.
    let made = beside.path().join("kafka");
    std::fs::create_dir(&made).map_err(&failed)?;
    let (tell, mut told) = unbounded_channel();
    let to = made.clone();
    let fetching = blocking(folder, move || maven::fetch(&maven, &to, &tell));
    let telling = async {
        said(Installing::Fetches { bytes: 0 });
        while let Some(bytes) = told.recv().await {
            said(Installing::Fetches { bytes });
        }
    };
    let (fetched, ()) = tokio::join!(fetching, telling);
    fetched?.map_err(NotInstalled::Fetch)?;
    let unknown = || NotInstalled::Fetch(format!("the jars in {} are not what is expected", made.join(JARS).display()));
    let installation = Installation::at(&made).ok_or_else(unknown)?;
    archive(&installation, java, said).await?;
    list(&made).await?;
    let (from, to) = (made, folder.to_owned());
    blocking(folder, move || {
        if to.exists() {
            std::fs::remove_dir_all(&to)?;
        }
        std::fs::rename(from, to)
    })
    .await?;
    drop(beside);
    Installation::at(folder).ok_or_else(|| KafkaLocalError::NotInstalled.into())
}

/// Starts a node for the first time and stops it: what its folder was made ready with is kept, and the archive of its classes.
async fn archive(
    installation: &Installation,
    java: &Java,
    said: &mut impl FnMut(Installing),
) -> Result<(), NotInstalled> {
    let failed = files(installation.root());
    said(Installing::Archives);
    let (archive, written) = (installation.archive(java), installation.root().join("classes.new"));
    let node = start(installation, java, &Classes::Jars(written.clone()), None).await?;
    if !installation.checkpoint().exists() {
        // Written and not copied: Kafka's own is its user's alone.
        let made = std::fs::read(checkpoint(node.home()));
        made.and_then(|made| std::fs::write(installation.checkpoint(), made)).map_err(&failed)?;
    }
    let ended = node.stop(ARCHIVE).await.and_then(|status| status.code());
    // Half of an archive would bring every start down.
    if ended == Some(ENDED) && written.exists() {
        std::fs::rename(written, archive).map_err(&failed)?;
    } else {
        let _ = std::fs::remove_file(written);
        said(Installing::NoArchive);
    }
    Ok(())
}

/// Writes down what is there.
async fn list(folder: &Path) -> Result<(), NotInstalled> {
    let root = folder.to_owned();
    blocking(folder, move || checksums::write(&root)).await
}

/// Waits until nobody else installs there, and removes what those left who were interrupted.
async fn alone(folder: &Path) -> Result<File, NotInstalled> {
    let (parent, name) = (parent(folder).to_owned(), name(folder));
    let beginning = beginning(folder);
    blocking(folder, move || {
        std::fs::create_dir_all(&parent)?;
        let lock = File::create(parent.join(format!("{name}.lock")))?;
        lock.lock()?;
        for entry in std::fs::read_dir(&parent)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&beginning) {
                // What cannot be removed is in nobody's way.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        Ok(lock)
    })
    .await
}

/// Does what waits for files where that keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, NotInstalled> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(files(folder))
}

/// An error about files there.
fn files(folder: &Path) -> impl Fn(io::Error) -> NotInstalled + use<> {
    let folder = folder.to_owned();
    move |source| NotInstalled::Files { folder: folder.clone(), source }
}

fn parent(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}

fn name(folder: &Path) -> String {
    folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// What the names of folders begin with in which it is made.
fn beginning(folder: &Path) -> String {
    format!("{}.new-", name(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_someone_brought_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = |named| Place { folder: folder.path().to_owned(), named };
        assert_eq!(brought(&place(true)).unwrap(), None, "it is installed there");
        std::fs::create_dir(folder.path().join(JARS)).unwrap();
        assert!(matches!(brought(&place(true)), Err(NotInstalled::Occupied(_))));
        assert_eq!(brought(&place(false)).unwrap(), None, "what is left there in our own folder is replaced");
        for jar in ["kafka_2.13-3.9.0.jar", "slf4j-simple-1.7.36.jar"] {
            std::fs::write(folder.path().join(JARS).join(jar), "").unwrap();
        }
        if cfg!(target_os = "linux") {
            assert_eq!(brought(&place(true)).unwrap().unwrap().version(), "3.9.0");
        }
        checksums::write(folder.path()).unwrap();
        assert_eq!(brought(&place(true)).unwrap(), None, "it is ours");
    }

    #[tokio::test]
    async fn two_do_not_install_at_once_and_what_was_interrupted_is_gone() {
        let tools = tempfile::tempdir().unwrap();
        let folder = tools.path().join("deep/kafka-4.4.0");
        let first = alone(&folder).await.unwrap();
        let left = parent(&folder).join("kafka-4.4.0.new-abc");
        std::fs::create_dir(&left).unwrap();
        std::fs::create_dir(parent(&folder).join("kafka-4.3.0")).unwrap();
        let second = tokio::spawn({
            let folder = folder.clone();
            async move { alone(&folder).await }
        });
        assert!(left.exists(), "it is the first one's");
        drop(first);
        drop(second.await.unwrap().unwrap());
        assert!(!left.exists() && parent(&folder).join("kafka-4.3.0").exists());
    }
}
