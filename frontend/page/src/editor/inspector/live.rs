//! What can be done to the selected node or link while a run goes on.

use hopscope_markup::view;
use hopscope_scenario::disturb::{Action, BROKER, DISTURBANCE_TAG, KAFKA};
use hopscope_scenario::fields::Field;
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::plan::{Broker, Plan};
use hopscope_scenario::text;
use hopscope_scenario::validate::{cannot, undisturbable};
use leptos::prelude::*;
use serde_json::{Value, json};

use crate::state::run::{Data, Status, use_run};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// The actions that the node or link of this id can have now, as the run has it; nothing while none goes on.
#[component]
pub(super) fn Live(id: String, link: bool) -> impl IntoView {
    let run = use_run();
    let refused = RwSignal::new(None::<String>);
    let offered = memo(move || {
        run.revision.track();
        if run.status.get() != Status::Running {
            return None;
        }
        run.with(|data| if link { of_link(data, &id) } else { of_node(data, &id) })
    });
    let panel = move |Offered { on, actions, why }: Offered| {
        let button = move |action: Action| {
            let argument = action.argument();
            let usual = argument.and_then(Field::default_value).and_then(|value| value.as_str().map(str::to_owned));
            let typed = RwSignal::new(usual.unwrap_or_default());
            let on = on.clone();
            let act = move |_| {
                let mut asked = json!({ DISTURBANCE_TAG: action.id(), "on": on });
                if let Some(field) = argument {
                    asked[field.name] = typed.get_untracked().into();
                }
                run.disturb(asked.to_string(), refused);
            };
            let input = argument.map(|field| {
                view! {
                    <input type="text" class="num" name=format!("live-{}", action.id()) aria-label=t(field.label)
                        prop:value=move || typed.get() on:input=move |event| typed.set(event_target_value(&event))/>
                }
            });
            view! {
                <span class="live">
                    <button type="button" class="btn" data-live=action.id() on:click=act>{t(action.label())}</button>
                    {input}
                </span>
            }
        };
        view! {
            <section class="while-runs">
                <h2>{t(text!("live.heading"))}</h2>
                <div class="presets">{actions.into_iter().map(button).collect::<Node>()}</div>
                {why.then(|| view! { <p class="note">{t(text!("live.no-relay"))}</p> })}
                <p class="note" role="alert">{move || refused.get()}</p>
            </section>
        }
    };
    node(move || offered.get().map(panel))
}

/// What is offered for one thing of the run.
#[derive(Clone, PartialEq)]
struct Offered {
    /// What the run calls it.
    on: String,
    actions: Vec<Action>,
    /// Whether nothing can be, for want of a relay.
    why: bool,
}

/// A node or link of the plan's scenario, by its id.
fn element<'a>(plan: &'a Plan, list: &str, id: &str) -> Option<&'a Value> {
    let elements = plan.scenario.get(list)?.as_array()?;
    elements.iter().find(|element| element.get("id").and_then(Value::as_str) == Some(id))
}

fn of_node(data: &Data, id: &str) -> Option<Offered> {
    let (plan, state) = (data.buffer.plan()?, data.buffer.state()?);
    let (number, node) =
        plan.nodes.iter().zip(0_u32..).map(|(node, number)| (number, node)).find(|(_, it)| it.id == id)?;
    let place = plan.places.iter().position(|place| place.node == number)?;
    let disturbed = state.places().get(place)?.disturbed;
    let document = element(plan, "nodes", id)?;
    let kept = match node.kind {
        Kind::Queue => Some((BROKER, &plan.settings.broker)),
        Kind::Topic => Some((KAFKA, &plan.settings.kafka)),
        _ => None,
    };
    if let Some((on, broker)) = kept {
        // It is its broker's, which can be killed if Hopscope started it.
        let action = if disturbed.crashed == 1 { Action::Start } else { Action::Kill };
        let local = broker.as_str() == Broker::LOCAL;
        return local.then(|| Offered { on: on.to_owned(), actions: vec![action], why: false });
    }
    let fits = |action: &Action| match action {
        Action::Start => disturbed.crashed == 1,
        _ if disturbed.crashed == 1 => false,
        Action::Pause => disturbed.paused == 0,
        Action::Resume => disturbed.paused == 1,
        action => action.of_node(),
    };
    let able = |action: &Action| cannot(*action, document).is_none() && fits(action);
    let actions: Vec<_> = Action::ALL.into_iter().filter(able).collect();
    // As the run has it, whose name may have been another when it began.
    let on = document.get("name").and_then(Value::as_str).unwrap_or(&node.name).to_owned();
    (!actions.is_empty()).then_some(Offered { on, actions, why: false })
}

fn of_link(data: &Data, id: &str) -> Option<Offered> {
    let (plan, state) = (data.buffer.plan()?, data.buffer.state()?);
    let row = plan.links.iter().position(|link| link.id == id)?;
    let document = element(plan, "links", id)?;
    let nodes = plan.scenario.get("nodes").and_then(serde_json::Value::as_array).map_or(&[][..], Vec::as_slice);
    if undisturbable(document, nodes).is_some() {
        return None;
    }
    let named = plan.disturbances.iter().any(|disturbance| disturbance.link.map(usize::from) == Some(row));
    let relay = named || plan.links.get(row)?.network.is_some();
    let disturbed = state.links().get(row)?.disturbed;
    let fits = |action: &Action| match action {
        Action::Cut => disturbed.cut == 0,
        Action::Mend => !disturbed.is_none(),
        action => !action.of_node() && !action.of_broker(),
    };
    let actions = if relay { Action::ALL.into_iter().filter(fits).collect() } else { Vec::new() };
    Some(Offered { on: id.to_owned(), actions, why: !relay })
}
