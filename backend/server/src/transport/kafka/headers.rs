//! What a record says in its headers, and back.

use bytes::Bytes;
use hopscope_record::RunKey;
use hopscope_record::trace_context::{Identity, TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use rdkafka::message::{Header, Headers as _, Message, OwnedHeaders};

use crate::transport::{Body, Outgoing};

/// The header of a body's media type.
const CONTENT_TYPE: &str = "content-type";

/// The headers of a record that is sent.
pub(super) fn of(outgoing: &Outgoing, run_key: RunKey) -> OwnedHeaders {
    let Outgoing { identity, body, .. } = outgoing;
    OwnedHeaders::new_with_capacity(3)
        .insert(Header { key: TRACEPARENT, value: Some(&identity.traceparent(run_key)[..]) })
        .insert(Header { key: TRACESTATE, value: Some(identity.tracestate().as_bytes()) })
        .insert(Header { key: CONTENT_TYPE, value: Some(body.media_type()) })
}

/// What the headers claim.
pub(super) fn claimed(message: &impl Message) -> (Option<TraceParent>, Option<Identity>) {
    let traceparent = header(message, TRACEPARENT).and_then(TraceParent::parse);
    (traceparent, header(message, TRACESTATE).and_then(parse_tracestate))
}

/// What a record carries.
pub(super) fn body(message: &impl Message) -> Body {
    let media_type = header(message, CONTENT_TYPE).and_then(|text| std::str::from_utf8(text).ok());
    let bytes = Bytes::copy_from_slice(message.payload().unwrap_or_default());
    Body { key: message.key().map(Bytes::copy_from_slice), ..Body::arrived(media_type, bytes) }
}

/// The first header of this name.
fn header<'a>(message: &'a impl Message, name: &str) -> Option<&'a [u8]> {
    message.headers()?.iter().find(|header| header.key == name)?.value
}
