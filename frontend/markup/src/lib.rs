//! `view!` for the page: what is written is Leptos' markup, what comes of it is one type, the page's `ui::node::Node`.
//!
//! Leptos makes a type of every element, attribute and closure, and with it code of its own to build, patch and drop it:
//! two thirds of the page's first load. Here an element is a few calls of functions that exist once. Reads markup and
//! writes code; knows nothing of what the views are about.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeBlock, NodeElement};
use rstml::{Infallible, Parser, ParserConfig};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit};

/// Elements that are made in the SVG namespace.
const SVG: [&str; 14] = [
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title", "defs",
    "marker",
];

/// A view: elements with `name=value`, `class:`, `style:`, `prop:`, `on:` and `node_ref`, components, `{blocks}`, text.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let parser = Parser::new(ParserConfig::default().recover_block(true));
    let (nodes, errors) = parser.parse_recoverable(TokenStream::from(tokens)).split_vec();
    let errors = errors.into_iter().map(|error| error.emit_as_expr_tokens());
    let view = list(&nodes);
    quote! { { #(#errors;)* #view } }.into()
}

/// One node as it is, several as a list.
fn list(nodes: &[Node<Infallible>]) -> TokenStream {
    let views: Vec<_> = nodes.iter().filter_map(node).collect();
    match views.as_slice() {
        [one] => quote! { crate::ui::node::node(#one) },
        views => {
            let list = format_ident!("list", span = Span::mixed_site());
            quote! { { let mut #list = crate::ui::node::List::new(); #(#list.push(#views);)* #list.done() } }
        }
    }
}

/// The expression of a node; nothing for a comment.
fn node(node: &Node<Infallible>) -> Option<TokenStream> {
    Some(match node {
        Node::Element(element) if is_component(element) => component(element),
        Node::Element(element) => plain_element(element),
        Node::Fragment(fragment) => list(&fragment.children),
        Node::Block(block) => block_of(block),
        Node::Text(text) => {
            let text = text.value_string();
            quote! { #text }
        }
        Node::RawText(text) => {
            let text = text.to_string_best();
            quote! { #text }
        }
        Node::Comment(_) | Node::Doctype(_) | Node::Custom(_) => return None,
    })
}

fn block_of(block: &NodeBlock) -> TokenStream {
    match block {
        NodeBlock::ValidBlock(block) => match block.stmts.as_slice() {
            [syn::Stmt::Expr(value, None)] => quote! { #value },
            _ => quote! { #block },
        },
        NodeBlock::Invalid(tokens) => quote! { #tokens },
    }
}

fn is_component(element: &NodeElement<Infallible>) -> bool {
    element.name().to_string().starts_with(|first: char| first.is_uppercase())
}

/// An element: its tag and its constant attributes in one string, then a call for everything else.
fn plain_element(element: &NodeElement<Infallible>) -> TokenStream {
    let tag = element.name().to_string();
    let svg = SVG.contains(&tag.as_str());
    let built = format_ident!("element", span = Span::mixed_site());
    let mut head = tag;
    let mut calls = Vec::new();
    for attribute in element.attributes() {
        match attribute {
            NodeAttribute::Attribute(attribute) => match constant(attribute) {
                Some(value) => head.push_str(&format!("\0{}\0{value}", attribute.key)),
                None => calls.push(part(attribute)),
            },
            NodeAttribute::Block(block) => {
                calls.push(quote_spanned! { block.span() => compile_error!("an element's attributes have names"); });
            }
        }
    }
    let children = element.children.iter().filter_map(node);
    quote! {
        {
            let mut #built = crate::ui::node::Element::open(#svg, #head);
            #(#built.#calls;)*
            #(#built.push(#children);)*
            #built.done()
        }
    }
}

/// The text of an attribute that never changes.
fn constant(attribute: &KeyedAttribute) -> Option<String> {
    let key = attribute.key.to_string();
    if key.contains(':') && key != "xlink:href" {
        return None;
    }
    match attribute.value() {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.value()),
        None => Some(String::new()),
        _ => None,
    }
}

/// The call that sets one part of an element.
fn part(attribute: &KeyedAttribute) -> TokenStream {
    let key = attribute.key.to_string();
    let value = attribute.value().map_or_else(|| quote! { true }, |value| quote! { #value });
    let (kind, name) = key.split_once(':').unwrap_or(("", &key));
    match kind {
        "class" => quote! { class(#name, #value) },
        "style" => quote! { style(#name, #value) },
        "prop" => quote! { property(#name, #value) },
        "on" => {
            let event = format_ident!("{name}", span = attribute.key.span());
            quote! { on(::leptos::ev::#event, #value) }
        }
        _ if key == "node_ref" => quote! { refer(#value) },
        _ => quote! { set(#key, #value) },
    }
}

/// A component with its properties and children.
fn component(element: &NodeElement<Infallible>) -> TokenStream {
    let name = element.name();
    match name.to_string().as_str() {
        "Show" => return show(element),
        "Each" => return each(element),
        _ => {}
    }
    let mut properties = Vec::new();
    for attribute in element.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else { continue };
        let key = attribute.key.to_string();
        let property = format_ident!("{key}", span = attribute.key.span());
        let value = attribute.value().map_or_else(|| quote! { #property }, |value| quote! { #value });
        properties.push(quote! { .#property(#value) });
    }
    if !element.children.is_empty() {
        let children = list(&element.children);
        properties.push(quote! { .children(::leptos::children::ToChildren::to_children(move || #children)) });
    }
    quote! {
        crate::ui::node::component(::leptos::component::component_view(
            &#name,
            ::leptos::component::component_props_builder(&#name) #(#properties)* .build(),
        ))
    }
}

/// The value of a property.
fn property<'a>(element: &'a NodeElement<Infallible>, name: &str) -> Option<&'a Expr> {
    element.attributes().iter().find_map(|attribute| match attribute {
        NodeAttribute::Attribute(attribute) if attribute.key.to_string() == name => attribute.value(),
        _ => None,
    })
}

fn lacks(element: &NodeElement<Infallible>, what: &str) -> TokenStream {
    let message = format!("{} needs {what}", element.name());
    quote_spanned! { element.name().span() => compile_error!(#message) }
}

/// What is there only while something holds: `<Show when=closure fallback=closure>`.
fn show(element: &NodeElement<Infallible>) -> TokenStream {
    let Some(when) = property(element, "when") else { return lacks(element, "when=") };
    let nothing = quote! { || crate::ui::node::Node::Empty };
    let fallback = property(element, "fallback").map_or(nothing, |fallback| quote! { #fallback });
    let children = list(&element.children);
    quote! { crate::ui::node::show(#when, move || #children, #fallback) }
}

/// An entry for each of a list: `<Each of=closure key=function let:item>`.
fn each(element: &NodeElement<Infallible>) -> TokenStream {
    let (Some(of), Some(key)) = (property(element, "of"), property(element, "key")) else {
        return lacks(element, "of= and key=");
    };
    let Some(item) = bound(element).pop() else { return lacks(element, "let:") };
    let children = list(&element.children);
    quote! { crate::ui::node::each(#of, #key, move |#item| #children) }
}

/// The names after `let:`.
fn bound(element: &NodeElement<Infallible>) -> Vec<syn::Ident> {
    let name = |attribute: &NodeAttribute| match attribute {
        NodeAttribute::Attribute(attribute) => {
            let key = attribute.key.to_string();
            key.strip_prefix("let:").map(|name| format_ident!("{name}", span = attribute.key.span()))
        }
        NodeAttribute::Block(_) => None,
    };
    element.attributes().iter().filter_map(name).collect()
}
