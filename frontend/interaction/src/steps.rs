//! The steps of a service's own body as the rows of an outline, and what a person does to them.
//!
//! A path is a JSON pointer from the body, like `/2/branches/0/steps/1`. Each edit gives the body as it is afterwards, and
//! nothing where the path leads nowhere.

use hopscope_scenario::edits::add_step;
use hopscope_scenario::steps::{STEP_TAG, STEPS};
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// A row of the outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about: a step, a branch, or a list of steps.
    pub path: String,
    /// How deep it stands, from 0.
    pub depth: usize,
    /// What it is.
    pub what: What,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A step.
    Step {
        /// Its kind, as documents write it; empty where it has none.
        id: String,
        /// The link that it takes, where it takes one.
        link: Option<String>,
        /// Whether it is the first and the last of its list.
        ends: (bool, bool),
    },
    /// A branch of the step above, whose own steps follow.
    Branch {
        /// Which, from 1.
        number: usize,
        /// Whether it has a weight.
        weighted: bool,
        /// Whether enough branches would be left without it.
        removable: bool,
    },
    /// The end of a list of steps, where another may be added.
    End,
}

/// The rows of a body.
#[must_use]
pub fn rows(body: &[Value]) -> Vec<Row> {
    let mut rows = Vec::new();
    list(body, "", 0, &mut rows);
    rows
}

fn list(steps: &[Value], prefix: &str, depth: usize, rows: &mut Vec<Row>) {
    for (index, step) in steps.iter().enumerate() {
        let text = |field: &str| step.get(field).and_then(Value::as_str).map(str::to_owned);
        let path = format!("{prefix}/{index}");
        let id = text(STEP_TAG).unwrap_or_default();
        let weighted = id == "choose";
        let ends = (index == 0, index + 1 == steps.len());
        rows.push(Row { path: path.clone(), depth, what: What::Step { id, link: text("link"), ends } });
        let branches = step.get("branches").and_then(Value::as_array).map_or(&[] as &[_], Vec::as_slice);
        for (branch, number) in branches.iter().zip(1..) {
            let path = format!("{path}/branches/{}", number - 1);
            let what = What::Branch { number, weighted, removable: branches.len() > 2 };
            rows.push(Row { path: path.clone(), depth: depth + 1, what });
            if let Some(steps) = branch.get("steps").and_then(Value::as_array) {
                list(steps, &format!("{path}/steps"), depth + 1, rows);
            }
        }
    }
    rows.push(Row { path: prefix.to_owned(), depth, what: What::End });
}

/// A new step of this kind with its defaults; one that takes a link names it.
#[must_use]
pub fn new_step(id: &str, link: Option<&str>) -> Value {
    let known = STEPS.iter().find(|step| step.id == id);
    let mut step = known.map_or_else(|| json!({ STEP_TAG: id }), |known| known.default_value(STEP_TAG));
    match (id, link) {
        (_, Some(link)) => step["link"] = Value::from(link),
        ("parallel" | "choose", None) => {
            let branch = new_branch(id);
            step["branches"] = json!([branch, branch]);
        }
        _ => {}
    }
    step
}

fn new_branch(id: &str) -> Value {
    if id == "choose" { json!({"weight": 1, "steps": []}) } else { json!({"steps": []}) }
}

/// With a step more in the list at `path`: before a last reply, otherwise at its end.
#[must_use]
pub fn added(body: &[Value], path: &str, step: Value) -> Option<Value> {
    changed(body, |body| {
        add_step(body.pointer_mut(path)?.as_array_mut()?, step);
        Some(())
    })
}

/// With a branch more in the step at `path`.
#[must_use]
pub fn with_branch(body: &[Value], path: &str) -> Option<Value> {
    changed(body, |body| {
        let step = body.pointer_mut(path)?;
        let branch = new_branch(step.get(STEP_TAG)?.as_str()?);
        step.get_mut("branches")?.as_array_mut()?.push(branch);
        Some(())
    })
}

/// Without the step or the branch at `path`.
#[must_use]
pub fn removed(body: &[Value], path: &str) -> Option<Value> {
    changed(body, |body| {
        let (list, index) = place(body, path)?;
        list.remove(index);
        Some(())
    })
}

/// With the step at `path` before the one above it, or behind the one below it, in its own list.
#[must_use]
pub fn shifted(body: &[Value], path: &str, down: bool) -> Option<Value> {
    changed(body, |body| {
        let (list, index) = place(body, path)?;
        let other = if down { index.checked_add(1)? } else { index.checked_sub(1)? };
        (other < list.len()).then(|| list.swap(index, other))
    })
}

/// With what was typed as the weight of the branch at `path`: a number where it is one.
#[must_use]
pub fn weighed(body: &[Value], path: &str, text: &str) -> Option<Value> {
    let weight = text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    changed(body, |body| {
        body.pointer_mut(path)?.as_object_mut()?.insert("weight".to_owned(), weight);
        Some(())
    })
}

/// With what was typed as the time of the work at `path`, distributed as `service` says where the step does not; nothing
/// typed makes it the service's own work.
#[must_use]
pub fn timed(body: &[Value], path: &str, text: &str, service: &Value) -> Option<Value> {
    changed(body, |body| {
        let step = body.pointer_mut(path)?.as_object_mut()?;
        if text.trim().is_empty() {
            step.remove("work");
            return Some(());
        }
        let work = step.entry("work").or_insert_with(|| service.clone());
        work.as_object_mut()?.insert("mean".to_owned(), Value::from(text));
        Some(())
    })
}

/// The list that a path ends in, and where there.
fn place<'a>(body: &'a mut Value, path: &str) -> Option<(&'a mut Vec<Value>, usize)> {
    let (list, index) = path.rsplit_once('/')?;
    let list = body.pointer_mut(list)?.as_array_mut()?;
    let index = index.parse().ok().filter(|index| *index < list.len())?;
    Some((list, index))
}

fn changed(body: &[Value], change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Value> {
    let mut body = Value::Array(body.to_vec());
    change(&mut body)?;
    Some(body)
}
