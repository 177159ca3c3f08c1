//! The settings of a run, held to what validation says of them.

use anyhow::Result;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::model::Scenario;
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::text;
use hopscope_scenario::validate::validate_request;
use serde_json::{Map, Value};

use crate::say::{LANGUAGE, say};

/// What `--duration` says for a run that goes on until it is stopped.
const UNTIL_STOPPED: &str = "until-stopped";

/// The settings as they are typed.
#[derive(clap::Args, Default)]
pub(super) struct Typed {
    /// Where every draw starts from [default: 42]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// How long load is offered before anything counts, like 2s [default: 0 s]
    #[arg(long, value_name = "TIME")]
    warm_up: Option<String>,

    /// How long load is offered and measured, like 5s, or until-stopped [default: 5 s]
    #[arg(long, value_name = "TIME")]
    duration: Option<String>,

    /// What keeps the queues: built-in, local (a RabbitMQ that Hopscope starts and stops), or an allowed address [default:
    /// built-in]
    #[arg(long, value_name = "BROKER")]
    broker: Option<String>,

    /// What keeps the topics: built-in (librdkafka's mock, in this process), local (a Kafka that Hopscope starts and stops), or an
    /// allowed address, like kafka://host:9092 [default: built-in]
    #[arg(long, value_name = "BROKER")]
    kafka: Option<String>,

    /// Where services and clients live: tasks (of this program) or processes (one each) [default: tasks]
    #[arg(long, value_name = "WHERE")]
    placement: Option<String>,

    /// Where a service, or the broker of a queue or topic, is reached, like orders/grpc=50051, mail/amqp=5672 or log/kafka=9092; several
    /// by commas or by the option again [default: free ports]
    #[arg(long, value_name = "NODE/PROTOCOL=PORT")]
    ports: Vec<String>,
}

impl Typed {
    /// What is wrong with the settings, whatever the scenario is; a line each.
    pub(super) fn faults(&self) -> Vec<String> {
        let issues = validate_request(&self.request(Value::Null)).err().unwrap_or_default();
        issues.iter().filter_map(fault).collect()
    }

    /// The settings with their defaults, of a run of a scenario that is valid, where [`Typed::faults`] found none.
    ///
    /// The Issues are of both together, such as a disturbance that begins after the end.
    ///
    /// # Errors
    /// When the scenario cannot be written down.
    pub(super) fn of(&self, scenario: &Scenario) -> Result<Result<RunSettings, Vec<Issue>>> {
        let request = validate_request(&self.request(serde_json::to_value(scenario)?));
        Ok(request.map(|request| request.settings))
    }

    fn request(&self, scenario: Value) -> String {
        let mut request = Map::from_iter([("scenario".to_owned(), scenario)]);
        request.extend(self.seed.map(|seed| ("seed".to_owned(), seed.into())));
        request.extend(self.warm_up.as_deref().map(|time| ("warm_up".to_owned(), time.into())));
        request.extend(self.broker.as_deref().map(|broker| ("broker".to_owned(), broker.into())));
        request.extend(self.kafka.as_deref().map(|broker| ("kafka".to_owned(), broker.into())));
        request.extend(self.placement.as_deref().map(|placement| ("placement".to_owned(), placement.into())));
        request.extend((!self.ports.is_empty()).then(|| ("ports".to_owned(), self.ports.join(", ").into())));
        let duration = self.duration.as_deref();
        let duration = duration.map(|text| if text == UNTIL_STOPPED { Value::Null } else { text.into() });
        request.extend(duration.map(|duration| ("duration".to_owned(), duration)));
        Value::Object(request).to_string()
    }
}

/// What is wrong with a setting, by its option's name; `None` of an Issue of the scenario.
pub(super) fn fault(issue: &Issue) -> Option<String> {
    let name = issue
        .path
        .strip_prefix('/')
        .filter(|name| ["seed", "warm_up", "duration", "broker", "kafka", "placement", "ports"].contains(name))?;
    Some(line(name, issue))
}

/// What is wrong with a setting, by the option's name.
pub(super) fn line(name: &str, issue: &Issue) -> String {
    let mut remedy = issue.remedy(LANGUAGE);
    if name == "duration" {
        remedy.push(' ');
        remedy.push_str(&say(text!("cli.issue.endless"), [("value", UNTIL_STOPPED.to_owned())]));
    }
    let args = [("name", name.replace('_', "-")), ("message", issue.message(LANGUAGE)), ("remedy", remedy)];
    say(text!("cli.issue.setting"), args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(seed: Option<u64>, warm_up: Option<&str>, duration: Option<&str>) -> Vec<String> {
        let [warm_up, duration] = [warm_up, duration].map(|text| text.map(str::to_owned));
        Typed { seed, warm_up, duration, broker: None, kafka: None, placement: None, ports: Vec::new() }.faults()
    }

    #[test]
    fn settings_are_refused_by_the_option_s_name() {
        assert_eq!(faults(None, None, None), Vec::<String>::new());
        assert_eq!(faults(Some(7), Some("2 s"), Some("5s")), Vec::<String>::new());
        assert_eq!(faults(None, None, Some("until-stopped")), Vec::<String>::new());
        for (seed, warm_up, duration, name) in [
            (Some(u64::MAX), None, None, "--seed: "),
            (None, Some("1 h"), None, "--warm-up: "),
            (None, Some("until-stopped"), None, "--warm-up: "),
            (None, None, Some("5"), "--duration: "),
            (None, None, Some("2 h"), "--duration: "),
        ] {
            let faults = faults(seed, warm_up, duration);
            assert!(faults.len() == 1 && faults[0].starts_with(name), "{faults:?}");
            assert_eq!(faults[0].contains("until-stopped"), duration.is_some() || warm_up == Some("until-stopped"));
        }
    }
}
