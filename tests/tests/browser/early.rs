//! A run that does not go as it was wanted says so: one that ends before its time, by its reason, and what the server adds to it
//! comes after; and one whose generator was too slow.

use anyhow::{Context as _, Result, ensure};
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_scenario::text;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use tokio::process::Command;

use crate::broken_law::{import, recorded};
use crate::hands::Hands;

fn reason(language: Language) -> String {
    plain(language, text!("run.early.event-limit"), &Default::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_at_its_limit_of_events_says_so_in_the_pages_own_words() -> Result<()> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--max-events", "1000"]);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.click("[data-node=n1]").await?;
        hands.fill("load.rate", "500/s").await?;
        hands.fill("duration", "30 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find(".notice[data-status=whole]").await?;
        let said = hands.text(".notice[data-status] span").await?;
        ensure!(said == reason(Language::English), "{said}");
        let added = hands.text(".notice[data-status] [data-said]").await?;
        ensure!(added.contains("--max-events"), "{added}");
        picture(&hands.driver, "early").await?;
        hands.choose("language", "zh-Hans").await?;
        hands.find("html[lang=zh-Hans]").await?;
        hands.find(".notice[data-status=whole]").await?;
        let said = hands.text(".notice[data-status] span").await?;
        ensure!(said == reason(Language::Chinese), "{said}");
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// A recording whose End says that the schedule wanted twice as much.
#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_was_behind_is_told_with_its_client() -> Result<()> {
    let server = Server::start().await?;
    let downloads = tempfile::tempdir()?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        let mut recording = recorded(&hands, downloads.path()).await?;
        let counts = recording["run"]["end"]["counts"].as_array_mut().context("no counts")?;
        let wanted = counts.iter_mut().find(|row| row["counted"] == "wanted").context("no schedule")?;
        ensure!(wanted["count"] == 20, "20/s for a second: {wanted}");
        // The run as it was has nothing to tell.
        ensure!(hands.count(".notice[data-behind]").await? == 0);
        wanted["count"] = 40.into();
        import(&hands, downloads.path(), &recording).await?;
        let said = hands.text(".notice[data-behind] b").await?;
        ensure!(said.starts_with("buyers: the generator reached ") && said.ends_with(" of 40.0/s"), "{said}");
        picture(&hands.driver, "behind").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// The file of the run may not grow beyond 64 KiB; its server goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_kept_no_further_says_so_while_it_goes_on_and_can_be_stopped() -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" serve --listen 127.0.0.1:0 \"$@\""]);
    command.arg(hopscope_tests::variable("HOPSCOPE_BIN")?);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-sync]").await?;
        hands.click("[data-node=n1]").await?;
        hands.fill("load.rate", "1000/s").await?;
        hands.fill("duration", "1 h").await?;
        hands.click("[data-action=run]").await?;
        hands.find(".notice[data-status=unkept]").await?;
        let said = hands.text(".notice[data-status] b").await?;
        ensure!(said == plain(Language::English, text!("run.unkept"), &Default::default()), "{said}");
        let why = hands.text(".notice[data-status] [data-said]").await?;
        ensure!(why.contains("may not grow any more"), "{why}");
        picture(&hands.driver, "unkept").await?;
        hands.click("[data-action=stop]").await?;
        hands.find(".notice[data-status=cut]").await?;
        hands.find("[data-action=run]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
