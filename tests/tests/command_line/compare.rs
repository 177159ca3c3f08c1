//! Two runs compared: each figure with its change and interval, what ran differently, and changes that fail.

use super::*;

#[tokio::test]
async fn runs_are_compared_with_what_ran_and_a_change_may_fail() -> Result<()> {
    let desk = Desk::new()?;
    let run = async |mean: &str| -> Result<String> {
        let file = desk.scenario(|scenario| {
            scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "200/s", "count": 200});
            scenario["nodes"][1]["work"]["mean"] = mean.into();
            scenario["nodes"][1]["workers"] = 64.into();
        })?;
        let ran = desk.hopscope(&[&"run", &file, &"--duration", &"2s"]).await?;
        ensure_code(&ran, 0)?;
        Ok(id_of(&ran.stdout)?.to_owned())
    };
    let (quick, slow) = (run("1 ms").await?, run("200 ms").await?);
    let compare = async |limits: &[&str]| {
        let limits = limits.iter().flat_map(|limit| ["--fail-if", limit]);
        let arguments: Vec<&str> = ["compare", &quick, &slow].into_iter().chain(limits).collect();
        let arguments: Vec<&dyn AsRef<Path>> = arguments.iter().map(|argument| argument as &dyn AsRef<Path>).collect();
        desk.hopscope(&arguments).await
    };

    let told = compare(&[]).await?;
    ensure_code(&told, 0)?;
    for part in ["shop work.mean: 1 ms → 200 ms\n", "buyers->shop", "the whole run", "answered.p99", "error-rate"] {
        ensure!(told.stdout.contains(part), "{part:?} is missing in:\n{}", told.stdout);
    }
    // A hundred times slower, and with so many calls surely so.
    let limits = ["answered.p50 > +100%", "buyers->shop: completed.p50 < -50%", "l1: error-rate > +5%"];
    let told = compare(&limits).await?;
    ensure_code(&told, 1)?;
    for line in [
        "  FAILED answered.p50 > +100%: +",
        "  passed buyers->shop: completed.p50 < -50%: buyers->shop, +",
        "  open   l1: error-rate > +5%: buyers->shop, ",
    ] {
        ensure!(told.stdout.contains(line), "{line:?} is missing in:\n{}", told.stdout);
    }
    // Of 200 calls nobody knows the upper end of p99: not surely above, and so no failure; nor is it passed.
    let told = compare(&["answered.p99 < +1000000%"]).await?;
    ensure_code(&told, 0)?;
    ensure!(told.stdout.contains("  open   answered.p99 < +1000000%: "), "{}", told.stdout);
    // What is not there does not pass.
    ensure_code(&compare(&["nobody->shop: answered.p50 > +1%"]).await?, 1)?;
    let refused = compare(&["answered.p50 > 10"]).await?;
    ensure_code(&refused, 64)?;
    ensure!(refused.stderr.contains("answered.p99 > +10%"), "{}", refused.stderr);
    let same = desk.hopscope(&[&"compare", &quick, &quick]).await?;
    ensure_code(&same, 0)?;
    ensure!(same.stdout.starts_with("What ran is the same.\n"), "{}", same.stdout);
    ensure_code(&desk.hopscope(&[&"compare", &quick, &"20200101-000000-0001"]).await?, 5)
}
