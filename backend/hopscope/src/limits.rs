//! What a run may come to, as arguments name it.

use hopscope_server::run::MOST_EVENTS;

/// The limits of a run.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Limits {
    /// Events of a recording at which the run's load ends
    #[arg(long, value_name = "N", default_value_t = MOST_EVENTS,
        value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub(crate) max_events: u64,
}
