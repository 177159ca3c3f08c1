//! The brokers that Hopscope starts, among the settings of runs: how each is, starting and stopping.

use std::time::Duration;

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::format::{duration, size};
use leptos::prelude::*;

use crate::dock::refused;
use crate::io::runs::{BrokerInfo, Refusal, brokers, to_broker};
use crate::ui::node::{Node, node};
use crate::ui::text::{t, t_with};

/// From one look at them to the next, while they are shown.
const LOOK: Duration = Duration::from_secs(1);

/// What is known of them.
#[derive(Clone, Copy)]
struct Known {
    found: RwSignal<Vec<BrokerInfo>>,
    refusal: RwSignal<Option<Refusal>>,
    shown: RwSignal<bool>,
}

impl Known {
    /// Asks for them, and again as long as they are shown.
    fn look(self) {
        leptos::task::spawn_local(async move {
            if let Ok(brokers) = brokers().await {
                let locals: Vec<_> = brokers.into_iter().filter(|broker| broker.broker == "local").collect();
                // What is as it was is not made anew: a button in it may have the focus.
                if self.found.with_untracked(|found| *found != locals) {
                    self.found.set(locals);
                }
            }
            if self.shown.get_untracked() {
                set_timeout(move || self.look(), LOOK);
            }
        });
    }

    fn ask(self, protocol: String, what: &'static str) {
        self.refusal.set(None);
        leptos::task::spawn_local(async move {
            self.refusal.set(to_broker(&protocol, what).await.err());
        });
    }
}

/// The panel of settings tells when it opens and closes; the list of brokers in it.
#[component]
pub(super) fn Brokers(shown: RwSignal<bool>) -> impl IntoView {
    let known = Known { found: RwSignal::new(Vec::new()), refusal: RwSignal::new(None), shown };
    Effect::new(move |_| {
        if shown.get() {
            known.look();
        }
    });
    view! {
        <ul class="brokers">{move || known.found.with(|found| found.iter().map(|broker| row(known, broker)).collect::<Node>())}</ul>
        {node(move || known.refusal.with(|refusal| refusal.as_ref().map(refused)))}
    }
}

fn row(known: Known, broker: &BrokerInfo) -> Node {
    let product = [&broker.product, &broker.version].map(|word| word.clone().unwrap_or_default()).join(" ");
    let took = broker.started_ms.filter(|_| broker.state == "ready").map(|ms| duration((ms as i64) * 1_000_000));
    let took = took.map(|time| t_with(text!("brokers.took"), &[("time", &time)]));
    let facts = [Some(t(state(&broker.state))), took, broker.memory_bytes.map(size), broker.address.clone()];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let (what, label) = match broker.state.as_str() {
        "ready" => ("stop", text!("brokers.stop")),
        _ => ("start", text!("brokers.start")),
    };
    let able = !matches!(broker.state.as_str(), "starting" | "not-installed");
    let protocol = broker.protocol.clone();
    let button = able.then(|| {
        view! {
            <button type="button" class="btn" data-broker-action=what on:click=move |_| known.ask(protocol.clone(), what)>{t(label)}</button>
        }
    });
    view! {
        <li data-local=broker.protocol.clone() data-broker-state=broker.state.clone()>
            <b>{product}</b>{button}
            <span>{facts}</span>
            {broker.problem.clone().map(|problem| view! { <span class="problem">{problem}</span> })}
        </li>
    }
}

fn state(state: &str) -> Key {
    match state {
        "ready" => text!("brokers.ready"),
        "starting" => text!("brokers.starting"),
        "failed" => text!("brokers.failed"),
        "not-installed" => text!("brokers.not-installed"),
        _ => text!("brokers.stopped"),
    }
}
