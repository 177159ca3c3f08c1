//! When this process's threads go into the system to write, to read and to wait, and come back, by `perf` and the kernel's
//! tracepoints: what lies between a stamp and its packet is then told apart into the program's own part and the system's.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};

/// What a thread asks of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Write,
    Read,
    Wait,
}

/// The system calls that are that.
const CALLS: [(&str, Ask); 10] = [
    ("write", Ask::Write),
    ("writev", Ask::Write),
    ("sendto", Ask::Write),
    ("sendmsg", Ask::Write),
    ("read", Ask::Read),
    ("readv", Ask::Read),
    ("recvfrom", Ask::Read),
    ("epoll_wait", Ask::Wait),
    ("epoll_pwait", Ask::Wait),
    ("epoll_pwait2", Ask::Wait),
];

/// One call, by whom, in raw ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) thread: u32,
    pub(crate) ask: Ask,
    pub(crate) begins: i64,
    pub(crate) ends: i64,
}

/// A look that goes on.
pub(crate) struct Look {
    perf: Child,
    file: tempfile::TempDir,
}

impl Look {
    /// Begins to look at this process; returns when perf has begun.
    ///
    /// # Errors
    /// Where there is no perf, or it may not.
    pub(crate) fn start() -> Result<Self> {
        let file = tempfile::tempdir()?;
        let mut command = Command::new("perf");
        command.args(["record", "--quiet", "-k", "CLOCK_MONOTONIC", "-p", &std::process::id().to_string()]);
        for (call, _) in CALLS {
            command.arg("-e").arg(format!("syscalls:sys_enter_{call},syscalls:sys_exit_{call}"));
        }
        command.arg("-o").arg(file.path().join("data"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut perf = command.spawn().context("perf cannot be started; on Debian: apt install linux-perf")?;
        // It writes its head when it has opened all events.
        while std::fs::metadata(file.path().join("data")).map_or(0, |data| data.len()) == 0 {
            if let Some(status) = perf.try_wait()? {
                return Err(anyhow!("perf may not look into this process ({status})"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { perf, file })
    }

    /// Ends, and gives the calls in the order of their ends, thread by thread.
    ///
    /// # Errors
    /// When what it wrote cannot be read.
    pub(crate) fn end(mut self) -> Result<BTreeMap<u32, Vec<Call>>> {
        let pid = Pid::from_raw(self.perf.id().cast_signed()).context("no process")?;
        kill_process(pid, Signal::INT)?;
        self.perf.wait()?;
        let mut script = Command::new("perf");
        script.args(["script", "--ns", "-F", "tid,time,event", "-i"]).arg(self.file.path().join("data"));
        let told = script.stderr(Stdio::null()).output()?;
        let mut calls = BTreeMap::<u32, Vec<Call>>::new();
        let mut begun = BTreeMap::new();
        for line in String::from_utf8_lossy(&told.stdout).lines() {
            let Some((thread, time, event)) = read(line) else { continue };
            if let Some(call) = event.strip_prefix("sys_enter_") {
                begun.insert(thread, (call.to_owned(), time));
            } else if let Some(call) = event.strip_prefix("sys_exit_") {
                let ask = CALLS.iter().find(|(name, _)| *name == call).map(|(_, ask)| *ask);
                let begins = begun.remove(&thread).filter(|(name, _)| name == call).map(|(_, begins)| begins);
                if let Some((ask, begins)) = ask.zip(begins) {
                    calls.entry(thread).or_default().push(Call { thread, ask, begins, ends: time });
                }
            }
        }
        Ok(calls)
    }
}

/// A line of `perf script`: the thread, the time in ns, and what happened.
fn read(line: &str) -> Option<(u32, i64, &str)> {
    let mut words = line.split_whitespace();
    let thread = words.next()?.parse().ok()?;
    let (seconds, ns) = words.next()?.trim_end_matches(':').split_once('.')?;
    let time = seconds.parse::<i64>().ok()? * 1_000_000_000 + ns.parse::<i64>().ok()?;
    Some((thread, time, words.next()?.trim_end_matches(':').strip_prefix("syscalls:")?))
}

/// The last call of this sort that began in a span of time, whoever made it.
pub(crate) fn last(calls: &BTreeMap<u32, Vec<Call>>, ask: Ask, from: i64, to: i64) -> Option<Call> {
    let of_thread = |calls: &Vec<Call>| {
        let before = calls.partition_point(|call| call.begins <= to);
        calls[..before].iter().rev().take_while(|call| call.ends >= from).find(|call| call.ask == ask).copied()
    };
    calls.values().filter_map(of_thread).filter(|call| call.begins >= from).max_by_key(|call| call.begins)
}

/// The wait of this thread that ended last before a time.
pub(crate) fn wait_before(calls: &BTreeMap<u32, Vec<Call>>, thread: u32, time: i64) -> Option<Call> {
    let calls = calls.get(&thread)?;
    let before = calls.partition_point(|call| call.ends <= time);
    calls[..before].iter().rev().find(|call| call.ask == Ask::Wait).copied()
}
