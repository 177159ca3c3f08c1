//! The recordings that come with the templates: one of each, of exactly that scenario, whole, and as its label says.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_scenario::model::Scenario;
use hopscope_scenario::plan::Plan;
use hopscope_scenario::validate::validate;
use hopscope_tests::recording::Recorded;
use serde_json::Value;

/// Most bytes of one: it is fetched by who looks at the page for the first time.
const MOST: usize = 300_000;

/// What to do where one does not fit.
const REMEDY: &str = "make the recordings again: cargo xtask record";

#[test]
fn every_template_has_a_recording_of_exactly_that_scenario() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let index: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("recorded/index.json"))?)?;
    let templates = templates(&folder)?;
    ensure!(templates.len() >= 6, "the templates are not where they were");
    for (name, text) in &templates {
        let entry = index.get(name).with_context(|| format!("no recording of {name}: {REMEDY}"))?;
        recorded(&folder, name, text, entry).with_context(|| format!("{name}: {REMEDY}"))?;
    }
    assert_eq!(
        index.as_object().map(|index| index.len()),
        Some(templates.len()),
        "a recording of no template: {REMEDY}"
    );
    Ok(())
}

fn templates(folder: &Path) -> Result<Vec<(String, String)>> {
    let paths: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let templates = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    templates
        .map(|path| {
            let name = path.file_stem().context("a file without a name")?.to_string_lossy().into_owned();
            Ok((name, std::fs::read_to_string(path)?))
        })
        .collect()
}

fn recorded(folder: &Path, name: &str, template: &str, entry: &Value) -> Result<()> {
    let bytes = std::fs::read(folder.join(format!("recorded/{name}.hop"))).context("the recording is not there")?;
    ensure!(bytes.len() <= MOST, "{} bytes are more than {MOST}", bytes.len());
    let recorded = Recorded::read(&bytes, Framing::File)?;
    let hello = recorded.hello.as_ref().context("no Hello")?;
    let plan = Plan::from_bytes(&hello.plan)?;
    // Both as they are read today: a field that came later has its default in either.
    ensure!(scenario(&plan.scenario.to_string())? == scenario(template)?, "it is of another scenario");
    ensure!(recorded.end.is_some() && recorded.lost == 0, "it is not whole");
    let laws = recorded.judged()?;
    let broken: Vec<_> = laws.iter().filter(|law| law.broken > 0).map(|law| law.law).collect();
    ensure!(broken.is_empty(), "it breaks {broken:?}");
    ensure!(laws.iter().any(|law| law.held > 0), "no law says anything of it");
    // The label on the page.
    let made_at: jiff::Timestamp = entry["made_at"].as_str().context("no date")?.parse()?;
    let began = jiff::Timestamp::from_nanosecond(i128::from(hello.unix_ns_at_zero))?;
    let apart = began.duration_since(made_at);
    ensure!(
        apart.unsigned_abs() < std::time::Duration::from_secs(5),
        "made at {made_at}, says its label; at {began}, it says"
    );
    ensure!(entry["version"].as_str().is_some_and(|version| hello.build.contains(version)), "made by {}", hello.build);
    ensure!(entry["cpu"].as_str().is_some_and(|cpu| !cpu.is_empty()), "its label names no processor");
    ensure!(entry["cores"].as_u64().is_some_and(|cores| cores > 0), "its label does not say how many cores");
    ensure!(entry["system"].as_str().is_some_and(|system| !system.is_empty()), "its label names no system");
    Ok(())
}

fn scenario(text: &str) -> Result<Scenario> {
    Ok(validate(text).map_err(|issues| anyhow::anyhow!("{issues:?}"))?.scenario)
}
