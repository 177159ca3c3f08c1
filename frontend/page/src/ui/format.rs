//! Figures with their units, for people.

use super::text::grouped;

/// A whole number: `12,345`.
pub(crate) fn whole(number: u64) -> String {
    grouped(&number.to_string())
}

/// A length of time in its natural unit, three to four digits: `412 ns`, `8.41 ms`, `1.50 s`.
pub(crate) fn duration(ns: i64) -> String {
    let (sign, ns) = (if ns < 0 { "−" } else { "" }, ns.unsigned_abs());
    let text = match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => scaled(ns, 1e3, "µs"),
        1_000_000..1_000_000_000 => scaled(ns, 1e6, "ms"),
        _ => scaled(ns, 1e9, "s"),
    };
    format!("{sign}{text}")
}

fn scaled(ns: u64, unit: f64, name: &str) -> String {
    let value = ns as f64 / unit;
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {name}")
}

/// A time on the run's clock in seconds, to the microsecond: `2.417 093 s`.
pub(crate) fn clock(ns: i64) -> String {
    let (sign, us) = (if ns < 0 { "−" } else { "" }, ns.unsigned_abs() / 1_000);
    format!("{sign}{}.{:03} {:03} s", us / 1_000_000, us / 1_000 % 1_000, us % 1_000)
}

/// A time on the run's clock in ns: `2,417,093,512 ns`.
pub(crate) fn stamp(ns: i64) -> String {
    format!("{} ns", grouped(&ns.to_string()).replace('-', "−"))
}

/// Times per second: `19.9/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second >= 1_000.0 { format!("{}/s", whole(per_second.round() as u64)) } else { format!("{per_second:.1}/s") }
}

/// How many times slower, two digits exact: `3,700`, `1.5`.
pub(crate) fn factor(factor: f64) -> String {
    if factor < 9.95 {
        return format!("{factor:.1}");
    }
    let unit = 10_f64.powi((factor.log10().floor() as i32 - 1).max(0));
    whole(((factor / unit).round() * unit) as u64)
}
