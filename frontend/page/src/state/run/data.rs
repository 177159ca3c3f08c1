//! The plain data behind the handle of the run: what no signal holds.

use hopscope_view::buffer::RunBuffer;
use hopscope_view::clock::{Clock, Mode, Timeline};
use hopscope_view::dots::Layout;

/// The plain data behind the handle.
pub(crate) struct Data {
    pub(crate) id: Option<String>,
    pub(crate) buffer: RunBuffer,
    pub(crate) clock: Clock,
    pub(crate) layout: Layout,
    /// Whether nothing more comes, with an End or without.
    pub(super) over: bool,
    /// Whether the stream has sent all that it has to send; what it left out may still be missing.
    pub(super) sent: bool,
    /// Whether what the stream left out is being fetched.
    pub(super) filling: bool,
    /// Whether another process records the run.
    pub(super) elsewhere: bool,
    /// Whether the run began with the page looking on, and not before.
    pub(super) begins_now: bool,
    /// Counts the runs shown, so that what comes late for an earlier one is dropped.
    pub(super) generation: u32,
    /// Counts what was asked for, so that a recording that comes after something else was asked for is dropped.
    pub(super) asked: u32,
}

impl Data {
    /// Clock, layout, buffer, and what the clock must know of the buffer; `None` while nothing is known of the run.
    pub(crate) fn parts(&mut self) -> Option<(&mut Clock, &mut Layout, &RunBuffer, Timeline<'_>)> {
        let Self { buffer, clock, layout, over, .. } = self;
        let timeline =
            Timeline { head: buffer.head(), extent: buffer.extent(), ended: *over, tempos: buffer.tempos()? };
        Some((clock, layout, buffer, timeline))
    }

    /// Whether another process records the run, which alone can stop it.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Whether nothing more comes.
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Finds out whether nothing more comes: all is sent, and no frame is missing. A run that was over before the page
    /// showed it begins with its replay.
    pub(super) fn settle(&mut self) {
        let all_sent = self.sent || self.buffer.end().is_some();
        if self.over || !all_sent || self.buffer.first_hole().is_some() {
            return;
        }
        self.over = true;
        let begins_now = self.begins_now;
        if let Some((clock, _, _, timeline)) = self.parts().filter(|_| !begins_now)
            && clock.mode() == Mode::Live
        {
            clock.begin_replay(timeline);
        }
    }
}
