//! A form made from descriptors.

use hopscope_interaction::form::{Row, Section, sections};
use hopscope_markup::view;
use hopscope_scenario::edits::Target;
use hopscope_scenario::fields::Field;
use hopscope_scenario::text;
use leptos::prelude::*;

use super::super::use_editor;
use super::field::{FieldInput, FieldRow};
use crate::state::document::Problem;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{issue_line, t};

/// The form of a target's fields. It is built anew only when its rows change, never by typing.
#[component]
pub(super) fn Form(
    target: Target,
    fields: impl Fn() -> Option<&'static [Field]> + Send + Sync + 'static,
) -> impl IntoView {
    let editor = use_editor();
    let target = StoredValue::new(target);
    let sections = memo(move || {
        let Some(fields) = fields() else {
            return Vec::new();
        };
        editor.with(|document| {
            let object = target.with_value(|target| document.get(target, "").cloned()).unwrap_or_default();
            sections(fields, &object)
        })
    });
    let others = memo(move || {
        let shown: Vec<_> = sections.with(|sections| {
            sections.iter().flat_map(|section| section.rows.iter().map(|row| row.pointer.clone())).collect()
        });
        let has_row = |problem: &Problem| {
            let elsewhere = ["/name", "/protocol"].contains(&problem.pointer.as_str());
            elsewhere || problem.pointer.starts_with("/body/") || shown.contains(&problem.pointer)
        };
        let is_other = |problem: &&Problem| target.with_value(|target| *target == problem.target) && !has_row(problem);
        editor.problems.with(|problems| problems.iter().filter(is_other).cloned().collect::<Vec<_>>())
    });
    view! {
        {move || others.get().into_iter().filter(|problem| problem.target != Target::Scenario).map(|problem| issue_line(&problem.issue)).collect::<Node>()}
        {move || sections.get().into_iter().map(|section| view! { <SectionView target section/> }).collect::<Node>()}
    }
}

#[component]
fn SectionView(target: StoredValue<Target>, section: Section) -> impl IntoView {
    let option = section.option.map(|option| view! { <span class="option">{t(option)}</span> });
    let heading = section.heading.map(|heading| view! { <h2>{t(heading)} {option}</h2> });
    let rows =
        section.rows.into_iter().map(|row| view! { <FieldRow target=target.get_value() row/> }).collect::<Node>();
    view! { <section>{heading}{rows}</section> }
}

/// A node's name, large, at the top of its form.
#[component]
pub(super) fn Title(target: Target) -> impl IntoView {
    let name = hopscope_scenario::shape::NODE_FIELDS.iter().find(|field| field.name == "name");
    name.map(|field| {
        let row = Row { pointer: "/name".to_owned(), field };
        view! { <FieldInput target row label=t(text!("field.name")) class="title"/> }
    })
}
