//! A server in the test's own process.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use hopscope_server::store::Store;
use hopscope_server::{Asset, Config, Page};
use hopscope_tests::http::{Headers, request};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use hopscope_tests::reader::Reader;

/// The first template.
pub(crate) const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");

/// No page: these tests speak to the API alone.
struct NoPage;

impl Page for NoPage {
    fn asset(&self, _: &str) -> Option<Asset> {
        None
    }
}

/// A server in this process with a folder of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), hopscope_server::ServeError>>,
    data: tempfile::TempDir,
}

impl Server {
    /// Starts it on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let config = Config::new(Arc::new(NoPage), Store::open(data.path())?);
        let serving = tokio::spawn(hopscope_server::serve(config, listener, async move {
            let _ = stopped.await;
        }));
        Ok(Self { address, stop, serving, data })
    }

    /// Asks it something; gives status and body.
    pub(crate) async fn ask(&self, line: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let json: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        request(line, self.address, &json, body).await
    }

    /// Starts a run of the template; gives its id.
    pub(crate) async fn run(&self, duration: &str) -> Result<String> {
        self.run_scenario(&serde_json::from_str(HELLO)?, duration).await
    }

    /// Starts a run; gives its id.
    pub(crate) async fn run_scenario(&self, scenario: &serde_json::Value, duration: &str) -> Result<String> {
        let body = serde_json::json!({"scenario": scenario, "seed": 42, "duration": duration});
        let (status, answer) = self.ask("POST /api/runs", body.to_string().as_bytes()).await?;
        ensure!(status == 201, "{status}: {}", String::from_utf8_lossy(&answer));
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        Ok(answer["id"].as_str().context("no id")?.to_owned())
    }

    /// Follows a run from its first frame to the normal close; gives the bytes.
    pub(crate) async fn follow(&self, id: &str) -> Result<Vec<u8>> {
        let mut reader = Reader::connect(self.address, id, "from=0").await?;
        let close = reader.read_to_close().await?;
        ensure!(close.code == CloseCode::Normal, "closed with {}", close.code);
        Ok(reader.bytes())
    }

    /// Ends it as Ctrl-C does; gives its folder.
    pub(crate) async fn end(self) -> Result<tempfile::TempDir> {
        let _ = self.stop.send(());
        self.serving.await??;
        Ok(self.data)
    }
}
