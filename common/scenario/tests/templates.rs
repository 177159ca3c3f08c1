//! The scenarios that come with Hopscope.

use std::fs;
use std::path::Path;

use hopscope_scenario::plan::{Plan, RunSettings, compile};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;

#[test]
fn every_template_is_valid_canonical_and_says_what_to_look_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let valid = validate(&text).unwrap();
        assert_eq!(valid.warnings, [], "{}", path.display());
        let canonical = serde_json::to_string_pretty(&valid.scenario).unwrap() + "\n";
        assert!(canonical == text, "{} is not in the canonical form:\n{canonical}", path.display());
        assert!(valid.scenario.question.ends_with('?'), "{}", path.display());
        assert!(valid.scenario.about.len() > 100, "{}", path.display());
        let settings = RunSettings { seed: 42, duration: Some(Time(5_000_000_000)), ..RunSettings::default() };
        let plan = compile(&valid.scenario, &settings);
        assert_eq!(Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap(), plan);
        seen += 1;
    }
    assert!(seen > 0);
}
