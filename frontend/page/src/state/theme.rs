//! Light, dark, or as the system has it; kept in the browser.

use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::prelude::*;

use super::storage;

const STORED: &str = "hopscope.theme";

/// The colours' theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The next one in the switch's order.
    pub(crate) fn turn(&mut self) {
        *self = match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        };
    }

    /// Its name for a person.
    pub(crate) fn label(self) -> Key {
        match self {
            Self::System => text!("theme.system"),
            Self::Light => text!("theme.light"),
            Self::Dark => text!("theme.dark"),
        }
    }

    /// Its sign, where there is no room for a name: half dark, light, dark.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::System => "◐",
            Self::Light => "○",
            Self::Dark => "●",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// The theme as a signal that the document follows and the browser keeps.
pub(crate) fn theme() -> RwSignal<Theme> {
    let stored = storage().and_then(|storage| storage.get_item(STORED).ok().flatten());
    let theme = RwSignal::new(stored.map_or(Theme::System, |name| Theme::from_name(&name)));
    Effect::new(move |_| {
        let name = theme.get().name();
        if let Some(root) = document().document_element() {
            // The document's root always takes an attribute; a browser without storage forgets the choice.
            let _ = root.set_attribute("data-theme", name);
            let _ = storage().map(|storage| storage.set_item(STORED, name));
        }
    });
    theme
}
