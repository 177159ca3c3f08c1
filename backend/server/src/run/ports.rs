//! Where the replicas of a run are reached, and how links are connected to them.

use std::collections::BTreeMap;

use hopscope_record::PlaceIndex;
use hopscope_scenario::protocol::Protocol;

use super::slice::CallingSlice;
use crate::link::Link;
use crate::record::Recorder;
use crate::timer::Timer;
use crate::transport::{self, Address, TransportError};

/// The addresses of a run's replicas.
pub(super) type Ports = BTreeMap<(PlaceIndex, Protocol), Address>;

/// Connects the calling end of a link to every replica called. `recorder` stamps at the caller's place.
///
/// # Errors
/// When a replica does not answer.
pub(super) async fn connect(
    slice: &CallingSlice,
    ports: &Ports,
    recorder: &Recorder,
    timer: &Timer,
) -> Result<Link, TransportError> {
    let recorder = recorder.at(recorder.place(), slice.link);
    let mut callers = Vec::with_capacity(slice.to.len());
    for place in &slice.to {
        // A link's replicas are bound on its protocol before anything connects.
        if let (Some(transport), Some(address)) = (transport::of(slice.protocol), ports.get(&(*place, slice.protocol)))
        {
            callers.push(transport.connect(address.clone(), recorder.clone()).await?);
        }
    }
    Ok(Link::new(recorder, callers, slice.policy, timer.clone()))
}
