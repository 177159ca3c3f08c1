//! Who is let in, by which mechanism, and what the others are told.

use amq_protocol::types::{AMQPValue, FieldTable};
use hopscope_amqp::{Config, User};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};

use crate::socket::Raw;
use crate::support::{arguments, broker, broker_with, code, within};

/// The client properties of one that wants to be told.
fn wants_to_be_told() -> FieldTable {
    let capabilities = arguments(&[("authentication_failure_close", AMQPValue::Boolean(true))]);
    arguments(&[("capabilities", AMQPValue::FieldTable(capabilities))])
}

/// A table's content.
const AMQPLAIN: &[u8] = b"\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x05guest";

#[tokio::test]
async fn both_mechanisms_are_offered_and_let_in() {
    let running = broker().await;
    for (mechanism, response) in [("PLAIN", &b"\0guest\0guest"[..]), ("AMQPLAIN", AMQPLAIN)] {
        let (mut raw, start) = Raw::until_start(&running).await;
        assert_eq!(start.mechanisms.as_bytes(), b"PLAIN AMQPLAIN");
        raw.start_ok(mechanism, response).await;
        raw.tune().await;
    }
}

#[tokio::test]
async fn a_refused_login_is_told_to_who_asked_for_it() {
    let running = broker().await;
    for (mechanism, response) in [
        ("PLAIN", b"\0guest\0wrong".to_vec()),
        ("PLAIN", b"\0other\0guest".to_vec()),
        ("AMQPLAIN", [AMQPLAIN.strip_suffix(b"guest").unwrap(), b"wrong"].concat()),
    ] {
        let (mut raw, _) = Raw::until_start(&running).await;
        raw.start_ok_as(wants_to_be_told(), mechanism, &response).await;
        let close = raw.close().await;
        let text = format!(
            "ACCESS_REFUSED - Login was refused using authentication mechanism {mechanism}. For details see the broker \
             logfile."
        );
        assert_eq!((close.reply_code, close.reply_text.as_str()), (403, &*text));
        assert_eq!((close.class_id, close.method_id), (0, 0));
        let (mut raw, _) = Raw::until_start(&running).await;
        raw.start_ok(mechanism, &response).await;
        assert_eq!(raw.try_frame().await, None, "a client that did not ask to be told is not");
    }
}

#[tokio::test]
async fn who_speaks_no_mechanism_is_told_nothing() {
    let running = broker().await;
    for (mechanism, response) in
        [("PLAIN", &b"guest"[..]), ("PLAIN", b"guest\0guest\0guest"), ("AMQPLAIN", b""), ("EXTERNAL", b""), ("", b"")]
    {
        let (mut raw, _) = Raw::until_start(&running).await;
        raw.start_ok_as(wants_to_be_told(), mechanism, response).await;
        assert_eq!(raw.try_frame().await, None, "{mechanism}");
    }
}

#[tokio::test]
async fn each_user_publishes_in_its_own_name() {
    let users = vec![User::new("ann", "one"), User::new("bob", "two")];
    let running = broker_with(Config { users, ..Config::default() }).await;
    let connect = async |user: &str, password: &str| {
        let uri = format!("amqp://{user}:{password}@{}/%2f", running.broker.address());
        within(Connection::connect(&uri, ConnectionProperties::default())).await
    };
    for refused in [("guest", "guest"), ("ann", "two")] {
        assert_eq!(code(&connect(refused.0, refused.1).await.err().unwrap()), 403);
    }
    let channel = connect("bob", "two").await.unwrap().create_channel().await.unwrap();
    within(channel.confirm_select(Default::default())).await.unwrap();
    let publish = async |user: &str| {
        let properties = BasicProperties::default().with_user_id(user.into());
        let options = BasicPublishOptions::default();
        within(channel.basic_publish("".into(), "q".into(), options, b"x", properties)).await?.await
    };
    within(publish("bob")).await.unwrap();
    let error = within(publish("ann")).await.err().unwrap();
    assert_eq!(code(&error), 406);
    let told = "user_id property set to 'ann' but authenticated user was 'bob'";
    assert!(error.to_string().contains(told), "{error}");
}
