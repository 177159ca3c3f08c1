//! What an attribute, class, style, property or text holds.

use hopscope_view::format::plain;
use leptos::prelude::{Get, Memo, RwSignal, Signal};

/// A value, or how it is come by.
pub(crate) enum Value {
    /// None: the attribute is not there.
    Nothing,
    /// The attribute is there, or not; the class applies, or not.
    Flag(bool),
    /// Words of the program.
    Constant(&'static str),
    /// Words made at run time.
    Text(String),
    /// Asked for anew whenever a signal that it read has changed.
    Live(Box<dyn FnMut() -> Value + Send>),
}

impl Value {
    /// The words; none where there is nothing, empty words where a flag is set.
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Nothing | Self::Flag(false) | Self::Live(_) => None,
            Self::Flag(true) => Some(""),
            Self::Constant(words) => Some(words),
            Self::Text(words) => Some(words),
        }
    }

    /// Whether both come to the same; what is live never does.
    pub(super) fn same(&self, other: &Self) -> bool {
        !matches!(self, Self::Live(_)) && !matches!(other, Self::Live(_)) && self.words() == other.words()
    }
}

/// What can be an attribute's value.
pub(crate) trait IntoValue {
    /// As a value.
    fn into_value(self) -> Value;
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Flag(self)
    }
}

impl IntoValue for &'static str {
    fn into_value(self) -> Value {
        Value::Constant(self)
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

/// For drawings.
impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Text(plain(self).to_string())
    }
}

/// Whole numbers are written as Rust prints them.
macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl IntoValue for $number {
            fn into_value(self) -> Value {
                Value::Text(self.to_string())
            }
        })*
    };
}

numbers!(i64, u8, u16, u32, u64, usize);

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Nothing, T::into_value)
    }
}

impl<F, T> IntoValue for F
where
    F: FnMut() -> T + Send + 'static,
    T: IntoValue,
{
    fn into_value(mut self) -> Value {
        Value::Live(Box::new(move || self().into_value()))
    }
}

impl<T: IntoValue + Clone + Send + Sync + 'static> IntoValue for Memo<T> {
    fn into_value(self) -> Value {
        Value::Live(Box::new(move || self.get().into_value()))
    }
}

impl<T: IntoValue + Clone + Send + Sync + 'static> IntoValue for Signal<T> {
    fn into_value(self) -> Value {
        Value::Live(Box::new(move || self.get().into_value()))
    }
}

impl<T: IntoValue + Clone + Send + Sync + 'static> IntoValue for RwSignal<T> {
    fn into_value(self) -> Value {
        Value::Live(Box::new(move || self.get().into_value()))
    }
}
