//! Waiting for a moment on the thread that carries the relays.

use std::io;

use crate::record::clock::monotonic_ns;
use crate::timer::{Early, Timer};

/// One waiter's moments, one after the other.
pub(super) struct Alarm {
    clock: system::Clock,
    early: Early,
}

impl Alarm {
    /// # Errors
    /// When the system has no file left.
    pub(super) fn new(timer: &Timer, early: Early) -> io::Result<Self> {
        Ok(Self { clock: system::Clock::new(timer)?, early })
    }

    /// Resolves at `deadline`, raw ns of CLOCK_MONOTONIC, and never before it.
    ///
    /// # Errors
    /// When the system does not keep time.
    pub(super) async fn until(&mut self, deadline: i64) -> io::Result<()> {
        let wanted = deadline.saturating_sub(self.early.ns());
        if monotonic_ns() < wanted {
            self.clock.until(wanted).await?;
            self.early.learn(monotonic_ns() - wanted);
        }
        while monotonic_ns() < deadline {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

/// A file of the system that can be read at a moment: what waits for sockets waits for it too.
#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use crate::record::clock::monotonic_ns;
    use crate::timer::Timer;

    const SECOND: i64 = 1_000_000_000;

    pub(super) struct Clock(AsyncFd<OwnedFd>);

    impl Clock {
        pub(super) fn new(_: &Timer) -> io::Result<Self> {
            let file = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            #[expect(deprecated, reason = "the file is owned by what watches it, and never another")]
            AsyncFd::new(file).map(Self)
        }

        pub(super) async fn until(&mut self, deadline: i64) -> io::Result<()> {
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let once = Timespec { tv_sec: deadline / SECOND, tv_nsec: deadline % SECOND };
            let when = Itimerspec { it_interval: never, it_value: once };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &when)?;
            while monotonic_ns() < deadline {
                self.0.readable().await?.clear_ready();
            }
            Ok(())
        }
    }
}

/// The run's timer, whose thread wakes the waiter.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use crate::timer::Timer;

    pub(super) struct Clock(Timer);

    impl Clock {
        pub(super) fn new(timer: &Timer) -> io::Result<Self> {
            Ok(Self(timer.clone()))
        }

        pub(super) async fn until(&mut self, deadline: i64) -> io::Result<()> {
            self.0.until(deadline).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_is_never_early() {
        let timer = Timer::start().unwrap();
        let mut alarm = Alarm::new(&timer, Early::default()).unwrap();
        for distance in [-1, 0, 1_000, 80_000, 1_000_000, 3_000_000, 10] {
            let deadline = monotonic_ns() + distance;
            alarm.until(deadline).await.unwrap();
            assert!(monotonic_ns() >= deadline);
        }
    }
}
