//! What has gone otherwise than wanted, in words and with a remedy.

use hopscope_markup::view;
use hopscope_record::frame::EndReason;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::Broker;
use hopscope_scenario::text;
use hopscope_view::buffer::Missing;
use hopscope_view::judge::Behind;
use leptos::prelude::*;

use crate::io::runs::Refusal;
use crate::state::run::{Status, use_run};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// What is said of a run.
#[derive(Clone, PartialEq)]
struct Words {
    /// What is the matter.
    message: String,
    /// What that means, or what to do; may be empty.
    remedy: String,
    /// What a program said of it in its own words, if it did.
    detail: Option<String>,
}

impl Words {
    fn of(message: Key, remedy: Key) -> Self {
        Self { message: t(message), remedy: t(remedy), detail: None }
    }

    fn only(message: Key) -> Self {
        Self { message: t(message), remedy: String::new(), detail: None }
    }

    fn with(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }
}

/// The run's trouble, if it has one; over the canvas.
#[component]
pub(crate) fn Notice() -> impl IntoView {
    let run = use_run();
    let said = memo(move || {
        run.revision.track();
        let (missing, end) = run.with(|data| (data.buffer.missing(), data.buffer.end().map(|end| end.reason)));
        let detail = run.detail.get();
        let local = run.broker.with_untracked(|broker| broker == Broker::LOCAL);
        run.status.with(|status| words(status, missing, end, detail, local))
    });
    let full = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.kept_until()).map(hopscope_view::format::clock)
    });
    let behind = memo(move || {
        run.laws.track();
        run.with(|data| data.buffer.plan().map(|plan| data.buffer.judge().behind(plan))).unwrap_or_default()
    });
    view! {
        <div class="notices" role="status">
            {move || said.get().map(|Words { message, remedy, detail }| view! {
                <div class="notice floating" data-status=move || run.status.with(Status::name)>
                    <b>{message}</b><span>{remedy}</span>
                    {detail.map(|detail| view! {
                        <small data-said="true">{t_with(text!("run.detail"), &[("detail", &detail)])}</small>
                    })}
                </div>
            })}
            {move || behind.with(|behind| behind.iter().map(slow).collect::<Node>())}
            {move || full.get().map(|time| view! {
                <div class="notice floating"><span>{t_with(text!("run.full"), &[("time", &time)])}</span></div>
            })}
        </div>
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

fn words(
    status: &Status,
    missing: Option<Missing>,
    end: Option<EndReason>,
    detail: Option<String>,
    local: bool,
) -> Option<Words> {
    match status {
        Status::Whole => early(end, detail.is_some()).map(|words| words.with(detail)),
        Status::Loading | Status::Running | Status::Elsewhere | Status::Stopping if missing.is_some() => {
            missing.map(counting)
        }
        // The first run of a server that wants it waits for it.
        Status::Starting if local => Some(Words::only(text!("run.starting.local"))),
        Status::Starting => Some(Words::only(text!("run.starting"))),
        Status::Loading => Some(Words::only(text!("run.loading"))),
        Status::Elsewhere => Some(Words::of(text!("run.elsewhere"), text!("run.elsewhere.remedy"))),
        Status::Lost => Some(Words::of(text!("run.lost"), text!("run.lost.remedy"))),
        Status::Unkept => Some(Words::of(text!("run.unkept"), text!("run.unkept.remedy")).with(detail)),
        Status::Cut => Some(Words::of(text!("run.cut"), text!("run.cut.remedy")).with(detail)),
        Status::Refused(refusal) => Some(refused(refusal)),
        Status::Damaged { other_version, detail } => {
            let remedy = if *other_version { text!("run.damaged.version") } else { text!("run.damaged.remedy") };
            Some(Words::of(text!("run.damaged"), remedy).with(Some(detail.clone())))
        }
        Status::None | Status::Running | Status::Stopping => None,
    }
}

/// Why a run ended before its time, if it did: by the reason that its End gives. One of a newer build may have a reason
/// that is not known here, and then something to add to it.
fn early(end: Option<EndReason>, told: bool) -> Option<Words> {
    match end? {
        EndReason::LOAD_DONE | EndReason::STOPPED => None,
        EndReason::EVENT_LIMIT => Some(Words::of(text!("run.early"), text!("run.early.event-limit"))),
        EndReason::FAILED => Some(Words::of(text!("run.early"), text!("run.early.failed"))),
        _ => told.then(|| Words::only(text!("run.early"))),
    }
}

/// Frames are still to come: no count is told before they are all here.
fn counting(missing: Missing) -> Words {
    let Missing { here, of } = missing;
    let frames = |count: u32| hopscope_view::format::whole(u64::from(count));
    let remedy = t_with(text!("run.counting.remedy"), &[("here", &frames(here)), ("of", &frames(of))]);
    Words { remedy, ..Words::only(text!("run.counting")) }
}

fn refused(refusal: &Refusal) -> Words {
    match refusal {
        Refusal::NoServer => Words::of(text!("run.needs-server"), text!("run.needs-server.remedy")),
        Refusal::NoAnswer => Words::of(text!("run.no-server"), text!("run.no-server.remedy")),
        Refusal::Said { message, remedy, .. } => {
            Words { message: message.clone(), remedy: remedy.clone(), detail: None }
        }
        Refusal::Unreadable { status } => {
            let message = t_with(text!("run.unreadable"), &[("status", &status.to_string())]);
            Words { message, remedy: t(text!("run.unreadable.remedy")), detail: None }
        }
    }
}
