//! What a node does with its links, in order: each one a way to its link.

use hopscope_markup::view;
use hopscope_scenario::edits::{Change, Document, Target};
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::protocol::Style;
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::body::BodyEditor;
use crate::state::document::Selection;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::t;

/// One step.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Work(String),
    /// A call over a link to a node, with the protocol's colour.
    Call {
        link: String,
        to: String,
        hue: &'static str,
        /// Whether it is a publish.
        publish: bool,
    },
    Reply,
}

/// A service's derived body, or where a client's requests go.
#[component]
pub(super) fn Steps(node: String) -> impl IntoView {
    let editor = use_editor();
    let id = StoredValue::new(node);
    let kind = memo(move || editor.with(|document| id.with_value(|id| document.node(id)?.kind())));
    let steps = memo(move || {
        editor.with(|document| id.with_value(|id| kind.get().map(|kind| steps(document, id, kind)).unwrap_or_default()))
    });
    let heading = move || match kind.get() {
        Some(Kind::Client) => t(text!("steps.client")),
        _ => t(text!("steps.service")),
    };
    let row = |(index, step): (usize, Step)| view! { <li><StepView number=index + 1 step/></li> };
    let written =
        memo(move || editor.with(|document| id.with_value(|id| document.node(id)?.value().get("body").map(|_| ()))));
    let write = move |_| {
        let node = id.get_value();
        let body = editor.now(|document| document.derived_body(&node));
        editor.apply(Change::set(Target::Node(node), "/body", Value::Array(body)), None);
    };
    let edit = move || {
        (kind.get() == Some(Kind::Service)).then(|| {
            view! { <button type="button" class="btn" data-action="edit-steps" on:click=write>{t(text!("steps.edit"))}</button> }
        })
    };
    view! {
        <Show when=move || steps.with(|steps| !steps.is_empty())>
            <section>
                <h2>{heading}</h2>
                <Show when=move || written.get().is_some() fallback=move || view! {
                    <ol class="steps">{move || steps.get().into_iter().enumerate().map(row).collect::<Node>()}</ol>
                    {edit}
                }>
                    <BodyEditor node=id/>
                </Show>
            </section>
        </Show>
    }
}

#[component]
fn StepView(number: usize, step: Step) -> impl IntoView {
    let editor = use_editor();
    let number = view! { <span class="number num">{number}</span> };
    match step {
        Step::Work(mean) => view! {
            <span class="step">{number}<span>{t(text!("step.work"))}</span><span class="num">{mean}</span></span>
        },
        Step::Call { link, to, hue, publish } => view! {
            <button type="button" class="step" on:click=move |_| editor.select(Selection::link(link.clone()))>
                {number}<span>{t(if publish { text!("step.publish") } else { text!("step.call") })}</span>
                <span class="callee" style:color=format!("var(--{hue})")>{to}</span>
            </button>
        },
        Step::Reply => view! { <span class="step">{number}<span>{t(text!("step.reply"))}</span></span> },
    }
}

fn steps(document: &Document, id: &str, kind: Kind) -> Vec<Step> {
    let name = |id: &str| document.node(id).map_or_else(|| id.to_owned(), |node| node.name().to_owned());
    let calls = document.links().filter(|link| link.from() == id).map(|link| Step::Call {
        link: link.id().to_owned(),
        to: name(link.to()),
        hue: link.protocol().map_or("bad", |protocol| protocol.descriptor().hue),
        publish: link.protocol().is_some_and(|protocol| protocol.descriptor().style == Style::Async),
    });
    match kind {
        Kind::Client => calls.collect(),
        Kind::Queue | Kind::Topic | Kind::Exchange | Kind::External => Vec::new(),
        Kind::Service => {
            let mean = document.node(id).and_then(|node| node.value().pointer("/work/mean").cloned());
            let mean = mean.as_ref().and_then(Value::as_str).unwrap_or("–").to_owned();
            std::iter::once(Step::Work(mean)).chain(calls).chain([Step::Reply]).collect()
        }
    }
}
