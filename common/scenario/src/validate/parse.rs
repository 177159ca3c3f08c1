//! Text to JSON, strictly: an object that has a field twice is refused, where most readers silently keep the last.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one JSON value.
pub(super) fn strict(text: &str) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    // The text's own length bounds what it comes to.
    let allowance = Allowance::new(u64::MAX);
    let value = Strict(&allowance).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// What an object costs of an [`Allowance`]: it takes so many times the memory of a number.
const OBJECT: u64 = 8;

/// How many values may be read: two bytes of text can be a value of 72 in memory, so that a text's length alone does not bound
/// what reading it takes.
#[derive(Debug)]
pub struct Allowance {
    left: Cell<u64>,
    spent: Cell<bool>,
}

impl Allowance {
    /// So many numbers or texts; an object counts as eight, beside its values.
    #[must_use]
    pub const fn new(values: u64) -> Self {
        Self { left: Cell::new(values), spent: Cell::new(false) }
    }

    /// Whether there were more.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.spent.get()
    }

    fn spend<E: Error>(&self, values: u64) -> Result<(), E> {
        match self.left.get().checked_sub(values) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.spent.set(true);
                Err(E::custom("there are too many values"))
            }
        }
    }
}

/// Reads JSON of which no object has a field twice, by any reader of serde's, as long as the allowance lasts.
#[derive(Clone, Copy, Debug)]
pub struct Strict<'a>(pub &'a Allowance);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.spend(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.0.spend(OBJECT)?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the field \"{}\" is written twice",
                    super::walk::short(&key)
                )));
            }
            object.insert(key, access.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}
