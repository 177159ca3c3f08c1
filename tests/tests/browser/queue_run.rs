//! Requests by both ways: drag client, queue and service, link them by calls and through the queue, have replies come back
//! through another queue, run, read a trace of each way and what the queue did, click a message, download.

use std::path::Path;

use anyhow::{Context, Result};
use hopscope_record::kind::ValueMeaning;
use hopscope_record::{Event, Kind, TraceId};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::first_run::{exported, recorded};
use crate::hands::Hands;

/// Requests of the run: 100/s for 5 s, which take the client's two links in turn.
const REQUESTS: usize = 500;
/// Such that go through the queue, and such that are calls.
const EACH: usize = REQUESTS / 2;
/// Steps that one request makes at each queue: put, taken, acknowledged.
const STEPS: usize = 3;
/// What one request through the queue makes of T2 > T1: a publish and a delivery there, a publish and a delivery back.
const PASSAGES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_called_and_queued_and_their_replies_come_through_another_queue() -> Result<()> {
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
        let recorded = recorded(&hands, &server).await?;
        read_a_call(&hands, &recorded).await?;
        click_a_dot(&hands, &recorded).await?;
        read_a_publish(&hands, &recorded).await?;
        let (row, rows) = read_the_statement(&hands).await?;
        compare(&hands, &server, downloads.path(), &row, rows).await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Drags three nodes onto the empty canvas and three links between them, and asks for replies.
async fn build(hands: &Hands) -> Result<()> {
    assert_eq!(hands.count("[data-node]").await?, 0, "the canvas begins empty");
    hands.drag_to_point("[data-palette=client]", 270, 170).await?;
    hands.drag_to_point("[data-palette=queue]", 560, 170).await?;
    hands.drag_to_point("[data-palette=service]", 860, 240).await?;
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
    hands.drag_to("[data-port-of=n1]", "[data-node=n3]").await?;
    hands.find("[data-link=l3]").await?;
    hands.choose("protocol", "http1").await?;
    hands.click("[data-node=n3]").await?;
    hands.choose("work.distribution", "constant").await?;
    hands.fill("work.mean", "2 ms").await?;
    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "100/s").await?;
    picture(&hands.driver, "queue-built").await?;
    Ok(())
}

/// Each message was held to T2 > T1, each step of each queue to the law of queues, and both held throughout.
async fn read_the_laws(hands: &Hands) -> Result<()> {
    let laws = [("reply-after-request", EACH + PASSAGES * EACH), ("take-lowers", 2 * STEPS * EACH)];
    for (law, expected) in laws {
        let chip = format!(".chief[data-law={law}]");
        for count in ["data-held", "data-checked"] {
            assert_eq!(hands.attribute(&chip, count).await?, expected.to_string(), "{law}: {count}");
        }
        assert_eq!(hands.attribute(&chip, "data-verdict").await?, "held", "{law}");
    }
    Ok(())
}

/// The trace of the fourth request whose first step is of this kind: not the first one, and still among the rows shown.
fn trace(recorded: &Recorded, kind: Kind) -> Result<TraceId> {
    let first = |event: &&Event| event.kind == kind && event.parent.is_none();
    let found = recorded.events.iter().filter(first).nth(3).context("no such request")?;
    Ok(found.trace)
}

/// Chooses a trace in the table, and finds these kinds in its sequence.
async fn open(hands: &Hands, trace: TraceId, kinds: &[Kind]) -> Result<()> {
    hands.click("[role=tab][data-tab=traces]").await?;
    hands.click(&format!("[data-trace='{:016x}']", trace.0)).await?;
    hands.find("svg.sequence").await?;
    for kind in kinds {
        let name = kind.name().context("a kind without a name")?;
        hands.find(&format!("svg.sequence [data-event={name}]")).await?;
    }
    Ok(())
}

/// Goes to an event of the trace that is open, so that the player stands still there.
async fn go_to(hands: &Hands, recorded: &Recorded, trace: TraceId, kind: Kind) -> Result<()> {
    let mut events = recorded.events.iter().filter(|event| event.trace == trace);
    let at = events.position(|event| event.kind == kind).context("the trace has no such event")?;
    hands.click(&format!(".events li:nth-child({}) button", at + 1)).await?;
    hands.find(&format!(".events li:nth-child({}).current", at + 1)).await?;
    Ok(())
}

/// Reads the sequence of a call with both of its steps.
async fn read_a_call(hands: &Hands, recorded: &Recorded) -> Result<()> {
    let kinds = [Kind::SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED];
    open(hands, trace(recorded, Kind::SENT)?, &kinds).await?;
    picture(&hands.driver, "queue-call").await
}

