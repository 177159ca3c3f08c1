//! The checks: what each is, and what it names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::graph::MAX_NAMES_SHOWN;
use super::issues::Issues;
use super::walk::{Path, check_variant, short, wrong_type};
use crate::checks::{self, CHECK_TAG, MAX_CHECKS, METRICS, Metric, metric_of, names_link};
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::shape::kind_of;
use crate::text;

pub(super) fn check(issues: &mut Issues, path: &Path<'_>, checks: &Value, nodes: &[Value], links: &[Value]) {
    let Value::Array(checks) = checks else {
        wrong_type(issues, path, text!("field.checks"), checks, text!("json.array"));
        return;
    };
    if checks.len() > MAX_CHECKS {
        let count = checks.len().to_string();
        let args =
            [("what", text!("limit.checks").into()), ("count", count.into()), ("max", MAX_CHECKS.to_string().into())];
        issues.push(Issue::new(Code::TooMany, path.pointer(), args));
        return;
    }
    if checks.is_empty() {
        return;
    }
    let subjects = Subjects::of(nodes, links);
    for (index, check) in checks.iter().enumerate() {
        let path = path.index(index);
        match check {
            Value::Object(object) => {
                check_variant(issues, &path, text!("field.check.metric"), CHECK_TAG, METRICS, object);
                subjects.check(issues, &path, check);
            }
            _ => wrong_type(issues, &path, text!("field.check"), check, text!("json.object")),
        }
    }
}

/// What a check of this metric may name in a document, as it would name it: each name is of one thing only.
#[must_use]
pub fn subjects(document: &Value, metric: Metric) -> Vec<String> {
    let all = Subjects::of_document(document);
    let subjects = all.of_metric(metric);
    subjects.iter().map(|subject| own_name(subjects, subject)).collect()
}

/// The name of one of these that none of the others has.
fn own_name(subjects: &[Subject<'_>], subject: &Subject<'_>) -> String {
    let name = subject.name(false);
    let shared = subjects.iter().filter(|other| other.is_named(&name)).count() > 1;
    if shared { subject.name(true) } else { name }
}

/// All that a check may be of.
pub(crate) struct Subjects<'a> {
    queues: Vec<Subject<'a>>,
    services: Vec<Subject<'a>>,
    links: Vec<Subject<'a>>,
}

impl<'a> Subjects<'a> {
    /// Those of a document.
    pub(crate) fn of_document(document: &'a Value) -> Self {
        let list = |key| document.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Self::of(list("nodes"), list("links"))
    }

    pub(super) fn of(nodes: &'a [Value], links: &'a [Value]) -> Self {
        Self { queues: named(nodes, Kind::Queue), services: named(nodes, Kind::Service), links: ends(nodes, links) }
    }

    /// The link that is named so, by its id, if that is one.
    pub(crate) fn link(&self, on: &str) -> Option<&'a str> {
        let mut named = self.links.iter().filter(|subject| subject.is_named(on));
        let id = named.next()?.id();
        named.next().is_none().then_some(id)
    }

    /// What links may be named: all of them, or those that one name has in common.
    pub(crate) fn links_like(&self, on: &str) -> Vec<String> {
        let several = self.links.iter().any(|subject| subject.is_named(on));
        let like = self.links.iter().filter(|subject| !several || subject.is_named(on));
        like.map(|subject| subject.name(several)).collect()
    }

    /// What a document would call the link of this id.
    pub(crate) fn name_of_link(&self, id: &str) -> Option<String> {
        self.links.iter().find(|subject| subject.id() == id).map(|subject| own_name(&self.links, subject))
    }

    /// What a metric can be of.
    fn of_metric(&self, metric: Metric) -> &[Subject<'a>] {
        match metric.subject() {
            checks::Subject::Run => &[],
            checks::Subject::Link => &self.links,
            checks::Subject::Queue => &self.queues,
            checks::Subject::Service => &self.services,
        }
    }

    /// What a check names, by its id, if that is one thing; and the check's metric.
    pub(crate) fn named_by(&self, check: &Value) -> Option<(Metric, &'a str)> {
        let (metric, on) = (metric_of(check)?, check.get("on")?.as_str()?);
        let mut named = self.of_metric(metric).iter().filter(|subject| subject.is_named(on));
        let id = named.next()?.id();
        named.next().is_none().then_some((metric, id))
    }

    /// What a check of this metric would call the link or node of this id.
    pub(crate) fn name_of(&self, metric: Metric, id: &str) -> Option<String> {
        let subjects = self.of_metric(metric);
        subjects.iter().find(|subject| subject.id() == id).map(|subject| own_name(subjects, subject))
    }

    /// A check of something that is not there runs, and does not pass: the drawing may change while the check waits for it.
    fn check(&self, issues: &mut Issues, path: &Path<'_>, check: &Value) {
        let (Some(metric), Some(on)) = (metric_of(check), check.get("on").and_then(Value::as_str)) else {
            return;
        };
        let subjects = self.of_metric(metric);
        let named = subjects.iter().filter(|subject| subject.is_named(on)).count();
        if named != 1 {
            // Links with the same ends are told apart by their ids.
            let names = subjects.iter().filter(|subject| named == 0 || subject.is_named(on));
            let names: Vec<_> = names.map(|subject| short(&subject.name(named > 1))).take(MAX_NAMES_SHOWN).collect();
            let args = [("value", short(on).into()), ("known", names.join(", ").into())];
            issues.push(Issue::new(Code::UnknownSubject, path.key("on").pointer(), args));
        }
    }
}

/// One thing that a check may be of.
enum Subject<'a> {
    Node { id: &'a str, name: &'a str },
    Link { id: &'a str, from: &'a str, to: &'a str },
}

impl<'a> Subject<'a> {
    fn id(&self) -> &'a str {
        match self {
            Self::Node { id, .. } | Self::Link { id, .. } => id,
        }
    }

    fn is_named(&self, on: &str) -> bool {
        match self {
            Self::Node { name, .. } => on == *name,
            Self::Link { id, from, to } => names_link(on, id, from, to),
        }
    }

    fn name(&self, by_id: bool) -> String {
        match self {
            Self::Node { name, .. } => (*name).to_owned(),
            Self::Link { id, .. } if by_id => (*id).to_owned(),
            Self::Link { from, to, .. } => format!("{from}->{to}"),
        }
    }
}

fn text_of<'a>(element: &'a Value, key: &str) -> Option<&'a str> {
    element.get(key)?.as_str()
}

fn named(nodes: &[Value], kind: Kind) -> Vec<Subject<'_>> {
    let nodes = nodes.iter().filter(|node| kind_of(node) == Some(kind));
    nodes.filter_map(|node| Some(Subject::Node { id: text_of(node, "id")?, name: text_of(node, "name")? })).collect()
}

fn ends<'a>(nodes: &'a [Value], links: &'a [Value]) -> Vec<Subject<'a>> {
    let named = nodes.iter().filter_map(|node| Some((text_of(node, "id")?, text_of(node, "name")?)));
    let mut names = BTreeMap::new();
    names.extend(named);
    let end = |link: &'a Value, key: &str| names.get(text_of(link, key)?).copied();
    let subject =
        |link| Some(Subject::Link { id: text_of(link, "id")?, from: end(link, "from")?, to: end(link, "to")? });
    links.iter().filter_map(subject).collect()
}
