//! What has gone otherwise than wanted, in words and with a remedy.

use hopscope_scenario::text;
use leptos::prelude::*;

use crate::io::runs::Refusal;
use crate::state::run::{Status, use_run};
use crate::ui::text::{t, t_with};

/// The run's trouble, if it has one; over the canvas.
#[component]
pub(crate) fn Notice() -> impl IntoView {
    let run = use_run();
    let words = Memo::new(move |_| run.status.with(words));
    let full = Memo::new(move |_| {
        run.revision.track();
        run.with(|data| data.buffer.kept_until()).map(hopscope_view::format::clock)
    });
    view! {
        <div class="notices" role="status">
            {move || words.get().map(|(message, remedy)| view! {
                <div class="notice floating" data-status=move || run.status.with(Status::name)>
                    <b>{message}</b><span>{remedy}</span>
                </div>
            })}
            {move || full.get().map(|time| view! {
                <div class="notice floating"><span>{t_with(text!("run.full"), &[("time", &time)])}</span></div>
            })}
        </div>
    }
}

fn words(status: &Status) -> Option<(String, String)> {
    match status {
        Status::Starting => Some((t(text!("run.starting")), String::new())),
        Status::Loading => Some((t(text!("run.loading")), String::new())),
        Status::Lost => Some((t(text!("run.lost")), t(text!("run.lost.remedy")))),
        Status::Cut => Some((t(text!("run.cut")), t(text!("run.cut.remedy")))),
        Status::Refused(refusal) => Some(refused(refusal)),
        Status::Damaged(reason) => {
            Some((t(text!("run.damaged")), t_with(text!("run.damaged.remedy"), &[("reason", reason)])))
        }
        Status::None | Status::Running | Status::Stopping | Status::Whole => None,
    }
}

fn refused(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::NoAnswer => (t(text!("run.no-server")), t(text!("run.no-server.remedy"))),
        Refusal::Said { message, remedy } => (message.clone(), remedy.clone()),
        Refusal::Unreadable { status } => {
            (t_with(text!("run.unreadable"), &[("status", &status.to_string())]), t(text!("run.unreadable.remedy")))
        }
    }
}
