//! What a link says that only its protocol understands.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::TransportError;

/// The fields of a link that its protocol alone has. Nothing between the plan and the transport reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Map<String, Value>);

impl Options {
    /// As a plan's link has them.
    #[must_use]
    pub fn of(fields: &Map<String, Value>) -> Self {
        Self(fields.clone())
    }

    /// What they say to their protocol.
    ///
    /// # Errors
    /// When they are another protocol's.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, TransportError> {
        T::deserialize(Value::Object(self.0.clone())).map_err(TransportError::Options)
    }
}
