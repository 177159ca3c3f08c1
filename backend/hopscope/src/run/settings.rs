//! The settings of a run, held to what validation says of them.

use anyhow::{Result, anyhow};
use hopscope_scenario::issue::Issue;
use hopscope_scenario::model::Scenario;
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::text;
use hopscope_scenario::validate::validate_request;
use serde_json::{Map, Value};

use crate::say::{LANGUAGE, say};

/// What `--duration` says for a run that goes on until it is stopped.
const UNTIL_STOPPED: &str = "until-stopped";

/// What is wrong with the settings, whatever the scenario is; a line each.
pub(super) fn faults(seed: Option<u64>, duration: Option<&str>) -> Vec<String> {
    let issues = validate_request(&request(Value::Null, seed, duration)).err().unwrap_or_default();
    issues.iter().filter_map(fault).collect()
}

fn fault(issue: &Issue) -> Option<String> {
    let name = issue.path.strip_prefix('/').filter(|name| ["seed", "duration"].contains(name))?;
    let args = [("name", name.to_owned()), ("message", issue.message(LANGUAGE)), ("remedy", issue.remedy(LANGUAGE))];
    Some(say(text!("cli.issue.setting"), args))
}

/// The settings with their defaults, of a run of a scenario that is valid, where [`faults`] found none.
///
/// # Errors
/// When validation refuses them all the same.
pub(super) fn of(scenario: &Scenario, seed: Option<u64>, duration: Option<&str>) -> Result<RunSettings> {
    let request = validate_request(&request(serde_json::to_value(scenario)?, seed, duration));
    let issue = |issues: Vec<Issue>| anyhow!(issues.iter().map(|issue| issue.message(LANGUAGE)).collect::<String>());
    Ok(request.map_err(issue)?.settings)
}

fn request(scenario: Value, seed: Option<u64>, duration: Option<&str>) -> String {
    let mut request = Map::from_iter([("scenario".to_owned(), scenario)]);
    request.extend(seed.map(|seed| ("seed".to_owned(), seed.into())));
    let duration = duration.map(|text| if text == UNTIL_STOPPED { Value::Null } else { text.into() });
    request.extend(duration.map(|duration| ("duration".to_owned(), duration)));
    Value::Object(request).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_refused_by_the_option_s_name() {
        assert_eq!(faults(None, None), Vec::<String>::new());
        assert_eq!(faults(Some(7), Some("5s")), Vec::<String>::new());
        assert_eq!(faults(None, Some("until-stopped")), Vec::<String>::new());
        for (seed, duration, name) in
            [(Some(u64::MAX), None, "--seed: "), (None, Some("5"), "--duration: "), (None, Some("2 h"), "--duration: ")]
        {
            let faults = faults(seed, duration);
            assert!(faults.len() == 1 && faults[0].starts_with(name), "{faults:?}");
        }
    }
}
