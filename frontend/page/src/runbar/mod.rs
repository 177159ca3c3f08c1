//! The run bar: seed, warm-up, duration or until it is stopped, Run or Stop; and the run's figures and troubles in words.

mod brokers;
mod figures;
mod notice;
mod recorded;
mod server;

pub(crate) use figures::FiguresStrip;
pub(crate) use notice::Notice;
pub(crate) use recorded::Label;
pub(crate) use server::NeedsServer;

use hopscope_markup::view;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::plan::{Broker, Placement};
use hopscope_scenario::text;
use hopscope_scenario::validate::request_issues;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen::JsCast as _;

use crate::editor::use_editor;
use crate::state::ServerState;
use crate::state::run::{Data, Source, use_run};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{language, t};

/// Why Run would be refused now: what is wrong, what to do.
type Reason = (String, String);

/// What settings are where nobody chose otherwise.
const USUAL: [&str; 4] = ["0 s", Broker::BUILT_IN, "tasks", ""];

/// Seed, duration, the other settings behind a button, Run and Stop.
#[component]
pub(crate) fn RunBar(server: ReadSignal<ServerState>) -> impl IntoView {
    let (run, editor) = (use_run(), use_editor());
    let (seed, warm_up, duration, endless) = (run.seed, run.warm_up, run.duration, run.endless);
    let (broker, kafka, placement, ports) = (run.broker, run.kafka, run.placement, run.ports);
    let topics = memo(move || editor.with(|document| document.nodes().any(|node| node.kind() == Some(Kind::Topic))));
    let refused = RwSignal::new(None::<Reason>);
    // What another process runs is not stopped here; another run may begin meanwhile.
    let live = memo(move || run.status.with(crate::state::run::Status::is_live) && !run.with(Data::is_elsewhere));
    let press = move |_| {
        let scenario = editor.now(|document| document.value().clone());
        let duration = (!endless.get_untracked()).then(|| duration.get_untracked());
        let typed = [seed, warm_up, broker, kafka, placement, ports].map(|typed| typed.get_untracked());
        match request(&scenario, &typed, duration.as_deref()) {
            Ok(request) => {
                refused.set(None);
                run.open(Source::Live(request));
            }
            Err(reason) => refused.set(Some(reason)),
        }
    };
    // The local one stands there also where it is not installed: the server then says what to do.
    let brokers = move |scheme: &str, chosen: RwSignal<String>, label: fn(&str) -> String| {
        let mut brokers = vec![Broker::BUILT_IN.to_owned(), Broker::LOCAL.to_owned()];
        server.with(|server| {
            if let ServerState::Ready(about) = server {
                brokers.extend(about.brokers.iter().filter(|name| name.starts_with(scheme)).cloned());
            }
        });
        options(chosen, brokers, label)
    };
    let placements = [Placement::Tasks, Placement::Processes].map(|placement| placement.as_str().to_owned()).into();
    // What was wrong may be right after a change.
    Effect::new(move |_| {
        editor.with(|_| ());
        seed.track();
        warm_up.track();
        duration.track();
        endless.track();
        broker.track();
        kafka.track();
        placement.track();
        ports.track();
        refused.set(None);
    });
    // Settings that are not the usual ones are told of by their button.
    let changed =
        move || [warm_up, broker, kafka, placement, ports].iter().any(|of| of.with(|of| !USUAL.contains(&of.as_str())));
    let open = RwSignal::new(false);
    view! {
        <div class="runbar">
            <label title=t(text!("run.seed.tip"))>{t(text!("field.seed"))}
                <input class="num" name="seed" size="5" inputmode="numeric" autocomplete="off" aria-describedby="seed-tip"
                    prop:value=seed on:input=move |event| seed.set(event_target_value(&event))/>
                <span id="seed-tip" class="run-tip floating">{t(text!("run.seed.tip"))}</span>
            </label>
            // Out of sight where it says nothing, and its place is kept: nothing moves.
            <label style:visibility=move || if endless.get() { "hidden" } else { "visible" }>{t(text!("field.duration"))}
                <input class="num" name="duration" size="5" autocomplete="off"
                    prop:value=duration on:input=move |event| duration.set(event_target_value(&event))/>
            </label>
            <label title=t(text!("run.until-stopped.tip"))>
                <input type="checkbox" name="until-stopped"
                    prop:checked=endless on:change=move |event| endless.set(event_target_checked(&event))/>
                {t(text!("duration.until-stopped"))}
            </label>
            <button type="button" data-settings="true" popovertarget="settings" class:changed=changed>{t(text!("run.settings"))}</button>
            <div id="settings" class="floating" popover="auto" on:toggle=move |event: web_sys::Event| open.set(is_open(&event))>
                <label title=t(text!("run.warm-up.tip"))>{t(text!("field.warm-up"))}
                    <input class="num" name="warm-up" size="4" autocomplete="off"
                        prop:value=warm_up on:input=move |event| warm_up.set(event_target_value(&event))/>
                </label>
                <label title=t(text!("run.broker.tip"))>{t(text!("field.broker"))}
                    <select name="broker" on:change=move |event| broker.set(event_target_value(&event))>
                        {move || brokers("amqp", broker, label)}
                    </select>
                </label>
                <Show when=move || topics.get()>
                    <label title=t(text!("run.kafka.tip"))>{t(text!("field.kafka-broker"))}
                        <select name="kafka" on:change=move |event| kafka.set(event_target_value(&event))>
                            {move || brokers("kafka", kafka, label_of_topics)}
                        </select>
                    </label>
                </Show>
                <label title=t(text!("run.placement.tip"))>{t(text!("field.placement"))}
                    <select name="placement" on:change=move |event| placement.set(event_target_value(&event))>
                        {options(placement, placements, label)}
                    </select>
                </label>
                <label title=t(text!("run.ports.tip"))>{t(text!("field.ports"))}
                    <input name="ports" autocomplete="off" spellcheck="false"
                        prop:value=ports on:input=move |event| ports.set(event_target_value(&event))/>
                </label>
                {brokers::list(open)}
            </div>
            <Show when=move || live.get() fallback=move || view! {
                <button type="button" class="run" data-action="run" on:click=press>
                    <svg viewBox="0 0 10 10" aria-hidden="true"><path d="M1 0.5 L9.5 5 L1 9.5 Z"/></svg>
                    {t(text!("run.start"))}
                </button>
            }>
                <button type="button" class="run stop" data-action="stop" on:click=move |_| run.stop()>
                    <svg viewBox="0 0 10 10" aria-hidden="true"><path d="M1 1 H9 V9 H1 Z"/></svg>
                    {t(text!("run.stop"))}
                </button>
            </Show>
            <Show when=move || refused.with(Option::is_some)>
                <div class="run-refusal floating" role="alert" data-refusal="true">
                    <b>{move || refused.with(|reason| reason.as_ref().map(|(message, _)| message.clone()))}</b>
                    <span>{move || refused.with(|reason| reason.as_ref().map(|(_, remedy)| remedy.clone()))}</span>
                </div>
            </Show>
        </div>
    }
}

