//! The id of a run: its name in the folder, in addresses and on screens.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// When the run was made (UTC) and four random digits, like `20261123-141530-7f3a`: sorts by time, can be read, and is
/// safe as a file's name, since nothing else is let in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A text that is no run's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("that is no id of a run; one looks like 20261123-141530-7f3a")]
pub struct BadRunId;

const TIME: &str = "%Y%m%d-%H%M%S";
const TIME_LEN: usize = 15;
const LEN: usize = TIME_LEN + 5;

impl RunId {
    /// The id of a run made at `time` (to the second), told from others of that second by `random`.
    #[must_use]
    pub fn new(time: Timestamp, random: u16) -> Self {
        Self(format!("{}-{random:04x}", time.strftime(TIME)))
    }

    /// As it stands in names and addresses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the run was made, to the second.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        time_of(&self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

fn time_of(id: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(TIME, id.get(..TIME_LEN)?).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl FromStr for RunId {
    type Err = BadRunId;

    fn from_str(text: &str) -> Result<Self, BadRunId> {
        let shape = |(at, byte): (usize, u8)| match at {
            8 | TIME_LEN => byte == b'-',
            _ if at > TIME_LEN => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            _ => byte.is_ascii_digit(),
        };
        let well_formed = text.len() == LEN && text.bytes().enumerate().all(shape) && time_of(text).is_some();
        if well_formed { Ok(Self(text.to_owned())) } else { Err(BadRunId) }
    }
}

impl TryFrom<String> for RunId {
    type Error = BadRunId;

    fn try_from(text: String) -> Result<Self, BadRunId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time_and_comes_back() {
        let time: Timestamp = "2026-11-23T14:15:30Z".parse().unwrap();
        let id = RunId::new(time, 0x7f3a);
        assert_eq!(id.as_str(), "20261123-141530-7f3a");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(id.made_at(), time);
    }

    #[test]
    fn nothing_but_an_id_is_let_in() {
        for text in [
            "",
            "..",
            "../../etc/passwd",
            "20261123-141530-7f3",
            "20261123-141530-7f3a0",
            "20261123-141530-7F3A",
            "20261123-141530-7f3/",
            "20261123/141530-7f3a",
            "20261123-141530-7f3a\0",
            "20261123-141530-7f3\u{e9}",
            "20261323-141530-7f3a",
            "20261123-146130-7f3a",
            "%2e%2e%2f61123-1415-",
        ] {
            assert_eq!(text.parse::<RunId>(), Err(BadRunId), "{text:?}");
        }
    }
}
