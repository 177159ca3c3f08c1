//! A process that is killed in the middle of a run leaves the run. `cargo xtask soak kills` does this ten times in a row.

use std::time::Duration;

use anyhow::{Result, ensure};
use hopscope_tests::kills::{Killed, kill};

#[tokio::test]
async fn a_run_is_kept_whose_process_is_killed_again_and_again() -> Result<()> {
    let mut data = tempfile::tempdir()?;
    let mut kept = Vec::new();
    for (what, after) in [(Killed::Server, 17), (Killed::Run, 31)] {
        let (folder, left) = kill(what, data, Duration::from_millis(after)).await?;
        data = folder;
        kept.push(left.id);
    }
    // One after the other, in one folder: none of them is lost by what came later.
    for id in kept {
        ensure!(data.path().join(format!("{id}.hop")).exists(), "{id} is gone");
    }
    Ok(())
}
