//! The main job without a pointer: build, run, read a trace, step by step.

use anyhow::{Context as _, Result, bail};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use thirtyfour::Key;

use crate::hands::Hands;

/// Most stops of the Tab key from one end of the page to the other.
const STOPS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_built_run_and_read_by_the_keyboard_alone() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        build(&hands).await?;
        run(&hands).await?;
        read(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_drawing_is_reached_selected_moved_and_deleted_by_the_keyboard_alone() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.tab_to("[data-template=hello-async]").await?;
        hands.press(Key::Enter).await?;
        hands.find("[data-link=l2]").await?;
        pan(&hands).await?;
        links(&hands).await?;
        several(&hands).await?;
        fields(&hands).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// With nothing selected the arrow keys move the canvas, and what gets the focus out of sight is brought into it.
async fn pan(hands: &Hands) -> Result<()> {
    let [x, y] = hands.pan().await?;
    hands.press(Key::Right).await?;
    hands.press(Key::Down).await?;
    hands.chord(Key::Shift, Key::Left).await?;
    assert_eq!(hands.pan().await?, [x - 80 + 20, y - 80]);
    for _ in 0..20 {
        hands.press(Key::Right).await?;
    }
    hands.tab_to("[data-node=n1]").await?;
    let script = "const node = document.querySelector('[data-node=n1] .card').getBoundingClientRect();
        const canvas = document.querySelector('.canvas').getBoundingClientRect();
        return node.left >= canvas.left && node.right <= canvas.right
            && node.top >= canvas.top && node.bottom <= canvas.bottom";
    let seen: bool = hands.driver.execute(script, Vec::new()).await?.convert()?;
    assert!(seen, "what has the focus is out of sight");
    picture(&hands.driver, "keyboard-panned").await
}

/// A link from a queue is selected and deleted; the focus goes to the queue.
async fn links(hands: &Hands) -> Result<()> {
    hands.tab_back_to("[data-link=l2]").await?;
    hands.find("[data-link=l2][aria-pressed=false]").await?;
    picture(&hands.driver, "keyboard-link").await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-link=l2][aria-pressed=true]").await?;
    hands.find(".inspector select[name=protocol]").await?;
    hands.press(Key::Delete).await?;
    hands.gone("[data-link=l2]").await?;
    hands.has_focus("[data-node=n2]").await?;
    hands.chord(Key::Control, "z").await?;
    hands.find("[data-link=l2]").await?;
    Ok(())
}

/// Two nodes are selected one after the other, moved together, taken back in one step; then one is taken out again.
async fn several(hands: &Hands) -> Result<()> {
    let both = ["[data-node=n2]", "[data-node=n3]"];
    let before = hands.places(&both).await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-node=n2][aria-pressed=true]").await?;
    hands.tab_to("[data-node=n3]").await?;
    hands.chord(Key::Shift, Key::Enter).await?;
    hands.find("[data-node=n3][aria-pressed=true]").await?;
    assert_eq!(hands.count("[data-node][aria-pressed=true]").await?, 2);
    hands.press(Key::Down).await?;
    hands.press(Key::Down).await?;
    let moved = before.iter().map(|[x, y]| [*x, y + 40]).collect::<Vec<_>>();
    assert_eq!(hands.places(&both).await?, moved);
    picture(&hands.driver, "keyboard-several").await?;
    hands.chord(Key::Control, "z").await?;
    assert_eq!(hands.places(&both).await?, before);
    hands.chord(Key::Shift, Key::Enter).await?;
    hands.find("[data-node=n3][aria-pressed=false]").await?;
    hands.find("[data-node=n2][aria-pressed=true]").await?;
    Ok(())
}

/// Enter on what is selected goes to its fields, and Escape back.
async fn fields(hands: &Hands) -> Result<()> {
    hands.press(Key::Enter).await?;
    hands.find("[data-node=n3][aria-pressed=true]").await?;
    hands.press(Key::Enter).await?;
    hands.has_focus(".inspector input").await?;
    hands.press(Key::Escape).await?;
    hands.has_focus("[data-node=n3]").await
}

