//! The canvas as boxes and paths: what the document says and what a drag under way adds to it.

use std::collections::{BTreeSet, HashMap};

use hopscope_scenario::edits::{Document, LinkRef, NodeRef};
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::protocol::{Protocol, Stroke};
use serde_json::Value;

use crate::geometry::{GRID, LinkPath, Point, Rect, bounds, node_at, node_rect, route};

#[cfg(test)]
mod tests;

/// Distance between the corners of nodes that have no position of their own.
const APART: Point = Point::new(260.0, 140.0);

/// Every node's box and every link's path, in world coordinates and in the document's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    nodes: Vec<SceneNode>,
    links: Vec<SceneLink>,
    node_index: HashMap<String, usize>,
    link_index: HashMap<String, usize>,
}

/// A node's box.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneNode {
    /// The document's id.
    pub id: String,
    /// Its kind, if it is a known one.
    pub kind: Option<Kind>,
    /// Where it is.
    pub rect: Rect,
}

/// A link's path.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneLink {
    /// The document's id.
    pub id: String,
    /// The id of the node that calls.
    pub from: String,
    /// The id of the node that is called.
    pub to: String,
    /// Its protocol, if it is a known one.
    pub protocol: Option<Protocol>,
    /// The document's link whose replies it carries; the document has none of its id then.
    pub replies_of: Option<String>,
    /// Whether it is the way of a queue's dead letters, or of what an exchange cannot hand on; the document has none of its id
    /// then.
    pub dead_letters: bool,
    /// By what an exchange at one of its ends hands messages on: its key or headers; empty where it has none.
    pub key: String,
    /// How its line is drawn; one of an unknown protocol as a call.
    pub stroke: Stroke,
    /// Where it runs.
    pub path: LinkPath,
}

impl Scene {
    /// The scene of a document in which the nodes `moving` are `by` from where it has them. A node without a position
    /// gets one by its place in the document; a link without both ends is left out.
    #[must_use]
    pub fn of(document: &Document, moving: &BTreeSet<String>, by: Point) -> Self {
        let mut scene = Self::default();
        for (index, node) in document.nodes().enumerate() {
            let (x, y) = node.position().map_or_else(|| unplaced(index), |(x, y)| (f64::from(x), f64::from(y)));
            let moved = if moving.contains(node.id()) { by } else { Point::default() };
            let rect = node_rect(node.kind().unwrap_or(Kind::Service), x, y).moved(moved);
            scene.node_index.insert(node.id().to_owned(), index);
            scene.nodes.push(SceneNode { id: node.id().to_owned(), kind: node.kind(), rect });
        }
        scene.add_links(document);
        scene
    }

    fn add_links(&mut self, document: &Document) {
        let mut drawn: Vec<_> = document.links().map(|link| Ends::of(link, None)).collect();
        drawn.extend(document.links().flat_map(|link| replies(document, link)));
        drawn.extend(document.nodes().filter_map(given_up));
        let known: Vec<_> = drawn
            .into_iter()
            .filter_map(|link| {
                let ends = (*self.node_index.get(&link.from)?, *self.node_index.get(&link.to)?);
                Some((link, ends))
            })
            .collect();
        let rects: Vec<_> = self.nodes.iter().map(|node| node.rect).collect();
        let ends: Vec<_> = known.iter().map(|(_, ends)| *ends).collect();
        for ((link, _), path) in known.into_iter().zip(route(&rects, &ends)) {
            let Some(path) = path else {
                continue;
            };
            self.link_index.insert(link.id.clone(), self.links.len());
            let Ends { id, from, to, protocol, replies_of, dead_letters, key, stroke } = link;
            self.links.push(SceneLink { id, from, to, protocol, replies_of, dead_letters, key, stroke, path });
        }
    }

    /// The nodes; later ones lie over earlier ones.
    #[must_use]
    pub fn nodes(&self) -> &[SceneNode] {
        &self.nodes
    }

    /// The links whose ends both exist: the document's, then those that replies come back over, and the ways of dead letters.
    #[must_use]
    pub fn links(&self) -> &[SceneLink] {
        &self.links
    }

