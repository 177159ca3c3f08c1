//! Runs that are disturbed, by an option of the command line and by a command beside a server.

use super::*;

/// The template, faster, so that there is something to lose.
fn busy(scenario: &mut Value) {
    scenario["nodes"][0]["load"]["rate"] = "100/s".into();
}

fn control<'a>(document: &'a Value, action: &str) -> Option<&'a Value> {
    let mut events = document["events"].as_array()?.iter();
    events.find(|event| event["kind"] == "Control" && event["action"] == action)
}

#[tokio::test]
async fn a_run_is_disturbed_by_an_option_and_keeps_the_laws() -> Result<()> {
    let desk = Desk::new()?;
    let (file, out) = (desk.scenario(busy)?, desk.path("out.json"));
    let what = "300ms crash shop for 300ms";
    let ran = desk
        .hopscope(&[
            &"run",
            &file,
            &"--duration",
            &"1s",
            &"--disturb",
            &what,
            &"--disturb",
            &"800ms rate buyers 10/s",
            &"--out",
            &out,
        ])
        .await?;
    ensure_code(&ran, 0)?;
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&out)?)?;
    let crash = control(&document, "crash").context("no crash is recorded")?;
    assert_eq!((crash["node"].as_str(), crash["instance"].as_str()), (Some("n2"), Some("replica 1")));
    ensure!(crash["time_ns"].as_i64() >= Some(300_000_000), "{crash}");
    control(&document, "start").context("it is not started again")?;
    assert_eq!(control(&document, "rate").context("no rate")?["argument"], 10_000);
    Ok(())
}

/// A service that is not there for half a second costs what is asked of it then, and is normal again soon after it is back.
#[tokio::test]
async fn a_disturbed_run_is_judged_in_every_form() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(|scenario| {
        busy(scenario);
        scenario["nodes"][1]["workers"] = 64.into();
    })?;
    let (crash, rate) = ("500ms crash shop for 500ms", "2s rate buyers 50/s");
    let run = [&"run" as &dyn AsRef<Path>, &file, &"--duration", &"3s", &"--disturb", &crash, &"--disturb", &rate];
    let ran = desk.hopscope(&run.into_iter().chain([&"--json" as _]).collect::<Vec<_>>()).await?;
    ensure_code(&ran, 0)?;
    let report = crate::report::read(&ran.stdout)?;
    let verdict = &report["verdict"];
    ensure!(verdict["normal"]["traces"].as_u64() >= Some(20), "{verdict}");
    let [crash, rate] = verdict["disturbances"].as_array().context("no disturbances")?.as_slice() else {
        anyhow::bail!("{verdict}")
    };
    assert_eq!((&crash["do"], &crash["on"], &crash["told"]), (&"crash".into(), &"shop".into(), &Value::Null));
    assert_eq!((&rate["do"], &rate["on"], &rate["told"]), (&"rate".into(), &"buyers".into(), &"50/s".into()));
    let lost = &crash["found"]["unanswered"];
    let (count, named) = (lost["count"].as_u64().context("no count")?, lost["traces"].as_array().context("no traces")?);
    // A hundred a second, for half a second, and what it was at.
    ensure!((20..=80).contains(&count) && named.len() as u64 == count, "{lost}");
    assert_eq!(&report["traces"]["unanswered"], &lost["count"], "it was lost by the crash alone");

    let id = report["run"]["id"].as_str().context("no id")?;
    let ran = desk.hopscope(&run).await?;
    ensure_code(&ran, 0)?;
    for part in
        ["What disturbing it cost\n", ": crash shop (until ", ": rate buyers 50/s (until –)\n", "No good answer: "]
    {
        ensure!(ran.stdout.contains(part), "{part:?} is missing in:\n{}", ran.stdout);
    }
    ensure!(id != id_of(&ran.stdout)?, "each is a run of its own");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_before_the_run() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(busy)?;
    for (what, code, named) in [
        ("1s crash nobody", 3, "nobody"),
        ("1s crash buyers", 3, "buyers"),
        ("7s crash shop", 3, "7 s"),
        ("crash shop", 64, "5s crash orders for 2s"),
        ("1s explode shop", 64, "5s crash orders for 2s"),
    ] {
        let ran = desk.hopscope(&[&"run", &file, &"--disturb", &what]).await?;
        ensure_code(&ran, code)?;
        ensure!(ran.stderr.contains(named), "{what}: {}", ran.stderr);
    }
    ensure!(desk.hopscope(&[&"runs"]).await?.stdout.lines().count() <= 1, "a run was started");
    Ok(())
}

#[tokio::test]
async fn a_run_of_a_server_is_disturbed_by_a_command() -> Result<()> {
    let server = Server::start().await?;
    let mut scenario: Value = serde_json::from_str(include_str!("../../../scenarios/hello-sync.json"))?;
    busy(&mut scenario);
    let asked = json!({"scenario": scenario, "duration": "1 h"}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (_, started) = request("POST /api/runs", server.address()?, &headers, asked.as_bytes()).await?;
    let started: Value = serde_json::from_slice(&started)?;
    let id = started["id"].as_str().context("no run")?;
    let at = server.url();
    let command = |words: &[&str]| {
        let mut all = vec!["control".to_owned(), id.to_owned()];
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all.extend(["--server".to_owned(), at.to_owned()]);
        all
    };
    for (words, code, said) in [
        (&["crash", "shop"][..], 0, ""),
        (&["pause", "shop"], 5, "down"),
        (&["start", "shop"], 0, ""),
        (&["rate", "buyers", "200/s", "--for", "1s"], 0, ""),
        (&["crash", "nobody"], 64, "shop"),
        (&["rate", "buyers"], 64, "5s crash orders"),
    ] {
        let ran = hopscope(command(words)).await?;
        ensure_code(&ran, code)?;
        ensure!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    server.end().await?;
    Ok(())
}
