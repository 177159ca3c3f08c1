//! How a run's frames come: by its stream, connected again and again until all is sent, and by ranges where the stream
//! left frames out.

use hopscope_view::buffer::{BufferError, RunBuffer};
use leptos::prelude::*;
use serde_json::Value;

use super::{Run, Status};
use crate::io::runs::{self, Refusal, RunState};
use crate::io::stream::{self, Over};
use crate::state::templates::Template;
use crate::ui::text::language;

/// First and longest time between two tries to reach the server again, in ms.
const RETRY: (u64, u64) = (250, 4_000);

/// Time between two looks at a run that goes on and is kept no further, in ms.
const LOOK: u64 = 1_000;

/// What brought frames.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Stream,
    Range,
}

impl Run {
    /// Reads the run's stream to its end, over as many connections as it takes; each goes on after the last frame that
    /// is known.
    pub(super) async fn follow(self, id: String, generation: u32) {
        let mut pause = RETRY.0;
        crate::io::rest().await;
        loop {
            let from = self.change(|data| {
                data.buffer.resume();
                data.buffer.next_frame()
            });
            let mut came = false;
            let over = stream::follow(&id, from, |bytes| {
                came = true;
                self.accept(&id, generation, Way::Stream, |buffer| buffer.push(bytes))
            })
            .await;
            if !self.is_shown(generation) || over == Over::Unwanted {
                return;
            }
            if over == Over::Sent || self.with(|data| data.buffer.end().is_some()) {
                return self.stored(&id, generation).await;
            }
            if let Over::Truncated(frames) = over
                && frames < from
            {
                if !self.truncate(frames) {
                    return;
                }
                continue;
            }
            self.status.set(Status::Lost);
            if !came && let Err(refusal @ Refusal::Said { .. }) = runs::find(&id).await {
                self.status.set(Status::Refused(refusal));
                return;
            }
            pause = if came { RETRY.0 } else { (pause * 2).min(RETRY.1) };
            after(pause).await;
        }
    }

    /// All that is kept has been sent. Of a run that goes on all the same it is looked again until it is over.
    async fn stored(self, id: &str, generation: u32) {
        loop {
            let info = runs::find(id).await.ok();
            if !self.is_shown(generation) {
                return;
            }
            let state = info.as_ref().map(|info| info.state);
            let detail = info.and_then(|info| info.detail);
            let goes_on = matches!(state, Some(RunState::Running | RunState::Draining))
                && detail.is_some()
                && self.with(|data| data.buffer.end().is_none());
            self.detail.set(detail);
            self.sent();
            if !goes_on {
                return;
            }
            self.status.set(Status::Unkept);
            after(LOOK).await;
        }
    }

    /// Fetches what the stream left out, the earliest first, until nothing is missing.
    async fn fill(self, id: String, generation: u32) {
        let mut pause = RETRY.0;
        while self.is_shown(generation)
            && let Some(hole) = self.with(|data| data.buffer.first_hole())
        {
            let fetched = runs::frames(&id, hole).await;
            match fetched {
                Ok(frames) if !frames.is_empty() => {
                    pause = RETRY.0;
                    if !self.accept(&id, generation, Way::Range, |buffer| buffer.fill(&frames)) {
                        return;
                    }
                    // What has come is painted before more is folded.
                    after(0).await;
                }
                // As long as the stream is connected again and again, it tells what has become of the run.
                Err(refusal @ Refusal::Said { .. }) if self.with(|data| data.sent) => {
                    if self.is_shown(generation) {
                        self.status.set(Status::Refused(refusal));
                    }
                    return;
                }
                Ok(_) | Err(_) => {
                    after(pause).await;
                    pause = (pause * 2).min(RETRY.1);
                }
            }
        }
        if self.is_shown(generation) {
            self.change(|data| data.filling = false);
        }
    }

    /// Takes a recording that is here as a whole. Its nodes are called as its template calls them in the page's language.
    pub(super) fn take_whole(self, generation: u32, template: &Template, bytes: &[u8]) {
        self.accept("", generation, Way::Range, |buffer| {
            buffer.push(bytes)?;
            let mut scenario = buffer.plan().map(|plan| plan.scenario.clone()).unwrap_or_default();
            language().translate(template.id, &mut scenario);
            let nodes = scenario.get("nodes").and_then(Value::as_array).into_iter().flatten();
            buffer.name_nodes(nodes.filter_map(|node| Some(node.get("name")?.as_str()?.to_owned())));
            Ok(())
        });
    }

    fn is_shown(self, generation: u32) -> bool {
        self.with(|data| data.generation == generation)
    }

    /// Lets the buffer take frames of a run; `false` if nobody wants more of it.
    fn accept(
        self,
        id: &str,
        generation: u32,
        way: Way,
        take: impl FnOnce(&mut RunBuffer) -> Result<(), BufferError>,
    ) -> bool {
        if !self.is_shown(generation) {
            return false;
        }
        let (result, fill) = self.change(|data| {
            let result = take(&mut data.buffer);
            data.settle();
            let fill = result.is_ok() && !data.filling && data.buffer.first_hole().is_some();
            data.filling |= fill;
            (result, fill)
        });
        if let Err(error) = result {
            self.damaged(&error);
            return false;
        }
        if fill {
            leptos::task::spawn_local(self.fill(id.to_owned(), generation));
        }
        self.tell(way);
        self.revision.update(|revision| *revision += 1);
        self.wanted.notify();
        true
    }

    /// Says how the run stands after more of it has come.
    fn tell(self, way: Way) {
        let (over, ended, elsewhere) = self.with(|data| (data.over, data.buffer.end().is_some(), data.elsewhere));
        let status = self.status.get_untracked();
        if over {
            self.status.set(if ended { Status::Whole } else { Status::Cut });
        } else if way == Way::Stream && !matches!(status, Status::Running | Status::Elsewhere | Status::Stopping) {
            self.status.set(if elsewhere { Status::Elsewhere } else { Status::Running });
        }
    }

    /// The stream has sent all that it has to send.
    fn sent(self) {
        let over = self.change(|data| {
            data.sent = true;
            data.settle();
            data.over
        });
        if over {
            self.tell(Way::Stream);
        } else {
            self.status.set(Status::Loading);
        }
        self.wanted.notify();
    }

    /// Discards the frames that the server has lost; `false` if what is left cannot be read.
    fn truncate(self, frames: u32) -> bool {
        let result = self.change(|data| data.buffer.truncate(frames));
        // Rows of what was discarded are no more.
        self.trace.set(None);
        self.event.set(None);
        self.revision.update(|revision| *revision += 1);
        self.wanted.notify();
        result.inspect_err(|error| self.damaged(error)).is_ok()
    }

    fn damaged(self, error: &BufferError) {
        self.status.set(Status::Damaged { other_version: error.is_of_another_version(), detail: error.to_string() });
        self.wanted.notify();
    }
}

/// Lets so many ms pass.
async fn after(ms: u64) {
    let (sender, receiver) = futures_channel::oneshot::channel();
    set_timeout(
        move || {
            // Nobody waits any more: then there is nothing to wake.
            let _ = sender.send(());
        },
        std::time::Duration::from_millis(ms),
    );
    // The sender is dropped only with the page.
    let _ = receiver.await;
}
