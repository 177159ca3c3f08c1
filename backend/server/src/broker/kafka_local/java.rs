//! Java on this machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::KafkaLocalError;
use crate::broker::private::on_path;

/// The oldest that Kafka runs on.
const OLDEST: u32 = 17;

/// A Java that Kafka runs on.
#[derive(Clone, Debug)]
pub(super) struct Java {
    program: PathBuf,
    /// What it calls itself, to the last patch; fit for the name of a file.
    build: String,
}

impl Java {
    /// The one in PATH. It is asked for its version once, which takes a tenth of a second.
    ///
    /// # Errors
    /// When there is none, or it is too old.
    pub(super) fn find() -> Result<Self, KafkaLocalError> {
        static FOUND: OnceLock<Java> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let program = on_path("java").ok_or(KafkaLocalError::NoJava)?;
        let told = Command::new(&program).arg("-version").env("LC_ALL", "C").stdin(Stdio::null()).output()?;
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        match parse(&told) {
            Some((release, build)) if release >= OLDEST => Ok(FOUND.get_or_init(|| Self { program, build }).clone()),
            _ => Err(KafkaLocalError::OldJava { program, said: told.lines().next().unwrap_or("nothing").to_owned() }),
        }
    }

    /// What it calls itself.
    pub(super) fn build(&self) -> &str {
        &self.build
    }

    /// The program, without a word of this process's environment but where programs are.
    pub(super) fn command(&self) -> Command {
        let mut java = Command::new(&self.program);
        java.env_clear().env("LC_ALL", "C.UTF-8").envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        java
    }
}

/// The release and the build that `java -version` tells of.
fn parse(told: &str) -> Option<(u32, String)> {
    let (_, rest) = told.split_once("version \"")?;
    let (version, _) = rest.split_once('"')?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    // Up to 8 they began with 1.
    let release = match numbers.next()?.ok()? {
        1 => numbers.next()?.ok()?,
        release => release,
    };
    let build = told.split_once("(build ").and_then(|(_, rest)| rest.split_once([')', ','])).map(|(build, _)| build);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "+-.".contains(c) { c } else { '_' };
    Some((release, build.unwrap_or(version).chars().map(plain).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java_are_told_apart() {
        let debian = "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n\
                      OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)\n";
        assert_eq!(parse(debian), Some((17, "17.0.15+6-Debian-1deb12u1".to_owned())));
        let old = "Picked up JAVA_TOOL_OPTIONS: -Xmx1g\njava version \"1.8.0_392\"\n";
        assert_eq!(parse(old), Some((8, "1.8.0_392".to_owned())));
        let early = "openjdk version \"26-ea\" 2026-03-17\nOpenJDK Runtime Environment (build 26-ea/1 x)\n";
        assert_eq!(parse(early), Some((26, "26-ea_1_x".to_owned())));
        assert_eq!(parse("The operation couldn't be completed.\n"), None);
    }
}
