//! What is selected, as forms. The forms come from the descriptors; what is wrong stands beside its field.

mod body;
mod checks;
mod disturbances;
mod events;
mod field;
mod form;
mod live;
mod outside;
mod steps;

use hopscope_markup::view;
use hopscope_scenario::edits::{Change, Conversion, Target};
use hopscope_scenario::fields::Field;
use hopscope_scenario::protocol::{NETWORK_PRESETS, NetworkPreset, PROTOCOLS, Protocol, ProtocolDescriptor};
use hopscope_scenario::shape::SCENARIO_FIELDS;
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use self::checks::Checks;
use self::disturbances::Disturbances;
use self::events::Events;
use self::field::FieldIssues;
use self::form::{Form, Title};
use self::live::Live;
use self::outside::Outside;
use self::steps::Steps;
use super::problems::ProblemList;
use super::use_editor;
use crate::state::document::Selection;
use crate::state::run::use_run;
use crate::state::templates::Template;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{t, t_with};

/// What the inspector is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Scenario,
    Node(String),
    Link(String),
    Several(usize),
}

impl Subject {
    fn of(selection: &Selection) -> Self {
        match (&selection.link, selection.single()) {
            (Some(link), _) => Self::Link(link.clone()),
            (None, Some(node)) => Self::Node(node.to_owned()),
            (None, None) if selection.nodes.is_empty() => Self::Scenario,
            (None, None) => Self::Several(selection.nodes.len()),
        }
    }
}

/// The inspector.
#[component]
pub(crate) fn Inspector() -> impl IntoView {
    let editor = use_editor();
    let subject = memo(move || editor.selection.with(Subject::of));
    let panel = move || match subject.get() {
        Subject::Scenario => view! { <ScenarioPanel/> },
        Subject::Node(id) => view! { <NodePanel id/> },
        Subject::Link(id) => view! { <LinkPanel id/> },
        Subject::Several(count) => view! { <SeveralPanel count/> },
    };
    view! { <aside class="inspector" aria-label=t(text!("inspector.label"))>{panel}</aside> }
}

#[component]
fn ScenarioPanel() -> impl IntoView {
    view! {
        <h2>{t(text!("field.scenario"))}</h2>
        <Form target=Target::Scenario fields=move || Some(SCENARIO_FIELDS)/>
        <Next/>
        <Checks/>
        <Disturbances/>
        <ProblemList/>
    }
}

/// The way on to the next template of the lesson.
#[component]
fn Next() -> impl IntoView {
    let (editor, run) = (use_editor(), use_run());
    node(move || {
        editor.template.get().and_then(Template::next).map(|next| {
            let words = t_with(text!("lesson.next"), &[("name", &t(next.label))]);
            view! {
                <button type="button" class="btn convert" data-action="next" data-next=next.id
                    on:click=move |_| editor.open_template(run, next)>{words}</button>
            }
        })
    })
}

#[component]
fn NodePanel(id: String) -> impl IntoView {
    let editor = use_editor();
    let target = Target::Node(id.clone());
    let kind = Memo::new({
        let id = id.clone();
        move |_| editor.with(|document| document.node(&id).and_then(|node| node.kind()))
    });
    view! {
        <header class="row">
            <Title target=target.clone()/>
            <span class="tag">{move || kind.get().map(|kind| t(kind.descriptor().inline))}</span>
        </header>
        <FieldIssues target=target.clone() pointer="/name"/>
        <Live id=id.clone() link=false/>
        <Outside id=id.clone()/>
        <Form target fields=move || kind.get().map(|kind| kind.descriptor().fields)/>
        <Events id=id.clone()/>
        <Steps node=id/>
        <Remove/>
    }
}

