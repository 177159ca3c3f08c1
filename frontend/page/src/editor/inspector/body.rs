//! The steps that a person wrote for a service, as an outline that can be changed.

use hopscope_interaction::form::{self, shown};
use hopscope_interaction::steps::{self as outline, Row, What};
use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::edits::{Change, LinkRef, Target, step_over};
use hopscope_scenario::fields::Field;
use hopscope_scenario::steps::STEPS;
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::field::FieldInput;
use crate::state::document::{Editor, Problem, Selection};
use crate::ui::memo;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::node::Node;
use crate::ui::text::{issue_line, t, t_with};

/// A service whose own body is shown; cheap to copy.
#[derive(Clone, Copy)]
struct Body {
    editor: Editor,
    node: StoredValue<String>,
}

impl Body {
    fn target(self) -> Target {
        Target::Node(self.node.get_value())
    }

    /// Something of the service, and again whenever it changes.
    fn value(self, pointer: &str) -> Option<Value> {
        self.editor.with(|document| document.get(&self.target(), pointer).cloned())
    }

    /// Changes the body; changes by one `gesture` in a row are one step of undo.
    fn change(self, gesture: Option<&str>, change: impl FnOnce(&[Value]) -> Option<Value>) {
        let body = self.editor.now(|document| document.get(&self.target(), "/body").cloned());
        if let Some(body) = body.as_ref().and_then(Value::as_array).and_then(|body| change(body)) {
            self.editor.apply(Change::set(self.target(), "/body", body), gesture);
        }
    }
}

/// The outline.
#[component]
pub(super) fn BodyEditor(node: StoredValue<String>) -> impl IntoView {
    let body = Body { editor: use_editor(), node };
    let rows = move || {
        let value = body.value("/body");
        value.as_ref().and_then(Value::as_array).map(|body| outline::rows(body)).unwrap_or_default()
    };
    // What a row shows beside this is asked for by the row, so that typing does not build it anew.
    let key = |row: &Row| format!("{row:?}");
    view! {
        <ul class="steps own"><Each of=rows key=key let:row><RowView body row/></Each></ul>
        <button type="button" class="btn" data-action="derive-steps"
            on:click=move |_| body.editor.apply(Change::unset(body.target(), "/body"), None)>
            {t(text!("steps.derive"))}
        </button>
    }
}

#[component]
fn RowView(body: Body, row: Row) -> impl IntoView {
    let Row { path, depth, what } = row;
    let issues = {
        let path = path.clone();
        memo(move || issues(body, &path))
    };
    let is_end = what == What::End;
    let line = match what {
        What::Step { id, link, ends } => step(body, path, &id, link.as_deref(), ends),
        What::Branch { number, weighted, removable } => branch(body, path, number, weighted, removable),
        What::End => view! { <AddMenu body path/> },
    };
    let lines = move || match is_end {
        true => Node::Empty,
        false => issues.get().iter().map(|problem| issue_line(&problem.issue)).collect::<Node>(),
    };
    view! { <li style:padding-left=format!("{}px", depth * 14)>{line}{lines}</li> }
}

/// What is wrong with a row itself and not with a row of its own below it.
fn issues(body: Body, path: &str) -> Vec<Problem> {
    let (target, whole) = (body.target(), format!("/body{path}"));
    let own = |problem: &&Problem| {
        let rest = problem.pointer.strip_prefix(&whole).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        problem.target == target && rest.is_some_and(|rest| !rest.contains("/branches/") && !rest.contains("/steps/"))
    };
    body.editor.problems.with(|problems| problems.iter().filter(own).cloned().collect())
}

fn step(body: Body, path: String, id: &str, link: Option<&str>, (first, last): (bool, bool)) -> Node {
    let label = STEPS.iter().find(|step| step.id == id).map_or_else(|| id.to_owned(), |step| t(step.label));
    let detail = match (link, id) {
        (Some(link), _) => callee(body, link.to_owned()),
        (None, "work") => work_time(body, path.clone()),
        (None, "effect") => fields(body, &path),
        _ => Node::Empty,
    };
    let more = (id == "parallel" || id == "choose").then(|| {
        let path = path.clone();
        button(text!("steps.add-branch"), "+", move || body.change(None, |body| outline::with_branch(body, &path)))
    });
    let (up, down) = (path.clone(), path.clone());
    view! {
        <span class="step" data-step=path.clone()>
            <span>{label}</span>{detail}<span class="tools">
            {more}
            {(!first).then(|| button(text!("steps.up"), "↑", move || body.change(None, |body| outline::shifted(body, &up, false))))}
            {(!last).then(|| button(text!("steps.down"), "↓", move || body.change(None, |body| outline::shifted(body, &down, true))))}
            {button(text!("steps.remove"), "✕", move || body.change(None, |body| outline::removed(body, &path)))}
            </span>
        </span>
    }
}

