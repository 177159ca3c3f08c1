//! The dock: the player's strip, and the panels that share its clock.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::laws::LawTable;
use crate::player::Strip;
use crate::state::compared::Compared;
use crate::state::run::{Run, use_run};
use crate::statement::Statement;
use crate::traces::{TraceDetail, TraceList};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::t;
use compare::Compare;
pub(crate) use compare::refused;
use export::Downloads;
use hopscope_view::format;
use latency::LatencyTable;
use verdict::Verdict;

mod compare;
mod export;
mod latency;
mod verdict;

/// The dock's panels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tab {
    Traces,
    Trace,
    Statement,
    Latency,
    Laws,
    Verdict,
    Compare,
}

const TABS: [Tab; 7] = [Tab::Traces, Tab::Trace, Tab::Statement, Tab::Latency, Tab::Laws, Tab::Verdict, Tab::Compare];

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Trace => "trace",
            Self::Statement => "statement",
            Self::Latency => "latency",
            Self::Laws => "laws",
            Self::Verdict => "verdict",
            Self::Compare => "compare",
        }
    }

    fn label(self) -> Key {
        match self {
            Self::Traces => text!("dock.traces"),
            Self::Trace => text!("dock.trace"),
            Self::Statement => text!("dock.statement"),
            Self::Latency => text!("dock.latency"),
            Self::Laws => text!("dock.laws"),
            Self::Verdict => text!("dock.verdict"),
            Self::Compare => text!("dock.compare"),
        }
    }
}

/// Makes the choice of a panel, and of a run to compare with, known to all of the page.
pub(crate) fn provide_tab() {
    provide_context(RwSignal::new(Tab::Traces));
    provide_context(Compared::new());
}

/// The chosen panel.
pub(crate) fn use_tab() -> RwSignal<Tab> {
    expect_context()
}

/// Shows a trace in full and gives it the focus: the arrow keys then step through it.
pub(crate) fn open_trace(run: Run, tab: RwSignal<Tab>, row: u32) {
    run.select(Some(row));
    tab.set(Tab::Trace);
    crate::ui::focus(".trace");
}

/// Strip, tabs and the chosen panel.
#[component]
pub(crate) fn Dock() -> impl IntoView {
    let run = use_run();
    let tab = use_tab();
    // Whoever selects a trace wants to read it.
    Effect::new(move |before: Option<Option<u32>>| {
        let selected = run.trace.get();
        if selected.is_some() && before.is_some_and(|before| before != selected) {
            tab.set(Tab::Trace);
        }
        selected
    });
    view! {
        <section class="dock" aria-label=t(text!("dock.label"))>
            <Strip/>
            <Tabs tab/>
            <div class="panel" role="tabpanel" id="dock-panel" aria-labelledby=move || format!("tab-{}", tab.get().name())>
                {move || match tab.get() {
                    Tab::Traces => view! { <TraceList/> },
                    Tab::Trace => view! { <TraceDetail/> },
                    Tab::Statement => view! { <Statement/> },
                    Tab::Latency => view! { <LatencyTable/> },
                    Tab::Laws => view! { <LawTable/> },
                    Tab::Verdict => view! { <Verdict/> },
                    Tab::Compare => view! { <Compare/> },
                }}
            </div>
        </section>
    }
}

#[component]
fn Tabs(tab: RwSignal<Tab>) -> impl IntoView {
    let run = use_run();
    let traces = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.traces().len())
    });
    let badge = move |of: Tab| match of {
        Tab::Traces => (traces.get() > 0).then(|| format::whole(traces.get() as u64)),
        Tab::Trace => run.trace.get().map(|row| format::whole(u64::from(row) + 1)),
        Tab::Statement | Tab::Latency | Tab::Laws | Tab::Verdict | Tab::Compare => None,
    };
    // Arrow keys move between tabs, as the ARIA pattern has it.
    let key = move |event: web_sys::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => TABS.len() - 1,
            _ => return,
        };
        let at = TABS.iter().position(|other| *other == tab.get_untracked()).unwrap_or(0);
        if let Some(other) = TABS.get((at + step) % TABS.len()) {
            tab.set(*other);
            focus(*other);
        }
    };
    let one = move |of: Tab| {
        view! {
            <button type="button" role="tab" class="tab" id=format!("tab-{}", of.name()) data-tab=of.name()
                aria-controls="dock-panel" aria-selected=move || (tab.get() == of).to_string()
                tabindex=move || if tab.get() == of { "0" } else { "-1" } on:click=move |_| tab.set(of)>
                {t(of.label())}
                {move || badge(of).map(|badge| view! { <span class="count num">{badge}</span> })}
            </button>
        }
    };
    view! {
        <div class="tabs">
            <div class="tablist" role="tablist" aria-label=t(text!("dock.label")) on:keydown=key>
                {TABS.into_iter().map(one).collect::<Node>()}
            </div>
            <Downloads/>
        </div>
    }
}

fn focus(tab: Tab) {
    let element = document().get_element_by_id(&format!("tab-{}", tab.name()));
    if let Some(element) =
        element.and_then(|element| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(element).ok())
    {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}
