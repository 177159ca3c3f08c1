//! Run in headless Chromium by wasm-bindgen's runner.

use wasm_bindgen_test::wasm_bindgen_test;

use super::words::{ago, state, when};
use crate::io::runs::RunInfo;

fn run(state: &str) -> RunInfo {
    let text = format!(
        r#"{{"id": "20261123-141530-7f3a", "name": "a", "scenario": "b", "made_at": "2026-11-23T14:15:30Z", "duration": "5 s",
            "state": "{state}", "imported_from": null, "reason": null, "events": 1, "lost": 0}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[wasm_bindgen_test]
fn a_time_is_told_as_an_age_up_to_a_day() {
    let words = |seconds: f64| ago(seconds).unwrap();
    assert_eq!([words(-3.0), words(59.0), words(60.0)], ["just now", "just now", "1 min ago"]);
    assert_eq!([words(3_599.0), words(3_600.0), words(86_399.0)], ["59 min ago", "1 h ago", "23 h ago"]);
    assert_eq!(ago(86_400.0), None);
    let (shown, exact) = when("2001-02-03T04:05:06Z");
    // The hour is the machine's own.
    assert!(shown.starts_with("2001-02-0") && shown.len() == 16, "{shown}");
    assert_eq!(exact, format!("{shown}:06"));
}

#[wasm_bindgen_test]
fn a_state_says_whether_the_recording_is_all_of_the_run() {
    let cases = [
        (run("setup"), "running", "running"),
        (run("draining"), "running", "running"),
        (run("elsewhere"), "elsewhere", "running elsewhere"),
        (run("cut"), "cut", "cut"),
        (run("ended"), "whole", "whole"),
    ];
    for (info, name, words) in cases {
        assert_eq!(state(&info), (name, words.to_owned()));
    }
    let lost = RunInfo { lost: 3, ..run("ended") };
    assert_eq!(state(&lost), ("partial", "not whole".to_owned()));
    let failed = RunInfo { reason: Some("failed".to_owned()), ..run("ended") };
    assert_eq!(state(&failed).0, "partial");
    let imported = RunInfo { imported_from: Some("x".to_owned()), ..run("ended") };
    assert_eq!(state(&imported), ("whole", "whole, imported".to_owned()));
}
