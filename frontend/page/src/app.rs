//! The shell: one screen.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::dock::{Dock, provide_tab};
use crate::editor::{
    Canvas, Chooser, EditorBar, Empty, Inspector, LinkTip, NoticeCard, Palette, ProblemCount, Zoom, provide_editor,
};
use crate::laws::LawChips;
use crate::player::Overlay;
use crate::runbar::{FiguresStrip, Notice, RunBar};
use crate::runs::Runs;
use crate::state::run::{Run, addressed};
use crate::state::theme::Theme;
use crate::state::{self, ServerState};
use crate::ui::text::t;

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let server = state::server();
    let theme = state::theme::theme();
    provide_editor();
    let run = Run::new();
    provide_context(run);
    provide_tab();
    if let Some(id) = addressed() {
        run.reopen(id);
    }
    view! {
        <div class="shell" data-ready="true">
            <header class="bar">
                <span class="logo"><Logo/>{t(text!("app.name"))}</span>
                <EditorBar/>
                <span class="spring"></span>
                <RunBar/>
                <Runs/>
                <Server server/>
                <button type="button" on:click=move |_| theme.update(Theme::turn) title=t(text!("theme.switch"))>
                    {move || t(theme.get().label())}
                </button>
            </header>
            <Palette/>
            <Canvas>
                <Overlay/>
                <div class="foot">
                    <FiguresStrip/>
                    <div class="foot-row"><LawChips/><ProblemCount/></div>
                </div>
                <Notice/>
                <Empty/>
                <Zoom/>
                <LinkTip/>
                <Chooser/>
                <NoticeCard/>
            </Canvas>
            <Inspector/>
            <Dock/>
        </div>
    }
}

#[component]
fn Logo() -> impl IntoView {
    view! {
        <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M2 13 Q5.5 3 9 13 T16 13"/>
            <circle cx="17.4" cy="13" r="2"/>
        </svg>
    }
}

/// Which server the page talks to, in words and as a dot.
#[component]
fn Server(server: ReadSignal<ServerState>) -> impl IntoView {
    view! {
        <span class="server" role="status" data-state=move || server.with(ServerState::name)>
            {move || server.with(ServerState::caption)}
        </span>
    }
}
