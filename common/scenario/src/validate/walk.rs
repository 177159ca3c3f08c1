//! One object of the document against its fields.

use serde_json::{Map, Value};

use super::issues::Issues;
use crate::catalogue::{Arg, Key};
use crate::fields::{Field, ValueType, VariantOption, chosen};
use crate::issue::{Code, Issue};
use crate::quantity::Dimension;
use crate::shape::is_id;
use crate::steps::{STEP_TAG, STEPS};
use crate::text;

/// Where the walk is: a chain of steps on the stack, printed only where an Issue needs it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) fn root() -> Self {
        Path { parent: None, step: Step::Root }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// One step up; the root's parent is the root.
    pub(super) fn parent(&self) -> &Path<'a> {
        self.parent.unwrap_or(self)
    }

    /// The JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut text = self.parent.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                text.push('/');
                text.push_str(&short(key).replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => text.push_str(&format!("/{index}")),
        }
        text
    }
}

/// At most 80 characters of a text, so that an Issue stays small whatever the document holds.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value for a message: a text as it is, a number or word as JSON, lists and objects by their type.
pub(super) fn shown(value: &Value) -> Arg {
    match value {
        Value::String(text) => short(text).into(),
        Value::Array(_) | Value::Object(_) => type_name(value).into(),
        other => short(&other.to_string()).into(),
    }
}

fn type_name(value: &Value) -> Key {
    match value {
        Value::Null => text!("json.null"),
        Value::Bool(_) => text!("json.boolean"),
        Value::Number(_) => text!("json.number"),
        Value::String(_) => text!("json.string"),
        Value::Array(_) => text!("json.array"),
        Value::Object(_) => text!("json.object"),
    }
}

pub(super) fn wrong_type(issues: &mut Issues, path: &Path<'_>, label: Key, found: &Value, expected: Key) {
    let args = [("label", label.into()), ("found", type_name(found).into()), ("expected", expected.into())];
    issues.push(Issue::new(Code::WrongType, path.pointer(), args));
}

pub(super) fn missing(issues: &mut Issues, object: &Path<'_>, field: &str) {
    let args = [("field", field.into())];
    let path = object.key(field).pointer();
    issues.push(Issue::new(Code::MissingField, path, args));
}

/// A list of the document that may be left out.
pub(super) fn list_of<'v>(
    issues: &mut Issues,
    path: &Path<'_>,
    object: &'v Map<String, Value>,
    name: &str,
    label: Key,
) -> &'v [Value] {
    match object.get(name) {
        None => {
            missing(issues, path, name);
            &[]
        }
        Some(Value::Array(items)) => items,
        Some(other) => {
            wrong_type(issues, &path.key(name), label, other, text!("json.array"));
            &[]
        }
    }
}

/// Checks an object against groups of fields; `others` are keys that the caller checks.
pub(super) fn check_object(
    issues: &mut Issues,
    path: &Path<'_>,
    object: &Map<String, Value>,
    fields: impl IntoIterator<Item = &'static Field>,
    others: &[&str],
) {
    check_fields(issues, path, object, &fields.into_iter().collect::<Vec<_>>(), others);
}

