//! Where RabbitMQ and Erlang lie on this machine.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::broker::private::{path, tools};

/// Names the folder that stands for `/usr`, where it is neither that nor Hopscope's own.
const VARIABLE: &str = "HOPSCOPE_RABBITMQ";

/// Where `cargo xtask setup` unpacks it, in the folder of Hopscope's tools; the number is the one that it has there.
const UNPACKED: &str = "rabbitmq-1/usr";

/// RabbitMQ's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    root: PathBuf,
}

impl Installation {
    /// The first one that there is: the one that `HOPSCOPE_RABBITMQ` names and no other if it is set, the system's package,
    /// the one that was unpacked for Hopscope's tests.
    pub(super) fn find() -> Option<Self> {
        let named = std::env::var_os(VARIABLE).map(PathBuf::from);
        let found = match named {
            Some(root) => vec![root],
            None => std::iter::once(PathBuf::from("/usr")).chain(tools().map(|tools| tools.join(UNPACKED))).collect(),
        };
        found.into_iter().map(|root| Self { root }).find(Self::stands)
    }

    fn stands(&self) -> bool {
        // Children end with their parent by a means that only Linux has.
        cfg!(target_os = "linux") && self.server().exists() && self.port_mapper().is_some()
    }

    /// Its starting script: the one that does not change the user.
    pub(super) fn server(&self) -> PathBuf {
        self.root.join("lib/rabbitmq/bin/rabbitmq-server")
    }

    /// Erlang's port mapper.
    pub(super) fn port_mapper(&self) -> Option<PathBuf> {
        let folders = [self.erlang(), self.root.join("bin")].into_iter().chain(path());
        folders.map(|folder| folder.join("epmd")).find(|program| program.exists())
    }

    /// What its scripts find programs by.
    pub(super) fn path(&self) -> OsString {
        let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
        let folders = std::iter::once(self.erlang()).chain(path()).chain(usual);
        std::env::join_paths(folders).unwrap_or_default()
    }

    fn erlang(&self) -> PathBuf {
        self.root.join("lib/erlang/bin")
    }
}