impl Hands {
    /// Goes back by Shift and Tab to an element of that kind.
    async fn tab_back_to(&self, css: &str) -> Result<()> {
        for _ in 0..STOPS {
            self.chord(Key::Shift, Key::Tab).await?;
            if self.focused(css).await? {
                return Ok(());
            }
        }
        bail!("Shift and Tab do not lead back to {css}")
    }

    /// Whether the focus is on an element of that kind.
    async fn focused(&self, css: &str) -> Result<bool> {
        let script = "return document.activeElement.matches(arguments[0])";
        Ok(self.driver.execute(script, vec![css.into()]).await?.convert()?)
    }

    /// Goes on by Tab to an element of that kind.
    async fn tab_to(&self, css: &str) -> Result<()> {
        for _ in 0..STOPS {
            self.press(Key::Tab).await?;
            if self.focused(css).await? {
                return Ok(());
            }
        }
        bail!("Tab does not lead to {css}")
    }

    /// Waits until an element of that kind has the focus.
    async fn has_focus(&self, css: &str) -> Result<()> {
        self.find(&format!("{css}:focus")).await.map(drop)
    }
}

/// Client, service, a link between them.
async fn build(hands: &Hands) -> Result<()> {
    hands.tab_to("[data-palette=client]").await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-node=n1][aria-pressed=true]").await?;
    hands.tab_to("[data-palette=service]").await?;
    hands.press(Key::Space).await?;
    hands.find("[data-node=n2][aria-pressed=true]").await?;
    hands.tab_to("[data-node=n1]").await?;
    hands.find("[data-node=n1][aria-pressed=false]").await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-node=n1][aria-pressed=true]").await?;
    let before = hands.attribute("[data-node=n1]", "transform").await?;
    hands.press(Key::Up).await?;
    hands.find(&format!("[data-node=n1]:not([transform='{before}'])")).await?;
    hands.press("l").await?;
    hands.has_focus(".chooser li button").await?;
    picture(&hands.driver, "keyboard-chooser").await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-link=l1]").await?;
    hands.gone(".chooser").await?;
    hands.has_focus("[data-node=n1]").await
}

/// A second of it, started by its button.
async fn run(hands: &Hands) -> Result<()> {
    hands.tab_to("input[name=duration]").await?;
    let all = hands.gesture().key_down(Key::Control).send_keys("a").key_up(Key::Control);
    all.send_keys("1 s").perform().await?;
    hands.tab_to("[data-action=run]").await?;
    picture(&hands.driver, "keyboard-run").await?;
    hands.press(Key::Enter).await?;
    hands.find("[data-action=export-json]").await?;
    Ok(())
}

/// Opens a trace from the list, and goes through its events by the arrow keys, there and back.
async fn read(hands: &Hands) -> Result<()> {
    hands.tab_to("[role=tab][data-tab=traces]").await?;
    hands.tab_to("[data-trace][aria-rowindex='2']").await?;
    hands.press(Key::Down).await?;
    hands.has_focus("[data-trace][aria-rowindex='3']").await?;
    hands.press(Key::Enter).await?;
    hands.has_focus(".trace").await?;
    // A first step takes the trace from the replay, wherever that has come to; then back to the first event.
    hands.press(Key::Right).await?;
    for _ in 0..STOPS / 4 {
        hands.press(Key::Left).await?;
    }
    let mut steps = vec![current_event(hands).await?];
    for key in [Key::Right, Key::Right, Key::Left] {
        hands.press(key).await?;
        steps.push(current_event(hands).await?);
    }
    assert_eq!(steps, [0, 1, 2, 1]);
    picture(&hands.driver, "keyboard-trace").await?;
    hands.tab_to(".tablist [role=tab][aria-selected=true]").await?;
    hands.press(Key::Left).await?;
    hands.has_focus("[data-tab=traces][aria-selected=true]").await
}

/// Which event of the trace is shown.
pub(crate) async fn current_event(hands: &Hands) -> Result<usize> {
    hands.find(".events .current").await?;
    let script =
        "return [...document.querySelectorAll('.events li')].findIndex(one => one.classList.contains('current'))";
    let at: i64 = hands.driver.execute(script, Vec::new()).await?.convert()?;
    usize::try_from(at).context("no event is shown")
}
