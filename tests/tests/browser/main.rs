//! The page in a real browser, used as a person uses it.

mod accessibility;
mod beside;
mod broken_law;
mod checks;
mod compare;
mod convert;
mod cut_off;
mod disturb;
mod early;
mod editor;
mod effects;
mod elsewhere;
mod first_run;
mod first_visit;
mod hands;
mod hole;
mod keyboard;
mod language;
mod no_server;
mod presenting;
mod queue_run;
mod rabbitmq;
mod runs;
mod start;
mod steps;
mod walks;
