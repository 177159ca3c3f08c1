//! What a message carries.

use std::ops::Deref;

use bytes::Bytes;
use hopscope_scenario::model::Content;

/// The bytes of a message, and how they say what they say. Cloning is cheap.
///
/// Every protocol has a place of its own for the latter, where it stands as a media type; it is handed on as it came, with
/// the bytes. What no scenario writes is taken for [`Content::Binary`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// How they say it.
    pub content: Content,
    /// The bytes.
    pub bytes: Bytes,
    /// 0 to 9: which come first in queues that heed it. Handed on from queue to queue; calls carry none.
    pub priority: u8,
    /// What it is about, for what keeps alike together: a topic's partitions. Handed on from topic to topic; calls and queues
    /// carry none.
    pub key: Option<Bytes>,
}

impl Body {
    /// The body that came with this media type, if it came with one.
    #[must_use]
    pub fn arrived(media_type: Option<&str>, bytes: Bytes) -> Self {
        let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let is = |content: &Content| essence.eq_ignore_ascii_case(type_of(*content).0);
        let content = [Content::Json, Content::Text].into_iter().find(is).unwrap_or_default();
        Self { content, bytes, priority: 0, key: None }
    }

    /// The media type that it travels with.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        type_of(self.content).1
    }
}

/// The media type without its parameters, and as it is written.
const fn type_of(content: Content) -> (&'static str, &'static str) {
    match content {
        Content::Json => ("application/json", "application/json"),
        Content::Text => ("text/plain", "text/plain; charset=utf-8"),
        Content::Binary => ("application/octet-stream", "application/octet-stream"),
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Binary, bytes, priority: 0, key: None }
    }
}

impl Deref for Body {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives_as_that() {
        for content in [Content::Json, Content::Text, Content::Binary] {
            let sent = Body { content, bytes: Bytes::from_static(b"x"), priority: 0, key: None };
            assert_eq!(Body::arrived(Some(sent.media_type()), sent.bytes.clone()), sent);
        }
    }

    #[test]
    fn other_programs_spell_it_otherwise() {
        for (media_type, content) in [
            (Some("Application/JSON;charset=UTF-8"), Content::Json),
            (Some("text/plain"), Content::Text),
            (Some("text/html"), Content::Binary),
            (Some(""), Content::Binary),
            (None, Content::Binary),
        ] {
            assert_eq!(Body::arrived(media_type, Bytes::new()).content, content);
        }
    }
}
