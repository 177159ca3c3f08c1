//! Run in headless Chromium by wasm-bindgen's runner.

use hopscope_scenario::catalogue::Language;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn the_page_mounts_and_says_that_no_server_answers() {
    let page = Page::new();
    let shell = page.find(".shell");
    assert_eq!(shell.get_attribute("data-ready").as_deref(), Some("true"));
    let server = page.find(".server");
    // The test's own server knows no /api/about; wait for the answer by the event loop's turns, not by a time.
    for _ in 0..10_000 {
        if server.get_attribute("data-state").as_deref() != Some("asking") {
            break;
        }
        next_turn().await;
    }
    assert_eq!(server.get_attribute("data-state").as_deref(), Some("absent"));
    assert!(server.text_content().unwrap().contains("No server"));
}

/// Lets the browser handle whatever is due.
async fn next_turn() {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        window().set_timeout_with_callback(&resolve).unwrap();
    });
    wasm_bindgen_futures::JsFuture::from(promise).await.unwrap();
}

#[wasm_bindgen_test]
async fn what_is_typed_is_kept_and_marked_and_undone() {
    let page = Page::new();
    page.find("[data-palette=service]").click();
    next_turn().await;
    let mean = page.input("work.mean");
    assert_eq!(mean.value(), "40 ms");
    page.type_into(&mean, "-1.2").await;
    assert_eq!(page.input("work.mean").value(), "-1.2");
    assert!(page.find("[data-issue-for=\"work.mean\"]").text_content().unwrap().contains("-1.2"));
    assert!(page.find("[data-node]").class_list().contains("faulty"));
    page.find("[data-action=undo]").click();
    next_turn().await;
    assert_eq!(page.input("work.mean").value(), "40 ms");
    assert!(!page.find("[data-node]").class_list().contains("faulty"));
}

#[wasm_bindgen_test]
async fn a_field_that_goes_away_with_the_focus_in_it_still_tidies_what_was_typed() {
    let page = Page::new();
    page.find("[data-palette=service]").click();
    next_turn().await;
    let mean = page.input("work.mean");
    mean.focus().unwrap();
    page.type_into(&mean, "7000us").await;
    // The new node takes the selection, so the form with the focus in it goes.
    page.find("[data-palette=client]").click();
    next_turn().await;
    page.find("[data-node=n1]").focus().unwrap();
    next_turn().await;
    assert!(page.find("[data-node=n1]").text_content().unwrap().contains("7 ms"));
}

#[wasm_bindgen_test]
async fn another_load_brings_its_fields_and_keeps_what_both_have() {
    let page = Page::new();
    page.find("[data-palette=client]").click();
    next_turn().await;
    page.type_into(&page.input("load.rate"), "7/s").await;
    page.choose("load.kind", "bursts").await;
    assert_eq!([page.input("load.rate").value(), page.input("load.on").value()], ["7/s", "1 s"]);
    page.choose("load.kind", "closed").await;
    page.choose("load.think.distribution", "lognormal").await;
    assert_eq!([page.input("load.users").value(), page.input("load.think.cv").value()], ["10", "150 %"]);
}

#[wasm_bindgen_test]
async fn a_run_until_stopped_asks_for_no_duration() {
    let page = Page::new();
    let duration = page.find(".runbar [name=duration]").parent_element().unwrap();
    let duration = duration.unchecked_into::<web_sys::HtmlElement>();
    let choice = page.find(".runbar [name=until-stopped]").unchecked_into::<web_sys::HtmlInputElement>();
    let seen = || (duration.style().get_property_value("visibility").unwrap(), choice.checked());
    assert_eq!(seen(), ("visible".to_owned(), false));
    choice.click();
    next_turn().await;
    assert_eq!(seen(), ("hidden".to_owned(), true));
    choice.click();
    next_turn().await;
    assert_eq!(seen(), ("visible".to_owned(), false));
}

#[wasm_bindgen_test]
async fn the_laws_chips_tell_what_holds_and_what_is_broken() {
    use hopscope_report::laws::{LAWS, LawReport};

    let root: web_sys::HtmlElement = document().create_element("div").unwrap().unchecked_into();
    let (sender, run) = std::sync::mpsc::channel();
    let mounted = leptos::mount::mount_to(root.clone(), move || {
        let run = crate::state::run::Run::new();
        provide_context(run);
        crate::dock::provide_tab();
        sender.send(run).unwrap();
        view! { <crate::laws::LawChips/> }
    });
    let run = run.recv().unwrap();
    assert!(root.query_selector("[data-law]").unwrap().is_none());
    let report =
        |law, broken| LawReport { law, held: 398, broken, undecided: 0, breaches: Vec::new(), not_applicable: None };
    let mut laws: Vec<_> = LAWS.iter().map(|law| report(*law, 0)).collect();
    laws[0] = report(LAWS[0], 2);
    run.laws.set(std::sync::Arc::new(laws));
    next_turn().await;
    let chip = root.query_selector("[data-law=reply-after-request]").unwrap().unwrap();
    let of = |name: &str| chip.get_attribute(name).unwrap();
    assert_eq!([of("data-held"), of("data-checked"), of("data-broken")], ["398", "400", "2"]);
    let text = root.text_content().unwrap();
    let further = format!("{} further laws hold", LAWS.len() - crate::laws::CHIEFS.len());
    assert!(text.contains("398 / 400broken") && text.contains(&further), "{text}");
    drop(mounted);
}

#[wasm_bindgen_test]
fn a_text_is_shortened_by_its_width() {
    use crate::ui::text::shortened;

    assert_eq!(shortened("orders", 6), "orders");
    assert_eq!(shortened("orders of today", 6), "order…");
    assert_eq!(shortened("订单", 4), "订单");
    assert_eq!(shortened("订单服务", 6), "订单…");
    assert_eq!(shortened("订单服务", 7), "订单服…");
}

/// A page of its own, with nothing kept from an earlier one; it goes when this does.
struct Page {
    root: web_sys::HtmlElement,
    mounted: Option<Box<dyn std::any::Any>>,
}

impl Page {
    fn new() -> Self {
        // The tests' own server has no file beside the page.
        assert!(Language::English.read(include_str!("../../../common/scenario/src/catalogue/en.json")));
        window().local_storage().unwrap().unwrap().clear().unwrap();
        let root: web_sys::HtmlElement = document().create_element("div").unwrap().unchecked_into();
        document().body().unwrap().append_child(&root).unwrap();
        let mounted = leptos::mount::mount_to(root.clone(), crate::app::App);
        Self { root, mounted: Some(Box::new(mounted)) }
    }

    /// The first element of a selector; an SVG element has what is used of it here too.
    fn find(&self, selector: &str) -> web_sys::HtmlElement {
        self.root.query_selector(selector).unwrap().unwrap().unchecked_into()
    }

    fn input(&self, name: &str) -> web_sys::HtmlInputElement {
        self.find(&format!(".inspector [name=\"{name}\"]")).unchecked_into()
    }

    async fn choose(&self, name: &str, option: &str) {
        let select: web_sys::HtmlSelectElement =
            self.find(&format!(".inspector select[name=\"{name}\"]")).unchecked_into();
        select.set_value(option);
        select.dispatch_event(&web_sys::Event::new("change").unwrap()).unwrap();
        next_turn().await;
    }

    async fn type_into(&self, input: &web_sys::HtmlInputElement, text: &str) {
        input.set_value(text);
        input.dispatch_event(&web_sys::Event::new("input").unwrap()).unwrap();
        next_turn().await;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.mounted.take());
        self.root.remove();
    }
}
