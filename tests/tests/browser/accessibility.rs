//! Whether people who do not see, or see little, or use no pointer can use the page: axe-core finds no violation of WCAG 2.2 AA
//! in any of its states, light and dark; and the colours that axe cannot judge, those of the drawings, are worked out here.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::browser::{faults, picture, with_browser};
use hopscope_tests::server::Server;
use serde_json::json;

use crate::hands::Hands;

const TOKENS: &str = include_str!("../../../frontend/page/style/tokens.css");

/// Asks axe for what it finds, as lines of text.
const JUDGE: &str = r#"
    const done = arguments[arguments.length - 1];
    // A node's label is its name, and its accessible name begins with it (WCAG 2.5.3). axe takes all that is drawn on a node
    // for its label: its load, its workers, how many wait.
    const isNamed = (rule, { html }) => rule.id === "label-content-name-mismatch" && html.startsWith('<g class="node');
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }).then(
        (found) => done(found.violations.flatMap((rule) => rule.nodes.filter((node) => !isNamed(rule, node)).map((node) =>
            rule.id + " at " + node.target.join(" ") + ": " + node.failureSummary.replaceAll("\n", " ")))),
        (error) => done(["axe: " + error]));
"#;

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_in_any_state_of_the_page() -> Result<()> {
    let axe = std::fs::read_to_string(hopscope_tests::variable("HOPSCOPE_AXE")?)?;
    let server = Server::start().await?;
    with_browser(async |driver| {
        let hands = Hands::open(driver, server.url()).await?;
        hands.driver.execute(&axe, Vec::new()).await?;
        let mut found = Vec::new();
        found.extend(judge(&hands, "empty").await?);
        found.extend(edit(&hands).await?);
        found.extend(live(&hands).await?);
        found.extend(run(&hands).await?);
        found.extend(dialogs(&hands).await?);
        ensure!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
        assert_eq!(faults(&hands.driver).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// What axe finds in the page as it stands, light and dark.
pub(crate) async fn judge(hands: &Hands, state: &str) -> Result<Vec<String>> {
    let unnamed = "return [...document.querySelectorAll('[data-node]')].filter(
        (node) => !node.ariaLabel.startsWith(node.dataset.name)).map((node) => node.ariaLabel)";
    let unnamed: Vec<String> = hands.driver.execute(unnamed, Vec::new()).await?.convert()?;
    ensure!(unnamed.is_empty(), "{state}: nodes whose names do not begin with their labels: {unnamed:?}");
    let mut found = Vec::new();
    for theme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        hands.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
        let lines: Vec<String> = hands.driver.execute_async(JUDGE, Vec::new()).await?.convert()?;
        found.extend(lines.into_iter().map(|line| format!("{state}, {theme}: {line}")));
    }
    Ok(found)
}

/// A scenario, a node and a link of it selected, a field that is wrong.
async fn edit(hands: &Hands) -> Result<Vec<String>> {
    hands.click("[data-template=hello-async]").await?;
    hands.click("[data-action=add-check]").await?;
    hands.find("[data-check='0'] .limit input").await?;
    let mut found = judge(hands, "scenario with a check").await?;
    hands.click("[data-node=n1]").await?;
    found.extend(judge(hands, "node").await?);
    hands.fill("load.rate", "-1/s").await?;
    found.extend(judge(hands, "wrong field").await?);
    hands.fill("load.rate", "20/s").await?;
    hands.click("[data-link=l1] .chip").await?;
    hands.find(".inspector select[name=protocol]").await?;
    found.extend(judge(hands, "link").await?);
    hands.click("[data-menu=file]").await?;
    hands.find("[role=menu]").await?;
    found.extend(judge(hands, "file menu").await?);
    hands.press(thirtyfour::Key::Escape).await?;
    Ok(found)
}

/// The settings of runs with their brokers, and how programs reach a node while a run goes on.
async fn live(hands: &Hands) -> Result<Vec<String>> {
    hands.click("[data-settings]").await?;
    hands.find("#settings [data-broker]").await?;
    let mut found = judge(hands, "settings").await?;
    hands.click("[data-settings]").await?;
    hands.gone("#settings:popover-open").await?;
    hands.click("[name=until-stopped]").await?;
    hands.click("[data-action=run]").await?;
    hands.click("[data-node=n2]").await?;
    let shown = hands.text("[data-snippet]").await?;
    let address = hands.text("[data-outside] code").await?;
    ensure!(shown.contains(&address) && address.starts_with("127.0.0.1:"), "{shown}");
    assert_eq!(hands.text("[data-name-at-broker]").await?, "orders");
    picture(&hands.driver, "programs-of-ones-own").await?;
    found.extend(judge(hands, "programs of one's own").await?);
    hands.click("[data-action=stop]").await?;
    hands.find("[data-action=run]").await?;
    hands.click("[name=until-stopped]").await?;
    Ok(found)
}

/// A run that is over, with every panel of the dock.
async fn run(hands: &Hands) -> Result<Vec<String>> {
    hands.run_whole("1 s").await?;
    let mut found = Vec::new();
    hands.click("[data-tab=traces]").await?;
    hands.click("[data-trace]").await?;
    hands.find("svg.sequence").await?;
    for tab in ["traces", "trace", "statement", "latency", "laws"] {
        hands.click(&format!("[data-tab={tab}]")).await?;
        hands.find(&format!("[data-tab={tab}][aria-selected=true]")).await?;
        found.extend(judge(hands, tab).await?);
    }
    Ok(found)
}

/// The list of runs, and the chooser of a link's end.
async fn dialogs(hands: &Hands) -> Result<Vec<String>> {
    hands.click("[data-action=runs]").await?;
    hands.find("dialog.runs [data-run]").await?;
    let mut found = judge(hands, "runs").await?;
    hands.click("[data-action=delete-run]").await?;
    hands.find("[data-action=delete-yes]").await?;
    found.extend(judge(hands, "delete a run").await?);
    hands.click("[data-action=delete-no]").await?;
    hands.click("[data-action=close-runs]").await?;
    hands.gone("dialog.runs").await?;
    hands.click("[data-node=n1]").await?;
    hands.find("[data-node=n1]").await?.focus().await?;
    hands.press("l").await?;
    hands.find(".chooser").await?;
    found.extend(judge(hands, "chooser").await?);
    Ok(found)
}

/// Text on what it stands on, and at least how far apart: 4.5 for text, 3 for what is drawn (WCAG 2.2, 1.4.3 and 1.4.11).
const PAIRS: &[(&[&str], &[&str], f64)] = &[
    (&["ink", "ink-2", "ink-3"], &["bg", "panel", "raise", "accent-soft"], 4.5),
    (&["accent", "ok", "warn", "bad"], &["bg", "panel", "raise", "accent-soft"], 4.5),
    (&["http", "grpc", "thrift", "amqp", "kafka", "in-process"], &["bg", "panel", "raise", "accent-soft"], 4.5),
    (&["accent-ink"], &["accent"], 4.5),
    (&["ink", "bad"], &["bad-soft"], 4.5),
    (&["bg"], &["warn", "bad"], 4.5),
];

#[test]
fn the_tokens_of_colour_are_far_enough_apart_in_both_themes() -> Result<()> {
    let mut near = Vec::new();
    for (inks, grounds, least) in PAIRS {
        for (ink, ground) in inks.iter().flat_map(|ink| grounds.iter().map(move |ground| (ink, ground))) {
            for theme in [0, 1] {
                let ratio = contrast(token(ink)?[theme], token(ground)?[theme]);
                if ratio < *least {
                    near.push(format!("--{ink} on --{ground}, {}: {ratio:.2}", ["light", "dark"][theme]));
                }
            }
        }
    }
    ensure!(near.is_empty(), "too near: {near:#?}");
    Ok(())
}

#[test]
fn contrast_is_as_the_standard_has_it() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    // A pair that the standard's own explanations give as just enough.
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
}

/// A colour token, light and dark.
fn token(name: &str) -> Result<[[u8; 3]; 2]> {
    let (_, rest) = TOKENS.split_once(&format!("--{name}: light-dark(")).with_context(|| format!("no token {name}"))?;
    let (pair, _) = rest.split_once(')').context("no end")?;
    let (light, dark) = pair.split_once(", ").context("no pair")?;
    Ok([rgb(light)?, rgb(dark)?])
}

fn rgb(hex: &str) -> Result<[u8; 3]> {
    let number = u32::from_str_radix(hex.trim_start_matches('#'), 16)?;
    let [_, r, g, b] = number.to_be_bytes();
    Ok([r, g, b])
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = rgb.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}
