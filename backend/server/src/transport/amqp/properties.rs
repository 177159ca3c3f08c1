//! What a message says in its properties, and back.

use bytes::Bytes;
use hopscope_record::RunKey;
use hopscope_record::kind::{Deaths, QueueCause};
use hopscope_record::trace_context::{Identity, TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::transport::{Answers, Body, Outgoing, Reply, ReplyTo, Verdict, http_status};

/// The header in which a reply says how it went: HTTP's status, for AMQP has none.
const STATUS: &str = "hs-status";

/// AMQP's delivery mode of a message that a durable queue has again after its broker was started again.
const PERSISTENT: u8 = 2;

/// The properties of a message that is sent. `reply_to` is the queue that its reply is awaited from.
/// `persistent`: whether it is to outlive its broker; `extra`: headers that an exchange goes by.
pub(super) fn of(
    outgoing: &Outgoing,
    run_key: RunKey,
    reply_to: Option<&str>,
    extra: &[(String, String)],
    persistent: bool,
) -> BasicProperties {
    let identity = &outgoing.identity;
    let mut headers = FieldTable::default();
    headers.insert(TRACEPARENT.into(), text(&identity.traceparent(run_key)));
    headers.insert(TRACESTATE.into(), text(identity.tracestate().as_bytes()));
    for (name, value) in extra {
        headers.insert(name.as_str().into(), text(value.as_bytes()));
    }
    let mut properties = BasicProperties::default().with_content_type(outgoing.body.media_type().into());
    if persistent {
        properties = properties.with_delivery_mode(PERSISTENT);
    }
    if outgoing.body.priority > 0 {
        properties = properties.with_priority(outgoing.body.priority);
    }
    if let Some(Answers { correlation, verdict }) = &outgoing.answers {
        headers.insert(STATUS.into(), AMQPValue::LongInt(i32::from(http_status(*verdict))));
        properties = properties.with_correlation_id(correlation.as_str().into());
    } else if let Some(queue) = reply_to {
        let correlation = correlation(identity);
        properties = properties.with_reply_to(queue.into()).with_correlation_id(correlation.as_str().into());
    }
    properties.with_headers(headers)
}

/// What a reply to this message names: its span id.
pub(super) fn correlation(identity: &Identity) -> String {
    format!("{:016x}", identity.message.0)
}

/// The offset of a record that came from a stream.
pub(super) fn offset(properties: &BasicProperties) -> Option<u64> {
    match properties.headers().as_ref()?.inner().get("x-stream-offset")? {
        AMQPValue::LongLongInt(offset) => u64::try_from(*offset).ok(),
        _ => None,
    }
}

/// The number of the message that a reply answers, if it is one of ours.
pub(super) fn answered(properties: &BasicProperties) -> Option<u64> {
    u64::from_str_radix(properties.correlation_id().as_ref()?.as_str(), 16).ok()
}

/// What the headers claim.
pub(crate) fn claimed(properties: &BasicProperties) -> (Option<TraceParent>, Option<Identity>) {
    let header = |name: &str| properties.headers().as_ref().and_then(|headers| bytes_of(headers.inner().get(name)?));
    (header(TRACEPARENT).and_then(TraceParent::parse), header(TRACESTATE).and_then(parse_tracestate))
}

/// What a message carries.
pub(super) fn body(properties: &BasicProperties, bytes: Bytes) -> Body {
    let body = Body::arrived(properties.content_type().as_ref().map(|media_type| media_type.as_str()), bytes);
    Body { priority: properties.priority().unwrap_or(0), ..body }
}

/// The header in which brokers write which queues a message left as a dead letter.
const DEATHS: &str = "x-death";

/// Most entries of it that are told: one for each queue and reason, and no scenario has many in a row.
const MOST_DEATHS: usize = 16;

/// The queues that a message left as a dead letter, the newest first, with how often and why.
pub(super) fn deaths(properties: &BasicProperties) -> Vec<(String, Deaths)> {
    let Some(headers) = properties.headers() else { return Vec::new() };
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get(DEATHS) else { return Vec::new() };
    let death = |death: &AMQPValue| {
        let AMQPValue::FieldTable(death) = death else { return None };
        let text = |name: &str| death.inner().get(name).and_then(bytes_of);
        let count = match death.inner().get("count") {
            Some(AMQPValue::LongLongInt(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
            _ => 1,
        };
        let cause = match text("reason") {
            Some(b"rejected") => QueueCause::REJECTED,
            Some(b"maxlen") => QueueCause::MAX_LENGTH,
            Some(b"expired") if death.contains_key("original-expiration") => QueueCause::MESSAGE_TTL,
            Some(b"expired") => QueueCause::QUEUE_TTL,
            _ => QueueCause::NONE,
        };
        Some((String::from_utf8_lossy(text("queue")?).into_owned(), Deaths { count, cause }))
    };
    deaths.as_slice().iter().filter_map(death).take(MOST_DEATHS).collect()
}

/// How the sender wants its reply, if it does.
pub(super) fn reply_to(properties: &BasicProperties) -> Option<ReplyTo> {
    let queue = properties.reply_to().as_ref()?.as_str().to_owned();
    let correlation = properties.correlation_id().as_ref().map_or("", |id| id.as_str()).to_owned();
    Some(ReplyTo { queue, correlation })
}

/// What a reply says. One without a status is a good one.
pub(super) fn reply(properties: &BasicProperties, body: Bytes) -> Reply {
    let stated = properties.headers().as_ref().and_then(|headers| match headers.inner().get(STATUS)? {
        AMQPValue::LongInt(status) => u16::try_from(*status).ok(),
        AMQPValue::ShortInt(status) => u16::try_from(*status).ok(),
        AMQPValue::LongLongInt(status) => u16::try_from(*status).ok(),
        _ => None,
    });
    let status = stated.unwrap_or_else(|| http_status(Verdict::Good));
    let verdict = match status {
        200..=299 => Verdict::Good,
        503 => Verdict::Refused,
        _ => Verdict::Failed,
    };
    Reply { verdict, status, body, position: None }
}

fn text(bytes: &[u8]) -> AMQPValue {
    AMQPValue::LongString(bytes.into())
}

fn bytes_of(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        AMQPValue::ShortString(text) => Some(text.as_str().as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hopscope_record::{LinkIndex, MessageId, SourceId, TraceId};

    use super::*;
    use crate::transport::Carried;

    fn outgoing(answers: Option<Answers>) -> Outgoing {
        let identity = Identity {
            trace: TraceId::new(SourceId(3), 9),
            message: MessageId::new(SourceId(3), 10, 1),
            link: LinkIndex(2),
        };
        Outgoing {
            identity,
            body: Body::arrived(Some("application/json"), Bytes::new()),
            answers,
            progress: None,
            carried: Carried::default(),
        }
    }

    #[test]
    fn identity_and_reply_address_come_back() {
        let sent = outgoing(None);
        let properties = of(&sent, RunKey(5), Some("answers"), &[], false);
        assert_eq!(body(&properties, Bytes::new()), sent.body);
        let (traceparent, hs) = claimed(&properties);
        assert_eq!(hs, Some(sent.identity));
        assert_eq!(traceparent.map(|parent| (parent.high, parent.low)), Some((5, sent.identity.trace.0)));
        let back = reply_to(&properties).unwrap();
        assert_eq!(back, ReplyTo { queue: "answers".into(), correlation: correlation(&sent.identity) });
        let answers = Answers { correlation: back.correlation, verdict: Verdict::Failed };
        let answering = of(&outgoing(Some(answers)), RunKey(5), None, &[], false);
        assert_eq!(answered(&answering), Some(sent.identity.message.0));
        assert_eq!(reply(&answering, Bytes::new()).status, 500);
        assert_eq!(reply_to(&answering), None);
    }

    #[test]
    fn a_foreign_reply_without_status_is_good_and_a_foreign_correlation_answers_nothing() {
        let foreign = BasicProperties::default().with_correlation_id("order 7".into());
        assert_eq!(answered(&foreign), None);
        assert_eq!(reply(&foreign, Bytes::new()).verdict, Verdict::Good);
        assert_eq!(claimed(&foreign), (None, None));
    }
}
