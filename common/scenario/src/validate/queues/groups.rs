//! Whether the groups that read a topic are told apart.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::protocol::GROUP;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;

/// Checks the links that read topics.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[&Edge]) {
    let mut seen = BTreeSet::new();
    for edge in edges.iter().filter(|edge| kind_at(nodes, edge.from) == Some(Kind::Topic)) {
        let said = links.get(edge.link).and_then(|link| link.get(GROUP)?.as_str());
        let group = said.map_or_else(|| name(nodes, edge.to), str::to_owned);
        if !seen.insert((edge.from, group.clone())) {
            let path =
                if said.is_some() { format!("/links/{}/{GROUP}", edge.link) } else { format!("/links/{}", edge.link) };
            let args = [("topic", name(nodes, edge.from).into()), ("group", group.into())];
            issues.push(Issue::new(Code::GroupTaken, path, args));
        }
    }
}
