//! Scenarios as files of the person's own machine.

use hopscope_markup::view;
use hopscope_scenario::edits::Document;
use hopscope_scenario::text;
use leptos::html::Input;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::use_editor;
use crate::state::document::{Editor, Notice};
use crate::state::run::{Run, Source, Status};
use crate::state::templates::Template;
use crate::ui::text::{t, t_with};

impl Editor {
    /// Opens the text of a scenario; one that cannot be read is told and changes nothing. `file` is its name.
    pub(crate) fn open_text(self, text: &str, file: &str) {
        match Document::open(text) {
            Ok(document) => self.replace(&document),
            Err(issues) => {
                self.notice.set(Some(Notice { title: t_with(text!("notice.open"), &[("file", file)]), issues }));
            }
        }
    }

    /// Fetches a template and opens it with its recorded run; one that is not to be had is told and changes nothing. A run
    /// that goes on stays.
    pub(crate) fn open_template(self, run: Run, template: &'static Template) {
        leptos::task::spawn_local(async move {
            let Some(scenario) = template.document().await else {
                let title = t_with(text!("notice.read"), &[("file", &t(template.label))]);
                return self.notice.set(Some(Notice { title, issues: Vec::new() }));
            };
            self.open_text(&scenario.to_string(), template.id);
            self.template.set(Some(template));
            if !run.status.with_untracked(Status::is_live) {
                run.open(Source::Embedded(template));
            }
        });
    }

    /// Opens a template that the page's address names. Who has worked on it finds it as it was left.
    pub(crate) fn reopen_template(self, run: Run, template: &'static Template) {
        leptos::task::spawn_local(async move {
            let same = template.document().await.is_some_and(|scenario| {
                let ids = |nodes: &Value| nodes.as_array().map(|nodes| nodes.iter().map(id).collect::<Vec<_>>());
                scenario.get("nodes").and_then(ids) == self.now(|document| document.value().get("nodes").and_then(ids))
            });
            if same {
                self.template.set(Some(template));
                run.open(Source::Embedded(template));
            } else {
                self.open_template(run, template);
            }
        });
    }
}

fn id(node: &Value) -> Option<String> {
    Some(node.get("id")?.as_str()?.to_owned())
}

/// The browser's chooser of files, unseen.
#[component]
pub(crate) fn FilePicker(picker: NodeRef<Input>) -> impl IntoView {
    let editor = use_editor();
    let chosen = move |_| {
        let Some(input) = picker.get_untracked() else {
            return;
        };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            open(editor, file);
        }
        // So that the same file can be chosen again.
        input.set_value("");
    };
    view! {
        <input type="file" class="unseen" name="scenario-file" accept=".json,application/json" tabindex="-1"
            aria-label=t(text!("file.open")) node_ref=picker on:change=chosen/>
    }
}

/// Asks the person for a file.
pub(crate) fn pick(picker: NodeRef<Input>) {
    if let Some(input) = picker.get_untracked() {
        input.click();
    }
}

/// Reads and opens a file.
pub(crate) fn open(editor: Editor, file: web_sys::File) {
    leptos::task::spawn_local(async move {
        let name = file.name();
        match JsFuture::from(file.text()).await {
            Ok(text) => editor.open_text(&text.as_string().unwrap_or_default(), &name),
            Err(_) => {
                let title = t_with(text!("notice.read"), &[("file", &name)]);
                editor.notice.set(Some(Notice { title, issues: Vec::new() }));
            }
        }
    });
}

/// Hands the document to the person as a file.
pub(crate) fn save(editor: Editor) {
    let text = editor.now(Document::to_text);
    let file = format!("{}.json", file_name(&editor.now(|document| document.name().to_owned())));
    if download(&text, &file).is_err() {
        let title = t_with(text!("notice.save"), &[("file", &file)]);
        editor.notice.set(Some(Notice { title, issues: Vec::new() }));
    }
}

fn download(text: &str, file: &str) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let blob = web_sys::Blob::new_with_str_sequence(&parts)?;
    let address = web_sys::Url::create_object_url_with_blob(&blob)?;
    let anchor = document().create_element("a")?.dyn_into::<web_sys::HtmlAnchorElement>()?;
    anchor.set_href(&address);
    anchor.set_download(file);
    anchor.click();
    web_sys::Url::revoke_object_url(&address)
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || !c.is_ascii() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let parts: Vec<_> = kept.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "scenario".to_owned() } else { parts.join("-") }
}
