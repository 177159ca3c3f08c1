//! What a pointer does on the canvas beyond the first scenario: refused links, copies, several at once, the view.

use anyhow::{Context as _, Result, ensure};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_scenario::text;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use thirtyfour::{Key, WebElement};

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_drawing_is_changed_copied_and_looked_at_by_the_pointer() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-async]").await?;
        hands.find("[data-link=l2]").await?;
        refuses(&hands).await?;
        moves_several(&hands).await?;
        copies(&hands).await?;
        zooms_pans_and_fits(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// A link that may not be says why beside the pointer, while it is drawn, and again when it is let go.
async fn refuses(hands: &Hands) -> Result<()> {
    let (port, client) = (hands.find("[data-port-of=n3]").await?, hands.find("[data-node=n1] .card").await?);
    let drag = hands.gesture().move_to_element_center(&port).click_and_hold();
    drag.move_by_offset(20, 5).move_to_element_center(&client).perform().await?;
    hands.find("[data-node=n1].refused").await?;
    let tip = hands.text(".tip").await?.replace('\n', " ");
    picture(&hands.driver, "editor-refused").await?;
    hands.gesture().release().perform().await?;
    hands.gone(".tip").await?;
    let title = plain(Language::English, text!("notice.link"), &Default::default());
    assert_eq!(hands.text(".refusal strong").await?, title);
    let told = hands.text(".refusal .issue").await?;
    ensure!(told == tip && !told.is_empty(), "{tip:?} and then {told:?}");
    assert_eq!(hands.count("[data-link]").await?, 2);
    hands.click(".refusal .btn").await?;
    hands.gone(".refusal").await
}

/// A box around two nodes selects them and no other; they move together, and come back in one step.
async fn moves_several(hands: &Hands) -> Result<()> {
    let (both, third) = (["[data-node=n1]", "[data-node=n2]"], ["[data-node=n3]"]);
    let (before, other) = (hands.places(&both).await?, hands.places(&third).await?);
    let (first, last) = (corners(hands, both[0]).await?, corners(hands, both[1]).await?);
    let chain = hands.gesture().key_down(Key::Shift).move_to(first[0] - 15, first[1] - 15).click_and_hold();
    chain.move_by_offset(40, 20).move_to(last[2] - 20, last[3] - 10).perform().await?;
    hands.find(".marquee").await?;
    picture(&hands.driver, "editor-box").await?;
    hands.gesture().release().key_up(Key::Shift).perform().await?;
    hands.gone(".marquee").await?;
    for node in both {
        hands.find(&format!("{node}[aria-pressed=true]")).await?;
    }
    assert_eq!(hands.count("[data-node][aria-pressed=true]").await?, 2);

    let card = hands.find("[data-node=n1] .nm").await?;
    let drag = hands.gesture().move_to_element_center(&card).click_and_hold();
    drag.move_by_offset(30, 30).move_by_offset(30, 50).release().perform().await?;
    let moved: Vec<_> = before.iter().map(|[x, y]| [x + 60, y + 80]).collect();
    assert_eq!(hands.places(&both).await?, moved);
    assert_eq!(hands.places(&third).await?, other);
    hands.click("[data-action=undo]").await?;
    assert_eq!(hands.places(&both).await?, before);
    hands.click("[data-action=redo]").await?;
    assert_eq!(hands.places(&both).await?, moved);
    hands.click("[data-action=undo]").await
}

/// What is selected is copied with the links among it, pasted a step aside under names of its own, and taken back at once.
async fn copies(hands: &Hands) -> Result<()> {
    let (nodes, links) = (hands.count("[data-node]").await?, hands.count("[data-link]").await?);
    assert_eq!(hands.count("[data-node][aria-pressed=true]").await?, 2);
    hands.chord(Key::Control, "c").await?;
    hands.chord(Key::Control, "v").await?;
    hands.find("[data-node=n6]").await?;
    assert_eq!((hands.count("[data-node]").await?, hands.count("[data-link]").await?), (nodes + 2, links + 1));
    // The copies are selected, and nothing else.
    assert_eq!(hands.count("[data-node][aria-pressed=true]").await?, 2);
    let (old, new) = (["[data-node=n1]", "[data-node=n2]"], ["[data-node=n5]", "[data-node=n6]"]);
    let aside: Vec<_> = hands.places(&old).await?.iter().map(|[x, y]| [x + 40, y + 40]).collect();
    assert_eq!(hands.places(&new).await?, aside);
    for (one, other) in old.iter().zip(new) {
        ensure!(hands.attribute(one, "data-name").await? != hands.attribute(other, "data-name").await?);
    }
    picture(&hands.driver, "editor-pasted").await?;
    hands.chord(Key::Control, "z").await?;
    hands.gone("[data-node=n6]").await?;
    assert_eq!((hands.count("[data-node]").await?, hands.count("[data-link]").await?), (nodes, links));
    Ok(())
}

/// The wheel zooms at the pointer, a drag of the ground pans, and fit brings all of it back.
async fn zooms_pans_and_fits(hands: &Hands) -> Result<()> {
    hands.chord(thirtyfour::Key::Shift, "1").await?;
    let fitted = (hands.pan().await?, zoom(hands).await?);
    let node = hands.find("[data-node=n2] .bar-of-queue").await?;
    let under = middle(&node).await?;
    wheel(hands, under, -400).await?;
    ensure!(zoom(hands).await? > fitted.1 + 20, "the wheel does not zoom in");
    let now = middle(&node).await?;
    ensure!((now[0] - under[0]).abs() <= 2 && (now[1] - under[1]).abs() <= 2, "{under:?} has gone to {now:?}");

    let before = hands.pan().await?;
    let ground = hands.gesture().move_to(220, 120).click_and_hold();
    ground.move_by_offset(30, 20).move_by_offset(30, 20).release().perform().await?;
    assert_eq!(hands.pan().await?, [before[0] + 60, before[1] + 40]);
    // Space pans from anywhere, and moves no node that is under it.
    let places = hands.places(&["[data-node=n2]"]).await?;
    let on_node = hands.gesture().key_down(Key::Space).move_to_element_center(&node).click_and_hold();
    on_node.move_by_offset(-30, -20).release().key_up(Key::Space).perform().await?;
    assert_eq!(hands.pan().await?, [before[0] + 30, before[1] + 20]);
    assert_eq!(hands.places(&["[data-node=n2]"]).await?, places);

    hands.click("[data-action=fit]").await?;
    assert_eq!((hands.pan().await?, zoom(hands).await?), fitted);
    let canvas = corners(hands, ".canvas").await?;
    for id in 1..=4 {
        let [left, top, right, bottom] = corners(hands, &format!("[data-node=n{id}] .card")).await?;
        let seen = left >= canvas[0] && top >= canvas[1] && right <= canvas[2] && bottom <= canvas[3];
        ensure!(seen, "n{id} is out of sight");
    }
    picture(&hands.driver, "editor-fitted").await
}

/// The zoom as the page tells it, in percent.
async fn zoom(hands: &Hands) -> Result<i64> {
    let told = hands.text(".zoom button.num").await?;
    told.strip_suffix(" %").context("no percentage")?.parse().context("no number")
}

/// Left, top, right, bottom of an element in the window, in whole pixels.
async fn corners(hands: &Hands, css: &str) -> Result<[i64; 4]> {
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom].map(Math.round)";
    Ok(hands.driver.execute(script, vec![css.into()]).await?.convert()?)
}

async fn middle(element: &WebElement) -> Result<[i64; 2]> {
    let rect = element.rect().await?;
    Ok([rect.x + rect.width / 2.0, rect.y + rect.height / 2.0].map(|at| at.round() as i64))
}

/// Turns the wheel over a point of the window.
async fn wheel(hands: &Hands, at: [i64; 2], by: i64) -> Result<()> {
    let turn = serde_json::json!({ "type": "mouseWheel", "x": at[0], "y": at[1], "deltaX": 0, "deltaY": by });
    hands.driver.cdp().send_raw("Input.dispatchMouseEvent", turn).await?;
    Ok(())
}
