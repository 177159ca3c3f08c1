//! What has gone otherwise than wanted, in words and with a remedy.

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::buffer::Missing;
use hopscope_view::judge::Behind;
use leptos::prelude::*;

use crate::io::runs::Refusal;
use crate::state::run::{Status, use_run};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// The run's trouble, if it has one; over the canvas.
#[component]
pub(crate) fn Notice() -> impl IntoView {
    let run = use_run();
    let words = Memo::new(move |_| {
        run.revision.track();
        let missing = run.with(|data| data.buffer.missing());
        let detail = run.detail.get();
        run.status.with(|status| words(status, missing, detail))
    });
    let full = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.kept_until()).map(hopscope_view::format::clock)
    });
    let behind = Memo::new(move |_| {
        run.laws.track();
        run.with(|data| data.buffer.plan().map(|plan| data.buffer.judge().behind(plan))).unwrap_or_default()
    });
    view! {
        <div class="notices" role="status">
            {move || words.get().map(|(message, remedy)| view! {
                <div class="notice floating" data-status=move || run.status.with(Status::name)>
                    <b>{message}</b><span>{remedy}</span>
                </div>
            })}
            {move || behind.with(|behind| behind.iter().map(slow).collect::<Node>())}
            {move || full.get().map(|time| view! {
                <div class="notice floating"><span>{t_with(text!("run.full"), &[("time", &time)])}</span></div>
            })}
        </div>
    }
}

fn words(status: &Status, missing: Option<Missing>, detail: Option<String>) -> Option<(String, String)> {
    match status {
        Status::Cut if detail.is_some() => detail.map(|detail| (t(text!("run.cut")), detail)),
        Status::Whole => detail.map(|detail| (t(text!("run.early")), detail)),
        Status::Loading | Status::Running | Status::Elsewhere | Status::Stopping if missing.is_some() => {
            missing.map(counting)
        }
        Status::Starting => Some((t(text!("run.starting")), String::new())),
        Status::Loading => Some((t(text!("run.loading")), String::new())),
        Status::Elsewhere => Some((t(text!("run.elsewhere")), t(text!("run.elsewhere.remedy")))),
        Status::Lost => Some((t(text!("run.lost")), t(text!("run.lost.remedy")))),
        Status::Cut => Some((t(text!("run.cut")), t(text!("run.cut.remedy")))),
        Status::Refused(refusal) => Some(refused(refusal)),
        Status::Damaged(reason) => {
            Some((t(text!("run.damaged")), t_with(text!("run.damaged.remedy"), &[("reason", reason)])))
        }
        Status::None | Status::Running | Status::Stopping => None,
    }
}

fn slow(behind: &Behind) -> Node {
    let rate = hopscope_view::format::rate;
    let words = [("node", behind.node.clone()), ("reached", rate(behind.reached)), ("wanted", rate(behind.wanted))];
    let words = words.each_ref().map(|(name, word)| (*name, word.as_str()));
    view! {
        <div class="notice floating" data-behind="true">
            <b>{t_with(text!("run.behind"), &words)}</b><span>{t(text!("run.behind.remedy"))}</span>
        </div>
    }
}

/// Frames are still to come: no count is told before they are all here.
fn counting(missing: Missing) -> (String, String) {
    let Missing { here, of } = missing;
    let frames = |count: u32| hopscope_view::format::whole(u64::from(count));
    let remedy = t_with(text!("run.counting.remedy"), &[("here", &frames(here)), ("of", &frames(of))]);
    (t(text!("run.counting")), remedy)
}

fn refused(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::NoServer => (t(text!("run.needs-server")), t(text!("run.needs-server.remedy"))),
        Refusal::NoAnswer => (t(text!("run.no-server")), t(text!("run.no-server.remedy"))),
        Refusal::Said { message, remedy, .. } => (message.clone(), remedy.clone()),
        Refusal::Unreadable { status } => {
            (t_with(text!("run.unreadable"), &[("status", &status.to_string())]), t(text!("run.unreadable.remedy")))
        }
    }
}
