//! The binary alone: in an empty folder, without a variable of its surroundings, it serves the page with all that comes along.

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::http::request;
use hopscope_tests::server::Server;
use serde_json::Value;
use tokio::process::Command;

#[tokio::test]
async fn in_an_empty_folder_with_an_empty_path_it_serves_page_templates_and_recordings() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let binary = folder.path().join("hopscope");
    tokio::fs::copy(hopscope_tests::variable("HOPSCOPE_BIN")?, &binary).await?;
    let mut command = Command::new(&binary);
    command.args(["serve", "--listen", "127.0.0.1:0"]).current_dir(&folder).env_clear();
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    let get = async |path: &str| -> Result<Vec<u8>> {
        let (status, body) = request(&format!("GET {path}"), server.address()?, &Vec::new(), &[]).await?;
        ensure!(status == 200, "{path}: {status}");
        Ok(body)
    };
    ensure!(String::from_utf8(get("/").await?)?.contains("<title>Hopscope</title>"), "that is not the page");
    let index: Value = serde_json::from_slice(&get("/scenarios/recorded/index.json").await?)?;
    let index = index.as_object().context("no index of recordings")?;
    ensure!(!index.is_empty(), "the index is empty");
    let scenarios = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    for name in index.keys() {
        for file in [format!("{name}.json"), format!("recorded/{name}.hop")] {
            let served = get(&format!("/scenarios/{file}")).await?;
            ensure!(served == std::fs::read(scenarios.join(&file))?, "{file} is another one");
        }
    }
    for file in ["/en.json", "/zh-Hans.json"] {
        ensure!(get(file).await?.len() > 1_000, "no texts in {file}");
    }
    Ok(())
}
