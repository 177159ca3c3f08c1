//! Run in headless Chromium by wasm-bindgen's runner.

use leptos::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn the_page_mounts_and_says_that_no_server_answers() {
    leptos::mount::mount_to_body(crate::app::App);
    let shell = document().query_selector(".shell").unwrap().unwrap();
    assert_eq!(shell.get_attribute("data-ready").as_deref(), Some("true"));
    let server = document().query_selector(".server").unwrap().unwrap();
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
