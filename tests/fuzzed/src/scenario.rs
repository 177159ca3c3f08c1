//! Scenarios, and requests to run them.

use hopscope_scenario::catalogue::Language;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::plan::{Plan, RunSettings, compile};
use hopscope_scenario::validate::{MAX_ISSUES, request_issues, validate, validate_control, validate_request};
use serde_json::json;

/// Any text as a scenario, as a request and as a control of a run. One that may run has a plan that comes back from its bytes, and
/// written out is a scenario that may run; what may not has errors, each with its texts.
pub(crate) fn scenario(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match validate(text) {
        Err(issues) => refused(&issues),
        Ok(valid) => {
            assert!(!valid.warnings.iter().any(Issue::is_error));
            let plan = compile(&valid.scenario, &RunSettings::default());
            let read = plan.to_bytes().ok().and_then(|bytes| Plan::from_bytes(&bytes).ok());
            assert!(read.as_ref() == Some(&plan), "the plan comes back as another");
            let written = plan.scenario.to_string();
            assert!(validate(&written).is_ok_and(|again| again.scenario == valid.scenario), "{written}");
            let control = json!({"do": "crash", "on": valid.scenario.nodes.first().map(|node| &node.name)}).to_string();
            if let Err(issues) = validate_control(&control, &plan.scenario) {
                refused(&issues);
            }
        }
    }
    if let Err(issues) = validate_request(text) {
        refused(&issues);
        assert!(!request_issues(text).is_empty());
    }
}

fn refused(issues: &[Issue]) {
    assert!(issues.len() <= MAX_ISSUES && issues.iter().any(Issue::is_error), "{issues:?}");
    for issue in issues {
        for language in [Language::English, Language::Chinese] {
            assert!(!issue.message(language).is_empty() && !issue.remedy(language).is_empty(), "{issue:?}");
        }
    }
}
