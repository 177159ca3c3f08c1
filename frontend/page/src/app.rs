//! The shell: one screen.

use hopscope_markup::view;
use hopscope_scenario::catalogue::{LANGUAGES, Language};
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::dock::{Dock, provide_tab};
use crate::editor::{
    Canvas, Chooser, EditorBar, Empty, Inspector, LinkTip, NoticeCard, Palette, ProblemCount, Zoom, provide_editor,
    use_editor,
};
use crate::laws::LawChips;
use crate::player::Overlay;
use crate::runbar::{FiguresStrip, Label, NeedsServer, Notice, RunBar};
use crate::runs::Runs;
use crate::state::run::{Run, Source, addressed};
use crate::state::templates::FIRST;
use crate::state::theme::Theme;
use crate::state::{self, ServerState, autosave, document, language};
use crate::ui::node::{Node, node};
use crate::ui::text::{self, t, t_with};

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let server = state::server();
    let theme = state::theme::theme();
    let run = Run::new();
    provide_context(run);
    let editor = provide_editor(run);
    provide_tab();
    match addressed() {
        Some(Source::Embedded(template)) => editor.reopen_template(run, template),
        Some(source) => run.open(source),
        None if autosave::is_first() => editor.open_template(run, FIRST),
        None => {}
    }
    // What is shown is made anew in another language; what is known of document and run stays.
    let spoken = Trigger::new();
    language::complete(spoken);
    node(move || {
        spoken.track();
        shell(server, theme, spoken)
    })
}

/// What is chosen, and what the button does.
fn theme_words(theme: Theme) -> String {
    format!("{} · {}", t(theme.label()), t(text!("theme.switch")))
}

fn shell(server: ReadSignal<ServerState>, theme: RwSignal<Theme>, spoken: Trigger) -> Node {
    let editor = use_editor();
    view! {
        <div class="shell" data-ready="true" class:presenting=move || editor.presenting.get()>
            <header class="bar">
                <h1 class="logo"><Logo/>{t(text!("app.name"))}</h1>
                <EditorBar/>
                <span class="spring"></span>
                <RunBar server/>
                <Runs/>
                <Server server/>
                <Languages spoken/>
                <button type="button" on:click=move |_| theme.update(Theme::turn)
                    title=move || theme_words(theme.get()) aria-label=move || theme_words(theme.get())>
                    {move || theme.get().sign()}
                </button>
            </header>
            <Palette/>
            <Canvas>
                <Overlay/>
                <div class="foot">
                    <Label/>
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
            <NeedsServer/>
        </div>
    }
}

/// The languages to choose from.
#[component]
fn Languages(spoken: Trigger) -> impl IntoView {
    let editor = use_editor();
    let choose = move |event: web_sys::Event| {
        let select = event_target::<web_sys::HtmlSelectElement>(&event);
        let Some(wanted) = Language::find(&select.value()) else { return };
        leptos::task::spawn_local(async move {
            if language::choose(wanted).await {
                spoken.notify();
            } else {
                select.set_value(text::language().tag());
                let title = t_with(text!("notice.language"), &[("language", &t(wanted.name()))]);
                editor.notice.set(Some(document::Notice { title, issues: Vec::new() }));
            }
        });
    };
    let option = |language: &Language| {
        let selected = *language == text::language();
        view! { <option value=language.tag() selected=selected>{t(language.name())}</option> }
    };
    view! {
        <select class="chip" name="language" aria-label=t(text!("language.label")) title=t(text!("language.label"))
            on:change=choose>
            {LANGUAGES.iter().map(option).collect::<Node>()}
        </select>
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
        <span class="server" role="status" data-state=move || server.with(ServerState::name)
            title=move || server.with(ServerState::caption)>
            {move || server.with(ServerState::caption)}
        </span>
    }
}