/// One function for fields wherever they come from: code for each would weigh on the page.
fn check_fields(
    issues: &mut Issues,
    path: &Path<'_>,
    object: &Map<String, Value>,
    fields: &[&'static Field],
    others: &[&str],
) {
    let fields = || fields.iter().copied();
    for key in object.keys() {
        let known = others.contains(&key.as_str()) || fields().any(|field| field.name == key);
        if !known {
            let names: Vec<_> = others.iter().copied().chain(fields().map(|field| field.name)).collect();
            let args = [("field", short(key).into()), ("known", names.join(", ").into())];
            issues.push(Issue::new(Code::UnknownField, path.key(key).pointer(), args));
        }
    }
    for field in fields() {
        match object.get(field.name) {
            Some(value) => check_value(issues, &path.key(field.name), field, value),
            None if field.is_required() => missing(issues, path, field.name),
            None => {}
        }
    }
}

/// Checks only these fields, for an object whose tag is unknown: what its other keys mean is unknown too.
pub(super) fn check_known(issues: &mut Issues, path: &Path<'_>, object: &Map<String, Value>, fields: &'static [Field]) {
    for field in fields {
        match object.get(field.name) {
            Some(value) => check_value(issues, &path.key(field.name), field, value),
            None if field.is_required() => missing(issues, path, field.name),
            None => {}
        }
    }
}

fn check_value(issues: &mut Issues, path: &Path<'_>, field: &Field, value: &Value) {
    match (&field.value, value) {
        (ValueType::Integer { min, max }, Value::Number(number)) => {
            if number.is_f64() {
                wrong_type(issues, path, field.label, value, text!("json.integer"));
            } else if !number.as_i64().is_some_and(|n| (*min..=*max).contains(&n)) {
                out_of_range(issues, path, field, &number.to_string(), &min.to_string(), &max.to_string());
            }
        }
        (ValueType::Integer { .. }, _) => {
            wrong_type(issues, path, field.label, value, text!("json.integer"));
        }
        (ValueType::Quantity { dimension, min, max }, Value::String(text)) => {
            check_quantity(issues, path, field, text, *dimension, (*min, *max));
        }
        (ValueType::Quantity { dimension: Dimension::Number, .. }, _) => {
            wrong_type(issues, path, field.label, value, text!("json.decimal"));
        }
        (ValueType::Quantity { .. }, _) => {
            wrong_type(issues, path, field.label, value, text!("json.quantity"));
        }
        (ValueType::Text { min_chars, max_chars, multiline }, Value::String(text)) => {
            check_text(issues, path, field, text, (*min_chars, *max_chars), *multiline);
        }
        (ValueType::Id, Value::String(text)) => {
            if !is_id(text) {
                let args = [("value", short(text).into())];
                issues.push(Issue::new(Code::BadId, path.pointer(), args));
            }
        }
        (ValueType::Node { .. }, Value::String(text)) => {
            if !is_id(text) {
                let args = [("value", short(text).into())];
                issues.push(Issue::new(Code::BadId, path.pointer(), args));
            }
        }
        (ValueType::Choice { options }, Value::String(text)) => {
            if !options.iter().any(|option| option.id == text) {
                let known: Vec<_> = options.iter().map(|option| option.id).collect();
                let args =
                    [("label", field.label.into()), ("value", short(text).into()), ("known", known.join(", ").into())];
                issues.push(Issue::new(Code::UnknownChoice, path.pointer(), args));
            }
        }
        (ValueType::Text { .. } | ValueType::Id | ValueType::Node { .. } | ValueType::Choice { .. }, _) => {
            wrong_type(issues, path, field.label, value, text!("json.string"));
        }
        (ValueType::Group { fields }, Value::Object(object)) => {
            check_object(issues, path, object, *fields, &[]);
        }
        (ValueType::Variant { tag, options }, Value::Object(object)) => {
            check_variant(issues, path, field.label, tag, options, object);
        }
        (ValueType::List { fields, min, max }, Value::Array(items)) => {
            if !(*min..=*max).contains(&items.len()) {
                out_of_range(issues, path, field, &items.len().to_string(), &min.to_string(), &max.to_string());
            }
            for (index, item) in items.iter().enumerate() {
                match item {
                    Value::Object(object) => check_object(issues, &path.index(index), object, *fields, &[]),
                    _ => wrong_type(issues, &path.index(index), field.label, item, text!("json.object")),
                }
            }
        }
        (ValueType::Steps, Value::Array(steps)) => {
            for (index, step) in steps.iter().enumerate() {
                match step {
                    Value::Object(object) => {
                        check_variant(issues, &path.index(index), field.label, STEP_TAG, STEPS, object);
                    }
                    _ => wrong_type(issues, &path.index(index), field.label, step, text!("json.object")),
                }
            }
        }
        (ValueType::List { .. } | ValueType::Steps, _) => {
            wrong_type(issues, path, field.label, value, text!("json.array"));
        }
        (ValueType::Group { .. } | ValueType::Variant { .. }, _) => {
            wrong_type(issues, path, field.label, value, text!("json.object"));
        }
    }
}

fn out_of_range(issues: &mut Issues, path: &Path<'_>, field: &Field, value: &str, min: &str, max: &str) {
    let args = [("label", field.label.into()), ("value", value.into()), ("min", min.into()), ("max", max.into())];
    issues.push(Issue::new(Code::OutOfRange, path.pointer(), args));
}

fn check_quantity(
    issues: &mut Issues,
    path: &Path<'_>,
    field: &Field,
    text: &str,
    dimension: Dimension,
    (min, max): (u64, u64),
) {
    match dimension.parse(text) {
        Ok(base) if (min..=max).contains(&base) => {}
        Ok(_) => {
            let (min, max) = (dimension.print(min), dimension.print(max));
            out_of_range(issues, path, field, &short(text), &min, &max);
        }
        Err(_) => {
            let example = match field.default_value() {
                Some(Value::String(example)) => example,
                _ => dimension.print(max),
            };
            let args =
                [("value", short(text).into()), ("units", dimension.allowed().into()), ("example", example.into())];
            let code = if dimension == Dimension::Number { Code::BadNumber } else { Code::BadQuantity };
            issues.push(Issue::new(code, path.pointer(), args));
        }
    }
}

fn check_text(
    issues: &mut Issues,
    path: &Path<'_>,
    field: &Field,
    text: &str,
    (min, max): (usize, usize),
    multiline: bool,
) {
    let count = text.chars().count();
    let blank = min > 0 && text.trim().is_empty();
    if blank || count > max {
        let count = if blank { 0 } else { count };
        let args = [
            ("label", field.label.into()),
            ("count", count.to_string().into()),
            ("min", min.to_string().into()),
            ("max", max.to_string().into()),
        ];
        issues.push(Issue::new(Code::TextLength, path.pointer(), args));
    }
    if text.chars().any(|c| c.is_control() && !(multiline && c == '\n')) {
        let args = [("label", field.label.into())];
        issues.push(Issue::new(Code::ControlCharacter, path.pointer(), args));
    }
}

pub(super) fn check_variant(
    issues: &mut Issues,
    path: &Path<'_>,
    label: Key,
    tag: &'static str,
    options: &'static [VariantOption],
    object: &Map<String, Value>,
) {
    let at = path.key(tag);
    match object.get(tag) {
        None => missing(issues, path, tag),
        Some(value @ Value::String(_)) => match chosen(tag, options, object) {
            Some(option) => check_object(issues, path, object, option.fields, &[tag]),
            None => {
                let known: Vec<_> = options.iter().map(|option| option.id).collect();
                let args = [("label", label.into()), ("value", shown(value)), ("known", known.join(", ").into())];
                issues.push(Issue::new(Code::UnknownChoice, at.pointer(), args));
            }
        },
        Some(other) => wrong_type(issues, &at, label, other, text!("json.string")),
    }
}
