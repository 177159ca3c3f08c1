//! What one end of the channel says to the other: a line of JSON each.

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;

/// Where lines are put. Clones put them on the same way.
#[derive(Clone, Debug)]
pub(super) struct Lines(mpsc::UnboundedSender<Vec<u8>>);

/// What is put there, on its way.
pub(super) struct Waiting(mpsc::UnboundedReceiver<Vec<u8>>);

/// The two ends.
pub(super) fn lines() -> (Lines, Waiting) {
    let (put, waiting) = mpsc::unbounded_channel();
    (Lines(put), Waiting(waiting))
}

impl Lines {
    /// Says something. Where nobody hears it any more, the other end knows why.
    pub(super) fn say(&self, what: &impl Serialize) {
        match serde_json::to_vec(what) {
            Ok(mut line) => {
                line.push(b'\n');
                let _ = self.0.send(line);
            }
            Err(error) => tracing::error!("what one end of a node's channel has to say cannot be written: {error}"),
        }
    }
}

impl Waiting {
    /// Writes what is said until nobody says anything any more, or nobody reads.
    pub(super) async fn write(mut self, mut to: OwnedWriteHalf) {
        while let Some(line) = self.0.recv().await {
            if to.write_all(&line).await.is_err() {
                break;
            }
        }
    }
}
