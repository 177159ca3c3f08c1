//! English, one table per area. Rows are sorted by key.

mod api;
mod cli;
mod import;
mod issues;
mod laws;
mod page;
mod player;
mod scenario;
mod settings;

/// Rows of (key, template).
pub(super) type Table = &'static [(&'static str, &'static str)];

/// Every table of English.
pub(super) const TABLES: &[Table] = &[
    api::TEXTS,
    cli::TEXTS,
    import::TEXTS,
    issues::TEXTS,
    laws::TEXTS,
    page::TEXTS,
    player::TEXTS,
    scenario::TEXTS,
    settings::TEXTS,
];

/// What is looked up by names that arrive as data. To the page nobody sends what the command line and the server say, and its
/// first load is shorter without; keys in its code are found while it compiles.
pub(super) const SENT: &[Table] = if cfg!(target_arch = "wasm32") { OF_THE_PAGE } else { TABLES };

/// What the page shows; what the command line and the server say is not among it.
pub(super) const OF_THE_PAGE: &[Table] = &[issues::TEXTS, laws::TEXTS, page::TEXTS, player::TEXTS, scenario::TEXTS];
