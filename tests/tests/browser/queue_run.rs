//! Requests through a queue: drag client, queue and service, have replies come back through another queue, run, read what
//! each queue did, download.

use std::path::Path;

use anyhow::{Context, Result};
use hopscope_record::Kind;
use hopscope_record::kind::ValueMeaning;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::first_run::exported;
use crate::hands::Hands;

/// Requests of the run: 100/s for 5 s.
const REQUESTS: usize = 500;
/// Steps that one request makes at each queue: put, taken, acknowledged.
const STEPS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_through_a_queue_and_their_replies_through_another() -> Result<()> {
    let server = Server::start().await?;
    let downloads = tempfile::tempdir()?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.download_into(downloads.path()).await?;
        build(&hands).await?;
        hands.fill("duration", "5 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        picture(&hands.driver, "queue-live").await?;
        hands.find("[data-action=export-json]").await?;
        assert_eq!(hands.text("[data-figure=completed]").await?.replace(',', ""), REQUESTS.to_string());
        read_the_laws(&hands).await?;
        read_a_trace(&hands).await?;
        let (row, rows) = read_the_statement(&hands).await?;
        compare(&hands, &server, downloads.path(), &row, rows).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Drags three nodes onto the empty canvas and two links between them, and asks for replies.
async fn build(hands: &Hands) -> Result<()> {
    hands.drag_to_point("[data-palette=client]", 270, 200).await?;
    hands.drag_to_point("[data-palette=queue]", 560, 200).await?;
    hands.drag_to_point("[data-palette=service]", 860, 200).await?;
    hands.find("[data-node=n3]").await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    hands.choose("replies", "+new").await?;
    assert_eq!(hands.attribute("[data-node=n4]", "data-name").await?, "client replies");
    hands.drag_to("[data-port-of=n2]", "[data-node=n3]").await?;
    hands.find("[data-link=l2]").await?;
    assert_eq!(hands.count("input[name=timeout], [name=replies]").await?, 0, "who takes has no sender's options");
    // From the service into the reply queue, and from there to the client.
    assert_eq!(hands.count("[data-replies-of=l1]").await?, 2);
    hands.click("[data-node=n3]").await?;
    hands.choose("work.distribution", "constant").await?;
    hands.fill("work.mean", "2 ms").await?;
    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "100/s").await?;
    picture(&hands.driver, "queue-built").await?;
    Ok(())
}

/// Each step of each queue was held to the law of queues.
async fn read_the_laws(hands: &Hands) -> Result<()> {
    let law = ".chief[data-law=take-lowers]";
    for (count, expected) in [("data-held", 2 * STEPS * REQUESTS), ("data-checked", 2 * STEPS * REQUESTS)] {
        assert_eq!(hands.attribute(law, count).await?, expected.to_string(), "{count}");
    }
    for law in [law, ".chief[data-law=reply-after-request]"] {
        assert_eq!(hands.attribute(law, "data-verdict").await?, "held");
    }
    Ok(())
}

/// Chooses a trace, reads its sequence with the four steps, and steps into it, so that the player stands still.
async fn read_a_trace(hands: &Hands) -> Result<()> {
    hands.click("[role=tab][data-tab=traces]").await?;
    hands.click("[data-trace]").await?;
    hands.find("svg.sequence").await?;
    let kinds = [
        Kind::PUBLISHED,
        Kind::ENQUEUED,
        Kind::CONFIRMED,
        Kind::DELIVERED,
        Kind::RECEIVED,
        Kind::STARTED,
        Kind::FINISHED,
        Kind::ACKED,
        Kind::COMPLETED,
    ];
    for kind in kinds {
        let name = kind.name().context("a kind without a name")?;
        hands.find(&format!("svg.sequence [data-event={name}]")).await?;
    }
    for step in 1..=4 {
        assert_eq!(hands.count(&format!("svg.sequence [data-step='{step}']")).await?, 1, "step {step}");
    }
    hands.click(".events [data-step='2']").await?;
    hands.find("[data-event=Delivered].current").await?;
    picture(&hands.driver, "queue-trace").await?;
    Ok(())
}

/// A row of the statement as the page tells it.
struct Row {
    ordinal: u64,
    kind: String,
    before: u64,
    after: u64,
}

/// Reads the step that the player stands at, and how many there are.
async fn read_the_statement(hands: &Hands) -> Result<(Row, usize)> {
    hands.click("[data-node=n2]").await?;
    hands.click("[role=tab][data-tab=statement]").await?;
    let current = "[data-statement].current";
    let number = async |name: &str| -> Result<u64> { Ok(hands.attribute(current, name).await?.parse()?) };
    let row = Row {
        ordinal: number("data-statement").await?,
        kind: hands.attribute(current, "data-kind").await?,
        before: number("data-before").await?,
        after: number("data-after").await?,
    };
    assert_eq!((row.kind.as_str(), row.after + 1), ("Delivered", row.before), "a take lowers the length by one");
    picture(&hands.driver, "queue-statement").await?;
    Ok((row, hands.attribute("[data-statement-rows]", "data-statement-rows").await?.parse()?))
}

/// The file says what the page says: the step that was read, and how many steps there were at each queue.
async fn compare(hands: &Hands, server: &Server, downloads: &Path, row: &Row, rows: usize) -> Result<()> {
    let (json, recorded) = exported(hands, server, downloads).await?;
    let events = json["events"].as_array().context("no events")?;
    let steps = |node: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["node"] == node && event["ordinal"].is_u64()).collect()
    };
    assert_eq!((steps("n2").len(), steps("n4").len(), rows), (STEPS * REQUESTS, STEPS * REQUESTS, STEPS * REQUESTS));
    let same = steps("n2").into_iter().find(|event| event["ordinal"] == row.ordinal).context("no such step")?;
    assert_eq!(
        (same["kind"].as_str(), same["depth_before"].as_u64(), same["depth"].as_u64()),
        (Some(row.kind.as_str()), Some(row.before), Some(row.after))
    );
    let of_queues = recorded
        .events
        .iter()
        .filter(|event| event.kind.info().is_some_and(|info| info.b.meaning == ValueMeaning::QueueStep));
    assert_eq!((of_queues.count(), recorded.lost), (2 * STEPS * REQUESTS, 0));
    Ok(())
}
