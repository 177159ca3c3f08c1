use std::collections::BTreeSet;

use super::en::TABLES;
use super::*;
use crate::text;

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
        }
    }
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
