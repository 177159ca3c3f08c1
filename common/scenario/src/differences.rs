//! What is not the same about two plans: their scenarios field by field, and their settings.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::plan::{Plan, PlanBroker};

/// One field that is not the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The name of the node, both ends of the link like `buyers->orders`; of the scenario itself and of the settings, nothing.
    pub of: String,
    /// The field, like `work.mean`; empty where one of them lacks the element altogether.
    pub field: String,
    /// What the first has, of an element as a whole its kind or protocol; `None`: nothing.
    pub before: Option<String>,
    /// What the second has.
    pub after: Option<String>,
}

impl Difference {
    /// What it is that differs, in one line.
    #[must_use]
    pub fn subject(&self) -> String {
        let words = [self.of.as_str(), self.field.as_str()];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Everything that is not the same, where it matters to a run: the scenario's words and the places of nodes do not.
#[must_use]
pub fn differences(before: &Plan, after: &Plan) -> Vec<Difference> {
    let mut found = Vec::new();
    // Settings are made of nothing that JSON has not.
    let settings = |plan: &Plan| {
        let mut settings = serde_json::to_value(&plan.settings).unwrap_or_default();
        if let Value::Object(settings) = &mut settings {
            settings.insert("broker".to_owned(), broker(plan.settings.broker.as_str(), plan.broker.as_ref()));
            // One of topics says nothing where there are none.
            settings.remove("kafka");
            if !plan.topics.is_empty() {
                settings.insert("kafka".to_owned(), broker(plan.settings.kafka.as_str(), plan.kafka.as_ref()));
            }
            // Left out where it is the default, which is one of two all the same.
            settings.insert("placement".to_owned(), Value::from(plan.settings.placement.as_str()));
        }
        settings
    };
    fields(&mut found, "", "", Some(&settings(before)), Some(&settings(after)));
    let [one, other] = [before, after].map(disturbances);
    fields(&mut found, "", "disturbances", one.as_ref(), other.as_ref());
    for (list, tag) in [("nodes", "kind"), ("links", "protocol")] {
        let elements =
            |plan: &Plan| elements(plan, list).iter().map(|element| named(plan, element)).collect::<Vec<_>>();
        let (before, after) = (elements(before), elements(after));
        let ids: Vec<_> = before.iter().chain(&after).filter_map(id).collect();
        let mut seen = BTreeSet::new();
        for id in ids.into_iter().filter(|id| seen.insert(*id)) {
            let find = |elements: &'_ [Value]| elements.iter().find(|element| self::id(element) == Some(id)).cloned();
            let (one, other) = (find(&before), find(&after));
            let of = one.as_ref().or(other.as_ref()).map_or_else(|| id.to_owned(), name);
            let whole = |element: &Value| element.get(tag).and_then(Value::as_str).unwrap_or(id).to_owned();
            match (&one, &other) {
                (Some(_), Some(_)) => fields(&mut found, &of, "", one.as_ref(), other.as_ref()),
                _ => found.push(Difference {
                    of,
                    field: String::new(),
                    before: one.as_ref().map(whole),
                    after: other.as_ref().map(whole),
                }),
            }
        }
    }
    found
}

/// What is done to a run, as one would type it; nothing where nothing is.
fn disturbances(plan: &Plan) -> Option<Value> {
    let list = plan.scenario.get("disturbances")?.as_array().filter(|list| !list.is_empty())?;
    let line = |disturbance: &Value| {
        let word = |name: &&str| disturbance.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut words: Vec<_> = ["at", "do", "on", "rate", "by", "to"].iter().filter_map(word).collect();
        words.extend(word(&"for").map(|lasts| format!("for {lasts}")));
        words.join(" ")
    };
    Some(list.iter().map(line).collect::<Vec<_>>().join(", ").into())
}

/// Which broker was asked for, and what it turned out to be, where it is not Hopscope's own.
fn broker(asked: &str, found: Option<&PlanBroker>) -> Value {
    match found {
        Some(found) => format!("{asked}, {} {}", found.product(), found.version()).into(),
        None => asked.into(),
    }
}

fn id(element: &Value) -> Option<&str> {
    element.get("id")?.as_str()
}

fn elements<'a>(plan: &'a Plan, list: &str) -> &'a [Value] {
    plan.scenario.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The element with names of nodes in place of their ids.
fn named(plan: &Plan, element: &Value) -> Value {
    let mut element = element.clone();
    for end in ["from", "to", "replies"] {
        let Some(value) = element.get_mut(end) else { continue };
        if let Some(node) = elements(plan, "nodes").iter().find(|node| id(node) == value.as_str()) {
            *value = name(node).into();
        }
    }
    element
}

/// A node's name; of a link, whose ends are named, both.
fn name(element: &Value) -> String {
    let word = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
    if element.get("from").is_some() { format!("{}->{}", word("from"), word("to")) } else { word("name").to_owned() }
}

/// The fields below `field` that are not the same.
fn fields(found: &mut Vec<Difference>, of: &str, field: &str, before: Option<&Value>, after: Option<&Value>) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(one)), Some(Value::Object(other))) = (before, after) {
        let added = other.keys().filter(|key| !one.contains_key(*key));
        for key in one.keys().chain(added).filter(|key| !(field.is_empty() && matches!(key.as_str(), "x" | "y"))) {
            let below = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            fields(found, of, &below, one.get(key), other.get(key));
        }
        return;
    }
    let shown = |value: Option<&Value>| {
        value
            .filter(|value| !value.is_null())
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    found.push(Difference { of: of.to_owned(), field: field.to_owned(), before: shown(before), after: shown(after) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Placement, RunSettings, compile};
    use crate::validate::validate;

    #[test]
    fn fields_elements_and_settings_are_told_and_places_are_not() {
        let text = include_str!("../tests/two_services.json");
        let settings = RunSettings::default();
        let before = compile(&validate(text).unwrap().scenario, &settings);
        let altered = text
            .replace(r#""mean": "40ms""#, r#""mean": "50ms""#)
            .replace(r#""x": 80"#, r#""x": 90"#)
            .replace(r#""protocol": "http1""#, r#""protocol": "http1", "timeout": "1 s""#);
        let mut after = compile(&validate(&altered).unwrap().scenario, &RunSettings { seed: 7, ..settings });
        assert_eq!(differences(&before, &before), []);
        let line = |it: Difference| format!("{}/{}: {:?} {:?}", it.of, it.field, it.before, it.after);
        let found: Vec<_> = differences(&before, &after).into_iter().map(line).collect();
        let wanted = [
            r#"/seed: Some("42") Some("7")"#,
            r#"shop/work.mean: Some("40 ms") Some("50 ms")"#,
            r#"buyers->shop/timeout: None Some("1 s")"#,
        ];
        assert_eq!(found, wanted);
        let mut disturbed = before.clone();
        disturbed.scenario["disturbances"] =
            serde_json::json!([{"do": "delay", "at": "1 s", "on": "l1", "by": "5 ms", "for": "2 s"}]);
        let found: Vec<_> = differences(&before, &disturbed).into_iter().map(line).collect();
        assert_eq!(found, [r#"/disturbances: None Some("1 s delay l1 5 ms for 2 s")"#]);
        let mut apart = before.clone();
        apart.settings.placement = Placement::Processes;
        let found: Vec<_> = differences(&before, &apart).into_iter().map(line).collect();
        assert_eq!(found, [r#"/placement: Some("tasks") Some("processes")"#]);
        after.scenario["links"].as_array_mut().unwrap().pop();
        let found = differences(&before, &after);
        assert_eq!(
            found.last().map(|it| (it.of.as_str(), it.before.as_deref(), it.after.as_deref())),
            Some(("shop->stock", Some("in-process"), None))
        );
    }
}
