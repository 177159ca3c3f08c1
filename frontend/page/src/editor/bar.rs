//! The editor's part of the bar: the scenario's name, its file, undo and redo.

use hopscope_markup::view;
use hopscope_scenario::edits::{Change, Target};
use hopscope_scenario::text;
use leptos::prelude::*;

use super::files::{self, FilePicker};
use super::use_editor;
use crate::state::document::empty;
use crate::state::run::use_run;
use crate::state::templates::TEMPLATES;
use crate::ui::memo;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::node::Node;
use crate::ui::text::{columns, t};

/// Name, file, undo, redo.
#[component]
pub(crate) fn EditorBar() -> impl IntoView {
    let (editor, run) = (use_editor(), use_run());
    let name = memo(move || editor.with(|document| document.name().to_owned()));
    let rename = move |event| {
        let change = Change::rename(Target::Scenario, &event_target_value(&event));
        editor.apply(change, Some("rename"));
    };
    let (undo, redo) = (t(text!("action.undo")), t(text!("action.redo")));
    let picker = NodeRef::new();
    view! {
        <span class="separator"></span>
        <input type="text" class="scenario-name" name="scenario-name" autocomplete="off" spellcheck="false"
            aria-label=t(text!("scenario.name")) prop:value=move || name.get()
            style:width=move || name.with(|name| format!("{}ch", columns(name).clamp(8, 32) + 2))
            on:input=rename on:blur=move |_| editor.end_gesture()/>
        <Menu label=t(text!("file.label")) name="file">
            <MenuItem action="new" on_choose=move || editor.replace(&empty())>{t(text!("file.new"))}</MenuItem>
            <MenuItem action="open" on_choose=move || files::pick(picker)>{t(text!("file.open"))}</MenuItem>
            <MenuItem action="save" on_choose=move || files::save(editor)>{t(text!("file.save"))}</MenuItem>
            {TEMPLATES.iter().map(|template| view! {
                <MenuItem action=template.id on_choose=move || editor.open_template(run, template)>{t(template.label)}</MenuItem>
            }).collect::<Node>()}
        </Menu>
        <FilePicker picker/>
        <button type="button" class="square" data-action="undo" title=undo.clone() aria-label=undo
            disabled=move || !editor.steps().0 on:click=move |_| editor.undo()>"↶"</button>
        <button type="button" class="square" data-action="redo" title=redo.clone() aria-label=redo
            disabled=move || !editor.steps().1 on:click=move |_| editor.redo()>"↷"</button>
    }
}
