//! A run's state and its time, and a server's refusal, in words.

use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::format::{age, size};
use js_sys::Date;
use wasm_bindgen::JsValue;

use crate::io::Kept;
use crate::io::runs::{Refusal, RunInfo, RunState};
use crate::ui::text::{t, t_with};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// The state for the style sheet and tests, and in words.
pub(super) fn state(info: &RunInfo) -> (&'static str, String) {
    let (name, key) = standing(info);
    let words = t(key);
    if info.imported_from.is_some() {
        return (name, t_with(text!("runs.state.imported"), &[("state", &words)]));
    }
    (name, words)
}

fn standing(info: &RunInfo) -> (&'static str, Key) {
    let failed = info.lost > 0 || info.reason.as_deref() == Some("failed");
    match info.state {
        RunState::Setup | RunState::Running | RunState::Draining => ("running", text!("runs.state.running")),
        RunState::Elsewhere => ("elsewhere", text!("runs.state.elsewhere")),
        RunState::Cut => ("cut", text!("runs.state.cut")),
        RunState::Ended if failed => ("partial", text!("runs.state.partial")),
        RunState::Ended => ("whole", text!("runs.state.whole")),
    }
}

/// Which runs are removed and which were, where there is a limit.
pub(super) fn kept(kept: &Kept) -> String {
    let limits = [kept.most_bytes.map(size), kept.most_seconds.map(age)].into_iter().flatten().collect::<Vec<_>>();
    if limits.is_empty() {
        return String::new();
    }
    let args = [
        ("used", size(kept.bytes.unwrap_or_default())),
        ("limits", limits.join(", ")),
        ("count", kept.removed.to_string()),
        ("name", kept.last_removed.clone().unwrap_or_else(|| "–".to_owned())),
    ];
    t_with(text!("runs.kept"), &args.each_ref().map(|(name, word)| (*name, word.as_str())))
}

/// When a run was made: how long ago where that is under a day, else the time; and the time, to the second. Both local.
pub(crate) fn when(made_at: &str) -> (String, String) {
    let made = Date::new(&JsValue::from_str(made_at));
    let time = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}",
        made.get_full_year(),
        made.get_month() + 1,
        made.get_date(),
        made.get_hours(),
        made.get_minutes()
    );
    let exact = format!("{time}:{:02}", made.get_seconds());
    (ago((Date::now() - made.get_time()) / 1e3).unwrap_or(time), exact)
}

/// So many seconds ago, where that is under a day. A clock that was set back makes what was just made come later: it is new.
pub(super) fn ago(seconds: f64) -> Option<String> {
    let (key, unit) = match seconds {
        _ if seconds < MINUTE => return Some(t(text!("runs.when.now"))),
        _ if seconds < HOUR => (text!("runs.when.minutes"), MINUTE),
        _ if seconds < DAY => (text!("runs.when.hours"), HOUR),
        _ => return None,
    };
    Some(t_with(key, &[("count", &((seconds / unit) as u64).to_string())]))
}

/// What is wrong, where (may be empty), and what to do.
pub(crate) fn refusal(refusal: &Refusal) -> (String, String, String) {
    match refusal {
        Refusal::NoServer => (t(text!("run.needs-server")), String::new(), t(text!("run.needs-server.remedy"))),
        Refusal::NoAnswer => (t(text!("run.no-server")), String::new(), t(text!("runs.no-server.remedy"))),
        Refusal::Said { path, message, remedy } => (message.clone(), path.clone(), remedy.clone()),
        Refusal::Unreadable { status } => (
            t_with(text!("run.unreadable"), &[("status", &status.to_string())]),
            String::new(),
            t(text!("run.unreadable.remedy")),
        ),
    }
}
