//! What a person does with mouse and keyboard, and what a person reads.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirtyfour::action_chain::ActionChain;
use thirtyfour::prelude::ElementQueryable as _;
use thirtyfour::{By, Key, TypingData, WebDriver, WebElement};

/// Leaves what the page keeps of an empty canvas, where it keeps nothing yet.
const LEFT_EMPTY: &str = r#"
    const empty = { format: "hopscope-scenario", version: 1, name: "Untitled", nodes: [], links: [] };
    if (location.protocol === "http:" && !localStorage.getItem("hopscope.scenario"))
        localStorage.setItem("hopscope.scenario", JSON.stringify(empty));
"#;

/// Draws on a slow display, 20 times a second: no test is of how smooth it is, and browsers without a graphics card take most of the
/// processors for drawing.
const SLOW_DISPLAY: &str = r#"
    const next = window.requestAnimationFrame.bind(window);
    let drawn = 0;
    window.requestAnimationFrame = (draw) => next(function late(time) {
        if (time !== drawn && time - drawn < 45) return next(late);
        drawn = time;
        draw(time);
    });
"#;

/// How long the page may take to name the run that it shows.
const LIMIT: Duration = Duration::from_secs(20);

/// Between two steps of the mouse: more than a frame.
const STEP: Duration = Duration::from_millis(20);

/// A page in front of a person.
pub(crate) struct Hands {
    pub(crate) driver: WebDriver,
}

impl Hands {
    /// Opens the page and waits until it is there and has found its server.
    pub(crate) async fn open(driver: WebDriver, url: &str) -> Result<Self> {
        let hands = Self::open_alone(driver, url).await?;
        hands.find(".server[data-state=ready]").await?;
        Ok(hands)
    }

    /// Opens the page as one who was here before and left an empty canvas, and waits until it is there, whoever serves it.
    pub(crate) async fn open_alone(driver: WebDriver, url: &str) -> Result<Self> {
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": LEFT_EMPTY })).await?;
        Self::open_first(driver, url).await
    }

    /// Opens the page for the first time in this browser, and waits until it is there.
    pub(crate) async fn open_first(driver: WebDriver, url: &str) -> Result<Self> {
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": SLOW_DISPLAY })).await?;
        driver.goto(url).await?;
        let hands = Self { driver };
        hands.find("[data-ready=true]").await?;
        Ok(hands)
    }

    /// The first element of that kind, waited for.
    pub(crate) async fn find(&self, css: &str) -> Result<WebElement> {
        self.driver.query(By::Css(css)).first().await.with_context(|| format!("the page does not show {css}"))
    }

    /// The first that the page shows, within a time of its own.
    pub(crate) async fn find_within(&self, css: &str, time: Duration) -> Result<WebElement> {
        let query = self.driver.query(By::Css(css)).wait(time, Duration::from_millis(50));
        query.first().await.with_context(|| format!("the page does not show {css} within {time:?}"))
    }

    /// Waits until there is none of that kind.
    pub(crate) async fn gone(&self, css: &str) -> Result<()> {
        let since = Instant::now();
        while self.count(css).await? > 0 {
            ensure!(since.elapsed() < LIMIT, "the page still shows {css}");
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// What mouse and keyboard do in one go, as quickly as a hand that knows its way.
    pub(crate) fn gesture(&self) -> ActionChain {
        self.driver.action_chain_with_delay(None, Some(STEP))
    }

    /// Presses a key where the focus is.
    pub(crate) async fn press(&self, key: impl Into<TypingData>) -> Result<()> {
        self.gesture().send_keys(key).perform().await?;
        Ok(())
    }

    /// Presses a key where the focus is while another is held.
    pub(crate) async fn chord(&self, held: Key, key: impl Into<TypingData>) -> Result<()> {
        self.gesture().key_down(held.clone()).send_keys(key).key_up(held).perform().await?;
        Ok(())
    }

    /// The id of the run that the page's address names.
    pub(crate) async fn shown_run(&self) -> Result<String> {
        // The address follows what the page shows, in its own time.
        let since = Instant::now();
        loop {
            let url = self.driver.current_url().await?;
            if let Some(id) = url.fragment().and_then(|fragment| fragment.strip_prefix("run=")) {
                return Ok(id.to_owned());
            }
            ensure!(since.elapsed() < LIMIT, "{url} names no run");
            tokio::task::yield_now().await;
        }
    }

    /// How many there are now.
    pub(crate) async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.driver.find_all(By::Css(css)).await?.len())
    }