fn branch(body: Body, path: String, number: usize, weighted: bool, removable: bool) -> Node {
    let weight = weighted.then(|| {
        let (at, gesture) = (format!("/body{path}/weight"), format!("weight {path}"));
        let value = memo(move || shown(body.value(&at).as_ref()));
        let write = {
            let path = path.clone();
            move |text: String| body.change(Some(&gesture), |body| outline::weighed(body, &path, &text))
        };
        view! {
            <input type="text" class="num" autocomplete="off" aria-label=t(text!("field.weight")) title=t(text!("field.weight"))
                prop:value=move || value.get() on:input=move |event| write(event_target_value(&event))
                on:blur=move |_| body.editor.end_gesture()/>
        }
    });
    let remove = removable
        .then(|| button(text!("steps.remove"), "✕", move || body.change(None, |body| outline::removed(body, &path))));
    view! {
        <span class="branch">
            <span>{t_with(text!("steps.branch"), &[("number", &number.to_string())])}</span>{weight}
            <span class="tools">{remove}</span>
        </span>
    }
}

/// Who is called, as a way to the link.
fn callee(body: Body, link: String) -> Node {
    let id = link.clone();
    let end = memo(move || {
        body.editor.with(|document| {
            let link = document.link(&id)?;
            let hue = link.protocol().map_or("bad", |protocol| protocol.descriptor().hue);
            Some((link.to().to_owned(), hue))
        })
    });
    let name = {
        let link = link.clone();
        move || end.get().map_or_else(|| link.clone(), |(to, _)| body.editor.name_of(&to))
    };
    let hue = move || format!("var(--{})", end.get().map_or("bad", |(_, hue)| hue));
    view! {
        <button type="button" class="callee" style:color=hue
            on:click=move |_| body.editor.select(Selection::link(link.clone()))>{name}</button>
    }
}

/// How long the step's own work takes; empty for as long as the service's.
fn work_time(body: Body, path: String) -> Node {
    let (at, gesture) = (format!("/body{path}/work/mean"), format!("work {path}"));
    let value = memo(move || shown(body.value(&at).as_ref()));
    let placeholder = move || shown(body.value("/work/mean").as_ref());
    let write = move |text: String| {
        let service = body.editor.now(|document| document.get(&body.target(), "/work").cloned());
        body.change(Some(&gesture), |body| outline::timed(body, &path, &text, &service.unwrap_or_default()));
    };
    view! {
        <input type="text" class="num" autocomplete="off" aria-label=t(text!("field.work.mean"))
            placeholder=placeholder prop:value=move || value.get()
            on:input=move |event| write(event_target_value(&event)) on:blur=move |_| body.editor.end_gesture()/>
    }
}

/// What an effect changes, each with its label.
fn fields(body: Body, path: &str) -> Node {
    let effect = STEPS.iter().find(|step| step.id == "effect").map_or(&[] as &[_], |step| step.fields);
    let one = |field: &'static Field| {
        let row = form::Row { pointer: format!("/body{path}/{}", field.name), field };
        let (name, label) = (format!("field-{}", form::path(&row.pointer)), t(field.label));
        view! { <label for=name>{label.clone()}</label><FieldInput target=body.target() row label class="num"/> }
    };
    view! { <span class="fields">{effect.iter().map(one).collect::<Node>()}</span> }
}

fn button(label: Key, sign: &'static str, act: impl Fn() + Send + Sync + 'static) -> Node {
    let (name, label) = (label.name(), t(label));
    view! {
        <button type="button" data-action=name aria-label=label.clone() title=label on:click=move |_| act()>{sign}</button>
    }
}

/// What may be added at the end of a list of steps: each of the service's links, and what needs none.
#[component]
fn AddMenu(body: Body, path: String) -> impl IntoView {
    let path = StoredValue::new(path);
    let add = move |id: &str, link: Option<&str>| {
        let step = outline::new_step(id, link);
        path.with_value(|path| body.change(None, |body| outline::added(body, path, step)));
    };
    let links = move || -> Vec<(String, &'static str, String)> {
        body.editor.with(|document| {
            let own = document.links().filter(|link| body.node.with_value(|node| link.from() == node));
            let entry = |link: LinkRef<'_>| {
                Some((link.id().to_owned(), step_over(link.protocol()?), body.editor.name_of(link.to())))
            };
            own.filter_map(entry).collect()
        })
    };
    let label_of = |id: &str| STEPS.iter().find(|step| step.id == id).map(|step| t(step.label)).unwrap_or_default();
    view! {
        <Menu label=t(text!("steps.add")) name="add-step">
            {links().into_iter().map(|(link, step, to)| {
                let words = format!("{} {to}", label_of(step));
                view! { <MenuItem action="add-step" on_choose=move || add(step, Some(&link))>{words.clone()}</MenuItem> }
            }).collect::<Node>()}
            {STEPS.iter().filter(|step| !matches!(step.id, "call" | "publish")).map(|step| {
                view! { <MenuItem action="add-step" on_choose=move || add(step.id, None)>{t(step.label)}</MenuItem> }
            }).collect::<Node>()}
        </Menu>
    }
}
