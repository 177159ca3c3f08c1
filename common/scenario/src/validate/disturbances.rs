//! The disturbances: what each does, what it names, and whether that can have it.

use serde_json::{Map, Value};

use super::checks::Subjects;
use super::graph::MAX_NAMES_SHOWN;
use super::issues::Issues;
use super::parse;
use super::walk::{Path, check_variant, short, wrong_type};
use crate::catalogue::Key;
use crate::disturb::{Action, BROKER, DISTURBANCE_TAG, DISTURBANCES, KAFKA, MAX_DISTURBANCES, action_of};
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::model::Disturbance;
use crate::plan::Broker;
use crate::protocol::Protocol;
use crate::quantity::{Dimension, Time};
use crate::shape::{kind_of, protocol_of};
use crate::text;

/// The field of the document that lists them.
pub(super) const LIST: &str = "disturbances";

pub(super) fn check(issues: &mut Issues, path: &Path<'_>, list: &Value, nodes: &[Value], links: &[Value]) {
    let Value::Array(list) = list else {
        wrong_type(issues, path, text!("field.disturbances"), list, text!("json.array"));
        return;
    };
    if list.len() > MAX_DISTURBANCES {
        let args = [
            ("what", text!("limit.disturbances").into()),
            ("count", list.len().to_string().into()),
            ("max", MAX_DISTURBANCES.to_string().into()),
        ];
        issues.push(Issue::new(Code::TooMany, path.pointer(), args));
        return;
    }
    for (index, disturbance) in list.iter().enumerate() {
        check_one(issues, &path.index(index), disturbance, nodes, links);
    }
}

fn check_one(issues: &mut Issues, path: &Path<'_>, disturbance: &Value, nodes: &[Value], links: &[Value]) {
    let Value::Object(object) = disturbance else {
        wrong_type(issues, path, text!("field.disturbance"), disturbance, text!("json.object"));
        return;
    };
    check_variant(issues, path, text!("field.disturbance.do"), DISTURBANCE_TAG, DISTURBANCES, object);
    let (Some(action), Some(on)) = (action_of(disturbance), disturbance.get("on").and_then(Value::as_str)) else {
        return;
    };
    let refused = if is_of_broker(action, on, nodes) {
        on_broker(on, nodes)
    } else if action.of_node() {
        on_node(action, on, nodes)
    } else {
        on_link(action, on, nodes, links)
    };
    if let Err(refused) = refused {
        issues.push(refused.issue(action, on, path.key("on").pointer()));
    }
}

/// Whether a disturbance is a broker's: what it is called, and nothing else that can have it.
fn is_of_broker(action: Action, on: &str, nodes: &[Value]) -> bool {
    let named = || nodes.iter().any(|node| node.get("name").and_then(Value::as_str) == Some(on));
    action.of_broker() && (!action.of_node() || ([BROKER, KAFKA].contains(&on) && !named()))
}

/// A run without queues has no broker of them, and one without topics none of those.
fn on_broker(on: &str, nodes: &[Value]) -> Result<(), Refused> {
    let has = |kind| nodes.iter().any(|node| kind_of(node) == Some(kind));
    match on {
        BROKER if !has(Kind::Queue) => Err(Refused::Cannot(text!("disturb.why.no-queue"))),
        KAFKA if !has(Kind::Topic) => Err(Refused::Cannot(text!("disturb.why.no-topic"))),
        BROKER | KAFKA => Ok(()),
        _ => Err(Refused::Unknown(brokers(nodes))),
    }
}

/// What disturbances call the brokers that a scenario needs.
fn brokers(nodes: &[Value]) -> Vec<String> {
    [BROKER, KAFKA].into_iter().filter(|on| on_broker(on, nodes).is_ok()).map(str::to_owned).collect()
}

/// Those that kill a broker, of queues or of topics, that is none that Hopscope starts.
pub(super) fn not_local(scenario: &Value, of_queues: Option<&Broker>, of_topics: Option<&Broker>) -> Vec<Issue> {
    let list = scenario.get(LIST).and_then(Value::as_array);
    let kills = list.into_iter().flatten().enumerate().filter(|(_, one)| action_of(one) == Some(Action::Kill));
    let issue = |(row, one): (usize, &Value)| {
        let (broker, option) = match one.get("on").and_then(Value::as_str)? {
            BROKER => (of_queues?, BROKER),
            KAFKA => (of_topics?, KAFKA),
            _ => return None,
        };
        let args = [("value", broker.to_string().into()), ("option", option.into())];
        let local = broker.as_str() == Broker::LOCAL;
        (!local).then(|| Issue::new(Code::BrokerNotLocal, format!("/{LIST}/{row}/on"), args))
    };
    kills.filter_map(issue).collect()
}

/// Why something cannot be done.
enum Refused {
    /// Nothing, or more than one, is named so; these are.
    Unknown(Vec<String>),
    /// It cannot have that.
    Cannot(Key),
}

impl Refused {
    fn issue(self, action: Action, on: &str, pointer: String) -> Issue {
        let value = ("value", short(on).into());
        match self {
            Self::Unknown(known) => {
                let known: Vec<_> = known.iter().map(|name| short(name)).take(MAX_NAMES_SHOWN).collect();
                let known = if known.is_empty() { "–".to_owned() } else { known.join(", ") };
                Issue::new(Code::UnknownDisturbed, pointer, [value, ("known", known.into())])
            }
            Self::Cannot(why) => {
                let args = [value, ("action", action.id().into()), ("why", why.into())];
                Issue::new(Code::CannotDisturb, pointer, args)
            }
        }
    }
}

