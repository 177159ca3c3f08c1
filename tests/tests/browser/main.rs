//! The page in a real browser, used as a person uses it.

mod elsewhere;
mod first_run;
mod hands;
mod queue_run;
mod runs;
mod start;
mod steps;
