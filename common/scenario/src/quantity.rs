//! Quantities as a scenario writes them: `"40 ms"`, `"20/s"`, `"512 B"`, `"5 %"`.
//!
//! Exact integers inside, one canonical spelling outside; reading is tolerant of a missing or doubled space and of
//! `us` for `µs`. Ready-made crates were weighed: humantime and bytesize each cover one dimension, round through
//! floating point, and print several units for one value; none knows rates.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(test)]
mod tests;

/// A unit's spelling and how many base units it is worth.
type Unit = (&'static str, u64);

/// The units of time, in nanoseconds; the first spelling of a unit is the canonical one.
const TIME_UNITS: &[Unit] = &[
    ("ns", 1),
    ("µs", 1_000),
    ("us", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The unit of rates, in millionths of one per second.
const RATE_UNITS: &[Unit] = &[("/s", 1_000_000)];

/// The units of sizes, in bytes.
const SIZE_UNITS: &[Unit] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// The units of how many bytes pass, in bytes per second.
const THROUGHPUT_UNITS: &[Unit] = &[
    ("B/s", 1),
    ("kB/s", 1_000),
    ("KiB/s", 1 << 10),
    ("MB/s", 1_000_000),
    ("MiB/s", 1 << 20),
    ("GB/s", 1_000_000_000),
];

/// The unit of shares, in millionths.
const SHARE_UNITS: &[Unit] = &[("%", 10_000)];
/// What numbers without a unit are kept in: thousandths.
const NUMBER_UNITS: &[Unit] = &[("", 1_000)];

/// What a quantity measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A span of time; base unit one nanosecond.
    Time,
    /// How often something happens; base unit a millionth of once per second.
    Rate,
    /// A number of bytes; base unit one byte.
    Size,
    /// How many bytes pass; base unit one byte per second.
    Throughput,
    /// A part of a whole, or a ratio; base unit one millionth.
    Share,
    /// A number without a unit, like an exponent; base unit a thousandth.
    Number,
}

impl Dimension {
    /// The units that may be written, for messages: `"ns, µs, ms, s, min, h"`.
    #[must_use]
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Time => "ns, µs, ms, s, min, h",
            Self::Rate => "/s",
            Self::Size => "B, kB, KiB, MB, MiB, GB, GiB",
            Self::Throughput => "B/s, kB/s, KiB/s, MB/s, MiB/s, GB/s",
            Self::Share => "%",
            Self::Number => "",
        }
    }

    /// Every spelling of a unit that is read, for a schema.
    pub fn spellings(self) -> impl Iterator<Item = &'static str> {
        self.units().iter().map(|(spelling, _)| *spelling)
    }

    /// Reads a quantity of this dimension into base units.
    ///
    /// # Errors
    /// When the text is not a plain decimal number followed by one of [`Dimension::allowed`], is finer than the base
    /// unit, or does not fit 64 bits.
    pub fn parse(self, text: &str) -> Result<u64, QuantityError> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        if number.is_empty() {
            return Err(if text.starts_with('-') { QuantityError::Negative } else { QuantityError::NotANumber });
        }
        let unit = unit.trim_start();
        if unit.is_empty() && self != Self::Number {
            return Err(QuantityError::MissingUnit);
        }
        let scale = self.units().iter().find(|(name, _)| *name == unit).ok_or(QuantityError::UnknownUnit)?.1;
        scaled(number, scale)
    }

    /// Prints base units in the one canonical spelling: the largest unit that reads naturally, exact decimals, one
    /// space before the unit of a time, a size or a share and none before that of a rate.
    #[must_use]
    pub fn print(self, base: u64) -> String {
        match self {
            Self::Time => print_time(base),
            Self::Rate => format!("{}/s", decimal(base, 1_000_000)),
            Self::Size => print_size(base),
            Self::Throughput => print_throughput(base),
            Self::Share => format!("{} %", decimal(base, 10_000)),
            Self::Number => decimal(base, 1_000),
        }
    }

    fn units(self) -> &'static [Unit] {
        match self {
            Self::Time => TIME_UNITS,
            Self::Rate => RATE_UNITS,
            Self::Size => SIZE_UNITS,
            Self::Throughput => THROUGHPUT_UNITS,
            Self::Share => SHARE_UNITS,
            Self::Number => NUMBER_UNITS,
        }
    }
}

