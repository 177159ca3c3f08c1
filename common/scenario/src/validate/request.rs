//! The request to run: a scenario and the settings of its run.

use serde_json::{Map, Value};

use super::disturbances::{not_local, too_late};
use super::issues::Issues;
use super::queues::{streams_not_here, transactions_not_here};
use super::walk::{Path, check_object, missing, short, wrong_type};
use super::{document_issues, parse, validate_value};
use crate::catalogue::Arg;
use crate::fields;
use crate::issue::{Code, Issue};
use crate::model::Scenario;
use crate::plan::{Broker, Placement, RunSettings, port_issues};
use crate::protocol::Protocol;
use crate::quantity::Time;
use crate::shape::{self, MAX_DURATION, SETTINGS_FIELDS};
use crate::text;

/// What a run is asked for: `{"scenario": {…}, "seed": 42, "duration": "5 s"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRequest {
    /// What to run.
    pub scenario: Scenario,
    /// How.
    pub settings: RunSettings,
    /// What the scenario perhaps does not mean.
    pub warnings: Vec<Issue>,
}

/// Validates the text of a request to run; settings that it leaves out have the defaults of
/// [`SETTINGS_FIELDS`]. A duration of null asks for a run that goes on until it is stopped.
///
/// # Errors
/// Every Issue of scenario and settings; paths start at the request, like `/scenario/nodes/0/name`.
pub fn validate_request(text: &str) -> Result<RunRequest, Vec<Issue>> {
    let Read { mut root, endless, mut issues } = read(text)?;
    let scenario = match root.remove("scenario").map(|scenario| validate_value(&scenario)) {
        Some(Ok(valid)) if issues.is_empty() => valid,
        Some(Ok(_)) | None => return Err(issues),
        Some(Err(more)) => {
            issues.extend(below_scenario(more));
            return Err(issues);
        }
    };
    match settings(root) {
        Ok(settings) => {
            let duration = settings.duration.filter(|_| !endless);
            let settings =
                RunSettings { duration, broker: settings.broker.shown(), kafka: settings.kafka.shown(), ..settings };
            Ok(RunRequest { scenario: scenario.scenario, settings, warnings: below_scenario(scenario.warnings) })
        }
        Err(reason) => Err(vec![Issue::new(Code::Unreadable, "", [("reason", Arg::from(reason.to_string()))])]),
    }
}

/// Every Issue of a request to run, for who only sends it on.
#[must_use]
pub fn request_issues(text: &str) -> Vec<Issue> {
    match read(text) {
        Ok(Read { root, mut issues, .. }) => {
            let scenario = root.get("scenario").map(document_issues);
            issues.extend(below_scenario(scenario.unwrap_or_default()));
            issues
        }
        Err(issues) => issues,
    }
}

/// A request that has been looked at.
struct Read {
    /// Its object, without a duration of null.
    root: Map<String, Value>,
    /// Whether it had that.
    endless: bool,
    /// What is wrong with it, beside the scenario.
    issues: Vec<Issue>,
}

