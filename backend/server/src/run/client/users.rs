//! A closed load: users, each of whom wants a request when its think after the one before is over.
//!
//! A user who does not think wants the next one where the last has just ended, in the same task: nothing has to be woken for it, which
//! costs more than the wanting itself. Whoever thinks, the generator's thread waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_rules::population::{Population, Wish};
use hopscope_scenario::model::Closed;
use tokio::sync::Notify;

use super::{Wanted, Wanting};
use crate::record::clock::monotonic_ns;
use crate::run::pacer::CHUNK;
use crate::tasks::Tasks;
use crate::timer::Timer;

/// The users of one client.
pub(super) struct Users {
    wanting: Arc<Wanting>,
    tasks: Tasks,
    /// The run's, in raw ns.
    zero: i64,
    crowd: Mutex<Crowd>,
    /// Told when a request has ended and nobody went on with the next.
    ended: Notify,
}

/// What they want.
struct Crowd {
    population: Population,
    /// The load is over: nothing is wanted any more.
    over: bool,
    /// Whether the client is paused, as far as the generator has heard.
    stands: bool,
    /// When it went on last: who had thought to an end meanwhile wants as of then.
    goes_on: u64,
}

/// When the generator has to look again.
enum Next {
    /// At a time of the run; for nobody, where that is its end.
    At(u64, bool),
    /// Never: the count has ended the load.
    Never,
}

impl Users {
    /// Those of a load; `zero` is the run's in raw ns.
    pub(super) fn new(load: &Closed, wanting: Arc<Wanting>, tasks: Tasks, zero: i64) -> Self {
        let population = Population::new(load, wanting.slice.duration, wanting.slice.draws.clone());
        let crowd = Crowd { population, over: false, stands: false, goes_on: 0 };
        Self { wanting, tasks, zero, crowd: Mutex::new(crowd), ended: Notify::new() }
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        // Its steps are whole.
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(monotonic_ns().saturating_sub(self.zero)).unwrap_or(0)
    }

    /// Wants what the users want, and has it sent, until the load is over or this is dropped; tells whether its count ended it.
    pub(super) async fn offer(self: Arc<Self>, timer: &Timer) -> bool {
        let _over = Over(&self);
        let mut changes = self.wanting.pace.changes();
        loop {
            let Next::At(at, wanted) = self.next() else { return true };
            tokio::select! {
                // Who ends may want again before whoever is next.
                biased;
                () = self.ended.notified() => {}
                Ok(()) = changes.changed() => {}
                () = timer.until(self.zero.saturating_add_unsigned(at)) => {
                    if !wanted {
                        return false;
                    }
                    for wish in std::iter::from_fn(|| self.want(None)).take(CHUNK) {
                        self.begin(wish);
                    }
                    // Many that are due must not keep the other clients from theirs.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// When to look again.
    fn next(&self) -> Next {
        let (mut crowd, end) = (self.crowd(), self.wanting.slice.duration.0);
        if crowd.population.is_over() {
            return Next::Never;
        }
        let now = self.now();
        let paused = self.wanting.pace.paused(now);
        if std::mem::replace(&mut crowd.stands, paused.is_some()) && !crowd.stands {
            crowd.goes_on = now;
        }
        let next = crowd.population.next_at().filter(|_| !crowd.stands);
        let next = next.or(paused.flatten().filter(|resumes| *resumes < end));
        Next::At(next.unwrap_or(end), next.is_some())
    }

    /// A request of `ended` has ended, where it is one; gives the next that is due, whoever's it is.
    fn want(&self, ended: Option<u32>) -> Option<(Wish, u64)> {
        let mut crowd = self.crowd();
        let now = self.now();
        if let Some(user) = ended {
            crowd.population.ended(user, now);
        }
        // One that goes on again is for the generator to hear of first.
        if crowd.over || crowd.stands || self.wanting.pace.paused(now).is_some() {
            return None;
        }
        let wish = crowd.population.want(now)?;
        Some((wish, crowd.goes_on))
    }

    fn intend(&self, (wish, goes_on): (Wish, u64)) -> Option<Wanted> {
        self.wanting.intend(wish.n, wish.at_ns.max(goes_on))
    }

    /// Sends what a user wants, and what is wanted when that has ended.
    fn begin(self: &Arc<Self>, wish: (Wish, u64)) {
        let Some(mut wanted) = self.intend(wish) else { return };
        let (users, mut user) = (Arc::clone(self), wish.0.user);
        self.tasks.spawn(async move {
            loop {
                let waits = Waits { users: &users, user: Some(user) };
                users.wanting.call(wanted).await;
                let Some(wish) = waits.ended() else { return };
                user = wish.0.user;
                let Some(next) = users.intend(wish) else { return };
                wanted = next;
                // What is answered at once must not keep others from their turn.
                tokio::task::coop::consume_budget().await;
            }
        });
    }
}

/// The load is over when this is dropped.
struct Over<'a>(&'a Users);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.crowd().over = true;
    }
}

/// A user who waits for the end of a request; dropped, it has come.
struct Waits<'a> {
    users: &'a Users,
    user: Option<u32>,
}

impl Waits<'_> {
    /// It has come: what is wanted next here, if anything is.
    fn ended(mut self) -> Option<(Wish, u64)> {
        let wish = self.users.want(self.user.take());
        if wish.is_none() {
            self.users.ended.notify_one();
        }
        wish
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if let Some(user) = self.user {
            let now = self.users.now();
            self.users.crowd().population.ended(user, now);
            self.users.ended.notify_one();
        }
    }
}
