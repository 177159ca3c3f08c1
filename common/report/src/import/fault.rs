//! What makes a document no recording that can be imported: where, what is wrong, and what to do.

use hopscope_scenario::catalogue::{Arg, Args, Key, Language, plain};
use hopscope_scenario::text;

/// Defines the codes: variant, name. The names are part of the API; the texts are the catalogue's `import.NAME.message`
/// and `import.NAME.remedy`.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $message:literal, $remedy:literal;)*) => {
        /// What is wrong with a document.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Its name in the API, like `not-sorted`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn texts(self) -> (Key, Key) {
                match self {
                    $(Self::$variant => (text!($message), text!($remedy)),)*
                }
            }
        }
    };
}

codes! {
    /// The text is not JSON. Args: line, column, reason.
    NotJson, "not-json", "import.not-json.message", "import.not-json.remedy";
    /// `format` names another format. Args: value, known.
    NotARecording, "not-a-recording", "import.not-a-recording.message", "import.not-a-recording.remedy";
    /// `version` is none that this build reads. Args: value, known.
    UnknownVersion, "unknown-version", "import.unknown-version.message", "import.unknown-version.remedy";
    /// A field that must be there is not. Args: field.
    Missing, "missing", "import.missing.message", "import.missing.remedy";
    /// A field that has no meaning here. Args: field.
    UnknownField, "unknown-field", "import.unknown-field.message", "import.unknown-field.remedy";
    /// A field comes twice. Args: field.
    Twice, "twice", "import.twice.message", "import.twice.remedy";
    /// A value that cannot stand here. Args: value, expected.
    BadValue, "bad-value", "import.bad-value.message", "import.bad-value.remedy";
    /// The run's settings are not those of a run. Args: reason.
    BadSettings, "bad-settings", "import.bad-settings.message", "import.bad-settings.remedy";
    /// An event is earlier than the one before it. Args: time, before.
    NotSorted, "not-sorted", "import.not-sorted.message", "import.not-sorted.remedy";
    /// Something stands after the events, or they come too early. Args: field.
    EventsNotLast, "events-not-last", "import.events-not-last.message", "import.events-not-last.remedy";
    /// A part is longer than any recording has it. Args: max.
    TooLarge, "too-large", "import.too-large.message", "import.too-large.remedy";
    /// More values stand before the events than any recording has there. Args: max.
    TooMany, "too-many", "import.too-many.message", "import.too-many.remedy";
}

/// One fault of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What is wrong.
    pub code: Code,
    /// Where: a JSON pointer (RFC 6901) into the document; empty for the whole of it.
    pub path: String,
    args: Args,
}

impl Fault {
    pub(super) fn new<const N: usize>(code: Code, path: impl Into<String>, args: [(&str, Arg); N]) -> Self {
        let args = args.into_iter().map(|(name, arg)| (name.to_owned(), arg)).collect();
        Self { code, path: path.into(), args }
    }

    pub(super) fn missing(parent: &str, field: &str) -> Self {
        Self::new(Code::Missing, below(parent, field), [("field", field.into())])
    }

    pub(super) fn unknown(parent: &str, field: &str) -> Self {
        Self::new(Code::UnknownField, below(parent, field), [("field", short(field).into())])
    }

    pub(super) fn value(path: impl Into<String>, found: &str, expected: Key) -> Self {
        Self::new(Code::BadValue, path, [("value", short(found).into()), ("expected", expected.into())])
    }

    /// What is wrong, as plain text.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        plain(language, self.code.texts().0, &self.args)
    }

    /// What to do about it, as plain text.
    #[must_use]
    pub fn remedy(&self, language: Language) -> String {
        plain(language, self.code.texts().1, &self.args)
    }
}

/// The pointer to a field below another.
pub(super) fn below(parent: &str, field: &str) -> String {
    format!("{parent}/{}", short(field).replace('~', "~0").replace('/', "~1"))
}

/// At most 80 characters of a text, so that a fault stays small whatever the document holds.
fn short(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
