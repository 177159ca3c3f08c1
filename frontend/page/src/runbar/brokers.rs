//! The brokers that runs may have, among their settings: where each is and how it is; installing, starting and stopping those that
//! Hopscope starts.

use std::time::Duration;

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format::{duration, size};
use leptos::prelude::*;

use super::{label, label_of_topics};
use crate::dock::refused;
use crate::io::runs::{BrokerInfo, Refusal, brokers, to_broker};
use crate::ui::node::{Node, node};
use crate::ui::text::{t, t_with};

/// From one look at them to the next, while they are shown.
const LOOK: Duration = Duration::from_millis(500);

/// What is known of them.
#[derive(Clone, Copy)]
struct Known {
    found: RwSignal<Vec<BrokerInfo>>,
    refusal: RwSignal<Option<Refusal>>,
    shown: RwSignal<bool>,
    /// Whether the next look is due already: there is one at a time, however often the panel opens.
    looking: RwSignal<bool>,
}

impl Known {
    /// Asks for them, and again as long as they are shown.
    fn look(self) {
        self.looking.set(true);
        leptos::task::spawn_local(async move {
            match brokers().await {
                // What is as it was is not made anew: a button in it may have the focus.
                Ok(brokers) => {
                    if self.found.with_untracked(|found| *found != brokers) {
                        self.found.set(brokers);
                    }
                }
                // That the server is gone, the bar tells; what was known of its brokers stays.
                Err(refusal) if self.found.with_untracked(Vec::is_empty) => self.refusal.set(Some(refusal)),
                Err(_) => {}
            }
            set_timeout(move || if self.shown.get_untracked() { self.look() } else { self.looking.set(false) }, LOOK);
        });
    }

    fn ask(self, protocol: String, what: &'static str) {
        self.refusal.set(None);
        leptos::task::spawn_local(async move {
            self.refusal.set(to_broker(&protocol, what).await.err());
        });
    }
}

/// Their list; the panel that it is in tells when it opens and closes.
pub(super) fn list(shown: RwSignal<bool>) -> Node {
    let known =
        Known { found: RwSignal::new(Vec::new()), refusal: RwSignal::new(None), shown, looking: RwSignal::new(false) };
    Effect::new(move |_| {
        if shown.get() && !known.looking.get_untracked() {
            known.refusal.set(None);
            known.look();
        }
    });
    view! {
        <ul class="brokers" aria-label=t(text!("brokers.label"))>{move || known.found.with(|found| {
            found.iter().map(|broker| row(known, broker)).collect::<Node>()
        })}</ul>
        {node(move || known.refusal.with(|refusal| refusal.as_ref().map(refused)))}
    }
}

fn row(known: Known, broker: &BrokerInfo) -> Node {
    let named = if broker.protocol == "kafka" { label_of_topics } else { label };
    let product = [&broker.product, &broker.version].map(Option::as_deref).into_iter().flatten().collect::<Vec<_>>();
    let product = if product.is_empty() { broker.protocol.to_uppercase() } else { product.join(" ") };
    let button = match broker.state.as_str() {
        _ if broker.broker != "local" => None,
        "ready" => Some(("stop", t(text!("brokers.stop")))),
        "stopped" | "failed" => Some(("start", t(text!("brokers.start")))),
        "not-installed" => {
            broker.download_bytes.map(|bytes| ("install", t_with(text!("brokers.install"), &[("size", &size(bytes))])))
        }
        _ => None,
    };
    let protocol = broker.protocol.clone();
    let button = button.map(|(what, words)| {
        view! {
            <button type="button" class="btn" data-broker-action=what on:click=move |_| known.ask(protocol.clone(), what)>{words}</button>
        }
    });
    view! {
        <li data-broker=format!("{} {}", broker.protocol, broker.broker) data-broker-state=broker.state.clone()>
            <b>{product}</b>{button}
            <span role="status">{facts(broker, &named(&broker.broker)).join(" · ")}</span>
            {broker.problem.clone().map(|problem| view! { <span class="problem">{problem}</span> })}
        </li>
    }
}

/// Where it is, how it is, and what is known of it.
fn facts(broker: &BrokerInfo, place: &str) -> Vec<String> {
    let took = broker.started_ms.filter(|_| broker.state == "ready").map(|ms| duration(ms as i64 * 1_000_000));
    let state = match (broker.state.as_str(), took, broker.fetched_bytes, broker.download_bytes) {
        ("ready", Some(took), ..) => t_with(text!("brokers.ready-after"), &[("time", &took)]),
        ("ready", ..) => t(text!("brokers.ready")),
        ("starting", ..) => t(text!("brokers.starting")),
        ("failed", ..) => t(text!("brokers.failed")),
        ("not-installed", ..) => t(text!("brokers.not-installed")),
        ("installing", _, Some(fetched), Some(all)) => {
            let percent = (fetched * 100 / all.max(1)).to_string();
            t_with(text!("brokers.downloading"), &[("percent", &percent), ("size", &size(all))])
        }
        ("installing", ..) => t(text!("brokers.installing")),
        ("allowed", ..) => t(text!("brokers.allowed")),
        _ => t(text!("brokers.stopped")),
    };
    [Some(place.to_owned()), Some(state), broker.memory_bytes.map(size), broker.address.clone()]
        .into_iter()
        .flatten()
        .collect()
}
