//! How a connection opens: who the client is, what both agree on.

use amq_protocol::protocol::connection::{Start, StartOk, Tune, TuneOk};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};

use crate::config::Config;
use crate::fault::Fault;
use crate::state::USER;
use crate::wire::short;

/// Least frame size that a client may ask for.
const FRAME_MIN: u32 = 4096;

/// The password of [`USER`].
const PASSWORD: &[u8] = b"guest";

/// What a client can do and calls itself.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Client {
    pub(super) name: String,
    /// Wants `connection.blocked`.
    pub(super) blocked: bool,
    /// Wants `basic.cancel` where a queue goes.
    pub(super) cancel_notify: bool,
    /// Wants a refused login told by `connection.close`.
    pub(super) login_close: bool,
}

/// What both agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Agreed {
    pub(super) channel_max: u16,
    pub(super) frame_max: u32,
    pub(super) heartbeat: u16,
}

/// What the broker says first.
pub(super) fn start() -> Start {
    let mut capabilities = FieldTable::default();
    for name in [
        "publisher_confirms",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "authentication_failure_close",
        "per_consumer_qos",
        "direct_reply_to",
    ] {
        capabilities.insert(short(name), AMQPValue::Boolean(true));
    }
    let mut properties = FieldTable::default();
    properties.insert(short("capabilities"), AMQPValue::FieldTable(capabilities));
    for (name, value) in [("product", "Hopscope"), ("version", env!("CARGO_PKG_VERSION")), ("platform", "Rust")] {
        properties.insert(short(name), AMQPValue::LongString(LongString::from(value)));
    }
    Start {
        version_major: 0,
        version_minor: 9,
        server_properties: properties,
        mechanisms: LongString::from("PLAIN"),
        locales: LongString::from("en_US"),
    }
}

/// What the broker proposes.
pub(super) fn tune(config: &Config) -> Tune {
    Tune { channel_max: config.channel_max, frame_max: config.frame_max, heartbeat: config.heartbeat }
}

/// What a client says of itself.
pub(super) fn client(properties: &FieldTable) -> Client {
    let can = |name: &str| match properties.inner().get("capabilities") {
        Some(AMQPValue::FieldTable(table)) => table.inner().get(name).and_then(AMQPValue::as_bool).unwrap_or(false),
        _ => false,
    };
    let name = match properties.inner().get("connection_name") {
        Some(AMQPValue::LongString(name)) => name.to_string(),
        _ => String::new(),
    };
    Client {
        name,
        blocked: can("connection.blocked"),
        cancel_notify: can("consumer_cancel_notify"),
        login_close: can("authentication_failure_close"),
    }
}

/// Checks who it is.
pub(super) fn login(start_ok: &StartOk) -> Result<(), Fault> {
    let refused = |why: &str| {
        Err(Fault {
            closes_connection: true,
            ..Fault::access_refused(format_args!("Login was refused using authentication mechanism {why}"))
        })
    };
    if start_ok.mechanism.as_str() != "PLAIN" {
        return refused(&format!("{}: only PLAIN is known.", start_ok.mechanism));
    }
    // An identity to act for, the user, the password, with a zero between.
    let mut parts = start_ok.response.as_bytes().splitn(3, |byte| *byte == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(user), Some(password)) if user == USER.as_bytes() && password == PASSWORD => Ok(()),
        _ => refused("PLAIN: the one user is guest, with password guest."),
    }
}

/// What results from a proposal and its answer; 0 stands for no limit of the client's own.
pub(super) fn agree(config: &Config, answer: &TuneOk) -> Result<Agreed, Fault> {
    let TuneOk { channel_max, frame_max, heartbeat } = *answer;
    if frame_max != 0 && frame_max < FRAME_MIN {
        return Err(Fault::not_allowed(format_args!(
            "negotiated frame_max = {frame_max} is lower than the minimum allowed value ({FRAME_MIN})"
        )));
    }
    if frame_max > config.frame_max {
        return Err(Fault::not_allowed(format_args!(
            "negotiated frame_max = {frame_max} is higher than the maximum allowed value ({})",
            config.frame_max
        )));
    }
    if channel_max > config.channel_max {
        return Err(Fault::not_allowed(format_args!(
            "negotiated channel_max = {channel_max} is higher than the maximum allowed value ({})",
            config.channel_max
        )));
    }
    let or = |asked, own| if asked == 0 { own } else { asked };
    Ok(Agreed {
        channel_max: or(channel_max, config.channel_max),
        frame_max: if frame_max == 0 { config.frame_max } else { frame_max },
        heartbeat,
    })
}
