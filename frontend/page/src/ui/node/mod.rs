//! A view as one type: what `view!` writes and what is built from it.
//!
//! Owns the description of elements, texts, lists and live parts ([`Node`]), and in `state` their building and patching.
//! Everything that differs from view to view is data or a boxed closure; so a new view adds its own words to the page
//! and no machinery. Knows no server, no document and no run.

mod element;
mod keyed;
mod state;
mod value;

use leptos::prelude::{AnyView, Get, IntoAny, IntoView, Memo, Owner, Signal};

pub(crate) use element::Element;
pub(crate) use keyed::each;
pub(crate) use value::{IntoValue, Value};

/// Describes a part of the page; a component returns one, and Leptos mounts it.
pub(crate) enum Node {
    /// Nothing to see.
    Empty,
    /// A text that stays as it is until the view around it is made anew.
    Text(Value),
    /// An element.
    Element(Element),
    /// Several, side by side.
    List(Vec<Node>),
    /// Several that are told apart by keys, and the owner that they are made under.
    Keyed(Owner, Vec<keyed::Entry>),
    /// Made anew whenever a signal that it read has changed.
    Live(Box<dyn FnMut() -> Node + Send>),
    /// A component's view.
    Component(AnyView),
}

/// What can stand in a view.
pub(crate) trait IntoNode {
    /// The description of it.
    fn into_node(self) -> Node;
}

/// The description of anything that can stand in a view.
pub(crate) fn node(content: impl IntoNode) -> Node {
    content.into_node()
}

/// A component's view, whatever Leptos made of it.
pub(crate) fn component(view: impl IntoView) -> Node {
    Node::Component(view.into_any())
}

/// What `children` describes while `condition` holds, else what `otherwise` does.
pub(crate) fn show(
    condition: impl Fn() -> bool + Send + Sync + 'static,
    children: impl Fn() -> Node + Send + 'static,
    otherwise: impl Fn() -> Node + Send + 'static,
) -> Node {
    let shown = super::memo(condition);
    Node::Live(Box::new(move || if shown.get() { children() } else { otherwise() }))
}

/// Views side by side, being collected.
pub(crate) struct List(Vec<Node>);

impl List {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    pub(crate) fn push(&mut self, content: impl IntoNode) {
        self.0.push(content.into_node());
    }

    /// All of them.
    pub(crate) fn done(self) -> Node {
        Node::List(self.0)
    }
}

impl<T: IntoNode> FromIterator<T> for Node {
    fn from_iter<I: IntoIterator<Item = T>>(views: I) -> Self {
        Self::List(views.into_iter().map(T::into_node).collect())
    }
}

impl IntoNode for Node {
    fn into_node(self) -> Node {
        self
    }
}

impl IntoNode for AnyView {
    fn into_node(self) -> Node {
        Node::Component(self)
    }
}

impl IntoNode for &'static str {
    fn into_node(self) -> Node {
        Node::Text(Value::Constant(self))
    }
}

impl IntoNode for String {
    fn into_node(self) -> Node {
        Node::Text(Value::Text(self))
    }
}

impl IntoNode for usize {
    fn into_node(self) -> Node {
        self.to_string().into_node()
    }
}

impl IntoNode for u32 {
    fn into_node(self) -> Node {
        self.to_string().into_node()
    }
}

impl<T: IntoNode> IntoNode for Option<T> {
    fn into_node(self) -> Node {
        self.map_or(Node::Empty, T::into_node)
    }
}

impl<F, T> IntoNode for F
where
    F: FnMut() -> T + Send + 'static,
    T: IntoNode,
{
    fn into_node(mut self) -> Node {
        Node::Live(Box::new(move || self().into_node()))
    }
}

impl<T: IntoNode + Clone + Send + Sync + 'static> IntoNode for Memo<T> {
    fn into_node(self) -> Node {
        Node::Live(Box::new(move || self.get().into_node()))
    }
}

impl<T: IntoNode + Clone + Send + Sync + 'static> IntoNode for Signal<T> {
    fn into_node(self) -> Node {
        Node::Live(Box::new(move || self.get().into_node()))
    }
}
