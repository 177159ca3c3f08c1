//! What disturbing the run cost: what was lost, repeated and late after each thing that was done to it, and when all was normal
//! again. Every number opens its traces.

use hopscope_markup::view;
use hopscope_record::TraceId;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::disturb::Action;
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;
use serde_json::Value;

use super::{Tab, use_tab};
use crate::io::runs::{self, Refusal};
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{t, t_with};

/// How far the verdict is.
#[derive(Clone)]
enum Answer {
    /// It is being asked for.
    Asked,
    /// Here it is; null where nothing was done to the run.
    Here(Value),
    /// It is not to be had.
    Refused(Refusal),
}

/// What is counted of a stretch: its name in the document, and its heading.
const COUNTED: [(&str, Key); 4] = [
    ("unanswered", text!("verdict.unanswered")),
    ("unfinished", text!("verdict.unfinished")),
    ("repeated", text!("verdict.repeated")),
    ("late", text!("verdict.late")),
];

/// The panel.
#[component]
pub(super) fn Verdict() -> impl IntoView {
    let run = use_run();
    let shown = memo(move || {
        run.revision.track();
        run.with(|data| data.id.clone().map(|id| (id, data.is_over())))
    });
    let answer = RwSignal::new(Answer::Asked);
    Effect::new(move |_| {
        let Some((id, true)) = shown.get() else { return };
        answer.set(Answer::Asked);
        leptos::task::spawn_local(async move {
            let came = runs::verdict(&id).await.map_or_else(Answer::Refused, Answer::Here);
            // Another run may be shown by now.
            if shown.get_untracked().is_some_and(|(now, _)| now == id) {
                answer.set(came);
            }
        });
    });
    let note = |key| view! { <p class="note" role="status">{t(key)}</p> };
    let body = move || match shown.get() {
        None => note(text!("verdict.no-run")),
        Some((_, false)) => note(text!("verdict.later")),
        Some((_, true)) => node(move || match answer.get() {
            Answer::Asked => note(text!("verdict.reading")),
            Answer::Refused(refusal) => super::compare::refused(&refusal),
            Answer::Here(Value::Null) => note(text!("verdict.none")),
            Answer::Here(document) => table(&document),
        }),
    };
    view! { <div class="report compare" tabindex="0">{body}</div> }
}

fn table(document: &Value) -> Node {
    let heads = [text!("verdict.done"), text!("verdict.when"), text!("verdict.traces")];
    let head = |(label, class): (Key, &'static str)| view! { <th scope="col" class=class>{t(label)}</th> };
    let heads = heads.into_iter().zip(["", "", "figure"]);
    let counted = COUNTED.iter().map(|(_, label)| (*label, "figure")).chain([(text!("verdict.normal"), "figure")]);
    let normal = &document["normal"];
    let (key, args) = match normal["answered_p99"].as_str() {
        Some(p99) => (text!("verdict.note"), [("p99", p99.to_owned()), ("traces", normal["traces"].to_string())]),
        None => (text!("verdict.note.too-few"), [("p99", String::new()), ("traces", String::new())]),
    };
    let disturbances = document["disturbances"].as_array().map_or(&[][..], Vec::as_slice);
    let before = row(&t(text!("verdict.before")), String::new(), &document["before"], "–".to_owned());
    view! {
        <table class="figures-table verdict">
            <thead><tr>{heads.chain(counted).map(head).collect::<Node>()}</tr></thead>
            <tbody>{before}{disturbances.iter().map(disturbance).collect::<Node>()}</tbody>
        </table>
        <p class="note">{t_with(key, &args.each_ref().map(|(name, value)| (*name, value.as_str())))}</p>
    }
}

fn disturbance(one: &Value) -> Node {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let action =
        one["do"].as_str().map(|word| if word == "broker-killed" { "kill" } else { word }).and_then(Action::find);
    let done = action.map_or_else(|| word(&one["do"]), |action| t(action.label()));
    let done = format!("{done} {} {}", word(&one["on"]), word(&one["told"]));
    let when = match one["until"].as_str() {
        Some(until) => format!("{} – {until}", word(&one["at"])),
        None => word(&one["at"]),
    };
    let normal = match one["normal"]["state"].as_str() {
        Some("after") => word(&one["normal"]["after"]),
        Some("stayed") => t(text!("verdict.stayed")),
        Some("never") => t(text!("verdict.never")),
        _ => t(text!("verdict.too-few")),
    };
    row(&done, when, &one["found"], normal)
}

fn row(done: &str, when: String, found: &Value, normal: String) -> Node {
    let count = |value: &Value| format::whole(value.as_u64().unwrap_or(0));
    let cell = |(name, label): &(&'static str, Key)| {
        let named = &found[*name];
        let title = format!("{}: {}", t(*label), done.trim());
        view! { <td class="num figure" data-count=*name>{numbers(count(&named["count"]), &named["traces"], title)}</td> }
    };
    view! {
        <tr>
            <th scope="row">{done.trim().to_owned()}</th>
            <td class="num">{when}</td>
            <td class="num figure">{count(&found["traces"])}</td>
            {COUNTED.iter().map(cell).collect::<Node>()}
            <td class="num figure" data-normal="true">{normal}</td>
        </tr>
    }
}

/// A number that opens the traces it counts, where it counts any that the page has.
fn numbers(count: String, traces: &Value, title: String) -> Node {
    let (run, tab) = (use_run(), use_tab());
    let id = |value: &Value| u64::from_str_radix(value.as_str()?, 16).ok().map(TraceId);
    let ids = traces.as_array().into_iter().flatten().filter_map(id);
    let rows: Vec<u32> = run.with(|data| ids.filter_map(|id| data.buffer.find_trace(id)).collect());
    if rows.is_empty() {
        return view! { <span>{count}</span> };
    }
    let open = move |_| {
        run.only.set(Some((title.clone(), rows.clone())));
        tab.set(Tab::Traces);
    };
    view! { <button type="button" class="link" on:click=open>{count}</button> }
}
