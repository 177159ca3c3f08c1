//! A run that another process makes beside the server, in the page.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::command::Running;
use hopscope_tests::server::Server;

use crate::hands::Hands;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_another_process_is_opened_from_the_list_and_followed_to_its_end() -> Result<()> {
    let server = Server::start().await?;
    let desk = tempfile::tempdir()?;
    let file = desk.path().join("scenario.json");
    std::fs::write(&file, include_str!("../../../scenarios/hello-sync.json"))?;
    let arguments = ["run".as_ref(), file.as_os_str(), "--duration".as_ref(), "until-stopped".as_ref()];
    let mut running = Running::start(arguments.into_iter().chain(["--data".as_ref(), server.data().as_os_str()]))?;
    running.says("Measured: ").await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-action=runs]").await?;
        hands.click("[data-run][data-state=elsewhere] .runs-open").await?;
        hands.find(".notice[data-status=elsewhere]").await?;
        // It goes on under the eyes of who looks, and cannot be stopped from here.
        hands.find("[data-trace]").await?;
        hands.find("[data-action=follow]").await?;
        assert_eq!(hands.count("[data-action=stop]").await?, 0);
        hands.find("[data-action=run]").await?;
        picture(&hands.driver, "beside").await?;
        hands.click("[data-action=runs]").await?;
        hands.find("[data-run][data-state=elsewhere] .runs-open").await?;
        // Nor can it be renamed or deleted, by the pointer or by a key.
        assert_eq!(hands.count("[data-run] .runs-acts button").await?, 0);
        hands.find("[data-run][data-state=elsewhere] .runs-open").await?.focus().await?;
        hands.press(thirtyfour::Key::Delete).await?;
        assert_eq!(hands.count("[data-action=delete-yes]").await?, 0);
        picture(&hands.driver, "beside-list").await?;
        hands.click("[data-action=close-runs]").await?;

        running.interrupt()?;
        hands.find("[data-action=export-json]").await?;
        hands.gone(".notice[data-status]").await?;
        hands.click("[data-action=runs]").await?;
        hands.find("[data-run] [data-action=delete-run]").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await?;
    assert_eq!(running.end().await?.code, 0);
    Ok(())
}
