//! A real RabbitMQ, chosen in the run bar: it is started, named, and its word held against what was sent and received.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use hopscope_server::broker::Local;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

/// Longest that a broker may take to start again on a busy machine, and a run to drain.
const RESTART: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_the_local_rabbitmq_says_so_and_by_what_its_queue_was_checked() -> Result<()> {
    if !Local::default().is_installed() {
        let line: &[u8] =
            b"not applicable: RabbitMQ in the page: it is not installed; on Debian: apt install rabbitmq-server\n";
        return Ok(std::io::stdout().write_all(line)?);
    }
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.click("[data-template=hello-async]").await?;
        hands.find("[data-node=n2]").await?;
        hands.set("broker", "local").await?;
        hands.fill("duration", "2 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find("[data-status=starting]").await?;
        picture(&hands.driver, "rabbitmq-starting").await?;
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        picture(&hands.driver, "rabbitmq-live").await?;
        hands.find_within("[data-action=export-json]", RESTART).await?;
        let chip = "[data-law=take-lowers]";
        assert_eq!(hands.attribute(chip, "data-verdict").await?, "held");
        assert_eq!(hands.attribute(chip, "data-broken").await?, "0");
        hands.click("[data-tab=statement]").await?;
        let label = hands.text("[data-broker=other]").await?;
        ensure!(label.starts_with("RabbitMQ ") && label.ends_with(", started by Hopscope"), "{label}");
        let checked = hands.text("[data-checked-by]").await?;
        ensure!(checked.ends_with("answers of the broker"), "{checked}");
        picture(&hands.driver, "rabbitmq-statement").await?;
        // Killed by hand and started again, at any of its queues; the run goes on, and its end waits for the broker.
        hands.fill("duration", "60 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        hands.click("[data-node=n2]").await?;
        hands.click("[data-live=kill]").await?;
        hands.find("[data-node=n2][data-mark=down]").await?;
        hands.gone("[data-live=kill]").await?;
        picture(&hands.driver, "rabbitmq-killed").await?;
        hands.click("[data-live=start]").await?;
        hands.gone("[data-node=n2][data-mark]").await?;
        hands.click("[data-action=stop]").await?;
        hands.find_within("[data-action=export-json]", RESTART).await?;
        hands.click("[data-tab=verdict]").await?;
        hands.find(".verdict tbody tr:nth-child(2)").await?;
        assert_eq!(hands.text(".verdict tbody tr:nth-child(2) th").await?, "kill the broker");
        picture(&hands.driver, "rabbitmq-verdict").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}
