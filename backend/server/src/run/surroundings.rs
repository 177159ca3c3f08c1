//! What surrounds a run, measured by the collector's clock: how much of the machine others took, and what that did to us.
//!
//! Each figure is of the time since the look before. What the system does not tell is left out, never guessed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hopscope_record::frame::Measure;
use hopscope_report::stats::Latency;

use super::node::Clocks;
use crate::network::Lateness;
use crate::timer::Timer;

/// Runs of this process that are under way.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// One run's eye on its surroundings. While it lives, other runs count it as one of theirs.
pub(super) struct Surroundings {
    timer: Timer,
    network: Option<Lateness>,
    processors: Option<system::Processors>,
    threads: system::Threads,
    cpu: Option<Duration>,
    /// What the nodes that are processes say, where they are.
    clocks: Option<Arc<Clocks>>,
}

impl Surroundings {
    /// Of a run that this timer serves, this network, where its links have any, and these processes, where its nodes are some; the first look follows.
    pub(super) fn of(timer: Timer, network: Option<Lateness>, clocks: Option<Arc<Clocks>>) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self { timer, network, processors: None, threads: system::Threads::default(), cpu: None, clocks }
    }

    /// Looks; tells what was since the look before, in the order of the measures' numbers.
    pub(super) fn look(&mut self) -> Vec<(Measure, i64)> {
        let late = self.timer.take_late();
        let processors = system::Processors::now();
        let threads = system::Threads::now();
        let stolen = self.processors.zip(processors).and_then(|(before, now)| now.stolen_ppm_since(before));
        let waited = threads.waited_since(&self.threads);
        (self.processors, self.threads) = (processors, threads);
        let (delay_ns, turns) = waited.unzip();
        let nodes = Duration::from_nanos(self.clocks.as_ref().map_or(0, |clocks| clocks.used_ns()));
        let cpu = used().map(|used| used + nodes);
        let (offset, uncertainty) = self.clocks.as_ref().and_then(|clocks| clocks.farthest()).unzip();
        let cpu_ns =
            self.cpu.zip(cpu).and_then(|(before, now)| u64::try_from(now.checked_sub(before)?.as_nanos()).ok());
        self.cpu = cpu;
        let passed = self.network.as_ref().map(Lateness::take);
        let late_by = |percentile| passed.as_ref().and_then(|passed| passed.percentile(percentile));
        let others = LIVE.load(Ordering::Relaxed).saturating_sub(1);
        let values = [
            (Measure::CPU_STEAL_PPM, stolen),
            (Measure::RUN_DELAY_NS, delay_ns),
            (Measure::RUN_TURNS, turns),
            (Measure::TIMER_WAITS, Some(late.count())),
            (Measure::TIMER_LATE_P50_NS, late.percentile(50.0)),
            (Measure::TIMER_LATE_P99_NS, late.percentile(99.0)),
            (Measure::TIMER_LATE_MAX_NS, late.max()),
            (Measure::OTHER_RUNS, Some(others as u64)),
            (Measure::NETWORK_PASSED, passed.as_ref().map(Latency::count)),
            (Measure::NETWORK_LATE_P50_NS, late_by(50.0)),
            (Measure::NETWORK_LATE_P99_NS, late_by(99.0)),
            (Measure::NETWORK_LATE_MAX_NS, passed.as_ref().and_then(Latency::max)),
            (Measure::CPU_NS, cpu_ns),
        ];
        let taken = values.into_iter().filter_map(|(measure, value)| Some((measure, value?)));
        let taken = taken.map(|(measure, value)| (measure, i64::try_from(value).unwrap_or(i64::MAX)));
        let clocks = [(Measure::CLOCK_OFFSET_NS, offset), (Measure::CLOCK_UNCERTAINTY_NS, uncertainty)];
        taken.chain(clocks.into_iter().filter_map(|(measure, value)| Some((measure, value?)))).collect()
    }
}

/// Time of processors that this process has used, in ns; 0 where the system does not tell.
pub(super) fn used_ns() -> u64 {
    used().map_or(0, |used| u64::try_from(used.as_nanos()).unwrap_or(u64::MAX))
}

/// Time of processors that this process has used, all its threads together.
#[cfg(unix)]
fn used() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID).ok().map(Duration::from)
}

