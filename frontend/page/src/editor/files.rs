//! Scenarios as files of the person's own machine.

use hopscope_markup::view;
use hopscope_scenario::catalogue::{Key, version_of};
use hopscope_scenario::edits::Document;
use hopscope_scenario::text;
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::use_editor;
use crate::io;
use crate::state::document::{Editor, Notice};
use crate::ui::text::{language, t, t_with};

/// A scenario that comes with the page.
pub(super) struct Template {
    /// The name of its file, without the ending.
    pub(super) id: &'static str,
    /// What it is called.
    pub(super) label: Key,
    /// Its file beside the page, from where it is fetched when it is wanted.
    file: &'static str,
    /// Tells this build's file from another's.
    version: u32,
}

macro_rules! template {
    ($id:literal, $label:expr) => {
        Template {
            id: $id,
            label: $label,
            file: concat!("scenarios/", $id, ".json"),
            version: const {
                version_of(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/", $id, ".json")))
            },
        }
    };
}

/// The templates, the first thing to open first.
pub(super) static TEMPLATES: [Template; 6] = [
    template!("hello-sync", text!("template.hello-sync")),
    template!("hello-async", text!("template.hello-async")),
    template!("hello-monolith", text!("template.hello-monolith")),
    template!("shop", text!("template.shop")),
    template!("bank", text!("template.bank")),
    template!("social", text!("template.social")),
];

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

    /// Fetches a template and opens it; one that is not to be had is told and changes nothing.
    pub(super) fn open_template(self, template: &'static Template) {
        leptos::task::spawn_local(async move {
            let text = io::beside(template.file, template.version).await;
            let Some(mut scenario) = text.and_then(|text| serde_json::from_str(&text).ok()) else {
                let title = t_with(text!("notice.read"), &[("file", &t(template.label))]);
                return self.notice.set(Some(Notice { title, issues: Vec::new() }));
            };
            language().translate(template.id, &mut scenario);
            self.open_text(&scenario.to_string(), template.id);
        });
    }
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
    let kept: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let parts: Vec<_> = kept.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "scenario".to_owned() } else { parts.join("-") }
}
