//! Frames to bytes, at the end of a buffer.

use amq_protocol::frame::WriteContext;
use amq_protocol::protocol::basic::gen_properties;
use amq_protocol::protocol::{AMQPClass, BasicProperties, gen_class};
use bytes::Bytes;

use super::{BASIC_CLASS, FRAME_OVERHEAD};

const FRAME_END: u8 = 206;

/// A method of a channel.
pub(crate) fn method(out: &mut Vec<u8>, channel: u16, method: &AMQPClass) {
    frame(out, 1, channel, |out| match gen_class(method)(WriteContext::from(Vec::new())) {
        Ok(context) => out.extend_from_slice(&context.write),
        // Writing to memory does not fail; a frame without a method would end the connection at the other side.
        Err(error) => tracing::error!("a method could not be written: {error}"),
    });
}

/// A method that carries a content: the method, its header with `properties` as they are on the wire, and the body in
/// frames of at most `frame_max` bytes.
pub(crate) fn content(
    out: &mut Vec<u8>,
    channel: u16,
    class: &AMQPClass,
    properties: &[u8],
    body: &[u8],
    frame_max: u32,
) {
    method(out, channel, class);
    frame(out, 2, channel, |out| {
        out.extend_from_slice(&BASIC_CLASS.to_be_bytes());
        out.extend_from_slice(&0_u16.to_be_bytes());
        out.extend_from_slice(&(body.len() as u64).to_be_bytes());
        out.extend_from_slice(properties);
    });
    for part in body.chunks(frame_max.saturating_sub(FRAME_OVERHEAD).max(1) as usize) {
        frame(out, 3, channel, |out| out.extend_from_slice(part));
    }
}

/// A heartbeat.
pub(crate) fn heartbeat(out: &mut Vec<u8>) {
    frame(out, 8, 0, |_| ());
}

/// Properties as they are on the wire.
pub(crate) fn properties(properties: &BasicProperties) -> Bytes {
    match gen_properties(properties)(WriteContext::from(Vec::new())) {
        Ok(context) => Bytes::from(context.write),
        Err(error) => {
            tracing::error!("properties could not be written: {error}");
            Bytes::from_static(&[0, 0])
        }
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, channel: u16, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    out.extend_from_slice(&channel.to_be_bytes());
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    payload(out);
    let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(length_at..length_at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    out.push(FRAME_END);
}
