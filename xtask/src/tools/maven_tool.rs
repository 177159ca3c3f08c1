//! RabbitMQ's PerfTest, which comes by Maven: its jars lie in the tools folder, and Java runs it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Install, Missing, Tools, apt};
use crate::browser::on_path;
use crate::step::run;

const NAME: &str = "perf-test";
const VERSION: &str = "2.22.1";

/// The folder of its jars, in the one that it has.
const JARS: &str = "lib";

/// What to fetch.
const PROJECT: &str = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hopscope</groupId>
  <artifactId>perf-test</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.rabbitmq</groupId>
      <artifactId>perf-test</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
";

/// The folder of its jars.
pub(super) fn jars(tools: &Tools) -> PathBuf {
    tools.home(NAME, VERSION).join(JARS)
}

/// What is missing for it, if anything.
///
/// # Errors
/// When the packages of the system cannot be told.
pub(super) fn missing(tools: &Tools) -> Result<Option<Missing>> {
    const REASON: &str = "runs PerfTest, a peer of benches";
    for (program, package) in [("java", "default-jre-headless"), ("mvn", "maven")] {
        if on_path(program).is_none() {
            return apt::missing(&[package], REASON).map(Some);
        }
    }
    if jars(tools).join(format!("{NAME}-{VERSION}.jar")).is_file() {
        return Ok(None);
    }
    Ok(Some(Missing {
        name: format!("{NAME} {VERSION} (Maven)"),
        size: "8 MB of jars".to_owned(),
        reason: "a peer of benches",
        remedy: format!("mvn dependency:copy -Dartifact=com.rabbitmq:{NAME}:{VERSION}, with what it depends on"),
        install: Install::Maven,
    }))
}

/// Fetches it: all in a folder beside the one that it is to be in, so that what was interrupted never looks whole.
///
/// # Errors
/// When Maven cannot.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = tools.home(NAME, VERSION);
    let made = tools.home(NAME, "new");
    for left in [&made, &home] {
        let _ = std::fs::remove_dir_all(left);
    }
    std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    std::fs::write(made.join("pom.xml"), PROJECT.replace("${version}", VERSION))?;
    run(tools
        .command("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={JARS}"))
        .current_dir(&made))?;
    std::fs::rename(&made, &home).with_context(|| format!("cannot make {}", home.display()))
}
