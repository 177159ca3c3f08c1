//! Closed load: a population of users, each of whom thinks, sends, waits for the end of it, and thinks again.
//!
//! Every user begins with a think, so that a population does not send all at once at the start unless its thinks are all
//! alike.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hopscope_scenario::model::{Closed, Work};
use hopscope_scenario::quantity::Time;

use crate::draw::Draws;

#[cfg(test)]
mod tests;

/// How many bits of a think's number are its user's own count.
const THINK_BITS: u32 = 32;

/// A request that a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which one of all users' requests, from 0.
    pub n: u64,
    /// Whose, from 0; to be told to [`Population::ended`].
    pub user: u32,
    /// When the think was over, in nanoseconds since the load began.
    pub at_ns: u64,
}

/// The users of a closed load. Times are nanoseconds since the load began.
///
/// The k-th think of a user (from 0) always takes as long, whatever the others do and however many there are.
#[derive(Clone, Debug)]
pub struct Population {
    think: Work,
    draws: Draws,
    /// No request is wanted at or after this.
    end_ns: u64,
    /// No more requests than this.
    count: u64,
    /// Requests that were wanted.
    wanted: u64,
    /// Thinks of each user that were begun.
    thinks: Vec<u32>,
    /// When each thinking user wants to send.
    thinking: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Population {
    /// A population that is offered for `duration`, all of it thinking; `draws` are the client's for its thinks.
    #[must_use]
    pub fn new(load: &Closed, duration: Time, draws: Draws) -> Self {
        let mut population = Self {
            think: load.think.clone(),
            draws,
            end_ns: duration.0,
            count: load.count.unwrap_or(u64::MAX),
            wanted: 0,
            thinks: Vec::new(),
            thinking: BinaryHeap::new(),
        };
        for user in 0..load.users {
            population.thinks.push(0);
            population.ended(user, 0);
        }
        population
    }

    /// When the next request is wanted, of those who think now.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        self.thinking.peek().map(|Reverse((at, _))| *at).filter(|_| !self.is_over())
    }

    /// The next request that is wanted by `now_ns`, the longest due first.
    pub fn want(&mut self, now_ns: u64) -> Option<Wish> {
        self.next_at().filter(|at| *at <= now_ns)?;
        let Reverse((at_ns, user)) = self.thinking.pop()?;
        let n = self.wanted;
        self.wanted += 1;
        Some(Wish { n, user, at_ns })
    }

    /// A user's request has ended at `now_ns`, whichever way: the user thinks again. A user that there is not is ignored.
    pub fn ended(&mut self, user: u32, now_ns: u64) {
        let Some(thinks) = usize::try_from(user).ok().and_then(|user| self.thinks.get_mut(user)) else { return };
        let number = (u64::from(user) << THINK_BITS) | u64::from(*thinks);
        *thinks = thinks.wrapping_add(1);
        let at = now_ns.saturating_add(self.draws.work(number, &self.think).0);
        if at < self.end_ns {
            self.thinking.push(Reverse((at, user)));
        }
    }

    /// Whether all requests that the count allows were wanted: whatever ends, no more will be.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wanted >= self.count
    }
}
