//! How long works take: draws of the distributions that a scenario names.
//!
//! Each is drawn as a multiple of its mean. Law and Kelton, "Simulation Modeling and Analysis" (3rd edition, 2000), chapter
//! 8, has the methods; Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions" volume 1 (2nd edition, 1994),
//! the moments that the parameters follow from.

use hopscope_scenario::model::{Spread, Work};
use hopscope_scenario::quantity::Time;

use super::{Draws, Sequence, scaled};

#[cfg(test)]
mod tests;

/// Most phases of an Erlang distribution.
const MOST_PHASES: u32 = 100;

/// Numbers that are multiplied before a logarithm is taken: 2^-54, the least, to this power is still a normal f64.
const FACTORS: u32 = 16;

impl Draws {
    /// How long work number `n` takes.
    pub fn work(&mut self, n: u64, work: &Work) -> Time {
        match work {
            Work::Constant { mean } => *mean,
            Work::Exponential { mean } => Time(scaled(self.exponential(n), mean.0)),
            Work::Uniform(Spread { mean, cv }) => Time(scaled(uniform(self.unit(n), cv.ratio()), mean.0)),
            Work::Lognormal(Spread { mean, cv }) => Time(scaled(lognormal(&mut self.sequence(n), cv.ratio()), mean.0)),
            Work::Erlang(Spread { mean, cv }) => Time(scaled(erlang(&mut self.sequence(n), cv.ratio()), mean.0)),
            Work::Pareto(Spread { mean, cv }) => Time(scaled(pareto(self.exponential(n), cv.ratio()), mean.0)),
        }
    }
}

/// Evenly from 1 - c sqrt(3) to 1 + c sqrt(3), whose variance is c² (Johnson et al., volume 2, chapter 26).
fn uniform(unit: f64, cv: f64) -> f64 {
    1.0 + cv * libm::sqrt(3.0) * (2.0 * unit - 1.0)
}

/// exp(s Z - s² / 2) with s² = ln(1 + c²) (Johnson et al., volume 1, chapter 14); the normal Z as Box and Muller draw it ("A
/// Note on the Generation of Random Normal Deviates", 1958).
fn lognormal(draws: &mut Sequence<'_>, cv: f64) -> f64 {
    let variance = libm::log1p(cv * cv);
    let radius = libm::sqrt(-2.0 * libm::log(draws.unit()));
    let normal = radius * libm::cos(std::f64::consts::TAU * draws.unit());
    libm::exp(libm::sqrt(variance) * normal - variance / 2.0)
}

/// The mean of k exponentials, whose coefficient of variation is 1 / sqrt(k): minus the logarithm of a product, over k (Law
/// and Kelton, section 8.3.3).
fn erlang(draws: &mut Sequence<'_>, cv: f64) -> f64 {
    let phases = phases(cv);
    let (mut product, mut sum) = (1.0, 0.0);
    for phase in 1..=phases {
        product *= draws.unit();
        if phase == phases || phase % FACTORS == 0 {
            sum -= libm::log(product);
            product = 1.0;
        }
    }
    sum / f64::from(phases)
}

/// The nearest integer to 1 / c², at least 1 and at most [`MOST_PHASES`].
fn phases(cv: f64) -> u32 {
    let nearest = libm::round(1.0 / (cv * cv));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` goes to the nearest end")]
    let phases = nearest as u32;
    phases.clamp(1, MOST_PHASES)
}

/// Pareto's of the first kind with the shape a = 1 + sqrt(1 + 1 / c²) that gives the variance c², and the least value
/// (a - 1) / a that gives the mean 1: by inversion, the exponential of an exponential draw over a (Johnson et al., volume 1, chapter 20).
fn pareto(exponential: f64, cv: f64) -> f64 {
    let shape = 1.0 + libm::sqrt(1.0 + 1.0 / (cv * cv));
    (shape - 1.0) / shape * libm::exp(exponential / shape)
}
