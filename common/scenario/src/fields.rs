//! What a document's fields may hold, as data.
//!
//! A [`Field`] is the single source for a form in the inspector, for validation, for defaults and for the published
//! schema. Fields nest: a [`ValueType::Group`] is an object of its own, a [`ValueType::Variant`] an object whose tag
//! chooses its further fields. [`leaves`] flattens them into the rows that a form shows.

use serde_json::{Map, Value};

use crate::catalogue::Key;
use crate::kinds::Kind;
use crate::quantity::Dimension;
use crate::steps::{STEP_TAG, STEPS};

#[cfg(test)]
mod tests;

/// One field of an object in the document.
#[derive(Debug)]
pub struct Field {
    /// Its key in the JSON object.
    pub name: &'static str,
    /// What a form calls it.
    pub label: Key,
    /// What it may hold.
    pub value: ValueType,
    /// What holds where a document leaves it out.
    pub presence: Presence,
}

/// Whether a document must have a field, and what a new node gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Must be written; nothing stands for it.
    Required,
    /// Must be written; what a new node or a newly chosen variant gets.
    RequiredWith(Literal),
    /// May be left out; then this holds, and the canonical document has it written out.
    Default(Literal),
    /// May be left out, which has its own meaning (no bound).
    Optional,
}

/// A default value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A JSON number.
    Integer(i64),
    /// A JSON string: a text, a quantity or a choice.
    Text(&'static str),
    /// An object: the first option of a variant, or a group, with the defaults of its fields.
    Nested,
}

/// What a field may hold.
#[derive(Debug)]
pub enum ValueType {
    /// A JSON integer, both ends included.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A JSON string of number and unit; `min` and `max` in the dimension's base units, both included.
    Quantity {
        /// What it measures.
        dimension: Dimension,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A JSON string.
    Text {
        /// Fewest characters (0 or 1).
        min_chars: usize,
        /// Most characters (Unicode scalar values).
        max_chars: usize,
        /// Whether it may have several lines, for a form.
        multiline: bool,
    },
    /// A JSON string that may be an id ([`crate::shape::is_id`]).
    Id,
    /// A JSON string: the id of one of these.
    Choice {
        /// At least two.
        options: &'static [ChoiceOption],
    },
    /// A JSON string: the id of a node of this kind.
    Node {
        /// Which.
        kind: Kind,
    },
    /// An object of fields.
    Group {
        /// Its fields.
        fields: &'static [Field],
    },
    /// A list of objects of these fields.
    List {
        /// Those of each.
        fields: &'static [Field],
        /// Fewest objects.
        min: usize,
        /// Most objects.
        max: usize,
    },
    /// A list of steps ([`crate::steps::STEPS`]); the descriptors are one list, so that steps may hold steps.
    Steps,
    /// An object whose `tag` names one of the options and which has that option's fields beside it.
    Variant {
        /// The key whose value chooses.
        tag: &'static str,
        /// At least one; the first is the default.
        options: &'static [VariantOption],
    },
}

/// One option of a [`ValueType::Choice`].
#[derive(Debug)]
pub struct ChoiceOption {
    /// The value.
    pub id: &'static str,
    /// What a form calls it.
    pub label: Key,
}

/// One option of a [`ValueType::Variant`].
#[derive(Debug)]
pub struct VariantOption {
    /// The value of the tag.
    pub id: &'static str,
    /// What a form calls it.
    pub label: Key,
    /// The option's own fields.
    pub fields: &'static [Field],
}

impl Field {
    /// What a new node gets for this field; `None` where it gets nothing.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        match self.presence {
            Presence::Required | Presence::Optional => None,
            Presence::RequiredWith(literal) | Presence::Default(literal) => Some(self.literal(literal)),
        }
    }

    /// Whether a document must have it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required | Presence::RequiredWith(_))
    }

    fn literal(&self, literal: Literal) -> Value {
        match (literal, &self.value) {
            (Literal::Integer(number), _) => Value::from(number),
            (Literal::Text(text), _) => Value::from(text),
            (Literal::Nested, ValueType::Group { fields }) => Value::Object(defaults(fields)),
            (Literal::Nested, ValueType::Variant { tag, options }) => {
                options.first().map_or(Value::Null, |option| option.default_value(tag))
            }
            (Literal::Nested, _) => Value::Null,
        }
    }
}

impl VariantOption {
    /// The option's object with its defaults. `tag` is the variant's.
    #[must_use]
    pub fn default_value(&self, tag: &str) -> Value {
        self.value_after(tag, &Value::Null)
    }

    /// The option's object as a form writes it when a person chooses it in place of `before`, another option's object: what
    /// that says of fields that this one has too stays, faulty or not, and the others have their defaults.
    #[must_use]
    pub fn value_after(&self, tag: &str, before: &Value) -> Value {
        let mut object = Map::new();
        object.insert(tag.to_owned(), Value::from(self.id));
        for field in self.fields {
            if let Some(value) = before.get(field.name).cloned().or_else(|| field.default_value()) {
                object.insert(field.name.to_owned(), value);
            }
        }
        Value::Object(object)
    }
}

/// An object with the default of every field that has one.
#[must_use]
pub fn defaults(fields: &[Field]) -> Map<String, Value> {
    fields.iter().filter_map(|field| Some((field.name.to_owned(), field.default_value()?))).collect()
}

