//! What was done to the run while it ran, and what is so of it at a time.

use hopscope_record::state::State;
use hopscope_record::{Event, Kind};

use super::RunBuffer;

/// The events that say what was done, in their order.
#[derive(Default)]
pub(super) struct Controls(Vec<Event>);

impl Controls {
    pub(super) fn apply(&mut self, event: &Event) {
        if event.kind == Kind::CONTROL {
            self.0.push(*event);
        }
    }
}

impl RunBuffer {
    /// What was done to the run, in the order of time.
    #[must_use]
    pub fn controls(&self) -> &[Event] {
        self.run.as_ref().map_or(&[], |run| &run.controls.0)
    }

    /// The fold of what was done to the run up to a time, and of nothing else; `None` where nothing was.
    #[must_use]
    pub fn disturbed(&self, time: i64) -> Option<State> {
        let (controls, plan) = (self.controls(), self.plan()?);
        controls.first().filter(|first| first.time <= time)?;
        let mut state = State::new(plan.places.len(), plan.links.len());
        controls.iter().take_while(|event| event.time <= time).for_each(|event| state.apply(event));
        Some(state)
    }
}
