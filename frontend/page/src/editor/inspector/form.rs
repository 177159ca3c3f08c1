//! A form made from descriptors.

use hopscope_scenario::catalogue::Key;
use hopscope_scenario::edits::Target;
use hopscope_scenario::fields::{Field, Leaf, ValueType, chosen, leaves};
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::field::{FieldInput, FieldRow};
use crate::state::document::Problem;
use crate::ui::text::{IssueLine, t};

/// A row of a form.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// From the target.
    pub(super) pointer: String,
    /// What it may hold.
    pub(super) field: &'static Field,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.pointer == other.pointer && std::ptr::eq(self.field, other.field)
    }
}

/// Rows under one heading.
#[derive(Clone, Debug, PartialEq)]
struct Section {
    /// A group's or a variant's label; rows that belong to none have no heading.
    heading: Option<Key>,
    /// The chosen option, where there is only that one to choose.
    option: Option<Key>,
    rows: Vec<Row>,
}

/// The form of a target's fields. It is built anew only when its rows change, never by typing.
#[component]
pub(super) fn Form(
    target: Target,
    fields: impl Fn() -> Option<&'static [Field]> + Send + Sync + 'static,
) -> impl IntoView {
    let editor = use_editor();
    let target = StoredValue::new(target);
    let sections = Memo::new(move |_| {
        let Some(fields) = fields() else {
            return Vec::new();
        };
        editor.with(|document| {
            let object = target.with_value(|target| document.get(target, "").cloned()).unwrap_or_default();
            sections(fields, &object)
        })
    });
    let others = Memo::new(move |_| {
        let shown: Vec<_> = sections.with(|sections| {
            sections.iter().flat_map(|section| section.rows.iter().map(|row| row.pointer.clone())).collect()
        });
        let has_row = |problem: &Problem| {
            problem.pointer == "/name" || problem.pointer == "/protocol" || shown.contains(&problem.pointer)
        };
        let is_other = |problem: &&Problem| target.with_value(|target| *target == problem.target) && !has_row(problem);
        editor.problems.with(|problems| problems.iter().filter(is_other).cloned().collect::<Vec<_>>())
    });
    view! {
        {move || others.get().into_iter().filter(|problem| problem.target != Target::Scenario).map(|problem| view! {
            <IssueLine issue=problem.issue/>
        }).collect_view()}
        {move || sections.get().into_iter().map(|section| view! { <SectionView target section/> }).collect_view()}
    }
}

#[component]
fn SectionView(target: StoredValue<Target>, section: Section) -> impl IntoView {
    let option = section.option.map(|option| view! { <span class="option">{t(option)}</span> });
    let heading = section.heading.map(|heading| view! { <h2>{t(heading)} {option}</h2> });
    let rows = section.rows.into_iter().map(|row| view! { <FieldRow target=target.get_value() row/> }).collect_view();
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

fn sections(fields: &'static [Field], object: &Value) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for field in fields {
        let rows = leaves(std::slice::from_ref(field), object);
        match &field.value {
            ValueType::Group { .. } => {
                sections.push(Section { heading: Some(field.label), option: None, rows: inputs(rows) });
            }
            ValueType::Variant { tag, options } => {
                let object = object.get(field.name).and_then(Value::as_object);
                let option = object.and_then(|object| chosen(tag, options, object)).map(|option| option.label);
                let only = option.filter(|_| options.len() == 1);
                sections.push(Section { heading: Some(field.label), option: only, rows: inputs(rows) });
            }
            _ => match sections.last_mut().filter(|section| section.heading.is_none()) {
                Some(section) => section.rows.extend(inputs(rows)),
                None => sections.push(Section { heading: None, option: None, rows: inputs(rows) }),
            },
        }
    }
    sections
}

/// The rows that take an input: a choice among one is told in the heading.
fn inputs(leaves: Vec<Leaf>) -> Vec<Row> {
    let row = |leaf: Leaf| match &leaf.field.value {
        ValueType::Variant { options, .. } if options.len() == 1 => None,
        ValueType::Variant { tag, .. } => Some(Row { pointer: format!("{}/{tag}", leaf.pointer), field: leaf.field }),
        _ => Some(Row { pointer: leaf.pointer, field: leaf.field }),
    };
    leaves.into_iter().filter_map(row).collect()
}
