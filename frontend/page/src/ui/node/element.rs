//! An element, described part by part.

use std::borrow::Cow;

use leptos::ev::EventDescriptor;
use leptos::html::ElementType;
use leptos::prelude::{NodeRef, Owner};
use leptos::tachys::html::node_ref::NodeRefContainer;
use wasm_bindgen::JsCast;

use super::{IntoNode, IntoValue, Node, Value};

/// An element's parts. `view!` fills them in the order in which they are written.
pub(crate) struct Element {
    pub(super) svg: bool,
    /// The tag, then names and values of the attributes that never change; a NUL between each two.
    pub(super) head: &'static str,
    pub(super) parts: Vec<Part>,
    pub(super) children: Vec<Node>,
}

/// What a value is set on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Attribute,
    Class,
    Style,
    Property,
}

/// What an element has beside its head and its children.
pub(super) enum Part {
    Value(Place, &'static str, Value),
    Listener(&'static str, Box<dyn FnMut(web_sys::Event) + Send>),
    Reference(Box<dyn FnOnce(&web_sys::Element) + Send>),
}

impl Element {
    /// An element without parts.
    pub(crate) fn open(svg: bool, head: &'static str) -> Self {
        Self { svg, head, parts: Vec::new(), children: Vec::new() }
    }

    /// An attribute.
    pub(crate) fn set(&mut self, name: &'static str, value: impl IntoValue) {
        self.put(Place::Attribute, name, value.into_value());
    }

    /// A class that applies while its value does.
    pub(crate) fn class(&mut self, name: &'static str, value: impl IntoValue) {
        self.put(Place::Class, name, value.into_value());
    }

    /// A property of its style.
    pub(crate) fn style(&mut self, name: &'static str, value: impl IntoValue) {
        self.put(Place::Style, name, value.into_value());
    }

    /// A property of the object in the browser, such as an input's value.
    pub(crate) fn property(&mut self, name: &'static str, value: impl IntoValue) {
        self.put(Place::Property, name, value.into_value());
    }

    fn put(&mut self, place: Place, name: &'static str, value: Value) {
        self.parts.push(Part::Value(place, name, value));
    }

    /// Calls `handler` for each such event, with the owner that the view is made under.
    pub(crate) fn on<E>(&mut self, event: E, mut handler: impl FnMut(E::EventType) + Send + 'static)
    where
        E: EventDescriptor<EventType: JsCast> + Copy,
    {
        // Leptos names its events by constants.
        if let Cow::Borrowed(name) = event.name() {
            self.listen(name, Box::new(move |event| handler(event.unchecked_into())));
        }
    }

    fn listen(&mut self, name: &'static str, mut handler: Box<dyn FnMut(web_sys::Event) + Send>) {
        let owner = Owner::current().unwrap_or_default();
        self.parts.push(Part::Listener(name, Box::new(move |event| owner.with(|| handler(event)))));
    }

    /// Tells `reference` the element once it is there.
    pub(crate) fn refer<E>(&mut self, reference: NodeRef<E>)
    where
        E: ElementType + 'static,
        NodeRef<E>: NodeRefContainer<E>,
    {
        self.parts.push(Part::Reference(Box::new(move |element| reference.load(element))));
    }

    /// A child.
    pub(crate) fn push(&mut self, child: impl IntoNode) {
        self.children.push(child.into_node());
    }

    /// The whole of it.
    pub(crate) fn done(self) -> Node {
        Node::Element(self)
    }
}
