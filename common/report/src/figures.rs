//! Figures with their units, for people: tabular, never without a unit. The page and the command line write them alike.

mod decimal;
#[cfg(test)]
mod tests;

pub use decimal::{Decimal, fixed, plain};

/// A whole number's digits in groups of three: `12,345`; a sign stays in front.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A whole number: `12,345`.
#[must_use]
pub fn whole(number: u64) -> String {
    grouped(&number.to_string())
}

/// A change: `+12,345`, `−100`.
#[must_use]
pub fn signed(number: i64) -> String {
    let sign = match number {
        0 => "",
        1.. => "+",
        _ => "−",
    };
    format!("{sign}{}", whole(number.unsigned_abs()))
}

/// A length of time in its natural unit, three to four digits: `412 ns`, `8.41 ms`, `1.50 s`.
#[must_use]
pub fn length(ns: u64) -> String {
    // What would be rounded to a thousand has the next unit.
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => scaled(ns, 1e3, "µs"),
        999_500..999_500_000 => scaled(ns, 1e6, "ms"),
        _ => scaled(ns, 1e9, "s"),
    }
}

/// The difference of two times, as [`length`] writes it: `−12.3 µs`.
#[must_use]
pub fn duration(ns: i64) -> String {
    format!("{}{}", if ns < 0 { "−" } else { "" }, length(ns.unsigned_abs()))
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
    format!("{} {name}", fixed(value, digits))
}

/// A number of bytes in its natural unit: `1.5 GB`, `1.0 MB`, `412 B`.
#[must_use]
pub fn size(bytes: u64) -> String {
    // What would be rounded to a thousand has the next unit.
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..999_950 => (1e3, "kB"),
        999_950..999_950_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {name}", fixed(bytes as f64 / unit, 1))
}

/// How long something is kept, an hour at least: `2.0 d`, `12.0 h`.
#[must_use]
pub fn age(seconds: u64) -> String {
    let (unit, name) = if seconds < 86_400 { (3_600.0, "h") } else { (86_400.0, "d") };
    format!("{} {name}", fixed(seconds as f64 / unit, 1))
}

/// A part of a whole: `1.25 %`.
#[must_use]
pub fn share(part: f64) -> String {
    format!("{} %", fixed(part * 100.0, 2))
}

/// A time on the run's clock in seconds, to the microsecond: `2.417 093 s`.
#[must_use]
pub fn clock(ns: i64) -> String {
    let (sign, us) = (if ns < 0 { "−" } else { "" }, ns.unsigned_abs() / 1_000);
    format!("{sign}{}.{:03} {:03} s", us / 1_000_000, us / 1_000 % 1_000, us % 1_000)
}

/// A time on the run's clock in ns: `2,417,093,512 ns`.
#[must_use]
pub fn stamp(ns: i64) -> String {
    format!("{} ns", grouped(&ns.to_string()).replace('-', "−"))
}

/// Times per second: `19.9/s`, `1,310/s`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    // What would be rounded to a thousand is written as one. No rate is more than what 64 bits count.
    if per_second >= 999.95 {
        format!("{}/s", whole(per_second.round() as u64))
    } else {
        format!("{}/s", fixed(per_second, 1))
    }
}

/// How many times slower, two digits exact: `3,700`, `1.5`.
#[must_use]
pub fn factor(factor: f64) -> String {
    if factor < 9.95 {
        return fixed(factor, 1).to_string();
    }
    let mut unit = 1.0;
    while factor / unit >= 100.0 {
        unit *= 10.0;
    }
    whole(((factor / unit).round() * unit) as u64)
}
