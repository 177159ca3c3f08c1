//! An exchange with three bindings, built by drag and drop: what it hands on comes to the queues whose patterns are like the key.

use anyhow::Result;
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;

use crate::hands::Hands;

/// Messages of the run: 100/s for 2 s.
const MESSAGES: &str = "200";

/// The queues in their order, and how each is bound.
const QUEUES: [(&str, &str); 3] = [("billing", "orders.*"), ("audit", "#"), ("accounts", "users.*")];

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_hands_on_to_the_queues_that_are_bound_for_it() -> Result<()> {
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        build(&hands).await?;
        hands.fill("duration", "2 s").await?;
        hands.click("[data-action=run]").await?;
        hands.find("canvas.dots[data-dots]:not([data-dots='0'])").await?;
        picture(&hands.driver, "exchange-live").await?;
        hands.find("[data-action=export-json]").await?;
        assert_eq!(hands.text("[data-figure=sent]").await?, MESSAGES);
        hands.find(".chief[data-law=take-lowers][data-verdict=held]").await?;
        hands.click("[data-tab=laws]").await?;
        hands.find("[data-law-row=conservation][data-verdict=held]").await?;
        hands.click("[role=tab][data-tab=traces]").await?;
        hands.click("[data-trace]").await?;
        hands.find("svg.sequence").await?;
        assert_eq!(hands.count("svg.sequence [data-event=Enqueued]").await?, 2, "one message, two copies");
        assert_eq!(hands.count("svg.sequence [data-event=Received]").await?, 2, "each was taken");
        picture(&hands.driver, "exchange-trace").await?;
        hands.click("[data-tab=statement]").await?;
        picture(&hands.driver, "exchange-statement").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

async fn build(hands: &Hands) -> Result<()> {
    hands.drag_to_point("[data-palette=client]", 250, 260).await?;
    hands.drag_to_point("[data-palette=exchange]", 430, 260).await?;
    hands.find("[data-node=n2]").await?;
    hands.drag_to("[data-port-of=n1]", "[data-node=n2]").await?;
    hands.find("[data-link=l1]").await?;
    hands.fill("routing_key", "orders.created").await?;
    // Nobody wants it yet.
    hands.find("[data-problems]").await?;
    for (number, (name, pattern)) in QUEUES.into_iter().enumerate() {
        let (queue, service) = (3 + 2 * number, 4 + 2 * number);
        let y = 140 + 120 * i64::try_from(number)?;
        hands.drag_to_point("[data-palette=queue]", 640, y).await?;
        hands.find(&format!("[data-node=n{queue}]")).await?;
        hands.fill("name", name).await?;
        hands.drag_to_point("[data-palette=service]", 880, y).await?;
        hands.find(&format!("[data-node=n{service}]")).await?;
        hands.drag_to("[data-port-of=n2]", &format!("[data-node=n{queue}]")).await?;
        hands.find(&format!("[data-link=l{}]", 2 + 2 * number)).await?;
        hands.fill("binding_key", pattern).await?;
        hands.drag_to(&format!("[data-port-of=n{queue}]"), &format!("[data-node=n{service}]")).await?;
        hands.find(&format!("[data-link=l{}]", 3 + 2 * number)).await?;
    }
    hands.gone("[data-problems]").await?;
    hands.click("[data-node=n1]").await?;
    hands.choose("load.kind", "constant").await?;
    hands.fill("load.rate", "100/s").await?;
    picture(&hands.driver, "exchange-built").await?;
    Ok(())
}
