//! The canvas shown to many: larger, without panels, played by Space and stepped by the arrow keys.

use anyhow::{Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::static_host::StaticHost;
use thirtyfour::Key;

use crate::hands::Hands;
use crate::keyboard::current_event;

/// How much larger the type is.
const LARGER: f64 = 1.5;

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_presented_played_and_stepped_by_keys() -> Result<()> {
    let host = StaticHost::of_the_page().await?;
    with_browser(async |driver| {
        let hands = Hands::open_first(driver, &host.url()).await?;
        hands.find("[data-recorded=hello-async]").await?;
        hands.find("[data-action=pause]").await?;
        let size = font_size(&hands).await?;
        hands.press("f").await?;
        hands.find(".shell.presenting").await?;
        ensure!((font_size(&hands).await? / size - LARGER).abs() < 0.01, "the type is not {LARGER} times as large");
        for folded in [".palette", ".inspector", ".dock > .panel", ".tabs"] {
            ensure!(!hands.find(folded).await?.is_displayed().await?, "{folded} is not folded");
        }
        ensure!(hands.find(".strip").await?.is_displayed().await?, "the player is gone");
        picture(&hands.driver, "presenting").await?;
        space_plays(&hands).await?;
        arrows_step(&hands).await?;
        picture(&hands.driver, "presenting-step").await?;
        leaves(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

async fn font_size(hands: &Hands) -> Result<f64> {
    let script = "return parseFloat(getComputedStyle(document.querySelector('.shell')).fontSize)";
    Ok(hands.driver.execute(script, Vec::new()).await?.convert()?)
}

/// Space stops what plays, and plays what stands still.
async fn space_plays(hands: &Hands) -> Result<()> {
    hands.press(" ").await?;
    hands.find("[data-action=play]").await?;
    let before = hands.text("[data-figure=position]").await?;
    hands.press(" ").await?;
    hands.find("[data-action=pause]").await?;
    while hands.text("[data-figure=position]").await? == before {}
    hands.press(" ").await?;
    hands.find("[data-action=play]").await?;
    Ok(())
}

/// The arrow keys go through the events of a trace, there and back.
async fn arrows_step(hands: &Hands) -> Result<()> {
    let pan = hands.pan().await?;
    // A first step takes the trace from the replay, wherever that has come to.
    hands.press(Key::Right).await?;
    let first = current_event(hands).await?;
    let mut steps = Vec::new();
    for key in [Key::Right, Key::Right, Key::Left, Key::Left] {
        hands.press(key).await?;
        steps.push(current_event(hands).await? - first);
    }
    assert_eq!(steps, [1, 2, 1, 0]);
    assert_eq!(hands.pan().await?, pan, "the canvas has moved");
    Ok(())
}

/// F leaves, and so does Escape; the panels are there again.
async fn leaves(hands: &Hands) -> Result<()> {
    hands.press("f").await?;
    hands.gone(".shell.presenting").await?;
    hands.click("[data-action=present]").await?;
    hands.find(".shell.presenting").await?;
    hands.press(Key::Escape).await?;
    hands.gone(".shell.presenting").await?;
    ensure!(hands.find(".palette").await?.is_displayed().await?, "the palette stays folded");
    Ok(())
}
