//! Where a run comes from: the server that makes it now, the server that has it, or a file that came with the page. What the
//! page's address names is one of them; no other address is assumed.

use hopscope_record::decoder::Framing;
use leptos::prelude::*;

use super::{Run, Status};
use crate::io;
use crate::io::runs::{self, Refusal};
use crate::state::templates::{Made, Template};

/// Where a run comes from.
pub(crate) enum Source {
    /// The server makes it now: `{"scenario", "seed", "duration"}`.
    Live(String),
    /// The server has it under that id.
    Stored(String),
    /// It came with the page.
    Embedded(&'static Template),
}

impl Run {
    /// Shows a run, wherever it comes from.
    pub(crate) fn open(self, source: Source) {
        let asked = self.change(|data| {
            data.asked += 1;
            data.asked
        });
        match source {
            Source::Live(request) => {
                let before = self.status.get_untracked();
                self.status.set(Status::Starting);
                leptos::task::spawn_local(async move {
                    match runs::start(request).await {
                        Ok(info) => self.show(info, true),
                        // What is shown stays, and what is missing is told beside it.
                        Err(Refusal::NoServer) => {
                            self.status.set(before);
                            self.needs_server.set(true);
                        }
                        Err(refusal) => self.status.set(Status::Refused(refusal)),
                    }
                });
            }
            Source::Stored(id) => {
                self.status.set(Status::Loading);
                leptos::task::spawn_local(async move {
                    match runs::find(&id).await {
                        Ok(info) => self.show(info, false),
                        Err(refusal) => self.status.set(Status::Refused(refusal)),
                    }
                });
            }
            Source::Embedded(template) => {
                leptos::task::spawn_local(async move {
                    // Where it is not to be had, the scenario alone is there, and nothing else changes.
                    let recorded = template.recorded().await;
                    io::rest().await;
                    if let Some((made, bytes)) = recorded
                        && self.with(|data| data.asked == asked)
                    {
                        self.embed(template, made, &bytes);
                    }
                });
            }
        }
    }

    /// Shows a recording that came with the page.
    fn embed(self, template: &'static Template, made: Made, bytes: &[u8]) {
        keep_address(&format!("template={}", template.id));
        let generation = self.begin(None, Framing::File);
        self.recorded.set(Some((template, made)));
        self.take_whole(generation, template, bytes);
    }
}

/// What the page's address names.
pub(crate) fn addressed() -> Option<Source> {
    let hash = window().location().hash().ok()?;
    if let Some(template) = hash.strip_prefix("#template=") {
        return Template::find(template).map(Source::Embedded);
    }
    let id = hash.strip_prefix("#run=")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!id.is_empty() && id.bytes().all(plain)).then(|| Source::Stored(id.to_owned()))
}

/// Lets the address keep what is shown over a reload; a browser that refuses that loses only this.
pub(super) fn keep_address(hash: &str) {
    let _ = window().location().set_hash(hash);
}
