//! Forms: from descriptors to rows, and from what a person types to changes of the document.
//!
//! What is typed is always kept: as the field's type where it is one, otherwise as the text that it is, for validation
//! to mark.

use hopscope_scenario::catalogue::Key;
use hopscope_scenario::edits::{Change, Target};
use hopscope_scenario::fields::{Field, Leaf, Presence, ValueType, VariantOption, chosen, leaves};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// A row of a form: one input.
#[derive(Clone, Debug)]
pub struct Row {
    /// JSON pointer from the form's target, like `/load/rate`; of a choice, the pointer of its tag.
    pub pointer: String,
    /// What it may hold.
    pub field: &'static Field,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.pointer == other.pointer && std::ptr::eq(self.field, other.field)
    }
}

/// Rows under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The label of a group or a variant; fields that stand alone have none.
    pub heading: Option<Key>,
    /// The label of the chosen option, where there is no other to choose.
    pub option: Option<Key>,
    /// The inputs, in the descriptor's order.
    pub rows: Vec<Row>,
}

/// The form of `object`, whose shape `fields` says.
#[must_use]
pub fn sections(fields: &'static [Field], object: &Value) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for field in fields {
        let rows = inputs(leaves(std::slice::from_ref(field), object));
        match &field.value {
            ValueType::Group { .. } => sections.push(Section { heading: Some(field.label), option: None, rows }),
            ValueType::Variant { tag, options } => {
                let object = object.get(field.name).and_then(Value::as_object);
                let option =
                    object.and_then(|object| chosen(tag, options, object)).filter(|_| is_settled(field, options));
                let option = option.map(|option| option.label);
                sections.push(Section { heading: Some(field.label), option, rows });
            }
            _ => match sections.last_mut().filter(|section| section.heading.is_none()) {
                Some(section) => section.rows.extend(rows),
                None => sections.push(Section { heading: None, option: None, rows }),
            },
        }
    }
    sections
}

/// Whether a choice leaves nothing to choose: it must be made and has one option.
fn is_settled(field: &Field, options: &[VariantOption]) -> bool {
    options.len() == 1 && field.presence != Presence::Optional
}

/// The rows that take an input: of a choice among one there is nothing to choose, unless the document chose none.
fn inputs(leaves: Vec<Leaf>) -> Vec<Row> {
    let followed: Vec<_> = leaves.iter().map(|leaf| leaf.pointer.clone()).collect();
    let row = |leaf: Leaf| match &leaf.field.value {
        ValueType::Variant { tag, options } => {
            let prefix = format!("{}/", leaf.pointer);
            let settled =
                is_settled(leaf.field, options) && followed.iter().any(|pointer| pointer.starts_with(&prefix));
            (!settled).then(|| Row { pointer: format!("{prefix}{tag}"), field: leaf.field })
        }
        _ => Some(Row { pointer: leaf.pointer, field: leaf.field }),
    };
    leaves.into_iter().filter_map(row).collect()
}

/// A pointer as the name of an input: `/load/rate` is `load.rate`.
#[must_use]
pub fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// A field's value as an input shows it; nothing where there is none.
#[must_use]
pub fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The change that writes what was typed into a row; `None` where nothing of the kind can be chosen. `object` is all of the
/// target as it is: an option that is chosen keeps what it shares with the one before.
#[must_use]
pub fn typed(target: &Target, row: &Row, text: &str, object: &Value) -> Option<Change> {
    let (target, pointer) = (target.clone(), row.pointer.as_str());
    let whole = match &row.field.value {
        ValueType::Variant { tag, .. } => pointer.strip_suffix(tag)?.strip_suffix('/')?,
        _ => pointer,
    };
    if text.trim().is_empty() && row.field.presence == Presence::Optional {
        return Some(Change::unset(target, whole));
    }
    match &row.field.value {
        ValueType::Integer { .. } => {
            let value = text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
            Some(Change::set(target, pointer, value))
        }
        ValueType::Variant { tag, options } => {
            let option = options.iter().find(|option| option.id == text)?;
            let before = object.pointer(whole).unwrap_or(&Value::Null);
            Some(Change::set(target, whole, option.value_after(tag, before)))
        }
        _ => Some(Change::set(target, pointer, Value::from(text))),
    }
}

/// The canonical spelling of what a field holds, where it has one and this is not it.
#[must_use]
pub fn tidied(field: &Field, text: &str) -> Option<String> {
    let ValueType::Quantity { dimension, .. } = &field.value else {
        return None;
    };
    let canonical = dimension.print(dimension.parse(text).ok()?);
    (canonical != text).then_some(canonical)
}
