//! What stands in the document for a [`Node`]: built once, then patched in place, so that focus, scrolling and pointers
//! stay where they are.

use leptos::prelude::{AnyView, document};
use leptos::reactive::effect::RenderEffect;
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::element::{Part, Place};
use super::keyed::{self, EntryState};
use super::{Element, Node, Value};

const SVG: &str = "http://www.w3.org/2000/svg";

/// What stands in the document.
pub(crate) enum NodeState {
    /// A comment that keeps the place.
    Empty(web_sys::Comment),
    Text(web_sys::Text, Value),
    Element(ElementState),
    /// The views, and a comment behind them.
    List(Vec<NodeState>, web_sys::Comment),
    /// The same of entries.
    Keyed(Vec<EntryState>, web_sys::Comment),
    Live(RenderEffect<NodeState>),
    Component(<AnyView as Render>::State),
}

/// An element in the document.
pub(crate) struct ElementState {
    element: web_sys::Element,
    head: &'static str,
    parts: Vec<PartState>,
    children: Vec<NodeState>,
}

enum PartState {
    Value(Place, &'static str, Value),
    /// Sets the value anew until it is dropped.
    Live(Place, &'static str, #[expect(dead_code, reason = "held, not read")] RenderEffect<Value>),
    Listener(&'static str, JsValue),
    Reference,
}

impl Render for Node {
    type State = NodeState;

    fn build(self) -> NodeState {
        match self {
            Self::Empty => NodeState::Empty(document().create_comment("")),
            Self::Text(words) => {
                let text = document().create_text_node(words.words().unwrap_or_default());
                NodeState::Text(text, words)
            }
            Self::Element(element) => NodeState::Element(element.build()),
            Self::List(views) => {
                NodeState::List(views.into_iter().map(Self::build).collect(), document().create_comment(""))
            }
            Self::Keyed(owner, entries) => {
                let entries = entries.into_iter().map(|entry| entry.build(&owner)).collect();
                NodeState::Keyed(entries, document().create_comment(""))
            }
            Self::Live(make) => NodeState::Live(live(make)),
            Self::Component(view) => NodeState::Component(view.build()),
        }
    }

    fn rebuild(self, state: &mut NodeState) {
        let left = match (self, &mut *state) {
            (Self::Empty, NodeState::Empty(_)) => None,
            (Self::Text(words), NodeState::Text(text, before)) => {
                if !words.same(before) {
                    text.set_data(words.words().unwrap_or_default());
                    *before = words;
                }
                None
            }
            (Self::Element(element), NodeState::Element(before)) => element.patch(before).map(Self::Element),
            (Self::List(views), NodeState::List(before, end)) => {
                patch_list(views, before, end);
                None
            }
            (Self::Keyed(owner, entries), NodeState::Keyed(before, end)) => {
                keyed::patch(&owner, entries, before, end);
                None
            }
            (Self::Component(view), NodeState::Component(before)) => {
                view.rebuild(before);
                None
            }
            // Also what is live: another closure is about something else, and takes no field over with the focus in it.
            (view, _) => Some(view),
        };
        if let Some(view) = left {
            let mut new = view.build();
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
        }
    }
}

/// Makes the view, and patches it whenever a signal that was read has changed.
fn live(mut make: Box<dyn FnMut() -> Node + Send>) -> RenderEffect<NodeState> {
    RenderEffect::new(move |before: Option<NodeState>| {
        let view = make();
        match before {
            Some(mut state) => {
                view.rebuild(&mut state);
                state
            }
            None => view.build(),
        }
    })
}

fn patch_list(views: Vec<Node>, states: &mut Vec<NodeState>, end: &web_sys::Comment) {
    let wanted = views.len();
    for (index, view) in views.into_iter().enumerate() {
        if let Some(state) = states.get_mut(index) {
            view.rebuild(state);
        } else {
            let mut state = view.build();
            if let Some(parent) = end.parent_node() {
                state.mount(parent.unchecked_ref(), Some(end));
            }
            states.push(state);
        }
    }
    for mut state in states.drain(wanted.min(states.len())..) {
        state.unmount();
    }
}

impl Element {
    fn build(self) -> ElementState {
        let mut head = self.head.split('\0');
        let tag = head.next().unwrap_or_default();
        let element = create(self.svg, tag);
        while let (Some(name), Some(value)) = (head.next(), head.next()) {
            apply(&element, Place::Attribute, name, &Value::Text(value.to_owned()));
        }
        let parts = self.parts.into_iter().map(|part| part.build(&element)).collect();
        let children = self.children.into_iter().map(|child| {
            let mut state = child.build();
            state.mount(&element, None);
            state
        });
        let children = children.collect();
        ElementState { element, head: self.head, parts, children }
    }

    /// Makes the element in the document this one; gives it back where they are of different shapes.
    fn patch(self, state: &mut ElementState) -> Option<Self> {
        let alike = self.head == state.head
            && self.children.len() == state.children.len()
            && self.parts.len() == state.parts.len()
            && self.parts.iter().zip(&state.parts).all(|(part, before)| part.is_like(before));
        if !alike {
            return Some(self);
        }
        for (part, before) in self.parts.into_iter().zip(&mut state.parts) {
            part.patch(&state.element, before);
        }
        for (child, before) in self.children.into_iter().zip(&mut state.children) {
            child.rebuild(before);
        }
        None
    }
}

/// The tags are constants that every browser makes.
fn create(svg: bool, tag: &str) -> web_sys::Element {
    let made = if svg { document().create_element_ns(Some(SVG), tag) } else { document().create_element(tag) };
    made.unwrap_or_else(|error| wasm_bindgen::throw_val(error))
}

impl Part {
    fn build(self, element: &web_sys::Element) -> PartState {
        match self {
            Self::Value(place, name, Value::Live(ask)) => {
                PartState::Live(place, name, follow(element, place, name, ask))
            }
            Self::Value(place, name, value) => {
                apply(element, place, name, &value);
                PartState::Value(place, name, value)
            }
            Self::Listener(name, handler) => {
                // The browser owns the handler: an element that goes away with the focus in it still hears its blur.
                let handler = Closure::wrap(handler as Box<dyn FnMut(web_sys::Event)>).into_js_value();
                // An element takes a listener of any name.
                let _ = element.add_event_listener_with_callback(name, handler.unchecked_ref());
                PartState::Listener(name, handler)
            }
            Self::Reference(tell) => {
                tell(element);
                PartState::Reference
            }
        }
    }

    fn is_like(&self, before: &PartState) -> bool {
        match (self, before) {
            (Self::Value(place, name, _), PartState::Value(at, of, _) | PartState::Live(at, of, _)) => {
                place == at && name == of
            }
            (Self::Listener(name, _), PartState::Listener(of, _)) => name == of,
            (Self::Reference(_), PartState::Reference) => true,
            _ => false,
        }
    }

    fn patch(self, element: &web_sys::Element, before: &mut PartState) {
        match (&self, &*before) {
            (Self::Value(_, _, value), PartState::Value(_, _, old)) if value.same(old) => return,
            (_, PartState::Listener(name, handler)) => {
                let _ = element.remove_event_listener_with_callback(name, handler.unchecked_ref());
            }
            _ => {}
        }
        *before = self.build(element);
    }
}

/// Sets what `ask` answers, now and whenever a signal that it read has changed.
fn follow(
    element: &web_sys::Element,
    place: Place,
    name: &'static str,
    mut ask: Box<dyn FnMut() -> Value + Send>,
) -> RenderEffect<Value> {
    let element = element.clone();
    RenderEffect::new(move |before: Option<Value>| {
        let mut value = ask();
        while let Value::Live(mut further) = value {
            value = further();
        }
        if !before.is_some_and(|before| before.same(&value)) {
            apply(&element, place, name, &value);
        }
        value
    })
}

/// Sets a value. The browser refuses none of these: names are constants, and a value that means nothing is kept unused.
fn apply(element: &web_sys::Element, place: Place, name: &str, value: &Value) {
    match place {
        Place::Attribute => {
            let _ = match value.words() {
                Some(words) => element.set_attribute(name, words),
                None => element.remove_attribute(name),
            };
        }
        Place::Class => {
            let _ = element.class_list().toggle_with_force(name, value.words().is_some());
        }
        Place::Style => {
            let style = element.unchecked_ref::<web_sys::HtmlElement>().style();
            let _ = match value.words() {
                Some(words) => style.set_property(name, words),
                None => style.remove_property(name).map(|_| ()),
            };
        }
        Place::Property => {
            let held = match value {
                // Empty words would unset it.
                Value::Flag(set) => JsValue::from_bool(*set),
                _ => value.words().map_or(JsValue::UNDEFINED, JsValue::from_str),
            };
            let _ = js_sys::Reflect::set(element, &JsValue::from_str(name), &held);
        }
    }
}

impl NodeState {
    /// The browser's node that stands for it, where it is one.
    fn own(&self) -> Option<&web_sys::Node> {
        match self {
            Self::Empty(comment) => Some(comment),
            Self::Text(text, _) => Some(text),
            Self::Element(state) => Some(&state.element),
            Self::List(..) | Self::Keyed(..) | Self::Live(_) | Self::Component(_) => None,
        }
    }
}

impl Mountable for NodeState {
    fn unmount(&mut self) {
        if let Some(node) = self.own() {
            remove(node);
        }
        match self {
            Self::List(states, end) => {
                states.iter_mut().for_each(Self::unmount);
                remove(end);
            }
            Self::Keyed(entries, end) => {
                entries.iter_mut().for_each(|entry| entry.state.unmount());
                remove(end);
            }
            Self::Live(effect) => {
                effect.with_value_mut(Self::unmount);
            }
            Self::Component(state) => state.unmount(),
            Self::Empty(_) | Self::Text(..) | Self::Element(_) => {}
        }
    }

    fn mount(&mut self, parent: &web_sys::Element, marker: Option<&web_sys::Node>) {
        if let Some(node) = self.own() {
            insert(parent, node, marker);
        }
        match self {
            Self::List(states, end) => {
                states.iter_mut().for_each(|state| state.mount(parent, marker));
                insert(parent, end, marker);
            }
            Self::Keyed(entries, end) => {
                entries.iter_mut().for_each(|entry| entry.state.mount(parent, marker));
                insert(parent, end, marker);
            }
            Self::Live(effect) => {
                effect.with_value_mut(|state| state.mount(parent, marker));
            }
            Self::Component(state) => state.mount(parent, marker),
            Self::Empty(_) | Self::Text(..) | Self::Element(_) => {}
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let before = |node: &web_sys::Node, child: &mut dyn Mountable| {
            let parent = node.parent_node();
            if let Some(parent) = &parent {
                child.mount(parent.unchecked_ref(), Some(node));
            }
            parent.is_some()
        };
        if let Some(node) = self.own() {
            return before(node, child);
        }
        match self {
            Self::List(states, end) => match states.first() {
                Some(first) => first.insert_before_this(child),
                None => before(end, child),
            },
            Self::Keyed(entries, end) => match entries.first() {
                Some(first) => first.state.insert_before_this(child),
                None => before(end, child),
            },
            Self::Live(effect) => effect.with_value_mut(|state| state.insert_before_this(child)).unwrap_or(false),
            Self::Component(state) => state.insert_before_this(child),
            Self::Empty(_) | Self::Text(..) | Self::Element(_) => false,
        }
    }

    fn elements(&self) -> Vec<web_sys::Element> {
        match self {
            Self::Element(state) => vec![state.element.clone()],
            Self::List(states, _) => states.iter().flat_map(Self::elements).collect(),
            Self::Keyed(entries, _) => entries.iter().flat_map(|entry| entry.state.elements()).collect(),
            Self::Live(effect) => effect.with_value_mut(|state| state.elements()).unwrap_or_default(),
            Self::Component(state) => state.elements(),
            Self::Empty(_) | Self::Text(..) => Vec::new(),
        }
    }
}

fn insert(parent: &web_sys::Element, node: &web_sys::Node, marker: Option<&web_sys::Node>) {
    // The marker is the parent's own, or none.
    let _ = parent.insert_before(node, marker);
}

fn remove(node: &web_sys::Node) {
    if let Some(parent) = node.parent_node() {
        let _ = parent.remove_child(node);
    }
}

impl AddAnyAttr for Node {
    type Output<NewAttribute: Attribute> = Self;

    /// The page spreads no attributes over components.
    fn add_any_attr<NewAttribute: Attribute>(self, _: NewAttribute) -> Self {
        self
    }
}

/// The page is drawn in the browser only; what Leptos asks for a server's sake has nothing to do here.
impl RenderHtml for Node {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> NodeState {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
