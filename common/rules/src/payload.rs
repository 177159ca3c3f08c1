//! What a client's requests carry: the key, the value and the event time of the n-th, drawn from the run's seed, and the
//! bytes of a body that says so.
//!
//! Everything is counter-based, as in [`crate::draw`]: the n-th request carries the same whoever asks, in any order. A body
//! has no wall clock in it, so the same seed gives the same bytes.

mod body;
mod zipf;

use hopscope_scenario::model::{EventTimes, Keys, Payload, Priorities, Values};

use self::zipf::Zipf;
use crate::draw::{Draws, Purpose, scaled};

pub use body::{BINARY_BYTES, body, length};

#[cfg(test)]
mod tests;

/// What one request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which request of its client, from 0.
    pub n: u64,
    /// Its key, from 1; the most frequent of a Zipf distribution is 1. Written as `k` and the number.
    pub key: Option<u32>,
    /// Its value.
    pub value: Option<i64>,
    /// When that happened which it tells of, ns on the run's clock; where a payload draws none, nothing is told.
    pub event_time_ns: Option<i64>,
}

/// Draws what the requests of one client carry.
#[derive(Clone, Debug)]
pub struct Payloads {
    keys: Option<(KeyRule, Draws)>,
    values: Option<(Values, Draws)>,
    event_times: Option<(EventTimes, Draws)>,
    priorities: Option<(Priorities, Draws)>,
}

/// How a key is chosen.
#[derive(Clone, Debug)]
enum KeyRule {
    /// Each of so many as often.
    Uniform(u32),
    /// By rank.
    Zipf(Zipf),
}

impl Payloads {
    /// The draws of the client with this id. `seed` is the run's.
    #[must_use]
    pub fn new(payload: &Payload, seed: u64, node: &str) -> Self {
        let keys = payload.key.map(|keys| match keys {
            Keys::Uniform { keys } => KeyRule::Uniform(keys),
            Keys::Zipf { keys, exponent } => KeyRule::Zipf(Zipf::new(keys, exponent)),
        });
        let draws = |purpose| Draws::new(seed, node, purpose);
        Self {
            keys: keys.map(|rule| (rule, draws(Purpose::Keys))),
            values: payload.value.map(|values| (values, draws(Purpose::Values))),
            event_times: payload.event_time.map(|times| (times, draws(Purpose::EventTimes))),
            priorities: payload.priority.map(|priorities| (priorities, draws(Purpose::Priorities))),
        }
    }

    /// Which priority the message of request `n` has in queues that heed it.
    pub fn priority(&mut self, n: u64) -> u8 {
        self.priorities.as_mut().map_or(0, |(priorities, draws)| match *priorities {
            Priorities::Constant { priority } => priority,
            Priorities::Uniform { from, to } => {
                let (least, greatest) = (from.min(to), from.max(to));
                let above = even(draws.unit(n), u64::from(greatest - least) + 1);
                least.saturating_add(u8::try_from(above).unwrap_or(0))
            }
        })
    }

    /// What request `n` carries, whose send is wanted at `intended_ns` on the run's clock.
    pub fn draw(&mut self, n: u64, intended_ns: u64) -> Carried {
        let key = self.keys.as_mut().map(|(rule, draws)| match rule {
            KeyRule::Uniform(keys) => even(draws.unit(n), (*keys).into()) + 1,
            KeyRule::Zipf(zipf) => zipf.draw(draws, n).into(),
        });
        let value = self.values.as_mut().map(|(Values::Uniform { from, to }, draws)| {
            let (least, greatest) = (*from.min(to), *from.max(to));
            let choices = greatest.abs_diff(least).saturating_add(1);
            least.saturating_add_unsigned(even(draws.unit(n), choices))
        });
        let event_time_ns = self.event_times.as_mut().map(|(EventTimes::Exponential { mean }, draws)| {
            let before = scaled(draws.exponential(n), mean.0);
            i64::try_from(intended_ns).unwrap_or(i64::MAX).saturating_sub_unsigned(before)
        });
        Carried { n, key: key.and_then(|key| u32::try_from(key).ok()), value, event_time_ns }
    }
}

/// One of `choices` numbers from 0, each as often, by a draw between 0 and 1.
fn even(unit: f64, choices: u64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 2 * 10^9 + 1 choices: exact")]
    let at = unit * choices as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `choices`")]
    let chosen = at as u64;
    // The greatest draw times many choices may round up to their number.
    chosen.min(choices.saturating_sub(1))
}
