//! Small pieces that the parts of the page are made of.

pub(crate) mod icon;
pub(crate) mod menu;
pub(crate) mod node;
pub(crate) mod text;

use leptos::ev::EventDescriptor;
use leptos::prelude::{Memo, document, on_cleanup, request_animation_frame, window_event_listener_untyped};
use wasm_bindgen::JsCast;

/// A memo whose machinery is shared by all of its type, whatever it asks.
pub(crate) fn memo<T>(ask: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    boxed(Box::new(ask))
}

fn boxed<T>(ask: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| ask())
}

/// Gives the focus to what will be there with the next frame.
pub(crate) fn focus(selector: &str) {
    let selector = selector.to_owned();
    request_animation_frame(move || {
        let found = document().query_selector(&selector).ok().flatten();
        if let Some(element) = found {
            // A drawing's element takes it as any other does; what cannot take it leaves it where it is.
            let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
        }
    });
}

/// Calls `handler` for each such event of the window, until the view around it goes.
pub(crate) fn on_window<E>(event: E, handler: impl Fn(E::EventType) + Send + 'static)
where
    E: EventDescriptor<EventType: JsCast> + Copy,
{
    listen(&event.name(), Box::new(move |event| handler(event.unchecked_into())));
}

/// The same for an event that Leptos does not name.
pub(crate) fn listen(name: &str, handler: Box<dyn Fn(web_sys::Event) + Send>) {
    let handle = window_event_listener_untyped(name, handler);
    on_cleanup(move || handle.remove());
}
