use std::collections::BTreeSet;

use serde_json::Value;

use super::en::{LATER, OF_THE_PAGE, TABLES};
use super::*;
use crate::text;
use crate::validate::document_issues;

fn placeholders(template: &str) -> BTreeSet<&str> {
    template.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).collect()
}

#[test]
fn every_table_is_sorted_and_no_key_is_twice() {
    let mut seen = BTreeSet::new();
    for table in TABLES {
        for pair in table.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} comes after {}", pair[0].0, pair[1].0);
        }
        for (key, _) in *table {
            assert!(seen.insert(*key), "{key} is in two tables");
        }
    }
    assert!(!seen.is_empty());
}

#[test]
fn every_text_is_well_formed_in_every_language() {
    for (name, english) in TABLES.iter().copied().flatten() {
        let key = Key::find(name).unwrap();
        for language in LANGUAGES {
            let template = language.template(key);
            assert!(!template.trim().is_empty(), "{name}");
            assert_eq!(template.matches("**").count() % 2, 0, "{name}");
            assert_eq!(template.matches('{').count(), template.matches('}').count(), "{name}");
            assert_eq!(placeholders(template), placeholders(english), "{name}");
            assert_eq!(template.matches("**").count(), english.matches("**").count(), "{name}");
        }
    }
}

/// The file of Chinese, as the page fetches it.
fn chinese() -> Value {
    serde_json::from_str(include_str!("zh-Hans.json")).unwrap()
}

#[test]
fn chinese_has_every_text_of_the_page_and_none_that_english_lacks() {
    let file = chinese();
    let texts = file["texts"].as_object().unwrap();
    let of_the_page = OF_THE_PAGE.iter().copied().flatten().map(|(name, _)| *name);
    let missing: Vec<_> = of_the_page.filter(|name| !texts.contains_key(*name)).collect();
    assert!(missing.is_empty(), "zh-Hans.json lacks {missing:?}");
    let unknown: Vec<_> = texts.keys().filter(|name| Key::find(name).is_none()).collect();
    assert!(unknown.is_empty(), "zh-Hans.json has {unknown:?}, which English lacks");
    let names: Vec<_> = texts.keys().collect();
    assert!(names.is_sorted(), "the texts of zh-Hans.json are not in the order of their keys");
}

#[test]
fn the_file_of_english_has_what_the_page_is_built_without() {
    let file: Value = serde_json::from_str(include_str!("en.json")).unwrap();
    assert!(file == english_file(), "en.json is out of date; the first lines of the catalogue say how it is written");
    assert!(LATER.iter().all(|table| OF_THE_PAGE.contains(table)));
}

#[test]
fn what_chinese_lacks_is_said_in_english() {
    let key = text!("cli.laws");
    assert!(chinese()["texts"].get(key.name()).is_none());
    assert_eq!(Language::Chinese.template(key), "Laws");
    assert_eq!(Language::Chinese.template(text!("run.start")), "运行");
}

#[test]
fn the_scenarios_that_come_along_are_told_in_chinese_and_stay_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let file = chinese();
    let templates = file["templates"].as_object().unwrap();
    for name in ["activity", "bank", "hello-async", "hello-monolith", "hello-sync", "shop", "sign-up", "social"] {
        assert!(templates.contains_key(name), "{name}");
    }
    for (name, texts) in templates {
        let english = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let english: Value = serde_json::from_str(&english).unwrap();
        for pointer in ["/name", "/question", "/about"] {
            assert!(texts[pointer].is_string(), "{name} lacks {pointer}");
        }
        for pointer in texts.as_object().unwrap().keys() {
            assert!(english.pointer(pointer).is_some_and(Value::is_string), "{name} has no text at {pointer}");
        }
        let mut told = english.clone();
        Language::Chinese.translate(name, &mut told);
        assert_eq!(told["name"], texts["/name"]);
        assert_eq!(document_issues(&told), [], "{name}");
        Language::English.translate(name, &mut told);
        assert_eq!(told["name"], texts["/name"], "English is the scenario's own");
    }
}

#[test]
fn a_reader_gets_the_first_of_their_languages_that_there_is() {
    let of = |tags: &[&str]| Language::of_reader(tags.iter().copied());
    assert_eq!(of(&["zh-CN", "zh", "en"]), Language::Chinese);
    assert_eq!(of(&["de", "ZH-hans-SG", "en"]), Language::Chinese);
    assert_eq!(of(&["zh-TW", "en-US", "zh"]), Language::English);
    assert_eq!(of(&["zh-Hant-MO", "fr"]), Language::English);
    assert_eq!(of(&[]), Language::English);
    for language in LANGUAGES {
        assert_eq!(Language::find(language.tag()), Some(*language));
    }
    assert_eq!(Language::find("de"), None);
}

#[test]
fn arguments_are_neither_markup_nor_templates() {
    let key = text!("issue.duplicate-name.message");
    let args = Args::from([("value".to_owned(), Arg::from("a **b** {value} {c"))]);
    let spans = spans(Language::English, key, &args);
    assert_eq!(spans[1].text, "a **b** {value} {c");
    assert!(spans[1].strong && !spans[0].strong);
    let text = plain(Language::English, key, &args);
    assert_eq!(text, "Another node is called a **b** {value} {c too.");
    assert!(plain(Language::English, key, &Args::new()).contains("{value}"));
}

#[test]
fn a_key_serialises_as_its_name_and_unknown_names_are_refused() {
    let arg = Arg::from(text!("kind.client"));
    let json = serde_json::to_string(&arg).unwrap();
    assert_eq!(json, r#"{"key":"kind.client"}"#);
    assert_eq!(serde_json::from_str::<Arg>(&json).unwrap(), arg);
    assert!(serde_json::from_str::<Arg>(r#"{"key":"no such key"}"#).is_err());
    assert_eq!(Key::find("no such key"), None);
}
