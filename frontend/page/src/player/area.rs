//! An area that is as wide as the run is long: a chart over the run's time, in which a click moves the player.

use hopscope_view::format;
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;

use crate::state::run::{Run, use_run};
use crate::ui::{memo, on_window};

/// The area; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct TimeArea {
    run: Run,
    /// The element.
    pub(crate) element: NodeRef<Div>,
    /// Its width in pixels; 0 until it is shown.
    pub(crate) width: ReadSignal<f64>,
    /// The run's first and last instant, in ns; `None` while there are none.
    pub(crate) extent: Memo<Option<(i64, i64)>>,
}

impl TimeArea {
    /// An area that follows its element's width.
    pub(crate) fn new() -> Self {
        let run = use_run();
        let element = NodeRef::<Div>::new();
        let (width, set_width) = signal(0.0_f64);
        let measure = move || {
            set_width.set(element.get_untracked().map_or(0.0, |element| f64::from(element.client_width())));
        };
        Effect::new(move |_| {
            if element.get().is_some() {
                measure();
            }
        });
        on_window(ev::resize, move |_| measure());
        let extent = memo(move || {
            run.revision.track();
            run.with(|data| data.buffer.extent())
        });
        Self { run, element, width, extent }
    }

    /// The path of a line where the player is.
    pub(crate) fn cursor(self, height: f64) -> String {
        let (from, to) = self.extent.get().unwrap_or((0, 1));
        let part = (self.run.shown.with(|shown| shown.time) - from) as f64 / (to - from).max(1) as f64;
        format!("M{} 0V{}", format::fixed(part.clamp(0.0, 1.0) * self.width.get(), 1), format::plain(height))
    }

    /// Moves the player to where the pointer is.
    pub(crate) fn seek(self, event: &web_sys::MouseEvent) {
        let (Some((from, to)), Some(element)) = (self.extent.get_untracked(), self.element.get_untracked()) else {
            return;
        };
        let left = element.get_bounding_client_rect().left();
        let part = (f64::from(event.client_x()) - left) / self.width.get_untracked().max(1.0);
        let time = from + ((to - from) as f64 * part.clamp(0.0, 1.0)) as i64;
        self.run.clock(|clock, timeline| clock.seek(time, timeline));
    }
}
