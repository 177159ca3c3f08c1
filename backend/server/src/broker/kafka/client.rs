//! What the operator says of how brokers of topics at allowed addresses are spoken to: who we are, and by which means.
//!
//! A file of librdkafka's own properties, a line each: `sasl.password=secret`. What it says is shown nowhere, and goes to no broker but
//! those.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// The properties that are the operator's to say; those that begin so, where there is a dot at the end.
const THEIRS: [&str; 6] = [
    "security.protocol",
    "sasl.",
    "ssl.",
    "enable.ssl.certificate.verification",
    "group.protocol",
    "broker.address.family",
];

/// What is said of the clients of allowed addresses.
#[derive(Clone, Default)]
pub struct KafkaClient {
    /// As a [`BrokerAddress`](crate::transport::messaging::BrokerAddress) has them: each on a line of its own, with the end of the
    /// one before.
    lines: Arc<str>,
}

/// Why a text says nothing of clients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASetting {
    /// A line of another form.
    #[error("line {0} is not of the form name=value; a line that begins with # is left out")]
    Malformed(usize),
    /// A property that is ours, or none.
    #[error(
        "{name} in line {line} is not to be said here; what is: security.protocol, sasl.*, ssl.*, \
         enable.ssl.certificate.verification, group.protocol and broker.address.family of librdkafka's properties"
    )]
    NotTheirs {
        /// Where.
        line: usize,
        /// Which.
        name: String,
    },
    /// librdkafka does not take it.
    #[error("{name} in line {line} is not taken ({reason}); see librdkafka's CONFIGURATION.md")]
    Refused {
        /// Where.
        line: usize,
        /// Which.
        name: String,
        /// What it says, without the value.
        reason: String,
    },
}

impl KafkaClient {
    /// As lines after the bootstrap servers.
    pub(in crate::broker) fn lines(&self) -> &str {
        &self.lines
    }
}

impl FromStr for KafkaClient {
    type Err = NotASetting;

    fn from_str(text: &str) -> Result<Self, NotASetting> {
        let (mut lines, mut names) = (String::new(), Vec::new());
        for (line, said) in (1..).zip(text.lines().map(str::trim)) {
            if said.is_empty() || said.starts_with('#') {
                continue;
            }
            let (name, value) = said.split_once('=').ok_or(NotASetting::Malformed(line))?;
            let (name, value) = (name.trim(), value.trim());
            let theirs = |known: &&str| if known.ends_with('.') { name.starts_with(*known) } else { name == *known };
            if !THEIRS.iter().any(theirs) {
                return Err(NotASetting::NotTheirs { line, name: name.to_owned() });
            }
            takes(name, value).map_err(|reason| NotASetting::Refused { line, name: name.to_owned(), reason })?;
            lines.push('\n');
            lines.push_str(&format!("{name}={value}"));
            names.push(name);
        }
        // OpenSSL is a part of this program, and would look for the machine's certificates where it was compiled.
        if !names.iter().any(|name| name.starts_with("ssl.ca.")) {
            lines.push_str("\nssl.ca.location=probe");
        }
        Ok(Self { lines: lines.into() })
    }
}

/// Whether librdkafka takes a property, alone.
fn takes(name: &str, value: &str) -> Result<(), String> {
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        // It may repeat the value, which may be a secret.
        Err(KafkaError::ClientConfig(_, words, ..)) if value.is_empty() => Err(words),
        Err(KafkaError::ClientConfig(_, words, ..)) => Err(words.replace(value, "…")),
        Err(error) => Err(error.to_string()),
    }
}

impl fmt::Debug for KafkaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lines.lines().filter_map(|line| Some(line.split_once('=')?.0));
        f.debug_tuple("KafkaClient").field(&names.collect::<Vec<_>>()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_we_are_and_nothing_else() {
        let client: KafkaClient = "# of the lab\n\nsecurity.protocol=sasl_plaintext\n sasl.mechanisms = PLAIN\n\
            sasl.username=me\nsasl.password=a=secret\n"
            .parse()
            .unwrap();
        assert!(client.lines().contains("\nsasl.password=a=secret\n"), "a value may have the sign too");
        assert!(client.lines().ends_with("\nssl.ca.location=probe"), "the machine's certificates are looked for");
        let theirs: KafkaClient = "ssl.ca.location=/lab/ca.pem".parse().unwrap();
        assert_eq!(theirs.lines(), "\nssl.ca.location=/lab/ca.pem");
        assert!(!format!("{client:?}").contains("secret") && format!("{client:?}").contains("sasl.password"));
        let fault = |text: &str| text.parse::<KafkaClient>().unwrap_err();
        assert_eq!(fault("\nsasl.password"), NotASetting::Malformed(2));
        let theirs = NotASetting::NotTheirs { line: 1, name: "bootstrap.servers".to_owned() };
        assert_eq!(fault("bootstrap.servers=elsewhere"), theirs);
        let NotASetting::Refused { line, name, reason } = fault("sasl.username=me\nsecurity.protocol=secret") else {
            panic!("taken")
        };
        assert_eq!((line, name.as_str()), (2, "security.protocol"));
        assert!(!reason.contains("secret"), "{reason}");
    }
}
