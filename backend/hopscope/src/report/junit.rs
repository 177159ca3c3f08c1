//! The report as JUnit XML, for a continuous integration that shows it: a suite of the checks, a suite of the laws.

use anyhow::Result;
use hopscope_report::laws::LawReport;
use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::lines::{breach_line, check_line, law_line};
use crate::say::{harmless, word};

/// The report as XML.
///
/// # Errors
/// When it cannot be written as XML.
pub(crate) fn junit(report: &Report) -> Result<String> {
    let mut checks = TestSuite::new("checks");
    for check in &report.checks {
        let status = if check.passed() { TestCaseStatus::success() } else { failure(&check_line(check), &[]) };
        checks.add_test_case(case(report, &check.line(), status));
    }
    let mut laws = TestSuite::new("laws");
    for law in &report.laws {
        laws.add_test_case(case(report, &word(law.law.name()), status(law)));
    }
    let mut document = Document::new(report.plan.name());
    document.add_test_suites([checks, laws]);
    Ok(document.to_string()?)
}

fn case(report: &Report, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(report.plan.name());
    case
}

fn status(law: &LawReport) -> TestCaseStatus {
    if law.broken > 0 {
        let breaches: Vec<_> = law.breaches.iter().map(breach_line).collect();
        return failure(&law_line(law), &breaches);
    }
    if law.held > 0 {
        return TestCaseStatus::success();
    }
    let mut skipped = TestCaseStatus::skipped();
    skipped.set_message(law_line(law));
    skipped
}

fn failure(message: &str, more: &[String]) -> TestCaseStatus {
    let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
    failure.set_message(harmless(message));
    if !more.is_empty() {
        failure.set_description(harmless(&more.join("\n")));
    }
    failure
}
