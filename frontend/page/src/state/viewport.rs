//! The canvas' window on the world, and the element that it is.

use hopscope_view::geometry::{Point, Rect, Viewport};
use leptos::html::Main;
use leptos::prelude::*;

/// How far from the canvas' edges what gets the focus is, in pixels.
const MARGIN: f64 = 24.0;

/// The canvas as everything over it sees it.
#[derive(Clone, Copy)]
pub(crate) struct View {
    /// Which part of the world it shows.
    pub(crate) viewport: RwSignal<Viewport>,
    /// Its element.
    pub(crate) canvas: NodeRef<Main>,
}

impl View {
    pub(crate) fn new() -> Self {
        Self { viewport: RwSignal::new(Viewport::default()), canvas: NodeRef::new() }
    }

    /// The canvas' size in CSS pixels; nothing while it is not there.
    pub(crate) fn size(self) -> Point {
        let canvas = self.canvas.get_untracked();
        canvas.map_or(Point::default(), |canvas| {
            Point::new(f64::from(canvas.client_width()), f64::from(canvas.client_height()))
        })
    }

    /// Where a pointer is on the canvas.
    pub(crate) fn local(self, event: &web_sys::MouseEvent) -> Point {
        let corner = self.canvas.get_untracked().map_or(Point::default(), |canvas| {
            let rect = canvas.get_bounding_client_rect();
            Point::new(rect.left(), rect.top())
        });
        Point::new(f64::from(event.client_x()), f64::from(event.client_y())).minus(corner)
    }

    /// Whether a point on the screen is on the canvas.
    pub(crate) fn contains(self, at: Point) -> bool {
        let size = self.size();
        (0.0..size.x).contains(&at.x) && (0.0..size.y).contains(&at.y)
    }

    /// The point of the world in the middle of the canvas.
    pub(crate) fn middle(self) -> Point {
        self.viewport.get_untracked().to_world(self.size().times(0.5))
    }

    /// Moves what is shown no farther than it takes to show this part of the world.
    pub(crate) fn reveal(self, rect: Rect) {
        let (view, size) = (self.viewport.get_untracked(), self.size());
        let moved = view.showing(rect, size, MARGIN);
        if moved != view {
            self.viewport.set(moved);
        }
    }

    /// Zooms around the middle.
    pub(crate) fn zoom_by(self, factor: f64) {
        let middle = self.size().times(0.5);
        self.viewport.update(|view| *view = view.zoomed(middle, factor));
    }
}
