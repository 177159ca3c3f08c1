//! Figures for a terminal: as the page writes them.

use hopscope_scenario::text;

pub(crate) use hopscope_report::figures::{length, rate, whole};

use crate::say::word;

/// What there is, or a dash.
pub(crate) fn or_dash<T>(figure: Option<T>, write: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|| word(text!("cli.absent")), write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_a_dash() {
        assert_eq!((or_dash(None, whole), or_dash(Some(7), whole)), ("–".to_owned(), "7".to_owned()));
    }
}
