//! What Maven does for an installation: it fetches Kafka's jars, and is listened to while it does.

use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tokio::sync::mpsc::UnboundedSender;

use super::installation::{JARS, VERSION};
use crate::broker::private::{end, spawn};

/// What to fetch: Kafka's broker, and what lets it say something.
const PROJECT: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hopscope</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"#;

/// Has Maven fetch the jars into the folder `lib` of this one, on this thread, and tells how many bytes it has fetched so far; what it
/// complains of, where it could not.
///
/// # Errors
/// When a file cannot be written, or Maven not be started.
pub(super) fn fetch(maven: &Path, folder: &Path, telling: &UnboundedSender<u64>) -> io::Result<Result<(), String>> {
    std::fs::write(folder.join("pom.xml"), project())?;
    let mut command = Command::new(maven);
    command
        .args(["-B", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={JARS}"))
        .current_dir(folder);
    let output = run(command, telling)?;
    Ok(if output.status.success() { Ok(()) } else { Err(complaint(&output)) })
}

/// Runs Maven to its end on this thread, with which it dies, and tells how many bytes it has fetched so far.
fn run(mut command: Command, telling: &UnboundedSender<u64>) -> io::Result<Output> {
    // What it complains of goes to a file: nobody has to read it meanwhile.
    let mut complaints = tempfile::tempfile()?;
    command.stdout(Stdio::piped()).stderr(complaints.try_clone()?);
    let mut maven = spawn(&mut command)?;
    let (mut stdout, mut bytes) = (String::new(), 0);
    let read = maven.stdout.take().into_iter().flat_map(|told| BufReader::new(told).lines()).try_for_each(|line| {
        let line = line?;
        if let Some(more) = fetched(&line) {
            bytes += more;
            // Who asked may have gone; it is fetched all the same.
            let _ = telling.send(bytes);
        }
        stdout.push_str(&line);
        stdout.push('\n');
        io::Result::Ok(())
    });
    if let Err(error) = read {
        end(&mut maven);
        return Err(error);
    }
    let status = maven.wait()?;
    let mut stderr = Vec::new();
    complaints.rewind()?;
    complaints.read_to_end(&mut stderr)?;
    Ok(Output { status, stdout: stdout.into_bytes(), stderr })
}

/// How many bytes of Kafka's Maven says that it has fetched: `Downloaded from central: .../kafka.jar (5.8 MB at 12 MB/s)`. What
/// it fetches for its own use is not of Kafka.
fn fetched(line: &str) -> Option<u64> {
    const OWN: [&str; 4] = ["/org/apache/maven/", "/org/codehaus/", "/org/eclipse/", "/commons-io/"];
    let (address, size) = line.split_once("Downloaded from ")?.1.split_once(".jar (")?;
    if OWN.iter().any(|own| address.contains(own)) {
        return None;
    }
    let mut words = size.split_ascii_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        _ => return None,
    };
    // Of tens of megabytes at most.
    Some((number * unit) as u64)
}

/// What Maven complains of first, and how it ended.
fn complaint(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    let mut lines = said.iter().flat_map(|said| said.lines()).map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().find(|line| line.contains("ERROR")).or_else(|| lines.next());
    format!("{}: {}", output.status, first.unwrap_or("it said nothing"))
}

/// What Maven fetches.
fn project() -> String {
    PROJECT.replace("${kafka}", VERSION)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn what_is_fetched_has_its_version() {
        let project = project();
        assert!(project.contains("<artifactId>kafka_2.13</artifactId>\n      <version>4.4.0</version>"), "{project}");
        assert!(!project.contains('$'));
    }

    #[test]
    fn maven_complains_of_one_thing_first() {
        let output = |stdout: &str, stderr: &str| Output {
            status: ExitStatus::from_raw(256),
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        let told = complaint(&output("[WARNING] old\n[ERROR] Unknown host\n[ERROR] -> [Help 1]\n", ""));
        assert_eq!(told, "exit status: 1: [ERROR] Unknown host");
        assert_eq!(complaint(&output("\n", "no JAVA_HOME\n")), "exit status: 1: no JAVA_HOME");
        assert_eq!(complaint(&output("", "")), "exit status: 1: it said nothing");
    }

    #[test]
    fn what_maven_has_fetched_of_kafka_is_counted() {
        let line = |address: &str, size: &str| {
            format!("[INFO] Downloaded from central: https://repository/{address} ({size})")
        };
        assert_eq!(
            fetched(&line("org/apache/kafka/kafka_2.13/4.4.0/kafka_2.13-4.4.0.jar", "5.8 MB at 12 MB/s")),
            Some(5_800_000)
        );
        assert_eq!(
            fetched(&line("org/slf4j/slf4j-simple/1.7.36/slf4j-simple-1.7.36.jar", "15 kB at 1.1 MB/s")),
            Some(15_000)
        );
        assert_eq!(fetched(&line("org/apache/kafka/kafka_2.13/4.4.0/kafka_2.13-4.4.0.pom", "3 kB at 1 MB/s")), None);
        assert_eq!(fetched(&line("org/apache/maven/plugins/a/3/a-3.jar", "200 kB at 1 MB/s")), None);
        assert_eq!(fetched("[INFO] BUILD SUCCESS"), None);
    }

    #[test]
    fn what_maven_says_is_told_while_it_goes_on_and_what_it_complains_of_is_kept() {
        let script = "echo 'Downloaded from here: x/a.jar (2 kB at 1 kB/s)'; echo 'Downloaded from here: x/b.jar (1 MB at 1 MB/s)'; \
            echo no room >&2; exit 3";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let (telling, mut told) = unbounded_channel();
        let output = run(command, &telling).unwrap();
        assert_eq!((told.try_recv().unwrap(), told.try_recv().unwrap()), (2_000, 1_002_000));
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(3), &b"no room\n"[..]));
        assert!(complaint(&output).starts_with("exit status: 3"), "{}", complaint(&output));
    }
}
