//! Validation: every fault of a document in one pass.
//!
//! Walks the JSON against the descriptors, never the model, so that a document with ten faults yields ten Issues with
//! their paths. What passes becomes the model; nothing after this checks again. Never panics, on any input.

mod checks;
mod disturbances;
mod graph;
mod issues;
mod parse;
mod queues;
mod request;
mod steps;
mod walk;

use serde_json::Value;

use crate::catalogue::Arg;
use crate::issue::{Code, Issue};
use crate::kinds::{KINDS, Kind};
use crate::model::{FORMAT, Scenario, VERSION};
use crate::protocol::{PROTOCOLS, Protocol};
use crate::shape::{self, LINK_FIELDS, MAX_DOCUMENT_BYTES, NODE_FIELDS, SCENARIO_FIELDS};
use crate::text;

pub(crate) use checks::Subjects;
pub use checks::subjects;
pub use disturbances::{cannot, disturbable, undisturbable, validate_control, with_disturbances};
use issues::Issues;
pub use issues::MAX_ISSUES;
pub use parse::{Allowance, Strict};
pub use request::{RunRequest, request_issues, validate_request};
use walk::{Path, check_object, list_of, missing, shown, wrong_type};

#[cfg(test)]
mod tests;

/// A document that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valid {
    /// What it says, with its defaults.
    pub scenario: Scenario,
    /// What it perhaps does not mean; no errors among them.
    pub warnings: Vec<Issue>,
}

/// Validates the text of a scenario.
///
/// # Errors
/// Every Issue of the document, warnings included, in the document's order as far as they belong to one field; at most
/// [`MAX_ISSUES`]. At least one is an error.
pub fn validate(text: &str) -> Result<Valid, Vec<Issue>> {
    validate_value(&parse(text)?)
}

/// Validates a scenario that is JSON already.
///
/// # Errors
/// As [`validate`].
pub fn validate_value(document: &Value) -> Result<Valid, Vec<Issue>> {
    let issues = document_issues(document);
    if issues.iter().any(Issue::is_error) {
        return Err(issues);
    }
    let mut completed = document.clone();
    shape::complete(&mut completed);
    match serde_json::from_value(completed) {
        Ok(scenario) => Ok(Valid { scenario, warnings: issues }),
        Err(error) => Err(vec![Issue::new(Code::Unreadable, "", [("reason", error.to_string().into())])]),
    }
}

/// Every Issue of a document, for an editor that shows them while the document is still being written.
#[must_use]
pub fn document_issues(document: &Value) -> Vec<Issue> {
    let mut issues = Issues::default();
    check_document(&mut issues, document);
    issues.into_vec()
}

/// Reads JSON, in which no object may have a field twice.
///
/// # Errors
/// One Issue where it is too long or is not JSON, with line and column.
pub fn parse(text: &str) -> Result<Value, Vec<Issue>> {
    if let Some(issue) = too_long(text.len() as u64) {
        return Err(vec![issue]);
    }
    parse::strict(text).map_err(|error| {
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full);
        vec![Issue::new(
            Code::BadJson,
            "",
            [
                ("line", error.line().to_string().into()),
                ("column", error.column().to_string().into()),
                ("reason", reason.into()),
            ],
        )]
    })
}

/// The Issue of a text of so many bytes, if it is longer than a document may be: for who need not read it then.
#[must_use]
pub fn too_long(bytes: u64) -> Option<Issue> {
    (bytes > MAX_DOCUMENT_BYTES as u64).then(|| {
        let args = [("count", bytes.to_string().into()), ("max", MAX_DOCUMENT_BYTES.to_string().into())];
        Issue::new(Code::DocumentTooLarge, "", args)
    })
}

