//! How fast a long recording comes into a page: `cargo xtask bench arrival`. A made-up recording of calls is opened in headless Chromium
//! from a server on loopback. Counted in the page: from the moment its stream is asked for until the page has every event, has folded all
//! of them and has judged every call by the law T2 > T1. It prints, and passes no judgement.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

use anyhow::Result;
use hopscope_tests::browser::with_browser;
use hopscope_tests::long::write;
use hopscope_tests::server::Server;
use serde_json::json;

const RUN: &str = "20260101-000000-0001";
/// Events of a call.
const OF_A_CALL: u64 = 7;
/// Times that it is opened.
const TURNS: usize = 5;

/// Runs before any script of the page: notes when the stream is asked for. Most of a long recording comes by ranges of frames then.
const WATCH: &str = r#"
    window.asked = 0;
    const Plain = window.WebSocket;
    window.WebSocket = class extends Plain {
        constructor(...all) {
            super(...all);
            window.asked ||= performance.now();
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
            done(performance.now() - window.asked);
        }
    }, 10);
"#;

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:>12}{:>10}{:>14}", "events", "s", "M events/s");
    for events in [700_000, 7_000_000] {
        let data = tempfile::tempdir()?;
        write(data.path(), RUN, events)?;
        let server = Server::start_on(data).await?;
        for _ in 0..TURNS {
            with_browser(async |driver| {
                driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await?;
                driver.set_script_timeout(std::time::Duration::from_secs(120)).await?;
                driver.goto(format!("{}/#run={RUN}", server.url())).await?;
                let ms = driver.execute_async(AWAIT, vec![json!(events / OF_A_CALL)]).await?.convert::<f64>()?;
                println!("{events:>12}{:>10.2}{:>14.2}", ms / 1e3, events as f64 / 1e3 / ms);
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}
