//! Programs that are no part of Hopscope and that runs may call: where each external service is, which no scenario says.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use hopscope_scenario::issue::{Code, Issue};
use hopscope_scenario::model::{NodeKind, Scenario};

/// An address that the operator allowed, by the name of the node that stands for it: `payments=127.0.0.1:50051`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    name: String,
    address: String,
}

/// Why a text is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the address of an external service; write its node's name and where it is, like payments=127.0.0.1:50051")]
pub struct NotATarget;

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let (name, address) = text.split_once('=').ok_or(NotATarget)?;
        let (host, port) = address.rsplit_once(':').ok_or(NotATarget)?;
        let plain = |host: &str| !host.is_empty() && !host.contains(['/', '@', ' ']);
        if name.trim().is_empty() || !plain(host) || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(NotATarget);
        }
        Ok(Self { name: name.trim().to_owned(), address: address.to_owned() })
    }
}

/// Where external services are, by the names of their nodes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Targets(Arc<BTreeMap<String, String>>);

impl FromIterator<Target> for Targets {
    fn from_iter<T: IntoIterator<Item = Target>>(targets: T) -> Self {
        Self(Arc::new(targets.into_iter().map(|target| (target.name, target.address)).collect()))
    }
}

impl Targets {
    /// The external services of a scenario that are nowhere, an Issue for each.
    #[must_use]
    pub fn missing(&self, scenario: &Scenario) -> Vec<Issue> {
        let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "–".to_owned() } else { known };
        let external = scenario.nodes.iter().enumerate().filter(|(_, node)| matches!(node.kind, NodeKind::External {}));
        let missing = external.filter(|(_, node)| !self.0.contains_key(&node.name)).map(|(index, node)| {
            let args = [("name", node.name.as_str().into()), ("known", known.as_str().into())];
            Issue::new(Code::TargetNotAllowed, format!("/scenario/nodes/{index}"), args)
        });
        missing.collect()
    }

    /// Where the external service of that name is.
    ///
    /// # Errors
    /// When nobody said, or its host has no address.
    pub async fn find(&self, name: &str) -> io::Result<SocketAddr> {
        let none = || io::Error::other("nobody said where it is; start Hopscope with --allow-target");
        let address = self.0.get(name).ok_or_else(none)?;
        let mut found = tokio::net::lookup_host(address).await?;
        found.next().ok_or_else(|| io::Error::other("its host has no address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_target_is_refused() {
        let target: Target = "payments=127.0.0.1:50051".parse().unwrap();
        assert_eq!((target.name.as_str(), target.address.as_str()), ("payments", "127.0.0.1:50051"));
        for wrong in
            ["", "payments", "payments=", "=h:1", "p=h", "p=h:0", "p=h:99999", "p=http://h:80", "p=u@h:80", "p=:80"]
        {
            assert_eq!(wrong.parse::<Target>(), Err(NotATarget), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_target_is_found_by_its_nodes_name() {
        let targets: Targets = ["payments=127.0.0.1:50051".parse().unwrap()].into_iter().collect();
        assert_eq!(targets.find("payments").await.unwrap().to_string(), "127.0.0.1:50051");
        assert!(targets.find("orders").await.unwrap_err().to_string().contains("--allow-target"));
    }
}