/// The fields of a link, told apart by which they are.
#[derive(Clone, Copy)]
struct Options(&'static [Field]);

impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

#[component]
fn LinkPanel(id: String) -> impl IntoView {
    let editor = use_editor();
    let target = Target::Link(id.clone());
    let id = StoredValue::new(id);
    let ends = memo(move || {
        editor.with(|document| {
            let link = id.with_value(|id| document.link(id).map(|link| (link.from().to_owned(), link.to().to_owned())));
            link.map(|(from, to)| (editor.name_of(&from), editor.name_of(&to)))
        })
    });
    let title = move || ends.get().map(|(from, to)| t_with(text!("link.title"), &[("from", &from), ("to", &to)]));
    let protocol =
        memo(move || editor.with(|document| id.with_value(|id| document.link(id).and_then(|link| link.protocol()))));
    // A link that takes from a queue has no policy of a sender.
    let options = memo(move || {
        let protocol = protocol.get()?;
        editor.with(|document| {
            let link = id.with_value(|id| document.link(id))?;
            Some(Options(document.options_between(link.from(), link.to(), protocol)))
        })
    });
    view! {
        <header class="row">
            <strong class="title">{title}</strong>
            <span class="tag">{t(text!("link.tag"))}</span>
        </header>
        <Live id=id.get_value() link=true/>
        <ProtocolChoice id/>
        <p class="note">{move || protocol.get().map(|protocol| t(protocol.descriptor().note))}</p>
        <Form target fields=move || options.get().map(|Options(fields)| fields)/>
        {node(move || options.get().filter(|Options(fields)| has_network(fields)).map(|_| view! { <NetworkPresets id/> }))}
        <Convert id/>
        <Remove/>
    }
}

/// Whether a link with these options may have a network.
fn has_network(fields: &[Field]) -> bool {
    fields.iter().any(|field| field.name == "network")
}

/// What a link's network means, and round trips to begin with.
#[component]
fn NetworkPresets(id: StoredValue<String>) -> impl IntoView {
    let editor = use_editor();
    let preset = move |preset: &'static NetworkPreset| {
        let network = serde_json::json!({"distribution": "constant", "mean": preset.round_trip});
        let choose = move |_| {
            editor.apply(Change::set(Target::Link(id.get_value()), "/network", network.clone()), None);
        };
        view! {
            <button type="button" class="btn" data-network=preset.round_trip on:click=choose>
                {format!("{} {}", t(preset.label), preset.round_trip)}
            </button>
        }
    };
    view! {
        <div class="presets">{NETWORK_PRESETS.iter().map(preset).collect::<Node>()}</div>
        <p class="note">{t(text!("network.note"))}</p>
    }
}

/// The buttons that make another of a link: a queue or an event of a call, a call of the way through a queue.
#[component]
fn Convert(id: StoredValue<String>) -> impl IntoView {
    let editor = use_editor();
    let conversions = memo(move || editor.with(|document| id.with_value(|id| document.conversions(id))));
    let button = move |conversion: &'static Conversion| {
        let (action, words) = match conversion {
            Conversion::ToQueue => ("convert", t(text!("convert.to-queue"))),
            Conversion::ToEvent => ("convert-event", t(text!("convert.to-event"))),
            Conversion::ToCall => ("convert", t(text!("convert.to-call"))),
        };
        view! {
            <button type="button" class="btn convert" data-action=action
                on:click=move |_| editor.convert(&id.get_value(), *conversion)>{words}</button>
        }
    };
    node(move || conversions.get().iter().map(button).collect::<Node>())
}

/// The protocols that may join the link's ends; what the document has is among them, whatever it is.
#[component]
fn ProtocolChoice(id: StoredValue<String>) -> impl IntoView {
    let editor = use_editor();
    let chosen = memo(move || {
        editor.with(|document| {
            let link = id.with_value(|id| document.get(&Target::Link(id.clone()), "/protocol").cloned());
            link.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
        })
    });
    let options = memo(move || {
        editor.with(|document| {
            id.with_value(|id| {
                let kind = |id: &str| document.node(id).and_then(|node| node.kind());
                let ends = document.link(id).and_then(|link| Some((kind(link.from())?, kind(link.to())?)));
                let legal: Vec<Protocol> =
                    ends.map(|(from, to)| Protocol::between(from, to).collect()).unwrap_or_default();
                let offered = |descriptor: &&&ProtocolDescriptor| {
                    legal.contains(&descriptor.protocol) || chosen.with(|chosen| chosen == descriptor.id)
                };
                PROTOCOLS.iter().filter(offered).map(|descriptor| descriptor.protocol).collect::<Vec<_>>()
            })
        })
    });
    let choose = move |event| {
        let protocol = Protocol::find(&event_target_value(&event));
        let change =
            protocol.and_then(|protocol| editor.now(|document| document.to_protocol(&id.get_value(), protocol)));
        if let Some(change) = change {
            editor.apply(change, None);
        }
    };
    let option = move |protocol: Protocol| {
        let descriptor = protocol.descriptor();
        let selected = move || chosen.with(|chosen| chosen == descriptor.id);
        view! { <option value=descriptor.id selected=selected>{t(descriptor.label)}</option> }
    };
    view! {
        <div class="row">
            <label for="field-protocol">{t(text!("field.protocol"))}</label>
            <select id="field-protocol" name="protocol" prop:value=move || chosen.get() on:change=choose>
                {move || options.get().into_iter().map(option).collect::<Node>()}
            </select>
        </div>
        <FieldIssues target=Target::Link(id.get_value()) pointer="/protocol"/>
    }
}

#[component]
fn SeveralPanel(count: usize) -> impl IntoView {
    view! {
        <strong class="title">{t_with(text!("inspector.several"), &[("count", &count.to_string())])}</strong>
        <Remove/>
    }
}

#[component]
fn Remove() -> impl IntoView {
    let editor = use_editor();
    view! {
        <button type="button" class="btn remove" data-action="remove" on:click=move |_| editor.delete_selected()>
            {t(text!("action.remove"))}
        </button>
    }
}
