//! How a connection opens: who the client is, what both agree on.

use std::sync::Arc;

use amq_protocol::protocol::connection::{Start, StartOk, Tune, TuneOk};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};

use crate::config::Config;
use crate::fault::Fault;
use crate::users::{self, User};
use crate::wire::short;

/// Least frame size that a client may ask for.
const FRAME_MIN: u32 = 4096;

/// Least number of channels that it may ask for.
const CHANNEL_MIN: u32 = 1;

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
        "exchange_exchange_bindings",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "consumer_priorities",
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
        mechanisms: LongString::from(users::MECHANISMS),
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

/// Why a client was not let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    /// What a client is told that asked to be; nobody is where it did not speak its mechanism.
    pub(super) fault: Option<Fault>,
}

/// Who it is.
pub(super) fn login(users: &[User], start_ok: &StartOk) -> Result<Arc<str>, Refused> {
    let mechanism = start_ok.mechanism.as_str();
    users::authenticate(users, mechanism, start_ok.response.as_bytes()).map_err(|refusal| {
        tracing::debug!("a login by {mechanism:?} was refused: {refusal:?}");
        let told = Fault::access_refused(format_args!(
            "Login was refused using authentication mechanism {mechanism}. For details see the broker logfile."
        ));
        Refused { fault: (refusal == users::Refusal::Credentials).then_some(told) }
    })
}

/// What results from a proposal and its answer. As with RabbitMQ, a client may not ask for no limit where the broker has one.
pub(super) fn agree(config: &Config, answer: &TuneOk) -> Result<Agreed, Fault> {
    let TuneOk { channel_max, frame_max, heartbeat } = *answer;
    check("frame_max", frame_max, "", FRAME_MIN, config.frame_max)?;
    let no_limit = if channel_max == 0 { " (no limit)" } else { "" };
    check("channel_max", channel_max.into(), no_limit, CHANNEL_MIN, config.channel_max.into())?;
    let frame_max = if frame_max == 0 { u32::MAX } else { frame_max };
    Ok(Agreed { channel_max, frame_max, heartbeat })
}

/// Whether an answer lies between the least that makes sense and the proposal, of which 0 is no limit.
fn check(field: &str, asked: u32, detail: &str, min: u32, max: u32) -> Result<(), Fault> {
    let refused = |how: &str, which: &str, limit: u32| {
        Err(Fault::not_allowed(format_args!(
            "negotiated {field} = {asked}{detail} is {how} than the {which} allowed value ({limit})"
        )))
    };
    match asked {
        1.. if asked < min => refused("lower", "minimum", min),
        _ if max != 0 && (asked == 0 || asked > max) => refused("higher", "maximum", max),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_agreed_as_with_rabbitmq() {
        let config = Config::default();
        let answer = |channel_max, frame_max| {
            let agreed = agree(&config, &TuneOk { channel_max, frame_max, heartbeat: 7 });
            agreed.map(|agreed| (agreed.channel_max, agreed.frame_max, agreed.heartbeat)).map_err(|fault| fault.text)
        };
        assert_eq!(answer(1, 4096), Ok((1, 4096, 7)));
        assert_eq!(answer(2047, 131_072), Ok((2047, 131_072, 7)));
        let refused = |text: &str| Err(format!("NOT_ALLOWED - negotiated {text}"));
        assert_eq!(answer(1, 4095), refused("frame_max = 4095 is lower than the minimum allowed value (4096)"));
        assert_eq!(answer(1, 0), refused("frame_max = 0 is higher than the maximum allowed value (131072)"));
        assert_eq!(answer(2048, 4096), refused("channel_max = 2048 is higher than the maximum allowed value (2047)"));
        assert_eq!(
            answer(0, 4096),
            refused("channel_max = 0 (no limit) is higher than the maximum allowed value (2047)")
        );
    }
}
