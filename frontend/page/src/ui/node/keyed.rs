//! A list whose entries keep their place in the document, their focus and their state as long as their keys last.

use std::sync::Arc;

use leptos::prelude::Owner;
use leptos::tachys::view::{Mountable, Render};
use wasm_bindgen::JsCast;

use super::Node;
use super::state::NodeState;

/// An entry, described.
pub(crate) struct Entry {
    key: String,
    make: Box<dyn FnOnce() -> Node + Send>,
}

/// An entry in the document.
pub(crate) struct EntryState {
    key: String,
    /// Of what the entry made for itself; it lasts as long as the entry, and not only until the list is asked again.
    owner: Owner,
    pub(super) state: NodeState,
}

/// An entry for each of `items`, asked for anew whenever a signal that it read has changed; `view` is called once per key.
pub(crate) fn each<T: Send + 'static>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> String + Send + 'static,
    view: impl Fn(T) -> Node + Send + Sync + 'static,
) -> Node {
    let view = Arc::new(view);
    let owner = Owner::current().unwrap_or_default();
    Node::Live(Box::new(move || {
        let entry = |item| {
            let (key, view) = (key(&item), view.clone());
            Entry { key, make: Box::new(move || view(item)) }
        };
        Node::Keyed(owner.clone(), items().into_iter().map(entry).collect())
    }))
}

impl Entry {
    pub(super) fn build(self, parent: &Owner) -> EntryState {
        let owner = parent.with(Owner::new);
        let state = owner.with(|| (self.make)().build());
        EntryState { key: self.key, owner, state }
    }
}

impl Drop for EntryState {
    fn drop(&mut self) {
        self.owner.cleanup();
    }
}

/// Removes what is gone, makes what is new, and moves only what changed its order.
pub(super) fn patch(owner: &Owner, entries: Vec<Entry>, states: &mut Vec<EntryState>, end: &web_sys::Comment) {
    let mut before: Vec<Option<EntryState>> = Vec::with_capacity(states.len());
    for mut old in states.drain(..) {
        if entries.iter().any(|entry| entry.key == old.key) {
            before.push(Some(old));
        } else {
            old.state.unmount();
        }
    }
    let mut next = 0;
    for entry in entries {
        while before.get(next).is_some_and(Option::is_none) {
            next += 1;
        }
        let is_it = |old: &Option<EntryState>| old.as_ref().is_some_and(|old| old.key == entry.key);
        let found = before.iter().skip(next).position(is_it).map(|ahead| next + ahead);
        let mut state = match found.and_then(|at| before.get_mut(at)).and_then(Option::take) {
            Some(old) if found == Some(next) => {
                states.push(old);
                continue;
            }
            Some(old) => old,
            None => entry.build(owner),
        };
        match before.iter().skip(next).flatten().next() {
            Some(following) => {
                following.state.insert_before_this(&mut state.state);
            }
            None => {
                if let Some(parent) = end.parent_node() {
                    state.state.mount(parent.unchecked_ref(), Some(end));
                }
            }
        }
        states.push(state);
    }
}
