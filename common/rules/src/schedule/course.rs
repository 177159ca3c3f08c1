//! How the times of a load follow each other: evenly, by chance, in bursts, at a changing rate.

use hopscope_scenario::model::{Arrivals, Bursts, Load, Ramp};
use hopscope_scenario::quantity::{Rate, Time};

use crate::draw::{Draws, scaled};

/// Nanoseconds in a second times rate units (millionths) in one per second: n / rate in nanoseconds is n times this over
/// the rate in its units.
pub(super) const NS_TIMES_RATE_UNITS: u128 = 1_000_000_000_000_000;

/// The times of one load. They are asked for in order.
#[derive(Clone, Debug)]
pub(super) enum Course {
    /// At one rate all the time.
    Steady(Distances),
    /// At one rate in the bursts, whose times are told one after the other.
    Bursts { within: Distances, on_ns: u64, off_ns: u64 },
    /// At a rate that changes.
    Ramp {
        slope: Slope,
        /// None: evenly.
        draws: Option<Box<Draws>>,
        /// What the rate has added up to at the last one.
        sum: f64,
        last_ns: u64,
    },
    /// No schedule wants anything.
    Closed,
}

/// How far apart two sends of one rate are.
#[derive(Clone, Debug)]
pub(super) enum Distances {
    /// Always as far: the rate in millionths per second; at least 1.
    Even(u128),
    /// As chance decides.
    Poisson {
        draws: Box<Draws>,
        /// The mean distance, ns.
        mean_ns: u64,
        /// The last send.
        last_ns: u64,
    },
}

impl Course {
    pub(super) fn new(load: &Load, draws: Draws) -> Self {
        match load {
            Load::Constant(open) => Self::Steady(Distances::new(open.rate, Arrivals::Even, draws)),
            Load::Poisson(open) => Self::Steady(Distances::new(open.rate, Arrivals::Poisson, draws)),
            Load::Bursts(Bursts { rate, on, off, arrivals, .. }) => {
                Self::Bursts { within: Distances::new(*rate, *arrivals, draws), on_ns: on.0.max(1), off_ns: off.0 }
            }
            Load::Ramp(ramp) => {
                let draws = (ramp.arrivals == Arrivals::Poisson).then(|| Box::new(draws));
                Self::Ramp { slope: Slope::new(ramp), draws, sum: 0.0, last_ns: 0 }
            }
            Load::Closed(_) => Self::Closed,
        }
    }

    /// When number `n` is wanted, ns; `None` where that is beyond all times.
    pub(super) fn at(&mut self, n: u64) -> Option<u64> {
        match self {
            Self::Steady(distances) => distances.at(n),
            Self::Bursts { within, on_ns, off_ns } => {
                let within = within.at(n)?;
                let (bursts, into) = (within / *on_ns, within % *on_ns);
                bursts.checked_mul(on_ns.checked_add(*off_ns)?)?.checked_add(into)
            }
            Self::Ramp { slope, draws, sum, last_ns } => {
                #[expect(clippy::cast_precision_loss, reason = "no run wants 2^53 requests")]
                let evenly = n as f64;
                *sum = draws.as_mut().map_or(evenly, |draws| *sum + draws.exponential(n));
                // Where the ramp ends, rounding must not turn two times round.
                *last_ns = slope.at(*sum)?.max(*last_ns);
                Some(*last_ns)
            }
            Self::Closed => None,
        }
    }
}

impl Distances {
    fn new(rate: Rate, arrivals: Arrivals, draws: Draws) -> Self {
        let rate = u128::from(rate.0.max(1));
        match arrivals {
            Arrivals::Even => Self::Even(rate),
            Arrivals::Poisson => {
                let mean_ns = u64::try_from(NS_TIMES_RATE_UNITS / rate).unwrap_or(u64::MAX);
                Self::Poisson { draws: Box::new(draws), mean_ns, last_ns: 0 }
            }
        }
    }

    fn at(&mut self, n: u64) -> Option<u64> {
        match self {
            Self::Even(rate) => u64::try_from(u128::from(n) * NS_TIMES_RATE_UNITS / *rate).ok(),
            Self::Poisson { draws, mean_ns, last_ns } => {
                let at = last_ns.checked_add(scaled(draws.exponential(n), *mean_ns));
                *last_ns = at.unwrap_or(u64::MAX);
                at
            }
        }
    }
}

/// A rate that changes evenly from one to another, and then stays; all per ns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slope {
    from: f64,
    to: f64,
    over: f64,
}

impl Slope {
    fn new(ramp: &Ramp) -> Self {
        Self { from: per_ns(ramp.from), to: per_ns(ramp.to), over: ns(ramp.over) }
    }

    /// What the rate adds up to over the ramp.
    fn whole(self) -> f64 {
        (self.from + self.to) / 2.0 * self.over
    }

    /// What the rate has added up to at a time.
    fn sum(self, ns: f64) -> f64 {
        if ns < self.over {
            ns * (self.from + (self.to - self.from) * ns / self.over / 2.0)
        } else {
            self.whole() + (ns - self.over) * self.to
        }
    }

    /// When the rate has added up to so much, ns, rounded down; `None` where it never does.
    fn at(self, sum: f64) -> Option<u64> {
        let at = if sum <= 0.0 {
            0.0
        } else if sum < self.whole() {
            // The root of a quadratic, in the form that loses no digits when the rates are nearly equal (Press et al.,
            // "Numerical Recipes", section 5.6).
            let change = (self.to - self.from) / self.over;
            let rate = libm::sqrt((self.from * self.from + 2.0 * change * sum).max(0.0));
            2.0 * sum / (self.from + rate)
        } else {
            self.over + (sum - self.whole()) / self.to
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` goes to the nearest end")]
        let rounded = at as u64;
        at.is_finite().then_some(rounded)
    }
}

/// The mean rate that an open load has between two times; `None` of a closed one, and of no time.
#[must_use]
pub fn mean_rate(load: &Load, from: Time, to: Time) -> Option<Rate> {
    let length = to.0.checked_sub(from.0).filter(|length| *length > 0)?;
    let over = |wanted: &dyn Fn(Time) -> f64| {
        let rate = libm::round((wanted(to) - wanted(from)) / ns(Time(length)) * 1e15);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` goes to the nearest end")]
        let rate = Rate(rate as u64);
        rate
    };
    match load {
        Load::Constant(open) | Load::Poisson(open) => Some(open.rate),
        Load::Bursts(Bursts { rate, on, off, .. }) => Some(over(&|time| {
            let cycle = on.0.saturating_add(off.0).max(1);
            let within = (time.0 / cycle).saturating_mul(on.0).saturating_add((time.0 % cycle).min(on.0));
            per_ns(*rate) * ns(Time(within))
        })),
        Load::Ramp(ramp) => Some(over(&|time| Slope::new(ramp).sum(ns(time)))),
        Load::Closed(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a relative error of 2^-53")]
fn per_ns(rate: Rate) -> f64 {
    rate.0 as f64 / 1e15
}

#[expect(clippy::cast_precision_loss, reason = "a relative error of 2^-53")]
fn ns(time: Time) -> f64 {
    time.0 as f64
}
