//! Effects: told in every form of the report, and held to checks.

use super::*;

/// Ten requests whose attempts are all given up and tried again while the shop works on them: it takes 100 from the customers once
/// for each, and puts them into its till as often as `apply` says.
fn charged(scenario: &mut Value, apply: &str) {
    ten(scenario);
    let effect = |account: &str, amount: i64, apply: &str| json!({"step": "effect", "account": account, "amount": amount, "apply": apply, "transfer": "money"});
    scenario["nodes"][1]["workers"] = 32.into();
    scenario["nodes"][1]["work"]["mean"] = "300 ms".into();
    scenario["nodes"][1]["body"] =
        json!([effect("customers", -100, "once"), effect("till", 100, apply), {"step": "work"}, {"step": "reply"}]);
    scenario["links"][0]["timeout"] = "100 ms".into();
    scenario["links"][0]["retry"] = json!({"policy": "fixed-delay", "attempts": 2, "delay": "0 s"});
    scenario["checks"] = json!([
        {"metric": "effects.never", "on": "shop", "op": "<=", "value": 0},
        {"metric": "effects.repeated", "op": "<=", "value": 0},
        {"metric": "effects.unbalanced", "op": "<=", "value": 0},
        {"metric": "stale.max", "op": ">", "value": "0 s"}
    ]);
}

#[tokio::test]
async fn effects_that_are_applied_twice_are_told_with_their_traces() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| charged(scenario, "every-time"))?;
    let ran = desk.hopscope(&[&"run", &file]).await?;
    ensure_code(&ran, 1)?;
    for line in [
        "\nEffects\n",
        "shop: till +100, every time: more than once (traces ",
        "  account customers: −1,000, applied 10 times\n",
        "  account till: +2,000, applied 20 times\n",
        "  money is not conserved: +1,000 in 10 of 10 traces; where: till +1,000 (traces ",
        "  from answer to end of 10 traces: p50 ",
        "  passed shop: effects.never <= 0: 0\n",
        "  FAILED effects.repeated <= 0: 10\n",
        "  FAILED effects.unbalanced <= 0: 10\n",
        "  passed stale.max > 0 s: ",
    ] {
        ensure!(ran.stdout.contains(line), "{line:?} is missing in:\n{}", ran.stdout);
    }
    let summary = desk.hopscope(&[&"run", &file, &"--summary", &"md"]).await?;
    ensure!(summary.stdout.contains("### Effects\n"), "{}", summary.stdout);
    Ok(())
}

#[tokio::test]
async fn effects_that_are_applied_once_are_conserved() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| charged(scenario, "once"))?;
    let ran = desk.hopscope(&[&"run", &file, &"--json"]).await?;
    ensure_code(&ran, 0)?;
    let report = report::read(&ran.stdout)?;
    let effects = &report["effects"];
    let till = &effects["effects"][1];
    let counts = ["never", "once", "more", "repeated"].map(|of| till[of]["count"].as_u64());
    assert_eq!((counts, &till["wanted"], &till["service"]), ([0, 10, 0, 10].map(Some), &10.into(), &"n2".into()));
    ensure!(till["repeated"]["traces"].as_array().is_some_and(|traces| traces.len() == 10), "{till}");
    let money = &effects["transfers"][0];
    assert_eq!((&money["conserved"], &money["traces"], &money["sum"]), (&true.into(), &10.into(), &0.into()));
    ensure!(effects["stale_ns"]["count"] == 10 && effects["longest"].as_array().map(Vec::len) == Some(10), "{effects}");
    Ok(())
}