/// Where the system does not tell.
#[cfg(not(unix))]
const fn used() -> Option<Duration> {
    None
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What Linux tells in /proc.
#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;

    /// The processors' time since the machine began, in ticks.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct Processors {
        all: u64,
        stolen: u64,
    }

    /// Columns of `/proc/stat` (proc(5)) that are time; guest time, after them, is in user time already.
    const TIMES: usize = 8;
    /// Of these, time that the host gave to others.
    const STEAL: usize = 7;

    impl Processors {
        pub(super) fn now() -> Option<Self> {
            Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
        }

        pub(super) fn parse(stat: &str) -> Option<Self> {
            let columns = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
            let times = columns.take(TIMES).map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
            Some(Self { all: times.iter().sum(), stolen: *times.get(STEAL)? })
        }

        pub(super) fn stolen_ppm_since(self, before: Self) -> Option<u64> {
            let (stolen, all) = (self.stolen.checked_sub(before.stolen)?, self.all.checked_sub(before.all)?);
            (stolen * 1_000_000).checked_div(all)
        }
    }

    /// For each thread of this process how long it has waited for a processor, in ns, and how many turns it had.
    #[derive(Default)]
    pub(super) struct Threads(BTreeMap<std::ffi::OsString, (u64, u64)>);

    impl Threads {
        pub(super) fn now() -> Self {
            let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
            // A thread may end between the two readings.
            let read = |thread: std::fs::DirEntry| {
                let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
                Some((thread.file_name(), parse(&stat)?))
            };
            Self(threads.filter_map(read).collect())
        }

        /// The sums over the threads that are in both; `None` without any.
        pub(super) fn waited_since(&self, before: &Self) -> Option<(u64, u64)> {
            let both = self.0.iter().filter_map(|(thread, now)| Some((now, before.0.get(thread)?)));
            // What has less than before is another thread that got its number.
            let since =
                both.filter_map(|(now, before)| Some((now.0.checked_sub(before.0)?, now.1.checked_sub(before.1)?)));
            since.reduce(|(delay, turns), (more_delay, more_turns)| (delay + more_delay, turns + more_turns))
        }
    }

    /// Reads `/proc/PID/task/TID/schedstat` (Documentation/scheduler/sched-stats.rst): time on a processor, time ready to
    /// run and waiting, turns.
    pub(super) fn parse(schedstat: &str) -> Option<(u64, u64)> {
        let mut columns = schedstat.split_whitespace().skip(1).map(str::parse);
        Some((columns.next()?.ok()?, columns.next()?.ok()?))
    }
}

/// Other systems have no such figures for one that asks without rights.
#[cfg(not(target_os = "linux"))]
mod system {
    #[derive(Clone, Copy)]
    pub(super) struct Processors;

    impl Processors {
        pub(super) fn now() -> Option<Self> {
            None
        }

        pub(super) fn stolen_ppm_since(self, _: Self) -> Option<u64> {
            None
        }
    }

    #[derive(Default)]
    pub(super) struct Threads;

    impl Threads {
        pub(super) fn now() -> Self {
            Self
        }

        pub(super) fn waited_since(&self, _: &Self) -> Option<(u64, u64)> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(values: &[(Measure, i64)], measure: Measure) -> Option<i64> {
        values.iter().find(|(found, _)| *found == measure).map(|(_, value)| *value)
    }

    #[tokio::test]
    async fn a_look_is_of_the_time_since_the_one_before() {
        let timer = Timer::start().unwrap();
        let mut surroundings = Surroundings::of(timer.clone(), None, None);
        surroundings.look();
        let mut waits = 0;
        while waits < 3 {
            let mut sleep = timer.after(std::time::Duration::from_millis(1));
            // On a busy machine it may be over before it is waited for.
            waits += i64::from(futures_util::poll!(&mut sleep).is_pending());
            sleep.await;
        }
        let looked = surroundings.look();
        assert!(looked.is_sorted_by_key(|(measure, _)| *measure));
        assert_eq!(value(&looked, Measure::TIMER_WAITS), Some(waits));
        let late = [Measure::TIMER_LATE_P50_NS, Measure::TIMER_LATE_P99_NS, Measure::TIMER_LATE_MAX_NS];
        let late = late.map(|measure| value(&looked, measure).unwrap());
        assert!(late.is_sorted() && late[0] >= 0, "{late:?}");
        let after = surroundings.look();
        assert_eq!(value(&after, Measure::TIMER_WAITS), Some(0));
        assert_eq!(value(&after, Measure::TIMER_LATE_MAX_NS), None);
    }

    #[test]
    fn runs_of_one_process_count_each_other() {
        let others = |surroundings: &mut Surroundings| value(&surroundings.look(), Measure::OTHER_RUNS).unwrap();
        let timer = Timer::start().unwrap();
        let mut first = Surroundings::of(timer.clone(), None, None);
        let mut second = Surroundings::of(timer, None, None);
        // Other tests of this process may run as well.
        assert!(others(&mut first) >= 1 && others(&mut second) >= 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_linux_tells_is_read() {
        let before = system::Processors::parse("cpu  10 0 10 70 5 0 5 0 3 0\ncpu0 1 2 3\n").unwrap();
        let now = system::Processors::parse("cpu  20 0 20 140 5 0 5 10 9 0\n").unwrap();
        assert_eq!(now.stolen_ppm_since(before), Some(100_000));
        assert_eq!(now.stolen_ppm_since(now), None, "no time has passed");
        assert_eq!(system::Processors::parse("cpu 1 2 3"), None);
        assert_eq!(system::parse("100 2582529 7\n"), Some((2_582_529, 7)));
        assert_eq!(system::parse("100"), None);
        // Of this very machine.
        assert!(system::Processors::now().is_some());
        let threads = system::Threads::now();
        let (_, turns) = system::Threads::now().waited_since(&threads).unwrap();
        assert!(turns < u64::MAX);
    }
}
