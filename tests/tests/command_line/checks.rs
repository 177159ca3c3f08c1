//! Checks: judged by the recording, told in every form of the report.

use super::*;

/// The template with checks, each of which passes or not by far.
fn checked(scenario: &mut Value, checks: &Value) {
    ten(scenario);
    scenario["checks"] = checks.clone();
}

const PASS: &str = "answered.p99 < 10 s";

#[tokio::test]
async fn a_check_that_fails_has_an_exit_code_and_is_told_with_its_figure() -> Result<()> {
    let desk = Desk::new()?;
    let checks = json!([
        {"metric": "answered.p99", "op": "<", "value": "10 s"},
        {"on": "buyers->shop", "metric": "completed.p50", "op": "<", "value": "1 ns"},
        {"on": "l1", "metric": "throughput", "op": ">=", "value": "1/s"},
        {"on": "buyers -> shop", "metric": "errors", "op": "<=", "value": 0},
        {"on": "l1", "metric": "error-rate", "op": "<", "value": "1 %"},
        {"on": "l1", "metric": "confirmed.max", "op": "<", "value": "1 s"},
        {"on": "shop->buyers", "metric": "late", "op": "<", "value": 1}
    ]);
    let file = desk.scenario(|scenario| checked(scenario, &checks))?;
    let xml = desk.path("checks.xml");
    let ran = desk.hopscope(&[&"run", &file, &"--junit", &xml]).await?;
    ensure_code(&ran, 1)?;
    for line in [
        format!("  passed {PASS}: "),
        "  FAILED buyers->shop: completed.p50 < 1 ns: ".to_owned(),
        "  passed l1: throughput >= 1/s: ".to_owned(),
        "  passed buyers -> shop: errors <= 0: 0\n".to_owned(),
        "  passed l1: error-rate < 1 %: 0.00 %\n".to_owned(),
        "  FAILED l1: confirmed.max < 1 s: nothing was recorded".to_owned(),
        "  FAILED shop->buyers: late < 1: nothing of that name".to_owned(),
    ] {
        ensure!(ran.stdout.contains(&line), "{line:?} is missing in:\n{}", ran.stdout);
    }
    // What the check names is told before the run, with what it could name.
    ensure!(ran.stderr.contains("shop->buyers") && ran.stderr.contains("buyers->shop"), "{}", ran.stderr);
    // The recording is kept, whatever the checks say of it.
    let last = ran.stdout.lines().last().context("no last line")?;
    ensure!(last.contains("hopscope serve --data "), "{last}");
    ensure!(desk.hopscope(&[&"runs"]).await?.stdout.contains(id_of(&ran.stdout)?), "the run is not kept");

    let suites = junit_parser::from_reader(std::fs::read(&xml)?.as_slice())?;
    let counts: Vec<_> = suites.suites.iter().map(|suite| (suite.name.as_str(), suite.cases.len())).collect();
    ensure!(counts.first() == Some(&("checks", 7)) && counts.get(1).map(|suite| suite.0) == Some("laws"), "{counts:?}");
    let failed = |suite: &junit_parser::TestSuite| -> Vec<String> {
        let failed = suite.cases.iter().filter(|case| case.status.is_failure());
        failed.map(|case| case.original_name.clone()).collect()
    };
    let [checks, laws] = suites.suites.as_slice() else { anyhow::bail!("{} suites", suites.suites.len()) };
    assert_eq!(
        failed(checks),
        ["buyers->shop: completed.p50 < 1 ns", "l1: confirmed.max < 1 s", "shop->buyers: late < 1"]
    );
    assert_eq!(failed(laws), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn checks_that_pass_are_told_in_every_form() -> Result<()> {
    let desk = Desk::new()?;
    let checks = json!([{"metric": "answered.p99", "op": "<", "value": "10 s"}]);
    let file = desk.scenario(|scenario| checked(scenario, &checks))?;
    let ran = desk.hopscope(&[&"run", &file, &"--json"]).await?;
    ensure_code(&ran, 0)?;
    let report = crate::report::read(&ran.stdout)?;
    let check = &report["checks"][0];
    assert_eq!((&check["check"], &check["passed"], &check["reason"]), (&checks[0], &true.into(), &Value::Null));
    assert_eq!(check["found"].as_f64(), report["links"][0]["answered_ns"]["p99"].as_f64());

    let ran = desk.hopscope(&[&"run", &file, &"--summary", &"md"]).await?;
    ensure_code(&ran, 0)?;
    for line in
        ["## Hello, sync\n", "### Checks\n", "- passed answered.p99 \\< 10 s: ", "| buyers -\\> shop | 10 | 10 |"]
    {
        ensure!(ran.stdout.contains(line), "{line:?} is missing in:\n{}", ran.stdout);
    }
    let last = ran.stdout.lines().last().context("no last line")?;
    ensure!(last.contains("hopscope serve --data "), "{last}");
    Ok(())
}

#[tokio::test]
async fn checks_of_a_queue_are_of_its_length() -> Result<()> {
    let desk = Desk::new()?;
    let mut scenario: Value = serde_json::from_str(include_str!("../../../scenarios/hello-async.json"))?;
    // Faster than they are worked on, so that they stand in the queue together.
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "1000/s", "count": 40});
    scenario["nodes"][2]["work"]["mean"] = "10 ms".into();
    scenario["checks"] = json!([
        {"on": "orders", "metric": "queue.longest", "op": ">", "value": 5},
        {"on": "orders", "metric": "queue.longest", "op": "<=", "value": 40},
        {"on": "orders", "metric": "queue.end", "op": "<=", "value": 0},
        {"on": "buyers->orders", "metric": "confirmed.p50", "op": "<", "value": "10 s"},
        {"on": "buyers->orders", "metric": "answered.max", "op": ">", "value": "1 ms"}
    ]);
    let file = desk.path("async.json");
    std::fs::write(&file, scenario.to_string())?;
    let ran = desk.hopscope(&[&"run", &file]).await?;
    ensure_code(&ran, 0)?;
    assert_eq!(ran.stdout.matches("  passed ").count(), 5, "{}", ran.stdout);
    Ok(())
}

