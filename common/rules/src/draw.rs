//! Draws: the numbers that chance decides, made from a run's seed and from nothing else.
//!
//! A draw is keyed by (seed, the node's id, what it is for, its number): whoever asks for number n gets the same, in any
//! order, on any machine, live or simulated. The generator is ChaCha with 8 rounds (Bernstein, "ChaCha, a variant of
//! Salsa20", 2008), whose output can be asked for at any position; its key is the SHA-256 of what the draws are keyed by.
//! Logarithms are libm's, the same on every target.

mod work;

use hopscope_scenario::quantity::Share;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use crate::network::Way;

/// What draws are for. Draws for different purposes are independent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Times between a client's intended sends.
    Arrivals,
    /// How long a client's users think.
    Think,
    /// How long the works of one replica take; its number, from 1.
    Work(u32),
    /// Which branches one replica takes; its number, from 1.
    Choice(u32),
    /// Which works of one replica fail; its number, from 1.
    Failure(u32),
    /// The keys of a client's requests.
    Keys,
    /// Their values.
    Values,
    /// How long before their sends their events happened.
    EventTimes,
    /// Which priorities a client's messages have.
    Priorities,
    /// How long bytes are on their way over a link, to the place with this number or from there; keyed by the link's id.
    Network(Way, u32),
}

impl Purpose {
    /// What the key holds of it: no two purposes' texts are equal, and none changes its text in any version.
    fn text(self) -> String {
        match self {
            Self::Arrivals => "arrivals".to_owned(),
            Self::Think => "think".to_owned(),
            Self::Work(replica) => format!("work {replica}"),
            Self::Choice(replica) => format!("choice {replica}"),
            Self::Failure(replica) => format!("failure {replica}"),
            Self::Keys => "keys".to_owned(),
            Self::Values => "values".to_owned(),
            Self::EventTimes => "event times".to_owned(),
            Self::Priorities => "priorities".to_owned(),
            Self::Network(Way::Out, place) => format!("network out {place}"),
            Self::Network(Way::Back, place) => format!("network back {place}"),
        }
    }
}

/// The draws of one node for one purpose.
#[derive(Clone, Debug)]
pub struct Draws {
    rng: ChaCha8Rng,
    /// The number of the draw that the generator would give next; none while it is in another stream than theirs.
    next: Option<u64>,
}

impl Draws {
    /// The draws of the node, or the link, with this id. `seed` is the run's.
    #[must_use]
    pub fn new(seed: u64, node: &str, purpose: Purpose) -> Self {
        let mut key = Sha256::new();
        key.update(seed.to_le_bytes());
        // The length keeps "n1" + "1 x" from "n11" + " x".
        key.update((node.len() as u64).to_le_bytes());
        key.update(node);
        key.update(purpose.text());
        Self { rng: ChaCha8Rng::from_seed(key.finalize().into()), next: Some(0) }
    }

    /// Draw number `n`: evenly distributed in the open interval from 0 to 1, in steps of 2^-53.
    pub fn unit(&mut self, n: u64) -> f64 {
        if self.next.is_none() {
            self.rng.set_stream(0);
        }
        if self.next != Some(n) {
            // A draw takes two words of 32 bits.
            self.rng.set_word_pos(u128::from(n) * 2);
        }
        self.next = n.checked_add(1);
        even(&mut self.rng)
    }

    /// Draw number `n`, exponentially distributed with mean 1, by inversion (Devroye, "Non-Uniform Random Variate
    /// Generation", 1986, section II.2).
    pub fn exponential(&mut self, n: u64) -> f64 {
        -libm::log(self.unit(n))
    }

    /// Whether what has this probability happens the `n`-th time.
    pub fn happens(&mut self, n: u64, probability: Share) -> bool {
        probability.0 > 0 && self.unit(n) < probability.ratio()
    }

    /// Draw number `n` where one number is not enough: a sequence of its own, with nothing in common with any other draw.
    /// ChaCha has 2^64 streams to a key; the plain draws are stream 0, and these the ones after it.
    fn sequence(&mut self, n: u64) -> Sequence<'_> {
        self.next = None;
        self.rng.set_stream(n.wrapping_add(1));
        self.rng.set_word_pos(0);
        Sequence(&mut self.rng)
    }
}

/// The numbers of one draw, one after the other.
struct Sequence<'a>(&'a mut ChaCha8Rng);

impl Sequence<'_> {
    /// Evenly distributed in the open interval from 0 to 1.
    fn unit(&mut self) -> f64 {
        even(self.0)
    }
}

/// The next number: evenly distributed in the open interval from 0 to 1, in steps of 2^-53.
fn even(rng: &mut ChaCha8Rng) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    let steps = (rng.next_u64() >> 11) as f64;
    (steps + 0.5) / 9_007_199_254_740_992.0
}

/// `factor` times `ns`, to the nearest nanosecond, as long as a u64 can hold at most.
pub(crate) fn scaled(factor: f64, ns: u64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "a relative error of 2^-53 in a length that chance decides")]
    let product = libm::round(factor * ns as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` goes to the nearest end")]
    let rounded = product as u64;
    rounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draws(node: &str, purpose: Purpose) -> Draws {
        Draws::new(42, node, purpose)
    }

    /// A change here changes every seed's runs.
    #[test]
    fn the_draws_of_a_seed_are_these() {
        let mut arrivals = draws("n1", Purpose::Arrivals);
        let found: Vec<String> = (0..3).map(|n| format!("{:.12}", arrivals.unit(n))).collect();
        assert_eq!(found, FIRST);
    }

    const FIRST: [&str; 3] = ["0.410429430359", "0.967362586735", "0.445787197344"];

    #[test]
    fn purposes_nodes_and_seeds_are_independent() {
        let mut first = [
            draws("n1", Purpose::Arrivals),
            draws("n1", Purpose::Work(1)),
            draws("n1", Purpose::Work(2)),
            draws("n1", Purpose::Failure(1)),
            draws("n1", Purpose::Think),
            draws("n1", Purpose::Keys),
            draws("n1", Purpose::Values),
            draws("n1", Purpose::EventTimes),
            draws("n1", Purpose::Priorities),
            draws("n2", Purpose::Arrivals),
            Draws::new(43, "n1", Purpose::Arrivals),
        ];
        let mut values: Vec<_> = first.iter_mut().map(|draws| draws.unit(0).to_bits()).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), first.len());
    }

    #[test]
    fn what_is_probable_happens_as_often() {
        let mut failures = draws("n1", Purpose::Failure(1));
        let mut of_ten_thousand =
            |percent: u64| (0..10_000).filter(|n| failures.happens(*n, Share(percent * 10_000))).count();
        assert_eq!([of_ten_thousand(0), of_ten_thousand(100)], [0, 10_000]);
        // 500 in the mean, with a standard deviation of 22; the seed is fixed.
        let found = of_ten_thousand(5);
        assert!((390..610).contains(&found), "{found}");
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_draws(order in prop::collection::vec(0..1_000_u64, 1..50)) {
            let mut jumping = draws("n1", Purpose::Arrivals);
            for n in order {
                let mut fresh = draws("n1", Purpose::Arrivals);
                let value = jumping.unit(n);
                prop_assert_eq!(value.to_bits(), fresh.unit(n).to_bits());
                prop_assert!(value > 0.0 && value < 1.0);
            }
        }

        #[test]
        fn any_length_can_be_scaled(factor in 0.0..50.0_f64, ns: u64) {
            let _ = scaled(factor, ns);
        }
    }
}