/// One row of a form.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// JSON pointer from the object that has the fields, like `/work/mean`.
    pub pointer: String,
    /// The field; a [`ValueType::Variant`] stands for the choice of its tag (at `pointer` + `/` + tag) and is followed
    /// by the rows of the chosen option. Groups have no row of their own. Lists and
    /// steps have none: a form shows them in a way of their own.
    pub field: &'static Field,
}

/// The rows of a form for `object`, in order: groups opened, variants followed into the option that the object chose.
#[must_use]
pub fn leaves(fields: &'static [Field], object: &Value) -> Vec<Leaf> {
    let mut rows = Vec::new();
    collect_leaves(fields, object, "", &mut rows);
    rows
}

fn collect_leaves(fields: &'static [Field], object: &Value, prefix: &str, rows: &mut Vec<Leaf>) {
    for field in fields {
        let pointer = format!("{prefix}/{}", field.name);
        let value = object.get(field.name).unwrap_or(&Value::Null);
        match &field.value {
            ValueType::Group { fields } => collect_leaves(fields, value, &pointer, rows),
            ValueType::Variant { tag, options } => {
                rows.push(Leaf { pointer: pointer.clone(), field });
                let option = value.as_object().and_then(|object| chosen(tag, options, object));
                if let Some(option) = option {
                    collect_leaves(option.fields, value, &pointer, rows);
                }
            }
            ValueType::List { .. } | ValueType::Steps => {}
            _ => rows.push(Leaf { pointer, field }),
        }
    }
}

/// The option that an object's tag names, if it names one.
#[must_use]
pub fn chosen(
    tag: &str,
    options: &'static [VariantOption],
    object: &Map<String, Value>,
) -> Option<&'static VariantOption> {
    let id = object.get(tag)?.as_str()?;
    options.iter().find(|option| option.id == id)
}

/// Writes out what `object` leaves to defaults, at every depth; leaves everything that is there as it is, valid or not.
pub fn complete(fields: &'static [Field], object: &mut Map<String, Value>) {
    for field in fields {
        let Some(value) = object.get_mut(field.name) else {
            if let (Presence::Default(_), Some(value)) = (field.presence, field.default_value()) {
                object.insert(field.name.to_owned(), value);
            }
            continue;
        };
        match &field.value {
            ValueType::Group { fields } => complete_value(fields, value),
            ValueType::List { fields, .. } => for_each(value, |item| complete_value(fields, item)),
            ValueType::Steps => for_each(value, |step| {
                if let Some(option) = step.as_object().and_then(|step| chosen(STEP_TAG, STEPS, step)) {
                    complete_value(option.fields, step);
                }
            }),
            ValueType::Variant { tag, options } => {
                if let Value::Object(inner) = value
                    && let Some(option) = chosen(tag, options, inner)
                {
                    complete(option.fields, inner);
                }
            }
            _ => {}
        }
    }
}

fn complete_value(fields: &'static [Field], value: &mut Value) {
    if let Value::Object(object) = value {
        complete(fields, object);
    }
}

fn for_each(list: &mut Value, change: impl FnMut(&mut Value)) {
    if let Value::Array(items) = list {
        items.iter_mut().for_each(change);
    }
}

/// An object in its canonical form: its fields in the order of their descriptors, quantities in their one spelling. `first` are
/// the fields that others check, which come first; what is of no group is left out. Of a valid object, with its defaults.
#[must_use]
pub fn canonical(first: &[&str], groups: &[&'static [Field]], object: &Map<String, Value>) -> Value {
    let kept = |name: &str| object.get(name).map(|value| (name.to_owned(), value.clone()));
    let mut ordered: Map<String, Value> = first.iter().filter_map(|name| kept(name)).collect();
    for field in groups.iter().copied().flatten() {
        if let Some(value) = object.get(field.name) {
            ordered.insert(field.name.to_owned(), canonical_value(field, value));
        }
    }
    Value::Object(ordered)
}

fn canonical_value(field: &Field, value: &Value) -> Value {
    match (&field.value, value) {
        (ValueType::Quantity { dimension, .. }, Value::String(text)) => {
            dimension.parse(text).map_or_else(|_| value.clone(), |base| dimension.print(base).into())
        }
        (ValueType::Group { fields } | ValueType::List { fields, .. }, Value::Object(object)) => {
            canonical(&[], &[fields], object)
        }
        (ValueType::Variant { tag, options }, Value::Object(object)) => canonical_option(tag, options, object),
        (_, Value::Array(items)) => items.iter().map(|item| canonical_item(field, item)).collect(),
        _ => value.clone(),
    }
}

fn canonical_item(field: &Field, item: &Value) -> Value {
    match (&field.value, item) {
        (ValueType::Steps, Value::Object(step)) => canonical_option(STEP_TAG, STEPS, step),
        _ => canonical_value(field, item),
    }
}

/// An option's object in canonical form: the tag, then its fields in their order.
pub(crate) fn canonical_option(tag: &str, options: &'static [VariantOption], object: &Map<String, Value>) -> Value {
    let fields = chosen(tag, options, object).map_or(&[] as &[_], |option| option.fields);
    canonical(&[tag], &[fields], object)
}
