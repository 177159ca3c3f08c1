//! Who carries a connection of a protocol that has one for each call: a future, its *driver*, reads and writes for it, and somebody
//! has to poll that.
//!
//! A task of its own would have to be woken for each request and would have to wake the caller for each reply, on another thread as
//! often as not. Instead a call carries its connection itself while it is under way, and a *keeper*, which is a task, does so for
//! the rest of the time: it opens the connection, sees that the other end has closed it, and tells of its end. Whoever polled last is
//! woken next, so a call that ends polls once more in the keeper's name.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What reads and writes for a connection, until it ends.
pub(super) type Driver<E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send>>;

/// What a connection is carried by, in the hands of its calls. It ends with an `E`.
pub(super) struct Carriage<E> {
    state: Mutex<State<E>>,
}

struct State<E> {
    /// Gone when the connection has ended or is to end.
    driver: Option<Driver<E>>,
    /// What came of it, until the keeper takes it.
    outcome: Option<Result<(), E>>,
    /// Whether a call carries it now.
    called: bool,
    /// Wakes the keeper, once it has been polled.
    keeper: Option<Waker>,
}

/// The task's part: resolves when the connection has ended. Dropped, it ends it.
pub(super) struct Keeper<E>(Arc<Carriage<E>>);

impl<E> Carriage<E> {
    /// Of the driver of a connection.
    pub(super) fn new(driver: Driver<E>) -> (Arc<Self>, Keeper<E>) {
        let state = State { driver: Some(driver), outcome: None, called: false, keeper: None };
        let carriage = Arc::new(Self { state: Mutex::new(state) });
        (Arc::clone(&carriage), Keeper(carriage))
    }

    /// What `work` on the connection gives; it is carried meanwhile. Between two works of one call nobody needs to.
    pub(super) async fn carry<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            // First in this call's name, or what it hands over would wake the keeper.
            self.step(context);
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            self.step(context);
            work.as_mut().poll(context)
        })
        .await
    }

    /// The call is over: from here on the keeper is woken.
    pub(super) fn hand_back(&self) {
        let mut state = self.lock();
        state.called = false;
        // One that was never polled will be.
        if let Some(keeper) = state.keeper.clone() {
            state.poll(&mut Context::from_waker(&keeper));
            if state.outcome.is_some() {
                keeper.wake();
            }
        }
    }

    fn step(&self, context: &mut Context<'_>) {
        let mut state = self.lock();
        state.called = true;
        state.poll(context);
        if state.outcome.is_some()
            && let Some(keeper) = &state.keeper
        {
            keeper.wake_by_ref();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        // A driver that panicked is as gone as its call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> State<E> {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(outcome) = driver.as_mut().poll(context)
        {
            self.driver = None;
            self.outcome = Some(outcome);
        }
    }
}

impl<E> Future for Keeper<E> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        let mut state = self.0.lock();
        if !state.called {
            state.poll(context);
        }
        if let Some(outcome) = state.outcome.take() {
            return Poll::Ready(outcome);
        }
        match &mut state.keeper {
            Some(waker) => waker.clone_from(context.waker()),
            waker => *waker = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl<E> Drop for Keeper<E> {
    fn drop(&mut self) {
        let driver = self.0.lock().driver.take();
        // Behind the lock: a call that waits for it is woken, and what wakes may look.
        drop(driver);
    }
}
