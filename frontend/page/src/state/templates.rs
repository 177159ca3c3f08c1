//! The scenarios that come with the page, each with a recorded run; fetched when they are wanted.

use hopscope_scenario::catalogue::{Key, version_of};
use hopscope_scenario::text;
use serde_json::Value;

use crate::io;
use crate::ui::text::language;

/// A scenario that comes with the page.
pub(crate) struct Template {
    /// The name of its file, without the ending.
    pub(crate) id: &'static str,
    /// What it is called.
    pub(crate) label: Key,
    /// Its file beside the page.
    pub(crate) file: &'static str,
    /// Tells this build's file from another's.
    version: u32,
    /// Its recorded run's file beside the page.
    recorded: &'static str,
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
            recorded: concat!("scenarios/recorded/", $id, ".hop"),
        }
    };
}

/// The templates. The first three tell one lesson, in this order.
pub(crate) static TEMPLATES: [Template; 8] = [
    template!("hello-monolith", text!("template.hello-monolith")),
    template!("hello-sync", text!("template.hello-sync")),
    template!("hello-async", text!("template.hello-async")),
    template!("shop", text!("template.shop")),
    template!("bank", text!("template.bank")),
    template!("social", text!("template.social")),
    template!("sign-up", text!("template.sign-up")),
    template!("activity", text!("template.activity")),
];

/// How many of them tell the lesson.
const LESSON: usize = 3;

/// What the page opens for who sees it for the first time.
pub(crate) static FIRST: &Template = &TEMPLATES[2];

/// When and on what the recordings were made; made again with each of them, so its version is theirs.
const INDEX: &str = "scenarios/recorded/index.json";
const INDEX_VERSION: u32 =
    version_of(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/recorded/index.json")));

/// When and on what a recording was made, and by which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: String,
    pub(crate) system: String,
    pub(crate) version: String,
}

impl Template {
    /// The template of that name.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.id == id)
    }

    /// The one that goes on with the lesson, if this one is of it and not its end.
    pub(crate) fn next(&self) -> Option<&'static Self> {
        let at = TEMPLATES.iter().position(|template| template.id == self.id)?;
        TEMPLATES[..LESSON].get(at + 1)
    }

    /// Its document, in the page's language; `None` where it is not to be had.
    pub(crate) async fn document(&self) -> Option<Value> {
        let text = io::beside(self.file, self.version).await?;
        let mut scenario = serde_json::from_str(&text).ok()?;
        language().translate(self.id, &mut scenario);
        Some(scenario)
    }

    /// Its recorded run, with its label; `None` where it is not to be had.
    pub(crate) async fn recorded(&self) -> Option<(Made, Vec<u8>)> {
        let index: Value = serde_json::from_str(&io::beside(INDEX, INDEX_VERSION).await?).ok()?;
        let entry = index.get(self.id)?;
        let word = |name: &str| Some(entry.get(name)?.as_str()?.to_owned());
        let made = Made {
            date: word("made_at")?.get(..10)?.to_owned(),
            cpu: word("cpu")?,
            cores: entry.get("cores")?.to_string(),
            system: word("system")?,
            version: word("version")?,
        };
        Some((made, io::bytes_beside(self.recorded, INDEX_VERSION).await?))
    }
}
