//! Parts of the model that a plan carries as they are written.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A `T` as JSON: who runs a plan reads it, and who only looks into the plan's tables brings no code for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Described<T> {
    json: Value,
    of: PhantomData<T>,
}

impl<T> Described<T> {
    /// Written so.
    pub(super) const fn new(json: Value) -> Self {
        Self { json, of: PhantomData }
    }
}

impl<T: Serialize> Described<T> {
    /// As this is written.
    #[must_use]
    pub fn of(value: &T) -> Self {
        // A model is made of nothing that JSON has not.
        Self::new(serde_json::to_value(value).unwrap_or_default())
    }
}

impl<T: DeserializeOwned> Described<T> {
    /// What is described.
    ///
    /// # Errors
    /// When this is not written as a `T` is, which happens only in plans that were not compiled here.
    pub fn read(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.json)
    }
}
