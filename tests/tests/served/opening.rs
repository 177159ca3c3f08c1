//! `hopscope serve --open`: the user's browser at the page or at a run, and a clear word where there is none.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::{Running, hopscope};
use hopscope_tests::server::Server;
use tokio::process::Command;

/// A desktop: what opens addresses on Linux, which here notes what it is asked for.
struct Desktop {
    folder: tempfile::TempDir,
}

impl Desktop {
    fn new(exit: i32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let opener = folder.path().join("xdg-open");
        // In one step, so that half of it is never read.
        let script = "#!/bin/sh\nprintf '%s' \"$1\" > \"$0.part\"\n/bin/mv \"$0.part\" \"$0.opened\"\n";
        std::fs::write(&opener, format!("{script}exit {exit}\n"))?;
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    fn serve(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        command.env("PATH", self.folder.path()).env("DISPLAY", ":0").env_remove("HOPSCOPE_TOKEN");
        Ok(command)
    }

    /// What was opened, once it was.
    async fn opened(&self) -> Result<String> {
        let path: PathBuf = self.folder.path().join("xdg-open.opened");
        while !path.exists() {
            tokio::task::yield_now().await;
        }
        Ok(std::fs::read_to_string(path)?)
    }
}

#[tokio::test]
async fn the_page_is_opened_by_its_address() -> Result<()> {
    let desktop = Desktop::new(0)?;
    let server = Server::start_by(desktop.serve(&["--open"])?, tempfile::tempdir()?).await?;
    assert_eq!(desktop.opened().await?, server.url());
    Ok(())
}

#[tokio::test]
async fn a_run_is_opened_with_the_token_where_one_is_asked_for() -> Result<()> {
    let (desktop, data) = (Desktop::new(0)?, tempfile::tempdir()?);
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/hello-sync.json");
    let folder = data.path().to_str().context("a path that is no text")?.to_owned();
    let ran = hopscope(["run", template, "--duration", "100ms", "--data", &folder]).await?;
    let id = ran.stdout.split([' ', ':']).nth(1).context("no id")?.to_owned();
    let mut command = desktop.serve(&["--open", &id])?;
    command.env("HOPSCOPE_TOKEN", "chosen-by-the-operator-0123456789");
    let server = Server::start_by(command, data).await?;
    let opened = desktop.opened().await?;
    assert_eq!(opened, format!("{}#run={id}", server.url()));
    ensure!(opened.contains("/?token="), "{opened}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_not_there_is_told_of_before_anything_is_served() -> Result<()> {
    let data = tempfile::tempdir()?;
    let folder = data.path().to_str().context("a path that is no text")?;
    let ended = hopscope(["serve", "--open", "20010101-000000-0000", "--data", folder]).await?;
    assert_eq!(ended.code, 5);
    ensure!(ended.stderr.contains("there is no run 20010101-000000-0000") && ended.stdout.is_empty(), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn where_no_browser_comes_up_the_address_is_told() -> Result<()> {
    let data = tempfile::tempdir()?;
    // A machine without a display, and one whose opener fails.
    let broken = Desktop::new(3)?;
    let mut headless = broken.serve(&["--open", "--data"])?;
    headless.arg(data.path());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"] {
        headless.env_remove(name);
    }
    let mut running = Running::start_by(headless)?;
    running.says("there is no display. Open http://127.0.0.1:").await?;
    ensure!(!broken.folder.path().join("xdg-open.opened").exists(), "it was tried all the same");
    running.interrupt()?;
    assert_eq!(running.end().await?.code, 0);

    let mut failing = broken.serve(&["--open", "--data"])?;
    failing.arg(data.path());
    let mut running = Running::start_by(failing)?;
    running.says("no browser could be opened (").await?;
    running.interrupt()?;
    assert_eq!(running.end().await?.code, 0);
    Ok(())
}