fn check_document(issues: &mut Issues, document: &Value) {
    let path = Path::root();
    let Value::Object(root) = document else {
        wrong_type(issues, &path, text!("field.scenario"), document, text!("json.object"));
        return;
    };
    if !check_heading(issues, document) {
        return;
    }
    check_object(
        issues,
        &path,
        root,
        SCENARIO_FIELDS,
        &["format", "version", "nodes", "links", "checks", disturbances::LIST],
    );
    let nodes = list_of(issues, &path, root, "nodes", text!("field.nodes"));
    let links = list_of(issues, &path, root, "links", text!("field.links"));
    if !graph::is_within_limits(issues, nodes, links) {
        // The faults of a million nodes would hide that there are a million, and cost more than they tell.
        return;
    }
    for (index, node) in nodes.iter().enumerate() {
        check_node(issues, &path.key("nodes").index(index), node);
    }
    for (index, link) in links.iter().enumerate() {
        check_link(issues, &path.key("links").index(index), link);
    }
    if let Some(checks) = root.get("checks") {
        checks::check(issues, &path.key("checks"), checks, nodes, links);
    }
    if let Some(list) = root.get(disturbances::LIST) {
        disturbances::check(issues, &path.key(disturbances::LIST), list, nodes, links);
    }
    graph::check(issues, nodes, links);
}

/// `format` and `version`; false where the rest of the document means something else.
fn check_heading(issues: &mut Issues, document: &Value) -> bool {
    let path = Path::root();
    let mut readable = true;
    match document.get("format") {
        None => missing(issues, &path, "format"),
        Some(format) if format == FORMAT => {}
        Some(format) => {
            readable = false;
            let args = [("value", shown(format)), ("known", FORMAT.into())];
            issues.push(Issue::new(Code::UnknownFormat, "/format", args));
        }
    }
    match document.get("version") {
        None => missing(issues, &path, "version"),
        Some(version) if version.as_u64() == Some(u64::from(VERSION)) => {}
        Some(version) => {
            readable = false;
            let known = VERSION.to_string();
            let args = [("value", shown(version)), ("known", known.into())];
            issues.push(Issue::new(Code::UnknownVersion, "/version", args));
        }
    }
    readable
}

fn check_node(issues: &mut Issues, path: &Path<'_>, node: &Value) {
    let Value::Object(object) = node else {
        wrong_type(issues, path, text!("field.node"), node, text!("json.object"));
        return;
    };
    let known = KINDS.iter().map(|kind| kind.id);
    let code = Code::UnknownKind;
    match tag(issues, path, node, "kind", text!("field.kind"), code, known).and_then(Kind::find) {
        Some(kind) => {
            check_object(issues, path, object, NODE_FIELDS.iter().chain(kind.descriptor().fields), &["kind"]);
        }
        None => walk::check_known(issues, path, object, NODE_FIELDS),
    }
}

fn check_link(issues: &mut Issues, path: &Path<'_>, link: &Value) {
    let Value::Object(object) = link else {
        wrong_type(issues, path, text!("field.link"), link, text!("json.object"));
        return;
    };
    let known = PROTOCOLS.iter().map(|protocol| protocol.id);
    let label = text!("field.protocol");
    let code = Code::UnknownProtocol;
    match tag(issues, path, link, "protocol", label, code, known).and_then(Protocol::find) {
        Some(protocol) => {
            // What links between other nodes may say is told apart later.
            check_object(issues, path, object, LINK_FIELDS.iter().chain(protocol.descriptor().fields()), &["protocol"]);
        }
        None => walk::check_known(issues, path, object, LINK_FIELDS),
    }
}

/// The text of a tag that must be one of `known`; otherwise an Issue and nothing.
fn tag<'a>(
    issues: &mut Issues,
    path: &Path<'_>,
    object: &'a Value,
    name: &str,
    label: crate::catalogue::Key,
    code: Code,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Option<&'a str> {
    let path = path.key(name);
    match object.get(name) {
        None => {
            missing(issues, path.parent(), name);
            None
        }
        Some(Value::String(text)) if known.clone().any(|id| id == text) => Some(text),
        Some(Value::String(text)) => {
            let known: Vec<_> = known.collect();
            let args =
                [("label", Arg::from(label)), ("value", walk::short(text).into()), ("known", known.join(", ").into())];
            issues.push(Issue::new(code, path.pointer(), args));
            None
        }
        Some(other) => {
            wrong_type(issues, &path, label, other, text!("json.string"));
            None
        }
    }
}
