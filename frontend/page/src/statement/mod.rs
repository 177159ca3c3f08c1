//! The queue statement: every step of one queue as a bank's statement has them, and its length over time.

mod chart;
mod rows;

use hopscope_markup::view;
use hopscope_report::laws::QueueReport;
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::text;
use hopscope_view::buffer::{QueueLog, RunBuffer};
use leptos::prelude::*;

use self::chart::Chart;
use self::rows::Rows;
use crate::editor::use_editor;
use crate::state::document::Selection;
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{language, t, t_with};

/// The panel: of the queue that is selected on the canvas, else of the plan's first.
#[component]
pub(crate) fn Statement() -> impl IntoView {
    let (run, editor) = (use_run(), use_editor());
    // The queues of the run by their ids and names, and the number of the one that is shown.
    let queues = memo(move || {
        run.revision.track();
        run.with(|data| queues(&data.buffer))
    });
    let queue = memo(move || {
        let selected = editor.selection.with(|selection| selection.single().map(str::to_owned));
        queues.with(|queues| queues.iter().position(|(id, _)| Some(id) == selected.as_ref())).unwrap_or(0)
    });
    // What kept the queues, by name and version.
    let broker = memo(move || {
        run.revision.track();
        run.with(|data| match data.buffer.plan().and_then(|plan| Some((plan.broker.as_ref()?, plan))) {
            Some((broker, plan)) => {
                let (key, args) = broker.label(&plan.settings.broker);
                (false, plain(language(), key, &args))
            }
            None => {
                let build = data.buffer.hello().map(|hello| hello.build.clone()).unwrap_or_default();
                (true, t_with(text!("broker.built-in"), &[("build", &build)]))
            }
        })
    });
    // What came of L2 = L1 - 1 at the queue that is shown, and by what it was checked.
    let checked = memo(move || {
        run.laws.track();
        let queue = queue.get();
        run.with(|data| data.buffer.judge().queues().get(queue).map(checked))
    });
    let choose = move |id: String| editor.select(Selection::nodes([id]));
    let option = move |(number, (id, name)): (usize, (String, String))| {
        view! { <option value=id selected=move || queue.get() == number>{name}</option> }
    };
    view! {
        <Show when=move || queues.with(|queues| !queues.is_empty())
            fallback=|| view! { <p class="nothing">{t(text!("statement.none"))}</p> }>
            <div class="statement">
                <div class="length">
                    <div class="whose">
                    <select name="queue" class="chip" aria-label=t(text!("statement.queue"))
                        on:change=move |event| choose(event_target_value(&event))>
                        {move || queues.get().into_iter().enumerate().map(option).collect::<Node>()}
                    </select>
                    <span data-broker=move || if broker.with(|broker| broker.0) { "built-in" } else { "other" }
                        title=move || t(if broker.with(|broker| broker.0) { text!("broker.built-in.tip") } else { text!("broker.tip") })>
                        {move || broker.get().1}
                    </span>
                    <span class="dim" data-checked-by="true">{move || checked.get()}</span>
                    </div>
                    <Chart queue/>
                    <Apart/>
                </div>
                <Rows queue/>
            </div>
        </Show>
    }
}

/// Says where a run's nodes are processes of their own; nothing where they are tasks of the server.
#[component]
pub(crate) fn Apart() -> impl IntoView {
    let run = use_run();
    let apart = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.plan().is_some_and(|plan| !plan.settings.placement.is_tasks()))
    });
    view! {
        <Show when=move || apart.get()>
            <span class="apart" data-placement="processes" title=t(text!("run.placement.tip"))>
                {t(text!("statement.placement.processes"))}
            </span>
        </Show>
    }
}

/// How many steps hold the law, of how many, and what a step is there.
fn checked(queue: &QueueReport) -> String {
    let key = if queue.bounded { text!("statement.bounded") } else { text!("statement.stamped") };
    let [held, of] = [queue.held, queue.checked()].map(hopscope_view::format::whole);
    t_with(key, &[("held", &held), ("checked", &of)])
}

fn queues(buffer: &RunBuffer) -> Vec<(String, String)> {
    let node =
        |log: &QueueLog| buffer.plan()?.nodes.get(log.node as usize).map(|node| (node.id.clone(), node.name.clone()));
    buffer.queues().iter().filter_map(node).collect()
}

/// Reads the log of a queue by its number in the plan.
fn with_log<T>(run: crate::state::run::Run, queue: usize, read: impl FnOnce(&QueueLog) -> T) -> Option<T> {
    run.with(|data| data.buffer.queues().get(queue).map(read))
}
