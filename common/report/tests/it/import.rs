//! The import of JSON: what comes back, and what is refused where.

use std::convert::Infallible;
use std::io::{self, Cursor, Read};

use hopscope_record::codec::EventDecoder;
use hopscope_record::frame::Payload;
use hopscope_record::{Event, Kind};
use hopscope_report::export::json::JSON;
use hopscope_report::export::{Document, EXPORTS};
use hopscope_report::import::{Code, Fault, ImportError, Imported, import};
use hopscope_scenario::catalogue::Language;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::exports::written;
use crate::json::{all_parts, any_event, export};
use crate::lawful::queued::Queued;
use crate::lawful::{self, Shape};
use crate::recording::{Recording, for_frames};

const USUAL: Shape =
    Shape { messages: 2_000, period: 1_000_000, work: 400_000, sources: 3, workers: 4, unusual: 10, seed: 42 };

const QUEUED: Queued = Queued {
    messages: 1_000,
    period: 150_000,
    work: 200_000,
    consumers: 1,
    prefetch: 3,
    acks_after_work: true,
    replies: true,
    unusual: 6,
    seed: 42,
};

/// The file that a document makes.
fn imported(document: &[u8]) -> Result<(Vec<u8>, Imported), ImportError> {
    let mut file = Vec::new();
    let imported = import(document, |bytes| {
        file.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok((file, imported))
}

fn exported(file: &[u8]) -> String {
    let mut document = Vec::new();
    let put = |chunk: Vec<u8>| {
        document.extend(chunk);
        Ok::<_, Infallible>(())
    };
    Document::survey(&JSON, Cursor::new(file), file.len() as u64).unwrap().write(put).unwrap();
    String::from_utf8(document).unwrap()
}

fn events(file: &[u8]) -> Vec<Event> {
    let (mut events, mut batch, mut decoder) = (Vec::new(), Vec::new(), EventDecoder::new());
    for_frames(file, |frame| {
        if let Payload::Events(payload) = frame.read().unwrap() {
            decoder.decode(payload.batch, &mut batch).unwrap();
            events.append(&mut batch);
        }
        Ok::<_, Infallible>(())
    });
    events
}

#[test]
fn a_recording_with_every_part_comes_back_byte_for_byte() {
    let golden = include_str!("../golden/recording.json");
    let (file, imported) = imported(golden.as_bytes()).unwrap();
    assert!(exported(&file) == golden, "{}", exported(&file));
    assert_eq!((imported.run_id.as_str(), imported.scenario.as_str()), ("made-up", "made up \"chain\""));
    let mut expected = all_parts().events;
    expected.sort_by_key(|event| event.time);
    assert!(events(&file) == expected);
    assert_eq!(imported.events, expected.len() as u64);
}

#[test]
fn long_cut_and_empty_recordings_come_back() {
    let long = Recording::of(lawful::run(USUAL));
    assert!(long.events.len() > 10_000, "more than one frame of them");
    let cut = Recording { end: None, ..Recording::of(lawful::run(USUAL)) };
    for recording in [long, cut, Recording::of(Vec::new())] {
        let document = export(&recording);
        let (file, imported) = imported(document.as_bytes()).unwrap();
        assert!(exported(&file) == document);
        assert!(events(&file) == recording.events);
        let mut frames = 0;
        for_frames(&file, |_| {
            frames += 1;
            Ok::<_, Infallible>(())
        });
        assert_eq!(imported.frames, frames);
    }
}

#[test]
fn runs_through_queues_come_back_and_every_export_with_them() {
    for shape in [QUEUED, Queued { replies: false, consumers: 3, ..QUEUED }] {
        let whole = Recording::queued(shape);
        assert!(whole.events.iter().any(|event| event.kind == Kind::REQUEUED));
        for recording in [Recording { end: None, ..whole.clone() }, whole] {
            let document = export(&recording);
            let (file, imported) = imported(document.as_bytes()).unwrap();
            assert!(exported(&file) == document);
            assert_eq!(imported.events, recording.events.len() as u64);
            let mut expected = recording.events.clone();
            expected.sort_by_key(|event| event.time);
            assert!(events(&file) == expected);
            for format in EXPORTS {
                assert!(written(format, &file).0 == written(format, &recording.file()).0, "{}", format.id);
            }
        }
    }
}

#[test]
fn an_unknown_kind_survives_by_number_and_by_name() {
    let mut recording = Recording::of(vec![
        Event { a: 5, b: u64::MAX, ..Event::new(1, Kind(201)) },
        Event { a: 6, ..Event::new(2, Kind(202)) },
    ]);
    recording.hello.kinds.push((Kind(201), "Windowed".to_owned()));
    let document = export(&recording);
    assert!(document.contains("\"kind\":\"Windowed\"") && document.contains("\"kind\":202"), "{document}");
    let (file, _) = imported(document.as_bytes()).unwrap();
    assert!(exported(&file) == document);
    assert_eq!(events(&file), recording.events);
}

#[test]
fn a_kind_that_the_exporting_build_did_not_know_is_read_as_it_stands() {
    let document = r#"{"time_ns":1,"kind":"Sent","a":"0000000000000000","b":"0000000000000100"}"#;
    let mut value: Value = serde_json::from_str(&export(&Recording::of(Vec::new()))).unwrap();
    value["events"] = json!([serde_json::from_str::<Value>(document).unwrap()]);
    let (file, _) = imported(value.to_string().as_bytes()).unwrap();
    assert_eq!(events(&file), [Event { b: 256, ..Event::new(1, Kind::SENT) }]);
    assert!(exported(&file).contains("\"bytes\":256"));
}

fn refused(document: &str) -> Fault {
    let refused = |error| match error {
        ImportError::Refused(fault) => Some(*fault),
        _ => None,
    };
    imported(document.as_bytes()).err().and_then(refused).unwrap()
}

#[test]
fn what_is_no_recording_is_refused_where_it_is_none() {
    let document: Value = serde_json::from_str(&export(&all_parts())).unwrap();
    let position = |kind: &str| {
        let events = document["events"].as_array().unwrap();
        events.iter().position(|event| event["kind"] == kind).unwrap()
    };
    let (wanted, sent, completed) = (position("Intended"), position("Sent"), position("Completed"));
    let cases = [
        ("/format".to_owned(), json!("hopscope-scenario"), Code::NotARecording),
        ("/version".to_owned(), json!(2), Code::UnknownVersion),
        ("/mood".to_owned(), json!(1), Code::UnknownField),
        ("/clocks".to_owned(), json!(1), Code::BadValue),
        ("/clocks/0".to_owned(), json!(1), Code::BadValue),
        ("/clocks/0/span_ns".to_owned(), json!("1 s"), Code::BadValue),
        ("/clocks/0/mood".to_owned(), json!(1), Code::UnknownField),
        // Measures that have a name are not told by number, and numbers have one way to be written.
        ("/clocks/0/1".to_owned(), json!(1), Code::UnknownField),
        ("/clocks/0/0300".to_owned(), json!(1), Code::UnknownField),
        ("/names/1".to_owned(), json!(7), Code::BadValue),
        ("/losses/0/count".to_owned(), json!(-1), Code::BadValue),
        ("/losses/0/mood".to_owned(), json!(1), Code::UnknownField),
        ("/run/key".to_owned(), json!("c0ffee"), Code::BadValue),
        ("/run/started".to_owned(), json!("2026-11-23"), Code::BadValue),
        ("/run/kinds/Sent".to_owned(), json!(1), Code::BadValue),
        ("/run/whole".to_owned(), json!(true), Code::BadValue),
        ("/run/end/reason".to_owned(), json!("bored"), Code::BadValue),
        ("/run/end/detail".to_owned(), json!("no such text"), Code::BadValue),
        ("/run/end/counts/0/counted".to_owned(), json!("sheep"), Code::BadValue),
        ("/run/end/counts/1/link".to_owned(), json!("l9"), Code::BadValue),
        (format!("/events/{wanted}/key"), json!("k18"), Code::BadValue),
        (format!("/events/{wanted}/value"), json!(0.5), Code::BadValue),
        (format!("/events/{wanted}/event_time_ns"), json!("now"), Code::BadValue),
        (format!("/events/{wanted}/bytes"), json!(-1), Code::BadValue),
        (format!("/events/{sent}/key"), json!("k17"), Code::UnknownField),
        (format!("/events/{sent}/time_ns"), json!("now"), Code::BadValue),
        (format!("/events/{sent}/time_ns"), json!(1.5), Code::BadValue),
        (format!("/events/{sent}/time_ns"), json!(-5_000_000), Code::NotSorted),
        (format!("/events/{sent}/kind"), json!("Send"), Code::BadValue),
        (format!("/events/{sent}/kind"), json!(65_536), Code::BadValue),
        (format!("/events/{sent}/node"), json!("n9"), Code::BadValue),
        (format!("/events/{sent}/instance"), json!("replica 9"), Code::BadValue),
        (format!("/events/{sent}/link"), json!("l9"), Code::BadValue),
        (format!("/events/{sent}/trace"), json!("7"), Code::BadValue),
        (format!("/events/{sent}/message"), json!("0001000000000A"), Code::BadValue),
        (format!("/events/{sent}/attempt"), json!(256), Code::BadValue),
        (format!("/events/{sent}/bytes"), json!(-1), Code::BadValue),
        (format!("/events/{sent}/late"), json!(true), Code::UnknownField),
        (format!("/events/{sent}/status"), json!(200), Code::UnknownField),
        (format!("/events/{sent}/mood"), json!([{"a": 1}]), Code::UnknownField),
        (format!("/events/{sent}/parent"), json!([{"a": 1}]), Code::BadValue),
        (format!("/events/{completed}/late"), json!(false), Code::BadValue),
    ];
    for (path, value, code) in cases {
        let mut altered = document.clone();
        let (parent, field) = path.rsplit_once('/').unwrap();
        match altered.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[field.parse::<usize>().unwrap()] = value,
            object => object[field] = value,
        }
        // Events are last in a document; an added field comes after them.
        if path == "/mood" {
            let events = altered.as_object_mut().unwrap().shift_remove("events").unwrap();
            altered["events"] = events;
        }
        let fault = refused(&altered.to_string());
        assert_eq!((fault.code, fault.path.as_str()), (code, path.as_str()));
        for text in [fault.message(Language::English), fault.remedy(Language::English)] {
            assert!(!text.is_empty() && !text.contains(['{', '}']) || path.ends_with("parent"), "{text}");
        }
    }
}

#[test]
fn what_is_left_out_or_in_the_wrong_place_is_named() {
    let document: Value = serde_json::from_str(&export(&all_parts())).unwrap();
    let required = ["", "/run", "/run/end", "/run/end/counts/0", "/losses/0", "/events/0"];
    for parent in required {
        let fields: Vec<_> = document.pointer(parent).unwrap().as_object().unwrap().keys().cloned().collect();
        for field in fields {
            // Settings are read as a whole; these may be left out.
            if ["seed", "duration", "detail", "node", "link"].contains(&field.as_str()) {
                continue;
            }
            let mut altered = document.clone();
            altered.pointer_mut(parent).unwrap().as_object_mut().unwrap().shift_remove(&field);
            let fault = refused(&altered.to_string());
            assert_eq!((fault.code, fault.path), (Code::Missing, format!("{parent}/{field}")));
        }
    }
    let wanted = document["events"].as_array().unwrap().iter().position(|event| event["kind"] == "Intended").unwrap();
    for field in ["message", "bytes"] {
        let mut altered = document.clone();
        altered["events"][wanted].as_object_mut().unwrap().shift_remove(field);
        let fault = refused(&altered.to_string());
        // Without a message its attempt means nothing.
        let attempt = field == "message" && fault.code == Code::UnknownField;
        assert!(attempt || (fault.code, fault.path) == (Code::Missing, format!("/events/{wanted}/{field}")));
    }
    let mut timeless = document.clone();
    timeless["clocks"][0].as_object_mut().unwrap().shift_remove("time_ns");
    assert_eq!(refused(&timeless.to_string()).path, "/clocks/0/time_ns");
    let mut settings = document.clone();
    settings["run"]["mood"] = json!(1);
    assert_eq!(refused(&settings.to_string()).code, Code::BadSettings);
    let mut late = document.clone();
    let names = late.as_object_mut().unwrap().shift_remove("names").unwrap();
    assert_eq!(refused(&late.to_string()).path, "/names");
    late["names"] = names.clone();
    assert_eq!(refused(&late.to_string()).code, Code::Missing);
    let text = document.to_string();
    let after = format!("{},\"names\":[]}}", text.strip_suffix('}').unwrap());
    assert_eq!(refused(&after).code, Code::EventsNotLast);
    let twice = text.replacen("\"clocks\":[", "\"clocks\":[],\"clocks\":[", 1);
    assert_eq!(refused(&twice).code, Code::Twice);
    let twice = text.replacen("\"kind\":\"Sent\"", "\"kind\":\"Sent\",\"kind\":\"Sent\"", 1);
    assert_eq!(refused(&twice).code, Code::Twice);
}

#[test]
fn what_is_not_json_is_told_by_line_and_column() {
    let document = export(&all_parts());
    for text in ["", "[]", "null", "\u{89}HOPS", &document[..document.len() / 2], &format!("{document}x")] {
        assert_eq!(refused(text).code, Code::NotJson, "{text}");
    }
    let twice = document.replacen("\"build\":", "\"id\": \"again\", \"build\":", 1);
    let fault = refused(&twice);
    assert_eq!(fault.code, Code::NotJson);
    assert!(fault.remedy(Language::English).contains("written twice"), "{}", fault.remedy(Language::English));
}

#[test]
fn a_scenario_that_is_none_is_refused_with_all_its_issues() {
    let mut document: Value = serde_json::from_str(&export(&all_parts())).unwrap();
    document["scenario"]["nodes"][1]["workers"] = json!(0);
    document["scenario"]["links"][0]["to"] = json!("n9");
    let Err(ImportError::Scenario(issues)) = imported(document.to_string().as_bytes()) else {
        panic!("it was imported")
    };
    let paths: Vec<_> = issues.iter().filter(|issue| issue.is_error()).map(|issue| issue.path.as_str()).collect();
    assert!(paths.contains(&"/scenario/nodes/1/workers") && paths.contains(&"/scenario/links/0/to"), "{paths:?}");
}

#[test]
fn memory_is_bounded_whatever_the_document_holds() {
    let endless = |before: &'static str, of: u8| before.as_bytes().chain(io::repeat(of));
    let put = |_: &[u8]| Ok(());
    let Err(ImportError::Refused(fault)) = import(endless("{\"names\": [\"", b'x'), put) else { panic!() };
    assert_eq!(fault.code, Code::TooLarge);
    let document = export(&all_parts());
    let head = document.split_once("\"events\": [").unwrap().0.to_owned() + "\"events\": [{\"time_ns\": \"";
    let Err(ImportError::Refused(fault)) = import(head.as_bytes().chain(io::repeat(b'x')), put) else { panic!() };
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn readers_and_writers_that_fail_are_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let document = export(&Recording::of(lawful::run(USUAL)));
    let half = &document.as_bytes()[..document.len() / 2];
    let read = import(half.chain(Broken), |_| Ok(()));
    assert!(matches!(&read, Err(ImportError::Read(error)) if error.to_string() == "the disk is gone"), "{read:?}");
    let mut room = 3;
    let written = import(document.as_bytes(), |_| {
        room -= 1;
        if room > 0 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    });
    assert!(matches!(&written, Err(ImportError::Put(error)) if error.kind() == io::ErrorKind::StorageFull));
}

proptest! {
    #[test]
    fn any_recording_comes_back(mut made in prop::collection::vec(any_event(), 0..40), cut: bool) {
        made.sort_by_key(|event| event.time);
        let mut recording = Recording::of(Vec::new());
        recording.events = made;
        if cut {
            recording.end = None;
        }
        let document = export(&recording);
        let (file, _) = imported(document.as_bytes()).unwrap();
        prop_assert_eq!(exported(&file), document);
        prop_assert_eq!(events(&file), recording.events);
    }

    #[test]
    fn any_lawful_run_comes_back(messages in 0..60_u64, unusual in 0..60_u64, seed: u64) {
        let recording = Recording::of(lawful::run(Shape { messages, unusual, seed, ..USUAL }));
        let document = export(&recording);
        let (file, _) = imported(document.as_bytes()).unwrap();
        prop_assert_eq!(exported(&file), document);
        prop_assert_eq!(events(&file), recording.events);
    }

    #[test]
    fn any_run_through_queues_comes_back(
        messages in 0..40_u64, unusual in 0..16_u64, consumers in 1..4_u32, replies: bool, seed: u64,
    ) {
        let recording = Recording::queued(Queued { messages, unusual, consumers, replies, seed, ..QUEUED });
        let document = export(&recording);
        let (file, _) = imported(document.as_bytes()).unwrap();
        prop_assert_eq!(exported(&file), document);
    }

    #[test]
    fn no_text_makes_the_import_panic(at: prop::sample::Index, with in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut document = export(&all_parts()).into_bytes();
        let at = at.index(document.len());
        document.splice(at..(at + with.len()).min(document.len()), with);
        let _ = imported(&document);
    }
}