#[tokio::test]
async fn checks_of_whole_traces_and_of_workers_are_judged() -> Result<()> {
    let desk = Desk::new()?;
    let checks = json!([
        {"metric": "finished.p99", "op": "<", "value": "10 s"},
        {"metric": "stale.max", "op": "<", "value": "10 s"},
        {"metric": "lost", "op": "<=", "value": 0},
        {"metric": "repeated", "op": "<=", "value": 0},
        {"metric": "drain", "op": "<", "value": "10 s"},
        {"metric": "bytes", "op": ">=", "value": "256 B"},
        {"metric": "bytes", "op": "<", "value": "1 kB"},
        {"on": "shop", "metric": "utilisation", "op": ">", "value": "1 %"},
        {"on": "shop", "metric": "utilisation", "op": "<=", "value": "100 %"},
        {"metric": "finished.p50", "op": "<", "value": "1 ms"},
        {"on": "nobody", "metric": "utilisation", "op": "<", "value": "50 %"}
    ]);
    // For longer than a second, after which processor time is told for the first time.
    let file = desk.scenario(|scenario| scenario["checks"] = checks)?;
    let ran = desk.hopscope(&[&"run", &file, &"--duration", &"2s"]).await?;
    ensure_code(&ran, 1)?;
    assert_eq!(ran.stdout.matches("  passed ").count(), 9, "{}", ran.stdout);
    for line in ["  FAILED finished.p50 < 1 ms: ", "  FAILED nobody: utilisation < 50 %: nothing of that name"] {
        ensure!(ran.stdout.contains(line), "{line:?} is missing in:\n{}", ran.stdout);
    }
    let id = id_of(&ran.stdout)?.to_owned();
    let compared = desk.hopscope(&[&"compare", &id, &id]).await?;
    ensure_code(&compared, 0)?;
    for metric in ["finished.p99", "drain", "cpu", "bytes", "utilisation"] {
        ensure!(compared.stdout.contains(metric), "{metric} is missing in:\n{}", compared.stdout);
    }
    Ok(())
}
