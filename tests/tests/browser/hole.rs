//! A page that comes late to a busy run is taken to its head; what it missed is hatched, and counted by no law, until it is
//! here.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::http::request;
use hopscope_tests::server::Server;
use serde_json::{Value, json};

use crate::hands::Hands;

/// Bytes of recording from which on a late reader is taken to the head, and some more.
const MUCH: u64 = 3 << 20;
const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");

#[tokio::test(flavor = "multi_thread")]
async fn what_a_late_page_misses_is_hatched_and_its_laws_wait() -> Result<()> {
    let server = Server::start().await?;
    let id = busy_run(&server).await?;
    with_browser(async |driver| {
        // What lies between is fetched by its frames' numbers; here it does not come.
        driver.cdp().send_raw("Network.enable", json!({})).await?;
        block(&driver, json!(["*/frames?*"])).await?;
        let hands = Hands::open(driver, &format!("{}/#run={id}", server.url())).await?;
        hands.find(".track .hatched").await?;
        let (left, width) = hatched(&hands).await?;
        ensure!(left < 0.01 && width > 0.1, "hatched from {left} on, {width} wide");
        hands.find(".chief[data-law=reply-after-request][data-verdict=waits]").await?;
        let chip = hands.text(".chief[data-law=reply-after-request]").await?;
        ensure!(chip.contains("waits for the missing frames") && !chip.contains('0'), "{chip}");
        let further = hands.text("[data-laws=further]").await?;
        ensure!(further.contains("waits for the missing frames"), "{further}");
        hands.click("[data-tab=laws]").await?;
        hands.find("[data-law-row=reply-after-request][data-verdict=waits]").await?;
        picture(&hands.driver, "hole").await?;
        ask(&server, &format!("POST /api/runs/{id}/stop"), b"").await?;
        block(&hands.driver, json!([])).await?;
        hands.gone(".track .hatched").await?;
        hands.find(".chief[data-law=reply-after-request][data-verdict=held]").await?;
        let checked: u64 = hands.attribute(".chief[data-law=reply-after-request]", "data-checked").await?.parse()?;
        ensure!(checked > 10_000, "{checked}");
        picture(&hands.driver, "hole-filled").await?;
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// Lets the browser reach no address that is like one of these.
pub(crate) async fn block(driver: &thirtyfour::WebDriver, patterns: Value) -> Result<()> {
    driver.cdp().send_raw("Network.setBlockedURLs", json!({ "urls": patterns })).await?;
    Ok(())
}

/// Where the hatching begins and how wide it is, as parts of the track.
async fn hatched(hands: &Hands) -> Result<(f64, f64)> {
    let script = "const track = document.querySelector('.track').getBoundingClientRect();
        const hole = document.querySelector('.hatched').getBoundingClientRect();
        return [(hole.left - track.left) / track.width, hole.width / track.width]";
    Ok(hands.driver.execute(script, Vec::new()).await?.convert()?)
}

/// Starts a run that records much; gives its id once it has.
async fn busy_run(server: &Server) -> Result<String> {
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "20000/s", "in_flight": 1000});
    scenario["nodes"][1]["workers"] = 64.into();
    scenario["nodes"][1]["work"]["mean"] = "0 ns".into();
    scenario["links"][0]["protocol"] = "in-process".into();
    let wanted = json!({"scenario": scenario, "seed": 42, "duration": "1 h"}).to_string();
    let run = ask(server, "POST /api/runs", wanted.as_bytes()).await?;
    let id = run["id"].as_str().context("no id")?.to_owned();
    while ask(server, &format!("GET /api/runs/{id}"), b"").await?["bytes"].as_u64().context("no bytes")? < MUCH {
        tokio::task::yield_now().await;
    }
    Ok(id)
}

async fn ask(server: &Server, line: &str, body: &[u8]) -> Result<Value> {
    let json = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, answer) = request(line, server.address()?, &json, body).await?;
    ensure!(status < 300, "{line}: {status} {}", String::from_utf8_lossy(&answer));
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}