/// Whether what opened or closed is open now.
fn is_open(event: &web_sys::Event) -> bool {
    let element = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.matches(":popover-open").unwrap_or(false))
}

/// What a choice offers, and what is chosen of it.
fn options(chosen: RwSignal<String>, names: Vec<String>, label: fn(&str) -> String) -> Node {
    let option = |name: String| {
        let selected = chosen.with_untracked(|chosen| *chosen == name);
        view! { <option value=name.clone() selected=selected>{label(&name)}</option> }
    };
    names.into_iter().map(option).collect::<Node>()
}

/// What a person calls a broker that runs may have, or where their nodes may live.
fn label(choice: &str) -> String {
    match choice {
        Broker::BUILT_IN => t(text!("run.broker.built-in")),
        Broker::LOCAL => t(text!("run.broker.local")),
        "tasks" => t(text!("placement.tasks")),
        "processes" => t(text!("placement.processes")),
        address => address.to_owned(),
    }
}

/// What a person calls a broker of topics.
fn label_of_topics(choice: &str) -> String {
    match choice {
        Broker::BUILT_IN => t(text!("kafka.built-in")),
        Broker::LOCAL => t(text!("kafka.local")),
        address => address.to_owned(),
    }
}

/// The text of the request, or the first reason why it would be refused.
fn request(scenario: &Value, typed: &[String; 6], duration: Option<&str>) -> Result<String, Reason> {
    let [seed, warm_up, broker, kafka, placement, ports] = typed;
    // What is no number stays text: validation then says what is wrong with it.
    let seed = seed.trim().parse::<u64>().map_or_else(|_| json!(seed), |seed| json!(seed));
    let request = json!({
        "scenario": scenario, "seed": seed, "warm_up": warm_up, "duration": duration, "broker": broker,
        "kafka": kafka, "placement": placement, "ports": ports,
    });
    let request = request.to_string();
    // Warnings stop no run.
    match request_issues(&request).iter().find(|issue| issue.is_error()) {
        None => Ok(request),
        Some(first) => Err(say(first)),
    }
}

fn say(issue: &Issue) -> Reason {
    (issue.message(language()), issue.remedy(language()))
}
