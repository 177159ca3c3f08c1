//! Who may connect: users, and the two ways in which a client says who it is.
//!
//! A password is kept as its digest only and compared in constant time, whether there is such a user or not; it is in no
//! `Debug` output and no fault.

use std::fmt;
use std::sync::Arc;

use amq_protocol::types::parsing::parse_field_table;
use amq_protocol::types::{AMQPValue, FieldTable};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Names of the ways, as `connection.start` offers them; RabbitMQ's.
pub(crate) const MECHANISMS: &str = "PLAIN AMQPLAIN";

/// A user with a password. Each may do everything, in every virtual host.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    name: Arc<str>,
    /// SHA-256 of the password.
    digest: [u8; 32],
    /// A user without a password is not let in.
    blank: bool,
}

impl User {
    /// A user who is let in by this password. By an empty one nobody is.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.into(), digest: digest(password.as_bytes()), blank: password.is_empty() }
    }

    /// RabbitMQ's first user: `guest`, with password `guest`.
    #[must_use]
    pub fn guest() -> Self {
        Self::new("guest", "guest")
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why nobody was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// The mechanism is none that was offered.
    Mechanism,
    /// The response is none of its mechanism.
    Response,
    /// There is no such user, or it has another password.
    Credentials,
}

/// Who a client is, by the response of its mechanism.
pub(crate) fn authenticate(users: &[User], mechanism: &str, response: &[u8]) -> Result<Arc<str>, Refusal> {
    match mechanism {
        "PLAIN" => {
            let (name, password) = plain(response).ok_or(Refusal::Response)?;
            check(users, name, password)
        }
        "AMQPLAIN" => {
            let table = table(response).ok_or(Refusal::Response)?;
            let text = |name: &str| match table.inner().get(name) {
                Some(AMQPValue::LongString(text)) => Ok(text.as_bytes()),
                _ => Err(Refusal::Response),
            };
            check(users, text("LOGIN")?, text("PASSWORD")?)
        }
        _ => Err(Refusal::Mechanism),
    }
}

/// A zero, the user, a zero, the password. RabbitMQ takes no identity to act for before the first one.
fn plain(response: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = response.strip_prefix(&[0])?.split(|byte| *byte == 0);
    let (name, password) = (parts.next()?, parts.next()?);
    parts.next().is_none().then_some((name, password))
}

/// A table's content, as it is without the length before it.
fn table(content: &[u8]) -> Option<FieldTable> {
    let mut table = u32::try_from(content.len()).ok()?.to_be_bytes().to_vec();
    table.extend_from_slice(content);
    match parse_field_table(table.as_slice()) {
        Ok(([], table)) => Some(table),
        _ => None,
    }
}

fn check(users: &[User], name: &[u8], password: &[u8]) -> Result<Arc<str>, Refusal> {
    let user = users.iter().find(|user| user.name.as_bytes() == name);
    // Compared with something where there is no such user, so that the time tells nothing of it.
    let expected = user.map_or([0; 32], |user| user.digest);
    let same = bool::from(expected.ct_eq(&digest(password)));
    match user {
        Some(user) if same && !user.blank => Ok(Arc::clone(&user.name)),
        _ => Err(Refusal::Credentials),
    }
}

fn digest(password: &[u8]) -> [u8; 32] {
    Sha256::digest(password).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table's content with two long strings.
    fn amqplain(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut content = Vec::new();
        for (name, value) in entries {
            content.push(u8::try_from(name.len()).unwrap());
            content.extend_from_slice(name.as_bytes());
            content.push(b'S');
            content.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
            content.extend_from_slice(value.as_bytes());
        }
        content
    }

    #[test]
    fn each_user_is_let_in_by_its_own_password() {
        let users = [User::guest(), User::new("ann", "s3cret"), User::new("open", "")];
        let plain = |response: &[u8]| authenticate(&users, "PLAIN", response);
        assert_eq!(plain(b"\0guest\0guest").as_deref(), Ok("guest"));
        assert_eq!(plain(b"\0ann\0s3cret").as_deref(), Ok("ann"));
        for refused in [&b"\0ann\0guest"[..], b"\0ann\0", b"\0open\0", b"\0nobody\0guest", b"\0\0"] {
            assert_eq!(plain(refused), Err(Refusal::Credentials), "{refused:?}");
        }
        for malformed in [&b""[..], b"guest", b"\0guest", b"ann\0ann\0s3cret", b"\0ann\0s3cret\0"] {
            assert_eq!(plain(malformed), Err(Refusal::Response), "{malformed:?}");
        }
    }

    #[test]
    fn amqplain_is_a_tables_content() {
        let users = [User::guest()];
        let login = |response: &[u8]| authenticate(&users, "AMQPLAIN", response);
        assert_eq!(login(&amqplain(&[("LOGIN", "guest"), ("PASSWORD", "guest")])).as_deref(), Ok("guest"));
        assert_eq!(login(&amqplain(&[("PASSWORD", "no"), ("LOGIN", "guest")])), Err(Refusal::Credentials));
        let whole = amqplain(&[("LOGIN", "guest"), ("PASSWORD", "guest")]);
        for malformed in [&b""[..], &amqplain(&[("LOGIN", "guest")]), &whole[..whole.len() - 1], b"\x05LOGINt\x01"] {
            assert_eq!(login(malformed), Err(Refusal::Response), "{malformed:?}");
        }
        assert_eq!(authenticate(&users, "EXTERNAL", b""), Err(Refusal::Mechanism));
    }

    #[test]
    fn a_password_is_in_no_output() {
        assert_eq!(format!("{:?}", User::new("ann", "s3cret")), "User { name: \"ann\", .. }");
    }
}
