//! The paths of links: where they leave, how they bend, and every point on the way.

use super::{Point, Rect};
use crate::format;

/// How many straight pieces a path's length is measured by.
const PIECES: usize = 32;
/// Farthest apart two links leave the same side.
const SPREAD: f64 = 24.0;
/// Part of a side's ends that no link uses.
const CORNER: f64 = 16.0;

/// A side of a node's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The left edge.
    Left,
    /// The right edge.
    Right,
    /// The upper edge.
    Top,
    /// The lower edge.
    Bottom,
}

impl Side {
    /// All of them, in their order.
    const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Top, Self::Bottom];

    /// The way out of the box.
    fn out(self) -> Point {
        match self {
            Self::Left => Point::new(-1.0, 0.0),
            Self::Right => Point::new(1.0, 0.0),
            Self::Top => Point::new(0.0, -1.0),
            Self::Bottom => Point::new(0.0, 1.0),
        }
    }

    fn is_vertical(self) -> bool {
        matches!(self, Self::Left | Self::Right)
    }

    /// The point of this side, `offset` from its middle.
    fn point(self, rect: Rect, offset: f64) -> Point {
        let center = rect.center();
        match self {
            Self::Left => Point::new(rect.x, center.y + offset),
            Self::Right => Point::new(rect.right(), center.y + offset),
            Self::Top => Point::new(center.x + offset, rect.y),
            Self::Bottom => Point::new(center.x + offset, rect.bottom()),
        }
    }

    /// Which sides a link between two boxes uses: those that face each other.
    fn facing(from: Rect, to: Rect) -> (Self, Self) {
        if to.x >= from.right() {
            (Self::Right, Self::Left)
        } else if to.right() <= from.x {
            (Self::Left, Self::Right)
        } else if to.center().y >= from.center().y {
            (Self::Bottom, Self::Top)
        } else {
            (Self::Top, Self::Bottom)
        }
    }
}

/// The path of a link: one cubic curve from the edge of the caller's box to the edge of the called one's, measured so
/// that equal shares of it are equally long.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkPath {
    from: Point,
    bend_from: Point,
    bend_to: Point,
    to: Point,
    /// The length up to the end of each piece.
    lengths: [f64; PIECES],
}

impl LinkPath {
    /// The path between two nodes that have no other links.
    #[must_use]
    pub fn between(from: Rect, to: Rect) -> Self {
        let sides = Side::facing(from, to);
        Self::joining((sides.0.point(from, 0.0), sides.0), (sides.1.point(to, 0.0), sides.1))
    }

    /// The path between two points, leaving and arriving at right angles to their sides.
    #[must_use]
    pub fn joining(from: (Point, Side), to: (Point, Side)) -> Self {
        let ((from, leaves), (to, arrives)) = (from, to);
        let way = to.minus(from);
        let along = if leaves.is_vertical() { way.x.abs() } else { way.y.abs() };
        let reach = (along * 0.5).max((way.length() * 0.25).min(60.0));
        let bend_from = from.plus(leaves.out().times(reach));
        let bend_to = to.plus(arrives.out().times(reach));
        let mut path = Self { from, bend_from, bend_to, to, lengths: [0.0; PIECES] };
        path.measure();
        path
    }

    fn measure(&mut self) {
        let mut before = self.from;
        let mut length = 0.0;
        for piece in 0..PIECES {
            let end = self.curve((piece + 1) as f64 / PIECES as f64);
            length += end.minus(before).length();
            self.lengths[piece] = length;
            before = end;
        }
    }

    /// The curve's point at its own parameter, from 0 to 1.
    fn curve(&self, t: f64) -> Point {
        let s = 1.0 - t;
        let near = self.from.times(s * s * s).plus(self.bend_from.times(3.0 * s * s * t));
        near.plus(self.bend_to.times(3.0 * s * t * t)).plus(self.to.times(t * t * t))
    }