    pub(crate) async fn click(&self, css: &str) -> Result<()> {
        self.find(css).await?.click().await.with_context(|| format!("cannot click {css}"))
    }

    /// The words of an element.
    pub(crate) async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Drags from the middle of an element to a point of the window.
    pub(crate) async fn drag_to_point(&self, from: &str, x: i64, y: i64) -> Result<()> {
        let from = self.find(from).await?;
        let drag = self.gesture().move_to_element_center(&from).click_and_hold();
        // By a stop on the way, as a hand does.
        drag.move_to(x - 30, y - 20).move_to(x, y).release().perform().await?;
        Ok(())
    }

    /// Drags from the middle of an element to the middle of another.
    pub(crate) async fn drag_to(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.find(from).await?, self.find(to).await?);
        let drag = self.gesture().move_to_element_center(&from).click_and_hold();
        drag.move_by_offset(20, 5).move_to_element_center(&to).release().perform().await?;
        Ok(())
    }

    /// Writes into a field of that name in place of what it holds.
    pub(crate) async fn fill(&self, name: &str, text: &str) -> Result<()> {
        self.fill_css(&format!("input[name=\"{name}\"]"), text).await
    }

    /// Writes into the first field of that kind in place of what it holds.
    pub(crate) async fn fill_css(&self, css: &str, text: &str) -> Result<()> {
        let field = self.find(css).await?;
        field.click().await?;
        field.send_keys(Key::Control + "a").await?;
        field.send_keys(text).await?;
        field.send_keys(Key::Enter).await?;
        Ok(())
    }

    /// Chooses one of what a field of that name offers.
    pub(crate) async fn choose(&self, name: &str, value: &str) -> Result<()> {
        self.click(&format!("select[name=\"{name}\"] option[value=\"{value}\"]")).await
    }

    /// Runs what is on the canvas for so long, to its end; of a page that shows no run that has ended.
    pub(crate) async fn run_whole(&self, duration: &str) -> Result<()> {
        self.fill("duration", duration).await?;
        self.click("[data-action=run]").await?;
        self.find("[data-action=export-json]").await?;
        Ok(())
    }

    /// Opens the settings of runs, chooses there and closes them again.
    pub(crate) async fn set(&self, name: &str, value: &str) -> Result<()> {
        self.click("[data-settings]").await?;
        self.choose(name, value).await?;
        self.click("[data-settings]").await
    }

    /// The value of an attribute of the first element of that kind.
    pub(crate) async fn attribute(&self, css: &str, name: &str) -> Result<String> {
        self.find(css).await?.attr(name).await?.with_context(|| format!("{css} has no {name}"))
    }

    /// Where the world's origin is on the canvas, in whole pixels.
    pub(crate) async fn pan(&self) -> Result<[i64; 2]> {
        let [at] = self.places(&[".scene > g"]).await?[..] else { anyhow::bail!("no scene") };
        Ok(at)
    }

    /// Where drawings are put by their `transform`, in whole units.
    pub(crate) async fn places(&self, css: &[&str]) -> Result<Vec<[i64; 2]>> {
        let script = "return arguments[0].map((css) => {
            const { e, f } = document.querySelector(css).transform.baseVal.consolidate().matrix;
            return [Math.round(e), Math.round(f)];
        })";
        Ok(self.driver.execute(script, vec![json!(css)]).await?.convert()?)
    }

    /// Sends downloads into this folder.
    pub(crate) async fn download_into(&self, folder: &Path) -> Result<()> {
        let parameters = json!({ "behavior": "allow", "downloadPath": folder });
        self.driver.cdp().send_raw("Page.setDownloadBehavior", parameters).await?;
        Ok(())
    }

    /// The whole of the file with this ending, once the browser has finished it.
    pub(crate) async fn downloaded(&self, folder: &Path, ending: &str) -> Result<Vec<u8>> {
        let finished = |path: &PathBuf| path.extension().is_some_and(|e| e == ending);
        loop {
            let files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
            // The browser keeps the name by an empty file before it moves the whole one there.
            if let Some(file) = files.iter().find(|path| finished(path)) {
                let bytes = std::fs::read(file)?;
                if !bytes.is_empty() {
                    return Ok(bytes);
                }
            }
            // Asking the browser something gives it its turn.
            self.driver.title().await?;
        }
    }
}
