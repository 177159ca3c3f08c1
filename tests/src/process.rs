//! What the system tells of a process: memory, threads, open files, listeners, children. Linux alone tells it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The state that `/proc/net/tcp` has for a socket that listens.
const LISTENING: &str = "0A";

/// Loopback as `/proc/net/tcp` and `tcp6` write it: 127.0.0.1, ::1, and the first within the second.
const LOOPBACK: [&str; 3] = ["0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];

/// A process.
#[derive(Clone, Copy, Debug)]
pub struct Process(u32);

/// What a process holds, by what it is: so many of each.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Holdings {
    /// Threads, by their names.
    pub threads: BTreeMap<String, usize>,
    /// Open files, by what they are: `socket`, `pipe`, `anon_inode:[eventpoll]`, or a path.
    pub files: BTreeMap<String, usize>,
    /// Ports that are listened on.
    pub listeners: Vec<u16>,
    /// Those of them that can be reached from other machines, as the system writes their addresses.
    pub beyond_loopback: Vec<String>,
    /// Processes that it has started and that are there, zombies among them.
    pub children: Vec<u32>,
}

impl Process {
    /// The process of this number.
    #[must_use]
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.0
    }

    /// Whether it is a node of a run that has not ended.
    #[must_use]
    pub fn is_node(&self) -> bool {
        fs::read(self.path("cmdline")).unwrap_or_default().ends_with(b"\0node\0")
    }

    /// The nodes of runs that it has started.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn nodes(&self) -> Result<Vec<Self>> {
        Ok(self.holdings()?.children.into_iter().map(Self::new).filter(Self::is_node).collect())
    }

    /// The memory that it has resident, in bytes.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn memory(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory that it ever had resident, in bytes.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn most_memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// A figure in KiB of what the system tells, in bytes.
    fn status(&self, name: &'static str) -> Result<u64> {
        let status = fs::read_to_string(self.path("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    /// The processor time that it has used, its system's part included, to a hundredth of a second.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn cpu(&self) -> Result<Duration> {
        // As Linux counts for every program.
        const TICK: Duration = Duration::from_millis(10);
        let stat = fs::read_to_string(self.path("stat"))?;
        let fields: Vec<_> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let [user, system] = fields.get(11..13).context("a short line")? else { bail!("{stat}") };
        Ok(TICK * (user.parse::<u32>()? + system.parse::<u32>()?))
    }

    /// What it holds now.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn holdings(&self) -> Result<Holdings> {
        let mut found = Holdings::default();
        for thread in fs::read_dir(self.path("task"))?.flatten() {
            // One that ends meanwhile is none.
            if let Ok(name) = fs::read_to_string(thread.path().join("comm")) {
                *found.threads.entry(name.trim().to_owned()).or_default() += 1;
            }
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.children.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        let mut sockets = Vec::new();
        for file in fs::read_dir(self.path("fd"))?.flatten() {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            let target = target.to_string_lossy().into_owned();
            let (kind, inode) = match target.split_once(":[") {
                Some((kind @ ("socket" | "pipe"), inode)) => (kind.to_owned(), inode.trim_end_matches(']').to_owned()),
                _ => (target, String::new()),
            };
            *found.files.entry(kind).or_default() += 1;
            sockets.push(inode);
        }
        (found.listeners, found.beyond_loopback) = self.listeners(&sockets)?;
        found.children.sort_unstable();
        Ok(found)
    }

    /// The ports of those of these sockets, by their inodes, that listen; and the addresses of those that do beyond loopback.
    fn listeners(&self, sockets: &[String]) -> Result<(Vec<u16>, Vec<String>)> {
        let (mut ports, mut beyond) = (Vec::new(), Vec::new());
        for table in ["net/tcp", "net/tcp6"] {
            let table = fs::read_to_string(self.path(table)).unwrap_or_default();
            for row in table.lines().skip(1) {
                let columns: Vec<_> = row.split_whitespace().collect();
                let (Some(local), Some(&state), Some(inode)) = (columns.get(1), columns.get(3), columns.get(9)) else {
                    continue;
                };
                if state == LISTENING && sockets.iter().any(|socket| socket == inode) {
                    let (address, port) = local.rsplit_once(':').context("no port")?;
                    ports.push(u16::from_str_radix(port, 16)?);
                    if !LOOPBACK.contains(&address) {
                        beyond.push((*local).to_owned());
                    }
                }
            }
        }
        ports.sort_unstable();
        Ok((ports, beyond))
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }
}
