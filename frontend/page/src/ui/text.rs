//! Texts of the catalogue in the page's language.

use crate::ui::node::{Node, node};
use hopscope_markup::view;
use hopscope_scenario::catalogue::{Arg, Args, Key, Language, Span, plain};
use hopscope_scenario::issue::Issue;
pub(crate) use hopscope_view::format::grouped;

/// The text of a key that takes no arguments.
pub(crate) fn t(key: Key) -> String {
    plain(Language::English, key, &Args::new())
}

/// The text of a key with its arguments by name.
pub(crate) fn t_with(key: Key, args: &[(&str, &str)]) -> String {
    let mut named = Args::new();
    for (name, value) in args {
        named.insert((*name).to_owned(), Arg::from(*value));
    }
    plain(Language::English, key, &named)
}

/// How bad an Issue is, for the style sheet.
pub(crate) fn severity(issue: &Issue) -> &'static str {
    if issue.is_error() { "error" } else { "warning" }
}

/// What is wrong and what to do about it, with names set apart.
pub(crate) fn issue_text(issue: &Issue) -> Node {
    let (message, remedy) = issue.spans(Language::English);
    let span = |span: Span| {
        if span.strong {
            view! { <b>{span.text}</b> }
        } else {
            node(span.text)
        }
    };
    view! {
        <span class="message">{message.into_iter().map(span).collect::<Node>()}</span>
        " "
        <span class="remedy">{remedy.into_iter().map(span).collect::<Node>()}</span>
    }
}

/// An Issue as a paragraph of its own.
pub(crate) fn issue_line(issue: &Issue) -> Node {
    view! { <p class="issue" data-severity=severity(issue)>{issue_text(issue)}</p> }
}

/// At most `most` characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
