//! Icons, drawn in the colour of the text beside them.

use hopscope_markup::view;
use hopscope_scenario::kinds::Kind;
use leptos::prelude::*;

/// A kind of node.
#[component]
pub(crate) fn KindIcon(kind: Kind) -> impl IntoView {
    let outline = match kind {
        Kind::Client => "M9 3a3 3 0 1 1 0 6a3 3 0 1 1 0 -6M3 16c0-3.5 2.7-5 6-5s6 1.5 6 5",
        Kind::Service => {
            "M4.5 4h9a2 2 0 0 1 2 2v6a2 2 0 0 1 -2 2h-9a2 2 0 0 1 -2 -2v-6a2 2 0 0 1 2 -2zM5.5 7.5h3M5.5 10.5h7"
        }
        Kind::External => "M7 4H3.5v10.5H14V11M10 3.5h4.5V8M14.5 3.5L8.5 9.5",
        Kind::Exchange => "M2.5 9h4M6.5 9l5 -4.5h4M6.5 9h9M6.5 9l5 4.5h4",
        Kind::Topic => "M3 4.5h12M3 9h12M3 13.5h12M6.5 3v3M10 7.5v3M13 12v3",
        Kind::Queue => {
            "M3.5 5h11a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1 -1.5 1.5h-11a1.5 1.5 0 0 1 -1.5 -1.5v-5a1.5 1.5 0 0 1 1.5 -1.5zM6 5v8M10 5v8"
        }
    };
    view! { <svg class="icon" viewBox="0 0 18 18" aria-hidden="true"><path d=outline></path></svg> }
}
