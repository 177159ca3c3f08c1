//! Who may use a server: the names that it is addressed by, and the token that an address beyond loopback asks for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::uri::Authority;

/// Who may use a server. The default is for loopback: its own names, and no token.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Names that requests may address it by, beside those of its own address.
    pub hosts: Vec<HostName>,
    /// What a browser shows once to be let in; without one everyone is who can reach the address.
    pub token: Option<Token>,
}

impl Access {
    /// Whether a server at `address` has to ask for a token: when others than this machine's own programs can reach it,
    /// directly or by a name that is not this machine's own.
    #[must_use]
    pub fn needs_token(&self, address: SocketAddr) -> bool {
        !address.ip().is_loopback() || self.hosts.iter().any(|host| !host.is_loopback())
    }
}

/// A name with or without a port, as it stands in an address: `play.lab`, `play.lab:443`, `[2001:db8::7]:7878`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName {
    name: String,
    port: Option<u16>,
}

/// A text that is no host's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("that is no host; write a name or an address, and a port if it is another: play.lab or 127.0.0.1:8080")]
pub struct BadHostName;

impl HostName {
    /// Whether only this machine's own programs can mean it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let bare = self.name.trim_matches(['[', ']']);
        let local = self.name == "localhost" || self.name.ends_with(".localhost");
        local || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// As it stands in addresses and in the header `Host`; `port` is the server's own, for a name without one.
    #[must_use]
    pub fn authority(&self, port: u16) -> String {
        format!("{}:{}", self.name, self.port.unwrap_or(port))
    }

    /// The same without a port, where browsers leave it out: those that `http` and `https` imply.
    pub(crate) fn bare(&self, port: u16) -> Option<&str> {
        matches!(self.port.unwrap_or(port), 80 | 443).then_some(self.name.as_str())
    }
}

impl FromStr for HostName {
    type Err = BadHostName;

    fn from_str(text: &str) -> Result<Self, BadHostName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let authority: Authority = text.parse().map_err(|_| BadHostName)?;
        let port = match text.strip_prefix(authority.host()).ok_or(BadHostName)? {
            "" => None,
            rest => Some(rest.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or(BadHostName)?),
        };
        let named = authority.host().chars().all(allowed) && authority.host().chars().any(char::is_alphanumeric);
        if named { Ok(Self { name: authority.host().to_ascii_lowercase(), port }) } else { Err(BadHostName) }
    }
}

/// Fewest characters of a token: 128 bits, if they are random.
pub const SHORTEST_TOKEN: usize = 22;

/// Most characters of a token: it stands in an address.
pub const LONGEST_TOKEN: usize = 256;

/// Bytes of what is made here to be unguessable: 256 bits.
const SECRET_BYTES: usize = 32;

/// What lets the first browser in that shows it. Never in a log, nor in a debugger's text.
#[derive(Clone)]
pub struct Token(String);

/// A text that may not be a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a token has {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, digits, hyphens or underscores, chosen at random")]
pub struct BadToken;

impl Token {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn random() -> std::io::Result<Self> {
        Ok(Self(secret()?))
    }

    /// One that the operator has chosen.
    ///
    /// # Errors
    /// When it is too short, or would have to be escaped in an address.
    pub fn given(text: &str) -> Result<Self, BadToken> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let good = (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(allowed);
        if good { Ok(Self(text.to_owned())) } else { Err(BadToken) }
    }

    /// Its text, to be told to the operator and nobody else.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// An unguessable text that needs no escaping anywhere.
pub(crate) fn secret() -> std::io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> HostName {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        assert_eq!(host("Play.Lab").authority(7878), "play.lab:7878");
        assert_eq!(host("play.lab:443").authority(7878), "play.lab:443");
        assert_eq!(host("[2001:db8::7]:80").authority(7878), "[2001:db8::7]:80");
        assert_eq!((host("play.lab:443").bare(7878), host("play.lab").bare(7878)), (Some("play.lab"), None));
        for text in ["", ":80", "a b", "a/b", "http://a", "u@a", "*.lab", "a:", "a:x", "a:65536", "2001:db8::7", "-:1"]
        {
            assert_eq!(text.parse::<HostName>(), Err(BadHostName), "{text:?}");
        }
    }

    #[test]
    fn only_what_others_can_reach_needs_a_token() {
        let access = |hosts: &[&str]| Access { hosts: hosts.iter().map(|name| host(name)).collect(), token: None };
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let own = access(&["localhost:9000", "a.localhost", "127.0.0.1:8080", "[::1]:8080"]);
        assert!(!own.needs_token(at("127.0.0.1:7878")) && !own.needs_token(at("[::1]:7878")));
        assert!(own.needs_token(at("0.0.0.0:7878")) && own.needs_token(at("192.168.1.7:7878")));
        assert!(own.needs_token(at("[::]:7878")));
        // Whatever stands in front of it forwards what comes from elsewhere.
        assert!(access(&["play.lab"]).needs_token(at("127.0.0.1:7878")));
    }

    #[test]
    fn a_token_is_long_unlike_the_last_and_never_shown_by_chance() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert!(one.secret() != other.secret() && one.secret().len() == 43);
        assert!(Token::given(one.secret()).is_ok());
        assert!(!format!("{one:?}").contains(one.secret()));
        for text in ["", "short", "0123456789012345678901234567 89", &"x".repeat(257), "0123456789012345678901&a=b"] {
            assert!(Token::given(text).is_err(), "{text:?}");
        }
    }
}
