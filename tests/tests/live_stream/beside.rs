//! A run that another process records into the server's folder.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::FILE_HEADER_LEN;
use hopscope_tests::command::Running;
use hopscope_tests::http::request;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::HELLO;
use hopscope_tests::reader::Reader;

async fn ask(server: &Server, line: &str) -> Result<(u16, Value)> {
    let (status, body) = request(line, server.address()?, &Vec::new(), b"").await?;
    Ok((status, serde_json::from_slice(&body)?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_beside_the_server_is_followed_while_it_goes_on_and_to_its_end() -> Result<()> {
    let server = Server::start().await?;
    let desk = tempfile::tempdir()?;
    let file = desk.path().join("scenario.json");
    std::fs::write(&file, HELLO)?;
    let arguments = ["run".as_ref(), file.as_os_str(), "--duration".as_ref(), "until-stopped".as_ref()];
    let mut running = Running::start(arguments.into_iter().chain(["--data".as_ref(), server.data().as_os_str()]))?;
    running.says("Measured: ").await?;

    let (_, listed) = ask(&server, "GET /api/runs").await?;
    let id = listed[0]["id"].as_str().context("it is not listed")?.to_owned();
    ensure!(listed[0]["state"] == "elsewhere", "{listed}");
    let mut reader = Reader::connect(server.address()?, &id, "mode=head").await?;
    while reader.held.next() < 20 {
        ensure!(reader.read().await?.is_none(), "it is over");
    }
    // A reader whose connection is lost goes on where it was.
    let held = std::mem::take(&mut reader.held);
    let query = format!("mode=head&from={}", held.next());
    let mut reader = Reader::go_on(held, server.address()?, &id, &query).await?;
    let (_, view) = ask(&server, &format!("GET /api/runs/{id}")).await?;
    ensure!(view["state"] == "elsewhere" && view["events"].as_u64() > Some(0), "{view}");
    let (status, refused) = ask(&server, &format!("POST /api/runs/{id}/stop")).await?;
    ensure!((status, &refused["code"]) == (409, &"run-elsewhere".into()), "{status}: {refused}");

    running.interrupt()?;
    let close = reader.read_to_close().await?;
    ensure!(close.code == CloseCode::Normal && reader.held.hole().is_none(), "{close:?}");
    ensure!(running.end().await?.code == 0);
    let written = std::fs::read(server.data().join(format!("{id}.hop")))?;
    ensure!(written.get(FILE_HEADER_LEN..) == Some(reader.bytes().as_slice()));
    ensure!(Recorded::read(&written, Framing::File)?.end.is_some());
    let (_, view) = ask(&server, &format!("GET /api/runs/{id}")).await?;
    ensure!(view["state"] == "ended", "{view}");
    Ok(())
}
