//! How fast a long recording comes into a page: `cargo xtask bench arrival`. A made-up recording of calls is opened in headless Chromium
//! from a server on loopback. Counted in the page: from the moment its stream is asked for until the page has every event, has folded all
//! of them and has judged every call by the law T2 > T1. It prints, and passes no judgement.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

use anyhow::{Context as _, Result};
use hopscope_tests::browser::with_browser;
use hopscope_tests::long::write;
use hopscope_tests::server::Server;
use serde::Deserialize;
use serde_json::json;

const RUN: &str = "20260101-000000-0001";
/// Events of a call.
const OF_A_CALL: u64 = 7;
/// Times that it is opened.
const TURNS: usize = 5;

/// Runs before any script of the page: notes when the stream is asked for, and what comes over it.
const WATCH: &str = r#"
    window.arrival = { asked: 0, bytes: 0, messages: 0 };
    const Plain = window.WebSocket;
    window.WebSocket = class extends Plain {
        constructor(...all) {
            super(...all);
            window.arrival.asked ||= performance.now();
            this.addEventListener("message", ({ data }) => {
                window.arrival.messages += 1;
                window.arrival.bytes += data.byteLength ?? data.size ?? 0;
                window.arrival.last = performance.now();
            });
        }
    };
"#;

/// Calls back when as many calls as the first argument says are judged.
const AWAIT: &str = r#"
    const [calls, done] = arguments;
    const again = setInterval(() => {
        const chip = document.querySelector("[data-law=reply-after-request]");
        if (Number(chip?.dataset.checked) >= calls && chip.dataset.verdict === "held") {
            clearInterval(again);
            done(JSON.stringify({ ...window.arrival, judged: performance.now() }));
        }
    }, 10);
"#;

/// When what happened, in ms of the page's clock.
#[derive(Deserialize)]
struct Arrival {
    asked: f64,
    last: f64,
    judged: f64,
    messages: u64,
    bytes: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:>12}{:>10}{:>10}{:>20}{:>20}", "events", "messages", "MB", "last message, M/s", "all judged, M/s");
    for events in [700_000, 7_000_000] {
        let data = tempfile::tempdir()?;
        write(data.path(), RUN, events)?;
        let server = Server::start_on(data).await?;
        for _ in 0..TURNS {
            with_browser(async |driver| {
                driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await?;
                driver.set_script_timeout(std::time::Duration::from_secs(120)).await?;
                driver.goto(format!("{}/#run={RUN}", server.url())).await?;
                let told = driver.execute_async(AWAIT, vec![json!(events / OF_A_CALL)]).await?.convert::<String>();
                let arrival: Arrival = serde_json::from_str(&told.context("the page told nothing")?)?;
                let rate = |until: f64| events as f64 / 1e3 / (until - arrival.asked);
                println!(
                    "{events:>12}{:>10}{:>10.1}{:>20.2}{:>20.2}",
                    arrival.messages,
                    arrival.bytes as f64 / 1e6,
                    rate(arrival.last),
                    rate(arrival.judged)
                );
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}
