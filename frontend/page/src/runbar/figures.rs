//! The run's figures, at its head and in real time.

use hopscope_markup::view;
use hopscope_record::kind::Phase;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::buffer::Figures;
use leptos::prelude::*;

use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::text::{t, t_with};
use hopscope_view::format;

/// Phase and figures, over the canvas' lower edge; nothing while there is no run.
#[component]
pub(crate) fn FiguresStrip() -> impl IntoView {
    let run = use_run();
    let known = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.plan().is_some())
    });
    let figures = run.figures;
    let lost = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.lost())
    });
    let errors = memo(move || figures.with(|figures| figures.errors));
    view! {
        <Show when=move || known.get()>
            <dl class="figures floating" aria-label=t(text!("figures.label"))>
                <div class="phase" data-phase=move || figures.with(|figures| phase_name(figures.phase))>
                    <dt class="unseen">{t(text!("figures.phase"))}</dt>
                    <dd data-figure="phase">{move || t(figures.with(|figures| phase(figures.phase)))}</dd>
                </div>
                <Figure name="elapsed" label=text!("figures.elapsed")
                    value=move || figures.with(|figures| format!("{} s", format::fixed(figures.elapsed as f64 / 1e9, 2)))/>
                <Figure name="rate" label=text!("figures.rate") value=move || rate(figures.get())/>
                <Figure name="in-flight" label=text!("figures.in-flight")
                    value=move || figures.with(|figures| figures.in_flight.to_string())/>
                <Figure name="sent" label=text!("figures.sent")
                    value=move || figures.with(|figures| format::whole(figures.sent))/>
                <Figure name="completed" label=text!("figures.completed")
                    value=move || figures.with(|figures| format::whole(figures.completed))/>
                <Figure name="errors" label=text!("figures.errors") bad=Signal::derive(move || errors.get() > 0)
                    value=move || figures.with(|figures| t_with(text!("figures.of"),
                        &[("count", &format::whole(figures.errors)), ("of", &format::whole(figures.sent))]))/>
                <Show when=move || figures.with(|figures| figures.not_sent > 0)>
                    <Figure name="not-sent" label=text!("figures.not-sent") bad=Signal::derive(|| true)
                        value=move || figures.with(|figures| t_with(text!("figures.of"),
                            &[("count", &format::whole(figures.not_sent)), ("of", &format::whole(figures.intended))]))/>
                </Show>
                <Show when=move || lost.get() != 0>
                    <Figure name="lost" label=text!("figures.lost") bad=Signal::derive(|| true)
                        value=move || format::whole(lost.get())/>
                </Show>
            </dl>
        </Show>
    }
}

#[component]
fn Figure<F: Fn() -> String + Send + Sync + 'static>(
    name: &'static str,
    label: Key,
    value: F,
    #[prop(optional, into)] bad: Signal<bool>,
) -> impl IntoView {
    view! {
        <div class:bad=move || bad.get()>
            <dt>{t(label)}</dt>
            <dd class="num" data-figure=name>{value}</dd>
        </div>
    }
}

fn rate(figures: Figures) -> String {
    figures.rate.map_or_else(|| "–".to_owned(), format::rate)
}

fn phase(phase: Option<Phase>) -> Key {
    match phase {
        None | Some(Phase::Setup) => text!("phase.setup"),
        Some(Phase::WarmUp) => text!("phase.warm-up"),
        Some(Phase::Measured) => text!("phase.measured"),
        Some(Phase::Drain) => text!("phase.drain"),
        Some(Phase::End) => text!("phase.end"),
    }
}

fn phase_name(phase: Option<Phase>) -> &'static str {
    match phase {
        None | Some(Phase::Setup) => "setup",
        Some(Phase::WarmUp) => "warm-up",
        Some(Phase::Measured) => "measured",
        Some(Phase::Drain) => "drain",
        Some(Phase::End) => "end",
    }
}
