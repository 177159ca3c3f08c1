//! What the page's parts share.

pub(crate) mod autosave;
pub(crate) mod compared;
pub(crate) mod document;
pub(crate) mod language;
pub(crate) mod run;
pub(crate) mod templates;
pub(crate) mod theme;
pub(crate) mod viewport;

use hopscope_scenario::text;
use leptos::prelude::*;

use crate::io::{self, About};
use crate::ui::text::{t, t_with};

/// The server behind the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerState {
    /// Not heard from yet.
    Asking,
    /// It answered.
    Ready(About),
    /// Nobody answered.
    Absent,
}

impl ServerState {
    /// For the style sheet.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Ready(_) => "ready",
            Self::Absent => "absent",
        }
    }

    /// For a person.
    pub(crate) fn caption(&self) -> String {
        match self {
            Self::Asking => t(text!("server.asking")),
            Self::Ready(about) => t_with(text!("server.ready"), &[("version", &about.version)]),
            Self::Absent => t(text!("server.absent")),
        }
    }
}

/// Asks the server once and tells when it is known.
pub(crate) fn server() -> ReadSignal<ServerState> {
    let (server, set_server) = signal(ServerState::Asking);
    leptos::task::spawn_local(async move {
        set_server.set(io::about().await.map_or(ServerState::Absent, ServerState::Ready));
    });
    server
}

/// The browser's storage, where it allows one.
pub(crate) fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
