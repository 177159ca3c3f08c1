//! When a client wants to send, and whether it may.

mod course;

use hopscope_scenario::model::Load;
use hopscope_scenario::quantity::Time;

use crate::draw::Draws;
use course::Course;

pub use course::mean_rate;

/// One intended send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intended {
    /// Which one, from 0.
    pub n: u64,
    /// When, in nanoseconds since the load began.
    pub at_ns: u64,
}

/// The intended sends of an open load, in order of time. A closed load has none here: [`crate::population`] has them.
///
/// Constant load wants its n-th request (from 0) at exactly floor(n / rate): integers throughout, so no error adds up.
/// Poisson load wants each 1 / rate times an exponential draw after the one before it, the first after the start, each
/// distance to the nearest nanosecond. A load whose rate changes is one of rate 1 whose time runs at that rate (operational
/// time: Çinlar, "Introduction to Stochastic Processes", 1975, section 4.7): what is wanted then, evenly or by chance, is
/// wanted when the rate has added up to it.
#[derive(Clone, Debug)]
pub struct Schedule {
    course: Course,
    /// No request is wanted at or after this.
    end_ns: u64,
    /// No more requests than this.
    count: u64,
    next: u64,
}

impl Schedule {
    /// The schedule of a load that is offered for `duration`; `draws` are the client's for its arrivals.
    #[must_use]
    pub fn new(load: &Load, duration: Time, draws: Draws) -> Self {
        let course = Course::new(load, draws);
        Self { course, end_ns: duration.0, count: load.count().unwrap_or(u64::MAX), next: 0 }
    }

    /// Appends the next intended sends, at most `most`, to a buffer that the caller reuses; gives how many. Fewer than
    /// `most` means that the schedule has ended.
    pub fn fill(&mut self, most: usize, into: &mut Vec<Intended>) -> usize {
        let before = into.len();
        into.extend(self.take(most));
        into.len() - before
    }
}

impl Iterator for Schedule {
    type Item = Intended;

    fn next(&mut self) -> Option<Intended> {
        if self.next >= self.count {
            return None;
        }
        let at_ns = self.course.at(self.next).filter(|at| *at < self.end_ns);
        if at_ns.is_none() {
            // What lies beyond the end ends the schedule for good.
            self.count = self.next;
        }
        let intended = Intended { n: self.next, at_ns: at_ns? };
        self.next += 1;
        Some(intended)
    }
}

/// Whether a wanted request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is, and is in flight until [`InFlight::end`].
    Send,
    /// It is not: too many wait for their reply.
    NotSent,
}

/// The cap on requests in flight of one client.
#[derive(Clone, Debug)]
pub struct InFlight {
    most: u32,
    now: u32,
}

impl InFlight {
    /// None in flight, at most `most`.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, now: 0 }
    }

    /// A request is wanted now.
    pub fn begin(&mut self) -> Admission {
        if self.now >= self.most {
            return Admission::NotSent;
        }
        self.now += 1;
        Admission::Send
    }

    /// A request's last attempt has ended, whichever way.
    pub fn end(&mut self) {
        self.now = self.now.saturating_sub(1);
    }

    /// How many are in flight.
    #[must_use]
    pub fn now(&self) -> u32 {
        self.now
    }
}

#[cfg(test)]
mod tests;
