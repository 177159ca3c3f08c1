//! Hopscope's page.
//!
//! `io` is the only user of fetch and WebSocket; `state` holds what the parts share; `ui` the small pieces that they are
//! made of. Every visible text is a key of the scenario's catalogue.

#![allow(unreachable_pub, reason = "Leptos' component macro writes pub items of its own")]

mod app;
mod dock;
mod editor;
mod io;
mod laws;
mod player;
mod runbar;
mod runs;
mod state;
mod statement;
mod traces;
mod ui;

/// Mounts the page on the document's body, in the person's language.
pub fn start() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        state::language::begin().await;
        leptos::mount::mount_to_body(app::App);
    });
}

#[cfg(test)]
mod tests;