    /// How long it is, in world units.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.lengths[PIECES - 1]
    }

    /// The point after the share `t` of its length: 0 is the caller's edge, 1 the called one's.
    #[must_use]
    pub fn at(&self, t: f64) -> Point {
        let t = t.clamp(0.0, 1.0);
        let wanted = t * self.length();
        // The pieces are about as long as each other: the one wanted is at the same share of them, or near it.
        let mut piece = ((t * PIECES as f64) as usize).min(PIECES - 1);
        while piece > 0 && self.lengths[piece - 1] >= wanted {
            piece -= 1;
        }
        while piece < PIECES - 1 && self.lengths[piece] < wanted {
            piece += 1;
        }
        let start = if piece == 0 { 0.0 } else { self.lengths[piece - 1] };
        let span = self.lengths[piece] - start;
        let within = if span > 0.0 { (wanted - start) / span } else { 0.0 };
        self.curve((piece as f64 + within) / PIECES as f64)
    }

    /// The middle of a box of this size that stands beside the path's middle, `gap` away: above it, or to the right of a path
    /// that goes straight up or down.
    #[must_use]
    pub fn beside(&self, width: f64, height: f64, gap: f64) -> Point {
        let along = self.at(0.52).minus(self.at(0.48));
        let length = along.length().max(f64::MIN_POSITIVE);
        let (x, y) = (-along.y / length, along.x / length);
        // Of the two ways off the path the one that goes up.
        let up = if y > 1e-3 || (y.abs() <= 1e-3 && x < 0.0) { Point::new(-x, -y) } else { Point::new(x, y) };
        let reach = up.x.abs() * width / 2.0 + up.y.abs() * height / 2.0 + gap;
        self.at(0.5).plus(up.times(reach))
    }

    /// The head of an arrow at the called one's edge, `size` long, as SVG's `d`.
    #[must_use]
    pub fn arrow(&self, size: f64) -> String {
        let back = self.to.minus(self.at(1.0 - (size / self.length().max(size)).min(1.0)));
        let along = back.times(size / back.length().max(f64::MIN_POSITIVE));
        let across = Point::new(-along.y, along.x).times(0.45);
        let (left, right) = (self.to.minus(along).plus(across), self.to.minus(along).minus(across));
        let p = |point: Point| format!("{} {}", format::fixed(point.x, 1), format::fixed(point.y, 1));
        format!("M{} L{} L{} Z", p(self.to), p(left), p(right))
    }

    /// The path as SVG's `d`.
    #[must_use]
    pub fn svg(&self) -> String {
        let p = |point: Point| format!("{} {}", format::fixed(point.x, 1), format::fixed(point.y, 1));
        format!("M{} C{} {} {}", p(self.from), p(self.bend_from), p(self.bend_to), p(self.to))
    }
}

/// An end of a link at a side: where along the side its other end is, the link's index, whether it leaves here.
type End = (f64, usize, bool);

/// The paths of all links, (from, to) by index into `rects`, spread over the sides that they share so that no two
/// lie on each other. An index out of range gives no path.
#[must_use]
pub fn route(rects: &[Rect], links: &[(usize, usize)]) -> Vec<Option<LinkPath>> {
    let ends = |link: &(usize, usize)| Some((*rects.get(link.0)?, *rects.get(link.1)?));
    let mut sides: Vec<[Vec<End>; 4]> = Vec::new();
    sides.resize_with(rects.len(), Default::default);
    for (index, link) in links.iter().enumerate() {
        if let Some((from, to)) = ends(link) {
            let (leaves, arrives) = Side::facing(from, to);
            sides[link.0][leaves as usize].push((across(leaves, to), index, true));
            sides[link.1][arrives as usize].push((across(arrives, from), index, false));
        }
    }
    let mut offsets = vec![(0.0, 0.0); links.len()];
    let used = sides
        .into_iter()
        .zip(rects)
        .flat_map(|(sides, rect)| sides.into_iter().zip(Side::ALL).map(move |used| (used, rect)));
    for ((mut uses, side), rect) in used {
        // By where the other end is, so that links do not cross at the node.
        uses.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let length = if side.is_vertical() { rect.h } else { rect.w };
        let step = ((length - 2.0 * CORNER) / uses.len() as f64).clamp(0.0, SPREAD);
        for (rank, (_, link, leaving)) in uses.iter().enumerate() {
            let offset = (rank as f64 - (uses.len() - 1) as f64 / 2.0) * step;
            let end = &mut offsets[*link];
            *(if *leaving { &mut end.0 } else { &mut end.1 }) = offset;
        }
    }
    let path = |(link, offset): (&(usize, usize), &(f64, f64))| {
        let (from, to) = ends(link)?;
        let (leaves, arrives) = Side::facing(from, to);
        Some(LinkPath::joining((leaves.point(from, offset.0), leaves), (arrives.point(to, offset.1), arrives)))
    };
    links.iter().zip(&offsets).map(path).collect()
}

/// Where a box is along a side.
fn across(side: Side, other: Rect) -> f64 {
    if side.is_vertical() { other.center().y } else { other.center().x }
}
