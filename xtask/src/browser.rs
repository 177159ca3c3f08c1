//! The browser that tests drive: Chromium (or Chrome) and its driver.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::step::command;

/// Flags for a headless browser that asks nobody on the network for anything.
pub(crate) const HEADLESS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser and the WebDriver that belongs to it.
pub(crate) struct Browser {
    /// Chromium or Chrome.
    pub(crate) program: PathBuf,
    /// chromedriver of the same version.
    pub(crate) driver: PathBuf,
}

impl Browser {
    /// The browser of `HOPSCOPE_CHROMIUM` and `HOPSCOPE_CHROMEDRIVER`, else the first one found.
    pub(crate) fn find() -> Option<Self> {
        let program = named("HOPSCOPE_CHROMIUM").or_else(|| {
            let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
            let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
            names.iter().find_map(|name| on_path(name)).or_else(|| mac.exists().then_some(mac))
        })?;
        let driver = named("HOPSCOPE_CHROMEDRIVER").or_else(|| on_path("chromedriver"))?;
        Some(Self { program, driver })
    }

    /// Loads a page to its end and returns the document as the browser then has it.
    ///
    /// # Errors
    /// When the browser cannot start or fails.
    pub(crate) fn document(&self, url: &str) -> Result<String> {
        let profile = std::env::temp_dir().join(format!("hopscope-profile-{}", std::process::id()));
        let result = crate::step::output(
            command(&self.program)
                .args(HEADLESS)
                .arg(format!("--user-data-dir={}", profile.display()))
                .args(["--virtual-time-budget=10000", "--dump-dom", url])
                .stdin(std::process::Stdio::null()),
        );
        // The profile is ours and temporary; a leftover does no harm.
        let _ = std::fs::remove_dir_all(&profile);
        let text = result?;
        if text.is_empty() {
            bail!("{} gave an empty document for {url}", self.program.display());
        }
        Ok(text)
    }
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// The first file of that name in PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