/// Why a text is not a quantity. The texts a person reads come from the catalogue; these are for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not start with a decimal number.
    #[error("a quantity starts with a plain decimal number")]
    NotANumber,
    /// It is below zero.
    #[error("a quantity is not negative")]
    Negative,
    /// A number alone.
    #[error("a quantity has a unit")]
    MissingUnit,
    /// The unit is none of the dimension's.
    #[error("the unit is not one of this dimension")]
    UnknownUnit,
    /// It has more decimals than the base unit can hold.
    #[error("the number is finer than the smallest unit")]
    TooFine,
    /// It does not fit 64 bits of base units.
    #[error("the number is too large")]
    TooLarge,
}

/// `number` (digits with at most one point) times `scale`, exactly.
fn scaled(number: &str, scale: u64) -> Result<u64, QuantityError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(QuantityError::NotANumber);
    }
    let whole: u64 = whole.parse().map_err(|_| QuantityError::TooLarge)?;
    let fraction = fraction.trim_end_matches('0');
    let digits = u32::try_from(fraction.len()).map_err(|_| QuantityError::TooFine)?;
    let divisor = 10_u128.checked_pow(digits).ok_or(QuantityError::TooFine)?;
    let parts = if fraction.is_empty() {
        0
    } else {
        let fraction: u64 = fraction.parse().map_err(|_| QuantityError::TooFine)?;
        let product = u128::from(fraction) * u128::from(scale);
        if !product.is_multiple_of(divisor) {
            return Err(QuantityError::TooFine);
        }
        product / divisor
    };
    u64::try_from(u128::from(whole) * u128::from(scale) + parts).map_err(|_| QuantityError::TooLarge)
}

/// `base / scale` with exact decimals, no trailing zeros. `scale` is a power of ten.
fn decimal(base: u64, scale: u64) -> String {
    let (whole, rest) = (base / scale, base % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

fn print_time(ns: u64) -> String {
    const MINUTE: u64 = 60_000_000_000;
    const HOUR: u64 = 60 * MINUTE;
    match ns {
        0 => "0 s".to_owned(),
        _ if ns.is_multiple_of(HOUR) => format!("{} h", ns / HOUR),
        _ if ns.is_multiple_of(MINUTE) => format!("{} min", ns / MINUTE),
        1_000_000_000.. => format!("{} s", decimal(ns, 1_000_000_000)),
        1_000_000.. => format!("{} ms", decimal(ns, 1_000_000)),
        1_000.. => format!("{} µs", decimal(ns, 1_000)),
        _ => format!("{ns} ns"),
    }
}

fn print_size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (scale, unit) in units {
        if bytes != 0 && bytes.is_multiple_of(scale) {
            return format!("{} {unit}", bytes / scale);
        }
    }
    format!("{bytes} B")
}

fn print_throughput(bytes: u64) -> String {
    let units = [(1_000_000_000_u64, "GB/s"), (1_000_000, "MB/s"), (1_000, "kB/s")];
    for (scale, unit) in units {
        if bytes >= scale {
            return format!("{} {unit}", decimal(bytes, scale));
        }
    }
    format!("{bytes} B/s")
}

/// Defines a quantity: a number of base units that reads and prints itself by its dimension.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $dimension:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$dimension.print(self.0))
            }
        }

        impl FromStr for $name {
            type Err = QuantityError;

            fn from_str(text: &str) -> Result<Self, QuantityError> {
                $dimension.parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(QuantityVisitor($dimension)).map(Self)
            }
        }
    };
}

quantity!(
    /// A number of bytes per second, printed like `100 kB/s`.
    Throughput,
    Dimension::Throughput
);
quantity!(
    /// A span of time in nanoseconds, printed like `40 ms`.
    Time,
    Dimension::Time
);
quantity!(
    /// A rate in millionths of once per second, printed like `20/s`.
    Rate,
    Dimension::Rate
);
quantity!(
    /// A number of bytes, printed like `512 B`.
    Size,
    Dimension::Size
);
quantity!(
    /// A share or a ratio in millionths, printed like `5 %`.
    #[derive(Default)]
    Share,
    Dimension::Share
);

impl Share {
    /// As a ratio: 1 for `100 %`.
    #[must_use]
    pub fn ratio(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no field allows a share of 2^53 millionths")]
        let millionths = self.0 as f64;
        millionths / 1_000_000.0
    }
}

quantity!(
    /// A number in thousandths, printed like `1.1`.
    Number,
    Dimension::Number
);

struct QuantityVisitor(Dimension);

impl Visitor<'_> for QuantityVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number with a unit ({})", self.0.allowed())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        self.0.parse(text).map_err(E::custom)
    }
}
