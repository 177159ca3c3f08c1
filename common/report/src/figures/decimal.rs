//! Numbers with decimals, printed by integers: the standard library's printing of floats would be some kilobytes of the page.

use std::fmt::{Display, Formatter, Result};

/// A number's decimals as [`fixed`] or [`plain`] has them; it prints itself.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    value: f64,
    digits: u32,
    trimmed: bool,
}

/// A number with so many decimals, four at most, just as `{:.1}` prints it: `12.0`; none is printed as `-0.0`.
#[must_use]
pub fn fixed(value: f64, digits: u32) -> Decimal {
    Decimal { value, digits, trimmed: false }
}

/// A number to three decimals, and without those that say nothing, for drawings: `12`, `12.5`.
#[must_use]
pub fn plain(value: f64) -> Decimal {
    Decimal { value, digits: 3, trimmed: true }
}

impl Display for Decimal {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if self.value.is_nan() {
            return out.write_str("NaN");
        }
        let (whole, fraction) = rounded(self.value.abs(), 10_u64.pow(self.digits));
        if self.value < 0.0 && (whole, fraction) != (0, 0) {
            out.write_str("-")?;
        }
        let (mut fraction, mut width) = (fraction, self.digits as usize);
        while self.trimmed && width > 0 && fraction.is_multiple_of(10) {
            (fraction, width) = (fraction / 10, width - 1);
        }
        if width == 0 { write!(out, "{whole}") } else { write!(out, "{whole}.{fraction:0width$}") }
    }
}

/// A number that is not negative as a whole one and `scale`th parts, rounded exactly, half to even; what 64 bits do not hold is
/// the greatest that they do.
fn rounded(value: f64, scale: u64) -> (u64, u64) {
    let whole = value as u64;
    let fraction = value - whole as f64;
    // Nothing is left of a number that is whole; else a fraction is its significand over a power of two, by IEEE 754 binary64.
    let bits = fraction.to_bits();
    let (exponent, significand) = (bits >> 52, bits & ((1 << 52) - 1) | 1 << 52);
    let shift = 1_075_u64.saturating_sub(exponent);
    if !(53..127).contains(&shift) {
        return (whole, 0);
    }
    let product = u128::from(significand) * u128::from(scale);
    let (parts, rest, half) = ((product >> shift) as u64, product & ((1 << shift) - 1), 1 << (shift - 1));
    // Ten parts and more are even for any whole.
    let odd = !(if scale == 1 { whole } else { parts }).is_multiple_of(2);
    let parts = parts + u64::from(rest > half || rest == half && odd);
    if parts == scale { (whole + 1, 0) } else { (whole, parts) }
}
