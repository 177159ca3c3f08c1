//! Figures with their units, for a terminal: as the page writes them.

use hopscope_scenario::text;

use crate::say::word;

/// A whole number in groups of three: `12,345`.
pub(crate) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in its natural unit, three digits or more: `412 ns`, `8.41 ms`, `1.50 s`.
pub(crate) fn length(ns: u64) -> String {
    // What would be rounded to a thousand has the next unit.
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => scaled(ns, 1e3, "µs"),
        999_500..999_500_000 => scaled(ns, 1e6, "ms"),
        _ => scaled(ns, 1e9, "s"),
    }
}

fn scaled(ns: u64, unit: f64, name: &str) -> String {
    let value = ns as f64 / unit;
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {name}")
}

/// Times per second: `19.9/s`, `1,310/s`.
pub(crate) fn rate(per_second: f64) -> String {
    // A rate is no more than what 64 bits count.
    if per_second >= 999.95 { format!("{}/s", whole(per_second.round() as u64)) } else { format!("{per_second:.1}/s") }
}

/// What there is, or a dash.
pub(crate) fn or_dash<T>(figure: Option<T>, write: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|| word(text!("cli.absent")), write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units_and_three_digits_or_more() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 412, 999_499, 999_500, 8_412_345, 41_234_567, 999_600_000, 1_500_000_000].map(length),
            ["0 ns", "412 ns", "999 µs", "1.00 ms", "8.41 ms", "41.2 ms", "1.00 s", "1.50 s"]
        );
        assert_eq!([19.94, 999.94, 999.96, 1_310.4].map(rate), ["19.9/s", "999.9/s", "1,000/s", "1,310/s"]);
        assert_eq!((or_dash(None, whole), or_dash(Some(7), whole)), ("–".to_owned(), "7".to_owned()));
    }
}
