//! Which part of the world the canvas shows.

use super::{Point, Rect};

/// Farthest out.
pub const MIN_ZOOM: f64 = 0.1;
/// Closest in.
pub const MAX_ZOOM: f64 = 4.0;

/// The canvas' window on the world: screen = world × zoom + pan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// Where the world's origin is on the screen.
    pub pan: Point,
    /// Screen pixels per world unit, from [`MIN_ZOOM`] to [`MAX_ZOOM`].
    pub zoom: f64,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { pan: Point::default(), zoom: 1.0 }
    }
}

impl Viewport {
    /// Where a point of the world is on the screen.
    #[must_use]
    pub fn to_screen(self, world: Point) -> Point {
        world.times(self.zoom).plus(self.pan)
    }

    /// Which point of the world is there on the screen.
    #[must_use]
    pub fn to_world(self, screen: Point) -> Point {
        screen.minus(self.pan).times(1.0 / self.zoom)
    }

    /// The world moved under the window by a distance on the screen.
    #[must_use]
    pub fn panned(self, by: Point) -> Self {
        Self { pan: self.pan.plus(by), ..self }
    }

    /// Zoomed by `factor` so that what is under `screen` stays there.
    #[must_use]
    pub fn zoomed(self, screen: Point, factor: f64) -> Self {
        let world = self.to_world(screen);
        let zoom = (self.zoom * factor).clamp(MIN_ZOOM, MAX_ZOOM);
        Self { pan: screen.minus(world.times(zoom)), zoom }
    }

    /// Moved no farther than it takes to show `rect` of the world in a window of `size`, `margin` pixels from its edges;
    /// of what is larger than that its left top corner.
    #[must_use]
    pub fn showing(self, rect: Rect, size: Point, margin: f64) -> Self {
        let (from, to) = (self.to_screen(rect.origin()), self.to_screen(Point::new(rect.right(), rect.bottom())));
        // Back by what is beyond the far edge, and never so far that the near one is passed.
        let by = |from: f64, to: f64, room: f64| (room - margin - to).min(0.0).max(margin - from);
        self.panned(Point::new(by(from.x, to.x, size.x), by(from.y, to.y, size.y)))
    }

    /// Shows all of `bounds` in the middle of a window of `size` with `margin` pixels around it, closer in than `most`
    /// never.
    #[must_use]
    pub fn fit(bounds: Rect, size: Point, margin: f64, most: f64) -> Self {
        let room = Point::new((size.x - 2.0 * margin).max(1.0), (size.y - 2.0 * margin).max(1.0));
        // Not `clamp`: it would print floats where its ends are wrong, see [`crate::format::fixed`].
        let zoom = (room.x / bounds.w.max(1.0)).min(room.y / bounds.h.max(1.0)).min(most).max(MIN_ZOOM);
        Self { pan: size.times(0.5).minus(bounds.center().times(zoom)), zoom }
    }
}
