//! Where things are on the canvas: points, boxes, the viewport, the paths of links.
//!
//! World coordinates are the canvas units of the scenario's document (one is a CSS pixel at 100 %), screen coordinates
//! are CSS pixels from the canvas element's top left corner. y grows downwards in both.

mod link;
mod node;
mod viewport;

pub use link::{LinkPath, Side, route};
pub(crate) use node::{SLOT, queue_front};
pub use node::{Schedule, WorkerBoxes, node_at, node_rect, port, queue_bar, schedule, worker_boxes};
pub use viewport::{MAX_ZOOM, MIN_ZOOM, Viewport};

#[cfg(test)]
mod tests;

/// The distance between the canvas' grid points; nodes snap to it.
pub const GRID: f64 = 20.0;

/// A point or a distance, in world or screen coordinates as its owner says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

impl Point {
    /// The point (x, y).
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// This point moved by `other`.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }

    /// What leads from `other` to this point.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    /// This distance, `factor` times as long.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }

    /// Its distance from the origin.
    #[must_use]
    pub fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    /// The nearest point of the grid.
    #[must_use]
    pub fn snapped(self) -> Self {
        Self::new((self.x / GRID).round() * GRID, (self.y / GRID).round() * GRID)
    }
}

/// A box with its sides along the axes; width and height are never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// A box by its left top corner, width and height.
    #[must_use]
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    /// The box between two opposite corners, in any order.
    #[must_use]
    pub fn between(a: Point, b: Point) -> Self {
        Self::new(a.x.min(b.x), a.y.min(b.y), (a.x - b.x).abs(), (a.y - b.y).abs())
    }

    /// Right edge.
    #[must_use]
    pub fn right(self) -> f64 {
        self.x + self.w
    }

    /// Bottom edge.
    #[must_use]
    pub fn bottom(self) -> f64 {
        self.y + self.h
    }

    /// Left top corner.
    #[must_use]
    pub fn origin(self) -> Point {
        Point::new(self.x, self.y)
    }

    /// Its middle.
    #[must_use]
    pub fn center(self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// The box moved by `by`.
    #[must_use]
    pub fn moved(self, by: Point) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y, ..self }
    }

    /// Whether the point lies in it, edges included.
    #[must_use]
    pub fn contains(self, point: Point) -> bool {
        (self.x..=self.right()).contains(&point.x) && (self.y..=self.bottom()).contains(&point.y)
    }

    /// Whether the two share a point.
    #[must_use]
    pub fn touches(self, other: Self) -> bool {
        self.x <= other.right() && other.x <= self.right() && self.y <= other.bottom() && other.y <= self.bottom()
    }

    /// The least box around both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        let corner = Point::new(self.x.min(other.x), self.y.min(other.y));
        Self::between(corner, Point::new(self.right().max(other.right()), self.bottom().max(other.bottom())))
    }
}

/// The least box around all of them; `None` of none.
#[must_use]
pub fn bounds(rects: impl IntoIterator<Item = Rect>) -> Option<Rect> {
    rects.into_iter().reduce(Rect::around)
}
