//! Counts test results over all test programs, for the last line that a person and a CI read.

use anyhow::{Result, bail};

/// What passed, failed and was skipped, and what does not apply to this machine or transport (with its reason).
#[derive(Debug, Default)]
pub(crate) struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<String>,
    not_applicable: Vec<String>,
}

impl Count {
    /// Takes one line of a test program's output: libtest's `test result:` line (wasm-bindgen's runner writes the same),
    /// a failed test's name, or a declared `not applicable:` line.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some((_, rest)) = line.split_once("test result: ") {
            for part in rest.split([';', '.']) {
                let mut words = part.split_whitespace();
                let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                    continue;
                };
                match what {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "ignored" => self.skipped += number,
                    _ => {}
                }
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(|l| l.strip_suffix("... FAILED")) {
            self.failures.push(name.trim().to_owned());
        } else if let Some(text) = line.strip_prefix("not applicable: ") {
            self.not_applicable.push(text.to_owned());
        }
    }

    /// A step that is a test itself and passed.
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    /// A test program that ended badly without a failed test to show for it (it did not compile, or crashed).
    pub(crate) fn program_failed(&mut self, name: &str, failed_before: u64) {
        if self.failed == failed_before {
            self.failed += 1;
            self.failures.push(format!("{name} (did not run to its end)"));
        }
    }

    /// Tests that failed so far.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Prints the summary; the last line stands alone.
    ///
    /// # Errors
    /// When a test failed, when none ran, or when one was skipped in CI (`CI` is set).
    pub(crate) fn finish(self) -> Result<()> {
        for text in &self.not_applicable {
            println!("not applicable: {text}");
        }
        for name in &self.failures {
            println!("failed: {name}");
        }
        let skipped_in_ci = self.skipped > 0 && std::env::var_os("CI").is_some();
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
        if self.failed > 0 {
            bail!("{} tests failed", self.failed);
        }
        if self.passed == 0 {
            bail!("no test ran");
        }
        if skipped_in_ci {
            bail!("{} tests were skipped, which counts as a failure in CI", self.skipped);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn adds_up_the_result_lines_of_several_programs() {
        let mut count = Count::default();
        count.line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        count.line("test wire::tests::broken ... FAILED");
        count.line("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.10s");
        count.line("not applicable: real socket on in-process: it has none");
        assert_eq!((count.passed, count.failed, count.skipped), (7, 1, 1));
        assert_eq!(count.failures, ["wire::tests::broken"]);
        assert_eq!(count.not_applicable.len(), 1);
        assert!(count.finish().is_err());
    }

    #[test]
    fn a_program_that_crashed_is_one_failure_and_an_empty_run_is_an_error() {
        let mut count = Count::default();
        count.program_failed("unit tests", 0);
        assert_eq!(count.failed(), 1);
        assert!(Count::default().finish().is_err());
    }
}