    /// The node of an id.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&SceneNode> {
        self.nodes.get(*self.node_index.get(id)?)
    }

    /// The link of an id.
    #[must_use]
    pub fn link(&self, id: &str) -> Option<&SceneLink> {
        self.links.get(*self.link_index.get(id)?)
    }

    /// The topmost node at a point.
    #[must_use]
    pub fn node_at(&self, point: Point) -> Option<&SceneNode> {
        self.nodes.get(node_at(self.nodes.iter().map(|node| node.rect), point)?)
    }

    /// The ids of the nodes that a box touches.
    pub fn nodes_within(&self, within: Rect) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(move |node| node.rect.touches(within)).map(|node| node.id.as_str())
    }

    /// The least box around all nodes; `None` of an empty canvas.
    #[must_use]
    pub fn bounds(&self) -> Option<Rect> {
        bounds(self.nodes.iter().map(|node| node.rect))
    }

    /// Where a new node of that kind stands with its middle at `wanted`: on the grid, and not exactly on another.
    #[must_use]
    pub fn place(&self, kind: Kind, wanted: Point) -> Point {
        let corner = wanted.minus(node_rect(kind, 0.0, 0.0).center()).snapped();
        Self::step_from(corner, |corner| self.nodes.iter().any(|node| node.rect.origin() == corner))
    }

    /// As [`Scene::place`], but on no other node at all: for a node that nobody put anywhere.
    #[must_use]
    pub fn free_place(&self, kind: Kind, wanted: Point) -> Point {
        let corner = self.place(kind, wanted);
        Self::step_from(corner, |corner| {
            let rect = node_rect(kind, corner.x, corner.y);
            self.nodes.iter().any(|node| node.rect.touches(rect))
        })
    }

    /// Steps along the grid's diagonal while a place is taken; every node is passed at some time.
    fn step_from(mut corner: Point, taken: impl Fn(Point) -> bool) -> Point {
        while taken(corner) {
            corner = corner.plus(Point::new(GRID, GRID));
        }
        corner
    }
}

/// What a link joins.
struct Ends {
    id: String,
    from: String,
    to: String,
    protocol: Option<Protocol>,
    replies_of: Option<String>,
    dead_letters: bool,
    key: String,
    stroke: Stroke,
}

impl Ends {
    fn of(link: LinkRef<'_>, replies_of: Option<String>) -> Self {
        let (id, from, to) = (link.id().to_owned(), link.from().to_owned(), link.to().to_owned());
        let words =
            ["routing_key", "binding_key", "headers"].map(|name| link.value().get(name).and_then(Value::as_str));
        let key = words.into_iter().flatten().find(|words| !words.is_empty()).unwrap_or_default().to_owned();
        let protocol = link.protocol();
        let stroke = protocol.map_or(Stroke::Solid, |protocol| protocol.stroke_of(link.value()));
        Self { id, from, to, protocol, replies_of, dead_letters: false, key, stroke }
    }
}

/// The links that the replies to a link's messages come back over, with the ids that the plan gives them: from every service
/// that takes the messages into the reply queue, and from there to who waits.
fn replies(document: &Document, link: LinkRef<'_>) -> Vec<Ends> {
    let queue = link.value().get("replies").and_then(Value::as_str).and_then(|id| document.node(id));
    let Some(queue) = queue.filter(|queue| queue.kind() == Some(Kind::Queue)) else { return Vec::new() };
    let derived = |id: String, from: &str, to: &str| Ends {
        id,
        from: from.to_owned(),
        to: to.to_owned(),
        ..Ends::of(link, Some(link.id().to_owned()))
    };
    let serves = |id: &str| document.node(id).is_some_and(|node| node.kind() == Some(Kind::Service));
    let takers = document.links().filter(|taking| taking.from() == link.to() && serves(taking.to()));
    let mut links: Vec<_> =
        takers.map(|taking| derived(format!("{}~{}", link.id(), taking.id()), taking.to(), queue.id())).collect();
    links.push(derived(format!("{}~replies", link.id()), queue.id(), link.from()));
    links
}

/// The way of a queue's dead letters, or of what an exchange cannot hand on, if they have one. Its id is no link's.
fn given_up(node: NodeRef<'_>) -> Option<Ends> {
    let (field, name) = match node.kind()? {
        Kind::Queue => ("dead_letters", "dead"),
        Kind::Exchange => ("alternate", "alternate"),
        _ => return None,
    };
    Some(Ends {
        id: format!("{}~{name}", node.id()),
        from: node.id().to_owned(),
        to: node.value().get(field)?.as_str()?.to_owned(),
        key: String::new(),
        protocol: Some(Protocol::Amqp),
        replies_of: None,
        dead_letters: true,
        stroke: Stroke::Dashed,
    })
}

/// Rows of four for nodes without a position.
fn unplaced(index: usize) -> (f64, f64) {
    ((index % 4) as f64 * APART.x, (index / 4) as f64 * APART.y)
}