fn read(text: &str) -> Result<Read, Vec<Issue>> {
    let path = Path::root();
    let mut issues = Issues::default();
    let mut root = match parse(text)? {
        Value::Object(root) => root,
        other => {
            wrong_type(&mut issues, &path, text!("field.run-request"), &other, text!("json.object"));
            return Err(issues.into_vec());
        }
    };
    let endless = root.get("duration").is_some_and(Value::is_null);
    if endless {
        root.remove("duration");
    }
    check_object(&mut issues, &path, &root, SETTINGS_FIELDS, &["scenario"]);
    for (name, label, scheme) in
        [("broker", text!("field.broker"), "amqp"), ("kafka", text!("field.kafka-broker"), "kafka")]
    {
        let Some(text) = root.get(name).and_then(Value::as_str).filter(|text| named(name, text).is_none()) else {
            continue;
        };
        let known = format!("{}, {}, {scheme}://…", Broker::BUILT_IN, Broker::LOCAL);
        let args = [
            ("label", Arg::from(label)),
            // What stands before the @ of a failed address may be a password.
            ("value", Arg::from(short(text.rsplit_once('@').map_or(text, |(_, host)| host)))),
            ("known", Arg::from(known)),
        ];
        issues.push(Issue::new(Code::UnknownChoice, path.key(name).pointer(), args));
    }
    if !root.contains_key("scenario") {
        missing(&mut issues, &path, "scenario");
    }
    let mut issues = issues.into_vec();
    if let Some((scenario, duration)) = root.get("scenario").zip(length(&root, endless)) {
        issues.extend(below_scenario(too_late(scenario, duration)));
    }
    let chosen = |name| root.get(name).map_or_else(|| Some(Broker::default()), |text| named(name, text.as_str()?));
    let (broker, kafka) = (chosen("broker"), chosen("kafka"));
    let built_in = broker.as_ref().is_none_or(Broker::is_built_in);
    if let Some(scenario) = root.get("scenario") {
        issues.extend(below_scenario(not_local(scenario, broker.as_ref(), kafka.as_ref())));
    }
    let on_the_mock = kafka.as_ref().is_none_or(Broker::is_built_in);
    if let Some(scenario) = root.get("scenario").filter(|_| on_the_mock) {
        issues.extend(below_scenario(transactions_not_here(scenario)));
    }
    if let Some(scenario) = root.get("scenario").filter(|_| built_in) {
        issues.extend(below_scenario(streams_not_here(scenario)));
    }
    let ports = root.get("ports").and_then(Value::as_str);
    // Without a scenario nobody knows who listens.
    if let Some((scenario, ports)) = root.get("scenario").filter(|scenario| scenario.is_object()).zip(ports) {
        let here = |protocol| {
            let broker = if protocol == Protocol::Kafka { &kafka } else { &broker };
            broker.as_ref().is_none_or(|broker| broker.is_built_in() || broker.as_str() == Broker::LOCAL)
        };
        issues.extend(port_issues(ports, scenario, &here));
    }
    let apart = root.get("placement").and_then(Value::as_str).and_then(Placement::find) == Some(Placement::Processes);
    if let Some(scenario) = root.get("scenario").filter(|_| apart) {
        issues.extend(below_scenario(in_one_process(scenario)));
    }
    Ok(Read { root, endless, issues })
}

/// The broker that the setting of this name says.
fn named(setting: &str, text: &str) -> Option<Broker> {
    if setting == "kafka" { Broker::of_topics(text) } else { Broker::parse(text).ok() }
}

/// For how long load is measured; `None` where that is not said, or not rightly.
fn length(root: &Map<String, Value>, endless: bool) -> Option<Time> {
    match root.get("duration") {
        _ if endless => Some(MAX_DURATION),
        None => RunSettings::default().duration,
        Some(duration) => duration.as_str()?.parse().ok(),
    }
}

/// The links whose two ends have to be in one process.
fn in_one_process(scenario: &Value) -> Vec<Issue> {
    let links = scenario.get("links").and_then(Value::as_array).into_iter().flatten().enumerate();
    let within = links.filter(|(_, link)| shape::protocol_of(link) == Some(Protocol::InProcess));
    let issue = |(row, link): (usize, &Value)| {
        let id = link.get("id").and_then(Value::as_str).unwrap_or_default();
        Issue::new(Code::InProcessApart, format!("/links/{row}/protocol"), [("link", Arg::from(short(id)))])
    };
    within.map(issue).collect()
}

fn settings(mut settings: Map<String, Value>) -> Result<RunSettings, serde_json::Error> {
    fields::complete(SETTINGS_FIELDS, &mut settings);
    RunSettings::read(&Value::Object(settings))
}

fn below_scenario(mut issues: Vec<Issue>) -> Vec<Issue> {
    for issue in &mut issues {
        issue.path.insert_str(0, "/scenario");
    }
    issues
}
