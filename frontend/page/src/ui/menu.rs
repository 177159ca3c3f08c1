//! A menu behind a button.

use hopscope_markup::view;
use leptos::html::{Button, Div};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Closes the menu that an item is in.
#[derive(Clone, Copy)]
struct Close(Callback<()>);

/// A button that opens a menu of [`MenuItem`]s.
#[component]
pub(crate) fn Menu(label: String, name: &'static str, children: ChildrenFn) -> impl IntoView {
    let open = RwSignal::new(false);
    let button = NodeRef::<Button>::new();
    let list = NodeRef::<Div>::new();
    provide_context(Close(Callback::new(move |()| {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            // The button that opened the menu takes the focus back.
            let _ = button.focus();
        }
    })));
    let close = expect_context::<Close>();
    Effect::new(move |_| {
        if open.get() && list.get().is_some() {
            step(list, true);
        }
    });
    let keys = move |event: web_sys::KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => step(list, true),
            "ArrowUp" => step(list, false),
            "Escape" => close.0.run(()),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    // The focus that leaves for another part of the page closes it; one that stays within does not.
    let leave = move |event: web_sys::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = list.get_untracked().is_some_and(|list| list.contains(to.as_ref()));
        if !inside {
            open.set(false);
        }
    };
    let children = StoredValue::new(children);
    view! {
        <span class="menu">
            <button type="button" node_ref=button data-menu=name aria-haspopup="menu" aria-expanded=move || open.get().to_string()
                on:pointerdown=move |event| if open.get_untracked() { event.prevent_default() }
                on:click=move |_| open.update(|open| *open = !*open)>
                {label}" ▾"
            </button>
            <Show when=move || open.get()>
                <div class="menu-list" role="menu" node_ref=list on:keydown=keys on:focusout=leave>
                    {children.with_value(|children| children())}
                </div>
            </Show>
        </span>
    }
}

/// One thing to choose.
#[component]
pub(crate) fn MenuItem(
    action: &'static str,
    on_choose: impl Fn() + Send + Sync + 'static,
    children: Children,
) -> impl IntoView {
    let close = use_context::<Close>();
    let choose = move |_| {
        if let Some(Close(close)) = close {
            close.run(());
        }
        on_choose();
    };
    view! { <button type="button" role="menuitem" tabindex="-1" data-action=action on:click=choose>{children()}</button> }
}

fn step(list: NodeRef<Div>, forward: bool) {
    let Some(items) = list.get_untracked().and_then(|list| list.query_selector_all("[role=menuitem]").ok()) else {
        return;
    };
    let count = items.length();
    let active = document().active_element();
    let current = (0..count).find(|index| items.item(*index).as_ref() == active.as_deref());
    let next = match (current, forward) {
        (None, _) => 0,
        (Some(index), true) => (index + 1) % count,
        (Some(index), false) => (index + count - 1) % count,
    };
    if let Some(item) = items.item(next).and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An item of the open menu takes the focus.
        let _ = item.focus();
    }
}
