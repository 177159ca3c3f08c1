//! Texts of the catalogue in the page's language.

use std::cell::Cell;

use crate::ui::node::{Node, node};
use hopscope_markup::view;
use hopscope_scenario::catalogue::{Arg, Args, Key, Language, Span, plain};
use hopscope_scenario::issue::Issue;
pub(crate) use hopscope_view::format::grouped;

thread_local! {
    static LANGUAGE: Cell<Language> = const { Cell::new(Language::English) };
}

/// The page's language. What is shown in another one is made anew when it changes (`crate::app`).
pub(crate) fn language() -> Language {
    LANGUAGE.get()
}

/// Makes it the page's language; its texts are here.
pub(crate) fn speak(language: Language) {
    LANGUAGE.set(language);
}

/// The text of a key that takes no arguments.
pub(crate) fn t(key: Key) -> String {
    plain(language(), key, &Args::new())
}

/// The text of a key with its arguments by name.
pub(crate) fn t_with(key: Key, args: &[(&str, &str)]) -> String {
    let mut named = Args::new();
    for (name, value) in args {
        named.insert((*name).to_owned(), Arg::from(*value));
    }
    plain(language(), key, &named)
}

/// How bad an Issue is, for the style sheet.
pub(crate) fn severity(issue: &Issue) -> &'static str {
    if issue.is_error() { "error" } else { "warning" }
}

/// What is wrong and what to do about it, with names set apart.
pub(crate) fn issue_text(issue: &Issue) -> Node {
    let (message, remedy) = issue.spans(language());
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

/// How wide a text is, in Latin characters: those of East Asia are about twice as wide (Unicode Standard Annex 11).
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(character: char) -> usize {
    let wide = matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}');
    1 + usize::from(wide)
}

/// At most `most` columns of it.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let mut kept = String::new();
    for character in text.chars() {
        let Some(left) = room.checked_sub(width(character)) else { break };
        room = left;
        kept.push(character);
    }
    kept.push('…');
    kept
}
