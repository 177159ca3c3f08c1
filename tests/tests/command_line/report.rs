//! The report that `--json` prints, held to its published schema.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/run-report.schema.json");
const SCENARIO: &str = include_str!("../../../docs/scenario.schema.json");

/// Reads a report, and fails where it is not as the schema says.
pub(crate) fn read(text: &str) -> Result<Value> {
    let report: Value = serde_json::from_str(text)?;
    let errors = errors(&report)?;
    ensure!(errors.is_empty(), "{errors:#?}\nof {report:#}");
    Ok(report)
}

fn errors(report: &Value) -> Result<Vec<String>> {
    let scenario: Value = serde_json::from_str(SCENARIO)?;
    let registry = jsonschema::Registry::new().add("json-schema:///scenario.schema.json", scenario)?.prepare()?;
    let schema: Value = serde_json::from_str(SCHEMA)?;
    let validator = jsonschema::options().with_registry(&registry).build(&schema)?;
    Ok(validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

#[test]
fn what_is_no_report_is_told_by_the_schema() -> Result<()> {
    // The report that the documentation shows.
    let docs = include_str!("../../../docs/command-line.md");
    let (_, shown) = docs.split_once("```json\n").context("the documentation shows no report")?;
    let report = read(shown.split_once("```").context("the report does not end")?.0)?;
    for (path, value) in [
        ("/version", json!(2)),
        ("/exit", json!(64)),
        ("/run/whole", json!("yes")),
        ("/run/mood", json!(1)),
        ("/links/0/sent", json!(-1)),
        ("/links/0/answered_ns/p50", json!("40 ms")),
        ("/checks/0/check/op", json!("=")),
        ("/checks/0/found", Value::Null),
        ("/laws/0/law", json!("gravity")),
        ("/laws/0/breaches/0/trace", json!("7")),
        ("/warnings/0/severity", json!("bad")),
    ] {
        let mut altered = report.clone();
        let (parent, key) = path.rsplit_once('/').context("no parent")?;
        altered.pointer_mut(parent).context(path)?[key] = value;
        ensure!(!errors(&altered)?.is_empty(), "{path} was let through");
    }
    Ok(())
}
