//! English, one table per area. Rows are sorted by key.

mod api;
mod cli;
mod import;
mod issues;
mod laws;
mod notes;
mod page;
mod player;
mod scenario;
mod settings;
mod told;

/// Rows of (key, template).
pub(super) type Table = &'static [(&'static str, &'static str)];

/// Stands in the page for words that are not here yet.
pub(super) const NOT_YET: &str = "…";

/// Rows of [`LATER`]: the page is built without their words.
const fn later<const N: usize>(rows: [(&'static str, &'static str); N]) -> [(&'static str, &'static str); N] {
    let mut rows = rows;
    let mut row = 0;
    while cfg!(target_arch = "wasm32") && row < N {
        rows[row].1 = NOT_YET;
        row += 1;
    }
    rows
}

/// Every table of English.
pub(super) const TABLES: &[Table] = &[
    api::TEXTS,
    cli::TEXTS,
    import::TEXTS,
    issues::TEXTS,
    laws::TEXTS,
    notes::TEXTS,
    page::TEXTS,
    player::TEXTS,
    scenario::TEXTS,
    settings::TEXTS,
    told::TEXTS,
];

/// What is looked up by names that arrive as data. To the page nobody sends what the command line and the server say, and its
/// first load is shorter without; keys in its code are found while it compiles.
pub(super) const SENT: &[Table] = if cfg!(target_arch = "wasm32") { OF_THE_PAGE } else { TABLES };

/// What the page shows; what the command line and the server say is not among it.
pub(super) const OF_THE_PAGE: &[Table] =
    &[issues::TEXTS, laws::TEXTS, notes::TEXTS, page::TEXTS, player::TEXTS, scenario::TEXTS, told::TEXTS];

/// What the page needs no word of to be there: `en.json` has it, fetched when a person sees the page already.
pub(super) const LATER: &[Table] = &[issues::TEXTS, laws::TEXTS, notes::TEXTS, told::TEXTS];
