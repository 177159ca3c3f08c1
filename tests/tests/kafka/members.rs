//! What a group does when a member of it goes.

use anyhow::{Result, ensure};
use hopscope_record::Kind;
use hopscope_server::broker::Brokers;
use serde_json::json;

use crate::{document, positions, ran};

/// A member that is down gives its partitions to the others, and gets some again when it is there again: none of the records is
/// lost, and what is read twice is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_crashes_loses_nothing() -> Result<()> {
    const COUNT: u64 = 3_000;
    let mut document = document(COUNT, "1000/s", 6);
    document["disturbances"] = json!([{"do": "crash", "at": "1 s", "on": "billing", "for": "500 ms"}]);
    let run = ran(&document, &Brokers::default(), "built-in").await?;
    run.holds_the_laws()?;
    let confirmed = positions(&run)?;
    for group in ["billing", "audit"] {
        let received = run.at(group, Kind::RECEIVED);
        let known: std::collections::BTreeSet<u64> = received.iter().map(|event| event.parent.0).collect();
        ensure!(confirmed.keys().all(|message| known.contains(message)), "{group} has not read all");
        // Every one that was read again had been given back before.
        let back = run.at(group, Kind::REQUEUED).len();
        ensure!(received.len() <= known.len() + back, "{group}: {} of {} and {back}", received.len(), known.len());
    }
    ensure!(!run.at("activity", Kind::REBALANCE_STARTED).is_empty(), "partitions changed hands");
    Ok(())
}