fn on_node(action: Action, on: &str, nodes: &[Value]) -> Result<(), Refused> {
    let named = |node: &&Value| node.get("name").and_then(Value::as_str) == Some(on);
    let Some(node) = nodes.iter().find(named) else {
        let known = nodes.iter().filter(|node| cannot(action, node).is_none());
        let names = known.filter_map(|node| node.get("name")?.as_str());
        return Err(Refused::Unknown(names.map(str::to_owned).collect()));
    };
    cannot(action, node).map_or(Ok(()), |why| Err(Refused::Cannot(why)))
}

/// Why an action cannot be done to a node of a document; `None` where it can, or where the node's own fault is told already.
#[must_use]
pub fn cannot(action: Action, node: &Value) -> Option<Key> {
    match (action, kind_of(node)?) {
        (_, Kind::Queue) => Some(text!("disturb.why.queue")),
        (_, Kind::Topic) => Some(text!("disturb.why.topic")),
        (_, Kind::External) => Some(text!("disturb.why.external")),
        (_, Kind::Exchange) => Some(text!("disturb.why.exchange")),
        (Action::Crash | Action::Start, Kind::Client) => Some(text!("disturb.why.client")),
        (Action::Rate, Kind::Service) => Some(text!("disturb.why.no-load")),
        (Action::Rate, Kind::Client) => match node.pointer("/load/kind").and_then(Value::as_str) {
            Some("closed") => Some(text!("disturb.why.closed")),
            Some("bursts" | "ramp") => Some(text!("disturb.why.changing")),
            _ => None,
        },
        _ => None,
    }
}

/// Why nothing can be done to a link of a document with these nodes; `None` where it can.
#[must_use]
pub fn undisturbable(link: &Value, nodes: &[Value]) -> Option<Key> {
    let from = nodes.iter().find(|node| node.get("id").is_some_and(|id| link.get("from") == Some(id)));
    match protocol_of(link)? {
        Protocol::Amqp if from.and_then(kind_of) == Some(Kind::Exchange) => Some(text!("disturb.why.binding")),
        Protocol::InProcess => Some(text!("disturb.why.in-process")),
        Protocol::Kafka => Some(text!("disturb.why.kafka")),
        _ => None,
    }
}

/// What an action may be done to in a document, as a disturbance names it.
#[must_use]
pub fn disturbable(document: &Value, action: Action) -> Vec<String> {
    let list = |key| document.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if action == Action::Kill {
        return brokers(list("nodes"));
    }
    if action.of_node() {
        let able = list("nodes").iter().filter(|node| kind_of(node).is_some() && cannot(action, node).is_none());
        return able.filter_map(|node| node.get("name")?.as_str().map(str::to_owned)).collect();
    }
    let subjects = Subjects::of_document(document);
    let able =
        list("links").iter().filter(|link| protocol_of(link).is_some() && undisturbable(link, list("nodes")).is_none());
    able.filter_map(|link| subjects.name_of_link(link.get("id")?.as_str()?)).collect()
}

fn on_link(action: Action, on: &str, nodes: &[Value], links: &[Value]) -> Result<(), Refused> {
    debug_assert!(!action.of_node(), "{action} is of nodes");
    let subjects = Subjects::of(nodes, links);
    let Some(id) = subjects.link(on) else { return Err(Refused::Unknown(subjects.links_like(on))) };
    let link = links.iter().find(|link| link.get("id").and_then(Value::as_str) == Some(id));
    link.and_then(|link| undisturbable(link, nodes)).map_or(Ok(()), |why| Err(Refused::Cannot(why)))
}

/// Those that begin at the end of the measured load or after it, and so never; `duration` is its length.
pub(super) fn too_late(scenario: &Value, duration: Time) -> Vec<Issue> {
    let list = scenario.get(LIST).and_then(Value::as_array);
    let late = list.into_iter().flatten().enumerate().filter_map(|(row, disturbance)| {
        let at = Time(Dimension::Time.parse(disturbance.get("at")?.as_str()?).ok()?);
        let args = [("at", at.to_string().into()), ("duration", duration.to_string().into())];
        (at >= duration).then(|| Issue::new(Code::DisturbedTooLate, format!("/{LIST}/{row}/at"), args))
    });
    late.collect()
}

/// Validates what is to be done at once to a run of this scenario: `{"do": "crash", "on": "orders"}`, a disturbance without
/// its `at`.
///
/// # Errors
/// Every Issue; paths start at it.
pub fn validate_control(text: &str, scenario: &Value) -> Result<Disturbance, Vec<Issue>> {
    let mut control = parse(text)?;
    let mut issues = Issues::default();
    let path = Path::root();
    if let Value::Object(object) = &mut control {
        if object.contains_key("at") {
            let known = ["do", "on", "rate", "by", "to", "for"].join(", ");
            issues.push(Issue::new(Code::UnknownField, "/at", [("field", "at".into()), ("known", known.into())]));
        }
        object.insert("at".to_owned(), Time(0).to_string().into());
    }
    let list = |key| scenario.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    check_one(&mut issues, &path, &control, list("nodes"), list("links"));
    let issues = issues.into_vec();
    if issues.is_empty() { read(control) } else { Err(issues) }
}

fn read(disturbance: Value) -> Result<Disturbance, Vec<Issue>> {
    let unreadable =
        |error: serde_json::Error| vec![Issue::new(Code::Unreadable, "", [("reason", error.to_string().into())])];
    serde_json::from_value(disturbance).map_err(unreadable)
}

/// The document with more disturbances, which are not looked at.
#[must_use]
pub fn with_disturbances(mut scenario: Value, more: &[Map<String, Value>]) -> Value {
    if let (Value::Object(root), false) = (&mut scenario, more.is_empty())
        && let Value::Array(list) = root.entry(LIST).or_insert_with(|| Value::Array(Vec::new()))
    {
        list.extend(more.iter().cloned().map(Value::Object));
    }
    scenario
}
