//! A person makes an event of a call, subscribes a second service to it by drawing, names its type and runs it.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

/// Requests of the run: 100/s for 2 s, each of them one event.
const REQUESTS: &str = "200";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_published_by_its_type_and_others_subscribe() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        build(&hands).await?;
        hands.run_whole("2 s").await?;
        assert_eq!(hands.text("[data-figure=sent]").await?, REQUESTS);
        hands.find(".chief[data-law=reply-after-request][data-verdict=held]").await?;
        hands.click("[data-tab=laws]").await?;
        for law in ["take-lowers", "conservation"] {
            hands.find(&format!("[data-law-row={law}][data-verdict=held]")).await?;
        }
        hands.click("[role=tab][data-tab=traces]").await?;
        hands.click("[data-trace]").await?;
        hands.find("svg.sequence").await?;
        assert_eq!(hands.count("svg.sequence [data-event=Published]").await?, 1, "the service knows of no subscriber");
        assert_eq!(hands.count("svg.sequence [data-event=Enqueued]").await?, 2, "each has a copy of its own");
        picture(&hands.driver, "event-trace").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

async fn build(hands: &Hands) -> Result<()> {
    for (kind, x, y) in [("client", 250, 240), ("service", 450, 240), ("service", 660, 160)] {
        hands.drag_to_point(&format!("[data-palette={kind}]"), x, y).await?;
    }
    hands.find("[data-node=n3]").await?;
    hands.fill("name", "mail").await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    hands.drag_to("[data-port-of=n2]", "[data-node=n3]").await?;
    hands.find("[data-link=l2]").await?;
    hands.click("[data-action=convert-event]").await?;
    for name in ["service events", "mail queue"] {
        hands.find(&format!("[data-node][data-name='{name}']")).await?;
    }
    // The link is still selected; its subscriber goes by the new name too.
    hands.fill("routing_key", "order.placed").await?;
    hands.gone("[data-problems]").await?;

    hands.drag_to_point("[data-palette=service]", 660, 400).await?;
    hands.find("[data-node=n6]").await?;
    hands.fill("name", "audit").await?;
    hands.drag_to("[data-port-of=n4]", "[data-node=n6]").await?;
    hands.find("[data-node][data-name='audit queue']").await?;
    // What was drawn is the binding, and its types can be written.
    hands.fill("binding_key", "order.*").await?;
    hands.gone("[data-problems]").await?;
    hands.click("[data-action=fit]").await?;
    // Who publishes would work for ever on what it publishes itself: that is told, and nothing is drawn.
    hands.drag_to("[data-port-of=n4]", "[data-node=n2]").await?;
    hands.find(".refusal .issue").await?;
    picture(&hands.driver, "event-refused").await?;
    hands.click(".refusal .btn").await?;
    hands.gone(".refusal").await?;
    assert_eq!((hands.count("[data-node]").await?, hands.count("[data-link]").await?), (7, 6));
    hands.click("[data-node=n4]").await?;
    let event = "[data-event-type='order.placed']";
    hands.find(event).await?;
    assert_eq!(hands.count("[data-event-type]").await?, 1);
    assert_eq!(hands.text(&format!("{event} dl")).await?.replace('\n', " "), "Published by service Goes to mail audit");
    picture(&hands.driver, "event-types").await?;
    // Each leads to the link that says so.
    hands.click(&format!("{event} dd:last-of-type button:last-child")).await?;
    hands.find("input[name=binding_key]").await?;

    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "100/s").await?;
    Ok(())
}
