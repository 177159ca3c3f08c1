//! The colours of dots, as the style sheet's tokens have them now.

use hopscope_scenario::protocol::{PROTOCOLS, Protocol};
use hopscope_view::dots::paint::Color;
use leptos::prelude::*;
use web_sys::{HtmlCanvasElement, MediaQueryList};

/// Colours in numbers, and the theme that they are of.
#[derive(Clone, Debug, Default)]
pub(super) struct Colors {
    theme: Option<String>,
    /// Whether the system is dark: one question that is kept, so that no frame leaves another behind.
    dark: Option<MediaQueryList>,
    /// By the protocol's place in the list of protocols.
    pub(super) protocols: Vec<Color>,
    pub(super) bad: Color,
    pub(super) halo: Color,
}

impl Colors {
    /// Reads them anew if the theme has changed.
    pub(super) fn refresh(&mut self, canvas: &HtmlCanvasElement) {
        let dark = self.dark.take().or_else(|| window().match_media("(prefers-color-scheme: dark)").ok().flatten());
        let theme = Some(theme(dark.as_ref().is_some_and(MediaQueryList::matches)));
        self.dark = dark;
        if self.theme != theme {
            self.theme = theme;
            self.protocols = PROTOCOLS.iter().map(|protocol| resolve(canvas, protocol.hue)).collect();
            self.bad = resolve(canvas, "bad");
            self.halo = resolve(canvas, "accent");
        }
    }
}

/// The number of a protocol's colour.
pub(super) fn number(protocol: Protocol) -> u8 {
    let index = PROTOCOLS.iter().position(|other| other.protocol == protocol);
    index.and_then(|index| u8::try_from(index).ok()).unwrap_or(0)
}

fn theme(dark: bool) -> String {
    let chosen = document().document_element().and_then(|root| root.get_attribute("data-theme")).unwrap_or_default();
    format!("{chosen} {dark}")
}

/// A token's colour: the browser resolves it as the colour of an element.
fn resolve(canvas: &HtmlCanvasElement, token: &str) -> Color {
    let style = web_sys::HtmlElement::style(canvas);
    // A token that is missing, or a browser that refuses, leaves the colour of the text.
    let _ = style.set_property("color", &format!("var(--{token})"));
    let computed = window().get_computed_style(canvas).ok().flatten();
    let color = computed.and_then(|style| style.get_property_value("color").ok()).unwrap_or_default();
    parse(&color)
}

/// `rgb(11, 114, 133)` in numbers, read by the browser (Rust would bring 11 kB of tables to read one); grey, if it is something else.
fn parse(color: &str) -> Color {
    let inner = color.split_once('(').map_or("", |(_, inner)| inner);
    let mut parts = inner.split([',', ' ', ')', '/']).map(js_sys::Number::parse_float).filter(|part| !part.is_nan());
    let mut next = || parts.next().map(|part| part.clamp(0.0, 255.0) as u8);
    match (next(), next(), next()) {
        (Some(red), Some(green), Some(blue)) => [red, green, blue],
        _ => [128, 128, 128],
    }
}
