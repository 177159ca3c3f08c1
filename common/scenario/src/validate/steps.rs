//! What the steps of a service's own body mean: the links they name, their replies, how many they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::graph::{Edge, name};
use super::issues::Issues;
use super::walk::short;
use crate::issue::{Code, Issue};
use crate::protocol::Style;
use crate::steps::{MAX_DEPTH, MAX_STEPS, branches_of};
use crate::text;

/// The outgoing links of one service, by id: the link's index, and whether it is called or published over.
type Outgoing<'a> = BTreeMap<&'a str, (usize, Option<Style>)>;

/// Checks every body, and gives the links that no request of their service has to take, by index.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[Edge]) -> BTreeSet<usize> {
    let mut avoidable = BTreeSet::new();
    for (index, node) in nodes.iter().enumerate() {
        let Some(body) = node.get("body").and_then(Value::as_array) else { continue };
        let mut outgoing = Outgoing::new();
        for edge in edges.iter().filter(|edge| edge.from == index) {
            let id = links.get(edge.link).and_then(|link| link.get("id")?.as_str());
            let style = edge.protocol.map(|protocol| protocol.descriptor().style);
            outgoing.extend(id.map(|id| (id, (edge.link, style))));
        }
        check_body(issues, nodes, index, body, &outgoing);
        let certain = certain(body);
        let taken = named(body);
        for (id, (link, _)) in &outgoing {
            if !certain.contains(id) {
                avoidable.insert(*link);
            }
            if !taken.contains(id) {
                let args = [("name", name(nodes, index).into()), ("link", short(id).into())];
                issues.push(Issue::new(Code::LinkNotInBody, format!("/links/{link}"), args));
            }
        }
    }
    avoidable
}

fn check_body(issues: &mut Issues, nodes: &[Value], node: usize, body: &[Value], outgoing: &Outgoing<'_>) {
    let path = format!("/nodes/{node}/body");
    let (count, depth) = size(body);
    if count > MAX_STEPS {
        let (count, max) = (count.to_string(), MAX_STEPS.to_string());
        let args = [("what", text!("limit.steps").into()), ("count", count.into()), ("max", max.into())];
        issues.push(Issue::new(Code::TooMany, path, args));
        return;
    }
    if depth > MAX_DEPTH {
        let args = [("max", MAX_DEPTH.to_string().into())];
        issues.push(Issue::new(Code::StepsTooDeep, path, args));
        return;
    }
    let mut checker = Checker { issues, service: name(nodes, node), outgoing };
    checker.sequence(&path, body, Place { replied: false, parallel: false });
}

/// Where a step stands.
#[derive(Clone, Copy)]
struct Place {
    /// Whether a reply may have gone out before it.
    replied: bool,
    /// Whether it is in a branch beside which others run.
    parallel: bool,
}

struct Checker<'a> {
    issues: &'a mut Issues,
    service: String,
    outgoing: &'a Outgoing<'a>,
}

impl Checker<'_> {
    /// Checks steps one after the other; gives whether a reply may have gone out after them.
    fn sequence(&mut self, path: &str, steps: &[Value], mut place: Place) -> bool {
        for (index, step) in steps.iter().enumerate() {
            let path = format!("{path}/{index}");
            place.replied = self.step(&path, step, place);
        }
        place.replied
    }

    fn step(&mut self, path: &str, step: &Value, place: Place) -> bool {
        match step.get("step").and_then(Value::as_str) {
            Some("call") => self.link(path, step, Style::Sync),
            Some("publish") => self.link(path, step, Style::Async),
            Some("reply") => {
                let code = if place.parallel { Code::ReplyInParallel } else { Code::SecondReply };
                if place.parallel || place.replied {
                    let args = [("name", self.service.as_str().into())];
                    self.issues.push(Issue::new(code, path, args));
                }
                return true;
            }
            Some(kind @ ("parallel" | "choose")) => {
                let within = Place { parallel: place.parallel || kind == "parallel", ..place };
                let mut replied = place.replied;
                for (index, branch) in branches_of(step).enumerate() {
                    replied |= self.sequence(&format!("{path}/branches/{index}/steps"), branch, within);
                }
                return replied;
            }
            _ => {}
        }
        place.replied
    }

    fn link(&mut self, path: &str, step: &Value, style: Style) {
        let Some(id) = step.get("link").and_then(Value::as_str) else { return };
        let path = format!("{path}/link");
        let issue = match self.outgoing.get(id) {
            None => Issue::new(
                Code::UnknownLink,
                path,
                [("value", short(id).into()), ("name", self.service.as_str().into())],
            ),
            Some((_, found)) if found.is_some_and(|found| found != style) => {
                let (step, other) = match style {
                    Style::Sync => (text!("step.call"), text!("step.publish")),
                    Style::Async => (text!("step.publish"), text!("step.call")),
                };
                Issue::new(
                    Code::WrongStep,
                    path,
                    [("value", short(id).into()), ("step", step.into()), ("other", other.into())],
                )
            }
            Some(_) => return,
        };
        self.issues.push(issue);
    }
}

/// How many steps there are, and how deep they stand.
fn size(steps: &[Value]) -> (usize, usize) {
    let mut size = (steps.len(), 1);
    for branch in steps.iter().flat_map(branches_of) {
        let (count, depth) = self::size(branch);
        size = (size.0.saturating_add(count), size.1.max(depth + 1));
    }
    size
}

/// The links that steps name, those of all branches included.
fn named(steps: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = steps.iter().filter_map(link_of).collect();
    names.extend(steps.iter().flat_map(branches_of).flat_map(|branch| named(branch)));
    names
}

/// The links that every request takes, whatever chance decides.
fn certain(steps: &[Value]) -> Vec<&str> {
    let mut links = Vec::new();
    for step in steps {
        links.extend(link_of(step));
        let mut branches = branches_of(step).map(|branch| certain(branch));
        if step.get("step").and_then(Value::as_str) == Some("choose") {
            let first = branches.next().unwrap_or_default();
            links.extend(branches.fold(first, |mut both, branch| {
                both.retain(|link| branch.contains(link));
                both
            }));
        } else {
            links.extend(branches.flatten());
        }
    }
    links
}

fn link_of(step: &Value) -> Option<&str> {
    step.get("link").and_then(Value::as_str)
}
