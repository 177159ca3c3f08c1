//! What a link's network adds: when bytes that came in at one end of a connection go out at the other.
//!
//! It is a delay and an order, as a stream has it: nothing overtakes what was sent before it on the same connection, however
//! short its own delay is. How much it lets through at once is not its matter.

use hopscope_scenario::model::Work;
use hopscope_scenario::quantity::Time;

use crate::draw::{Draws, Purpose};

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From the end that connected.
    Out,
    /// To it.
    Back,
}

/// What chance decides of one way over a link to one place: half a round trip for each piece.
#[derive(Clone, Debug)]
pub struct Delays {
    round_trip: Work,
    draws: Draws,
    drawn: u64,
}

impl Delays {
    /// Of the link with this id to the place with this number; `seed` is the run's, and `round_trip` what a round trip takes
    /// longer, as the link says.
    #[must_use]
    pub fn new(seed: u64, link: &str, place: u32, way: Way, round_trip: Work) -> Self {
        Self { round_trip, draws: Draws::new(seed, link, Purpose::Network(way, place)), drawn: 0 }
    }

    /// How long the next piece is on its way.
    pub fn draw(&mut self) -> Time {
        let whole = self.draws.work(self.drawn, &self.round_trip);
        self.drawn += 1;
        Time(whole.0 / 2)
    }
}

/// One way of one connection; times are ns since any zero that is always the same.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// When the connection stands.
    open: i64,
    /// When the last piece goes out.
    last: i64,
}

impl Stream {
    /// Of a connection that stands at `open`: what comes before goes on its way then.
    #[must_use]
    pub const fn new(open: i64) -> Self {
        Self { open, last: open }
    }

    /// When a piece goes out that came in at `at` and is `delay` on its way.
    pub fn passes(&mut self, at: i64, delay: Time) -> i64 {
        self.last = self.last.max(at.max(self.open).saturating_add_unsigned(delay.0));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::model::Spread;
    use hopscope_scenario::quantity::Share;

    use super::*;

    #[test]
    fn nothing_overtakes_and_nothing_goes_out_before_the_connection_stands() {
        let mut stream = Stream::new(100);
        let pieces = [(10, 20), (90, 50), (95, 5), (200, 0)];
        assert_eq!(pieces.map(|(at, delay)| stream.passes(at, Time(delay))), [120, 150, 150, 200]);
    }

    #[test]
    fn each_way_takes_half_and_has_draws_of_its_own() {
        let of = |way, place, round_trip: &Work| Delays::new(42, "l1", place, way, round_trip.clone());
        let constant = Work::Constant { mean: Time(2_000_000) };
        assert_eq!(of(Way::Out, 1, &constant).draw(), Time(1_000_000));
        let spread = Work::Lognormal(Spread { mean: Time(2_000_000), cv: Share(500_000) });
        let ten = |mut delays: Delays| (0..10).map(|_| delays.draw()).collect::<Vec<_>>();
        let out = ten(of(Way::Out, 1, &spread));
        assert_eq!(out, ten(of(Way::Out, 1, &spread)), "the same again");
        assert_ne!(out, ten(of(Way::Back, 1, &spread)));
        assert_ne!(out, ten(of(Way::Out, 2, &spread)));
    }
}
