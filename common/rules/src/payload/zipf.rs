//! Draws by Zipf's law: the k-th of N is chosen with a probability in proportion to k^-exponent.
//!
//! Rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
//! distributions", ACM TOMACS 6(3), 1996): no table, whatever N is. How many numbers a draw takes is chance, so each draw has
//! [`ROUNDS`] numbers of its own, of which it mostly takes the first.

use hopscope_scenario::quantity::Number;

use crate::draw::Draws;

/// Numbers that one draw may take. A round is refused in fewer than one of fifty cases for every exponent that a scenario may
/// have, so all of them in fewer than one of 10^27; the last one's choice would then stand.
const ROUNDS: u64 = 16;

/// The distribution.
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    keys: f64,
    exponent: f64,
    /// The integral of the density from its beginning to 1.5, less the density at 1.
    first: f64,
    /// The integral to the end of the last key.
    last: f64,
    /// How far left of a key a point may lie that surely is the key's.
    sure: f64,
}

impl Zipf {
    /// Of the keys 1 to `keys`.
    pub(super) fn new(keys: u32, exponent: Number) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "thousandths of at most 10: exact")]
        let exponent = exponent.0 as f64 / 1_000.0;
        let mut zipf = Self { keys: f64::from(keys.max(1)), exponent, first: 0.0, last: 0.0, sure: 0.0 };
        zipf.first = zipf.integral(1.5) - 1.0;
        zipf.last = zipf.integral(zipf.keys + 0.5);
        zipf.sure = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.density(2.0));
        zipf
    }

    /// Draw number `n`.
    pub(super) fn draw(&self, draws: &mut Draws, n: u64) -> u32 {
        let mut key = 1.0;
        for round in 0..ROUNDS {
            let unit = draws.unit(n.wrapping_mul(ROUNDS).wrapping_add(round));
            let under = self.last + unit * (self.first - self.last);
            let point = self.inverse(under);
            key = libm::floor(point + 0.5).clamp(1.0, self.keys);
            if key - point <= self.sure || under >= self.integral(key + 0.5) - self.density(key) {
                break;
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to `keys`")]
        let key = key as u32;
        key
    }

    /// x^-exponent.
    fn density(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// The integral of the density from 1 to x: (x^(1-exponent) - 1) / (1 - exponent), and log x at exponent 1.
    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let power = (1.0 - self.exponent) * log;
        // By the beginning of its series near 0, where the quotient has no digits left.
        let quotient = if power.abs() > 1e-8 { libm::expm1(power) / power } else { 1.0 + power / 2.0 };
        quotient * log
    }

    /// The reverse of [`Zipf::integral`].
    fn inverse(&self, integral: f64) -> f64 {
        // Below -1 only by rounding, at the far end of steep distributions.
        let power = (integral * (1.0 - self.exponent)).max(-1.0);
        let quotient = if power.abs() > 1e-8 { libm::log1p(power) / power } else { 1.0 - power / 2.0 };
        libm::exp(quotient * integral)
    }
}