/// While a message is being worked on, a click where its dot is leads back to its trace from another one.
async fn click_a_dot(hands: &Hands, recorded: &Recorded) -> Result<()> {
    let (call, other) = (trace(recorded, Kind::SENT)?, trace(recorded, Kind::PUBLISHED)?);
    open(hands, call, &[]).await?;
    go_to(hands, recorded, call, Kind::STARTED).await?;
    let (x, y) = halo(hands).await?.context("no dot of the trace is on the canvas")?;
    picture(&hands.driver, "queue-dot").await?;
    open(hands, other, &[]).await?;
    selected(hands, other).await?;
    hands.gesture().move_to(x, y).click().perform().await?;
    selected(hands, call).await
}

/// Waits until the table of traces shows this one as the selected one.
async fn selected(hands: &Hands, trace: TraceId) -> Result<()> {
    hands.click("[role=tab][data-tab=traces]").await?;
    hands.find(&format!("[data-trace='{:016x}'][aria-selected=true]", trace.0)).await?;
    Ok(())
}

/// The middle of the ring that the selected trace's dot has, as the canvas shows it once it is painted anew.
async fn halo(hands: &Hands) -> Result<Option<(i64, i64)>> {
    let script = r#"
        const done = arguments[arguments.length - 1];
        const canvas = document.querySelector("canvas.dots");
        const probe = document.createElement("i");
        probe.style.color = "var(--accent)";
        canvas.parentElement.append(probe);
        const accent = getComputedStyle(probe).color.match(/\d+/g).map(Number);
        probe.remove();
        const read = () => {
            const { width, height, data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const [xs, ys] = [[], []];
            for (let at = 0; at < width * height; at += 1) {
                const [r, g, b, a] = data.subarray(at * 4, at * 4 + 4);
                if (a > 127 && [r, g, b].every((part, n) => Math.abs(part - accent[n]) < 3)) {
                    xs.push(at % width);
                    ys.push(Math.floor(at / width));
                }
            }
            const middle = (list) => (Math.min(...list) + Math.max(...list) + 1) / 2;
            const [box, ratio] = [canvas.getBoundingClientRect(), window.devicePixelRatio];
            done(xs.length ? [box.left + middle(xs) / ratio, box.top + middle(ys) / ratio] : null);
        };
        // What was clicked is painted in the next frame.
        requestAnimationFrame(() => requestAnimationFrame(read));
    "#;
    let at: Option<(f64, f64)> = hands.driver.execute_async(script, Vec::new()).await?.convert()?;
    Ok(at.map(|(x, y)| (x.round() as i64, y.round() as i64)))
}

/// Reads the sequence of a request through the queue with its four steps, and goes to where the queue is left.
async fn read_a_publish(hands: &Hands, recorded: &Recorded) -> Result<()> {
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
    open(hands, trace(recorded, Kind::PUBLISHED)?, &kinds).await?;
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
    let broker = hands.text("[data-broker=built-in]").await?;
    assert!(broker.starts_with("built-in, hopscope "), "{broker}");
    picture(&hands.driver, "queue-statement").await?;
    Ok((row, hands.attribute("[data-statement-rows]", "data-statement-rows").await?.parse()?))
}

/// Both files tell every event as it was recorded, and what the page says: the step that was read, and how many steps there were at each queue.
async fn compare(hands: &Hands, server: &Server, downloads: &Path, row: &Row, rows: usize) -> Result<()> {
    let (json, recorded) = exported(hands, server, downloads).await?;
    let events = json["events"].as_array().context("no events")?;
    let steps = |node: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["node"] == node && event["ordinal"].is_u64()).collect()
    };
    assert_eq!((steps("n2").len(), steps("n4").len(), rows), (STEPS * EACH, STEPS * EACH, STEPS * EACH));
    let same = steps("n2").into_iter().find(|event| event["ordinal"] == row.ordinal).context("no such step")?;
    assert_eq!(
        (same["kind"].as_str(), same["depth_before"].as_u64(), same["depth"].as_u64()),
        (Some(row.kind.as_str()), Some(row.before), Some(row.after))
    );
    let of_queues = recorded
        .events
        .iter()
        .filter(|event| event.kind.info().is_some_and(|info| info.b.meaning == ValueMeaning::QueueStep));
    assert_eq!((of_queues.count(), recorded.lost), (2 * STEPS * EACH, 0));
    Ok(())
}
